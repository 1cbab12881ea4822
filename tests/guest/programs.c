/*
 * All the guest programs in one file, as busybox does it: started by a name,
 * it is that program. One C library in the initramfs is enough, and the guest
 * boots faster. Each program's main() is compiled as main_NAME().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <string.h>

#define PROGRAMS(X)                     \
    X("alignments", main_alignments)    \
    X("bench", main_bench)              \
    X("buffers", main_buffers)          \
    X("demo", main_demo)                \
    X("demo-spaces", main_demo_spaces)  \
    X("demo-vm", main_demo_vm)          \
    X("disk", main_disk)                \
    X("example", main_example)          \
    X("flags", main_flags)              \
    X("flr", main_flr)                  \
    X("foreign", main_foreign)          \
    X("forget", main_forget)            \
    X("hostile", main_hostile)          \
    X("interrupt", main_interrupt)      \
    X("iommufd", main_iommufd)          \
    X("iort", main_iort)                \
    X("isolation", main_isolation)      \
    X("killed", main_killed)            \
    X("list", main_list)                \
    X("load", main_load)                \
    X("lost", main_lost)                \
    X("misbehave", main_misbehave)      \
    X("net", main_net)                  \
    X("no-stall", main_no_stall)        \
    X("ops", main_ops)                  \
    X("physical", main_physical)        \
    X("pinned", main_pinned)            \
    X("queues", main_queues)            \
    X("quick", main_quick)              \
    X("refused", main_refused)          \
    X("remap", main_remap)              \
    X("sizes", main_sizes)              \
    X("stress", main_stress)            \
    X("sva-refused", main_sva_refused)  \
    X("tables", main_tables)            \
    X("vfio", main_vfio)                \
    X("vfs", main_vfs)                  \
    X("zip", main_zip)                  \
    X("zip-life", main_zip_life)

#define DECLARE(name_, main_) int main_(int argc, char **argv);
PROGRAMS(DECLARE)

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} programs[] = {
#define ENTRY(name_, main_) { name_, main_ },
    PROGRAMS(ENTRY)
};

int main(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";

    for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
        if (!strcmp(name, programs[i].name)) {
            return programs[i].main(argc, argv);
        }
    }
    fprintf(stderr, "%s: no such program\n", name);
    return 127;
}
