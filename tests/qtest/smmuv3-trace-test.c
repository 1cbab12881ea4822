/*
 * The trace events of what a walk reads: each is there when it alone is asked for.
 * The SMMU tells of none of them while nobody listens. Not what else is traced.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "../unit/conformance.h"
#include "sva-testdev-rig.h"

typedef struct Event {
    const char *name;
    unsigned lines;             /* of one translation that walks */
} Event;

static const Event events[] = {
    { "smmuv3_sva_ste", 1 }, { "smmuv3_sva_cd", 1 }, { "smmuv3_sva_walk", 4 },
};

static unsigned lines_with(const char *text, const char *name)
{
    g_autofree char *wanted = g_strdup_printf("%s ", name);
    g_auto(GStrv) pieces = g_strsplit(text, wanted, 0);

    return g_strv_length(pieces) - 1;
}

static void test_one_event(const void *data)
{
    const Event *asked = data;
    g_autofree char *log = g_strdup_printf("%s/smmuv3-trace-%d.log",
                                           g_get_tmp_dir(), getpid());
    g_autofree char *args =
        g_strdup_printf("-device sva-testdev,addr=1 -d trace:%s -D %s",
                        asked->name, log);
    g_autofree char *text = NULL;
    Rig r = rig_start_with(args, 0, false);

    expect_grant(&r, READ, NO_PASID, VA, r.page, PAGE, R | W | X);
    done(&r);
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
        g_assert_cmpuint(lines_with(text, events[i].name), ==,
                         &events[i] == asked ? asked->lines : 0);
    }
    unlink(log);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    for (unsigned i = 0; i < ARRAY_SIZE(events); i++) {
        g_autofree char *path = g_strdup_printf("/smmuv3-sva/trace/%s",
                                                events[i].name);

        conformance_test_data(path, &events[i], test_one_event, "");
    }
    return conformance_run();
}
