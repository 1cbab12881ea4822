/*
 * The virt-sva machine: what it tells firmware and operating systems about
 * its SMMU, what it tells its user, and that its SMMU migrates.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <libfdt.h>
#include "qobject/qdict.h"
#include "standard-headers/linux/pci_regs.h"
#include "sva-qtest.h"

/* ---- QEMU as a program ------------------------------------------------ */

/* Runs QEMU to its end; its exit status, and what it said in *@said. */
static int run_qemu(const char *arguments, char **said)
{
    g_autofree char *line = g_strdup_printf("%s -display none -nodefaults %s",
                                            getenv("QTEST_QEMU_BINARY"),
                                            arguments);
    g_autoptr(GError) error = NULL;
    int status;

    g_spawn_command_line_sync(line, NULL, said, &status, &error);
    g_assert_no_error(error);
    return status;
}

/* The option is refused, with a message that has all these words. */
static void assert_refused(const char *arguments, ...)
{
    g_autofree char *said = NULL;
    const char *word;
    va_list words;

    g_assert_cmpint(run_qemu(arguments, &said), !=, 0);
    va_start(words, arguments);
    while ((word = va_arg(words, const char *))) {
        if (!strstr(said, word)) {
            g_test_message("\"%s\" is not in: %s", word, said);
            g_test_fail();
        }
    }
    va_end(words);
}

static void test_wrong_options_are_refused_with_a_hint(void)
{
    assert_refused("-M virt-sva -global smmuv3-sva.oas=7", "oas", "7", NULL);
    assert_refused("-M virt-sva -global smmuv3-sva.ssidsize=21", "ssidsize",
                   "21", NULL);
    assert_refused("-M virt-sva -global smmuv3-sva.ats=0 "
                   "-global smmuv3-sva.pri=1", "pri", "ats", NULL);
    assert_refused("-M virt-sva -global smmuv3-sva.ttendian=1", "ttendian",
                   NULL);
    assert_refused("-M virt-sva,smmu-profile=nonsense", "no profile",
                   "nonsense", "linux-sva", NULL);
    assert_refused("-M virt-sva -global smmuv3-sva.tlb-entries=4000000000",
                   "tlb-entries", "At most", NULL);
    assert_refused("-M virt-sva,iommu=smmuv3", "own SMMU", "iommu", NULL);
    assert_refused("-M virt -device smmuv3-sva", "smmuv3-sva", NULL);
}

/* What needs a feature that is gone goes with it, unless it was asked for. */
static void test_dependent_fields_follow(void)
{
    SvaQtest *t = sva_start("-global smmuv3-sva.s2p=0 "
                            "-global smmuv3-sva.ats=0 "
                            "-global smmuv3-sva.stall-model=1");
    uint64_t idr0 = sva_read32(t, SMMU3_IDR0);
    uint64_t idr5 = sva_read32(t, SMMU3_IDR5);

    g_assert_cmpuint(smmu3_get(&idr0, IDR0_S2P), ==, 0);
    g_assert_cmpuint(smmu3_get(&idr0, IDR0_HYP), ==, 0);
    g_assert_cmpuint(smmu3_get(&idr0, IDR0_PRI), ==, 0);
    g_assert_cmpuint(smmu3_get(&idr5, IDR5_STALL_MAX), ==, 0);
    sva_stop(t);

    t = sva_start("-global smmuv3-sva.ril=0");
    g_assert_cmpuint(sva_read32(t, SMMU3_AIDR), ==, 1);
    sva_stop(t);
}

static void test_help_describes_the_id_fields(void)
{
    g_autofree char *line = g_strdup_printf("%s -device smmuv3-sva,help",
                                            getenv("QTEST_QEMU_BINARY"));
    g_autofree char *text = NULL;

    g_assert_true(g_spawn_command_line_sync(line, &text, NULL, NULL, NULL));
    g_assert_nonnull(strstr(text, "stall-model=<uint16>"));
    g_assert_nonnull(strstr(text, "bits of SubstreamID"));
    g_assert_nonnull(strstr(text, "tlb-entries=<uint32>"));
}

/* What the machine says at start; it is stopped at once. */
static char *verdict_of(const char *arguments)
{
    g_autofree char *line = g_strdup_printf(
        "sh -c \"echo q | %s -display none -nodefaults -S -monitor stdio "
        "-accel tcg %s >/dev/null\"", getenv("QTEST_QEMU_BINARY"), arguments);
    char *said = NULL;
    int status;

    g_assert_true(g_spawn_command_line_sync(line, NULL, &said, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    return said;
}

/* The case's words are said, or with NULL nothing of the machine's. */
static void assert_verdict(const char *arguments, const char *words)
{
    g_autofree char *said = verdict_of(arguments);

    if (words ? !strstr(said, words) : !!strstr(said, "virt-sva:")) {
        g_test_message("%s: not \"%s\", but: %s", arguments,
                       words ? words : "silence", said);
        g_test_fail();
    }
}

static void test_verdict_names_the_reason(void)
{
    static const char *const cases[][2] = {
        { "-M virt-sva -cpu max -global smmuv3-sva.oas=5", "IDR5.OAS=5" },
        { "-M virt-sva -global smmuv3-sva.ssidsize=0", "SSIDSIZE" },
        { "-M virt-sva -global smmuv3-sva.asid16=0", "ASID" },
        { "-M virt-sva -global smmuv3-sva.cohacc=0", "COHACC" },
        { "-M virt-sva -global smmuv3-sva.cmdqs=6", "CMDQS" },
        { "-M virt-sva -cpu cortex-a15", "AArch64" },
        { "-M virt-sva,default-bus-bypass-iommu=on", "bypass" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        assert_verdict(cases[i][0], cases[i][1]);
    }
}

/* Silence when nothing is amiss; with verdict=on, what a kernel must be like. */
static void test_verdict_is_quiet_when_all_is_well(void)
{
    assert_verdict("-M virt-sva", NULL);
    assert_verdict("-M virt-sva -device pasid-dev", NULL);
    assert_verdict("-M virt-sva,verdict=on -cpu neoverse-n1", "can share");
    assert_verdict("-M virt-sva,verdict=on -cpu max",
                   "CONFIG_ARM64_VA_BITS_48");
    assert_verdict("-M virt-sva,verdict=on -cpu max", "smmuv3-sva.vax=1");
    assert_verdict("-M virt-sva,verdict=on -cpu max "
                   "-global smmuv3-sva.vax=1", "or 64 KiB pages)");
    assert_verdict("-M virt-sva,verdict=on -global smmuv3-sva.stall-model=1",
                   "STALL_MODEL");
    assert_verdict("-M virt-sva,verdict=on -global smmuv3-sva.gran4k=0",
                   "16 64 KiB");
}

/* Firmware, here an empty one, has Linux use ACPI. */
static void test_verdict_warns_of_endpoints_without_page_faults(void)
{
    assert_verdict("-bios /dev/zero -M virt-sva -device pasid-dev",
                   "no page faults");
    assert_verdict("-bios /dev/zero -M virt-sva "
                   "-device pcie-root-port,id=rp -device pasid-dev,bus=rp",
                   "no page faults");
    assert_verdict("-bios /dev/zero -M virt-sva,acpi=off -device pasid-dev",
                   NULL);
    assert_verdict("-bios /dev/zero -M virt-sva "
                   "-device pasid-dev,can-stall=off", NULL);
    assert_verdict("-bios /dev/zero -M virt-sva", NULL);
}

static void test_verdict_can_be_silenced(void)
{
    assert_verdict("-M virt-sva,verdict=off -cpu max "
                   "-global smmuv3-sva.oas=5", NULL);
}

/* ---- Device tree ------------------------------------------------------ */

static void *dump_fdt(const char *arguments)
{
    g_autofree char *file = NULL, *line = NULL, *said = NULL;
    char *fdt;
    int fd = g_file_open_tmp("sva-XXXXXX.dtb", &file, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    line = g_strdup_printf("-machine virt-sva,verdict=off,dumpdtb=%s %s",
                           file, arguments);
    g_assert_cmpint(run_qemu(line, &said), ==, 0);
    g_assert_true(g_file_get_contents(file, &fdt, NULL, NULL));
    unlink(file);
    g_assert_cmpint(fdt_check_header(fdt), ==, 0);
    return fdt;
}

static uint32_t fdt_cell(void *fdt, int node, const char *name, unsigned cell)
{
    int length;
    const fdt32_t *cells = fdt_getprop(fdt, node, name, &length);

    g_assert_nonnull(cells);
    g_assert_cmpint(length, >=, (cell + 1) * 4);
    return fdt32_to_cpu(cells[cell]);
}

static bool fdt_has(void *fdt, int node, const char *name)
{
    return fdt_getprop(fdt, node, name, NULL);
}

static void test_fdt_describes_the_smmu(void)
{
    g_autofree void *fdt = dump_fdt("");
    int smmu = fdt_path_offset(fdt, "/smmuv3@9050000");
    int pcie = fdt_path_offset(fdt, "/pcie@10000000");

    g_assert_cmpint(smmu, >=, 0);
    g_assert_cmpint(fdt_node_check_compatible(fdt, smmu, "arm,smmu-v3"), ==,
                    0);
    g_assert_cmphex(fdt_cell(fdt, smmu, "reg", 1), ==, SVA_SMMU);
    g_assert_cmphex(fdt_cell(fdt, smmu, "reg", 3), ==, SMMU3_MMIO_BYTES);
    g_assert_cmpuint(fdt_cell(fdt, smmu, "#iommu-cells", 0), ==, 1);
    g_assert_true(fdt_has(fdt, smmu, "dma-coherent"));
    for (unsigned i = 0; i < 4; i++) {
        static const char *const names[] = {
            "eventq", "priq", "cmdq-sync", "gerror",
        };

        g_assert_cmpint(fdt_stringlist_search(fdt, smmu, "interrupt-names",
                                              names[i]), ==, i);
        g_assert_cmpuint(fdt_cell(fdt, smmu, "interrupts", i * 3 + 1), ==,
                         SVA_SMMU_INTID - 32 + i);
        g_assert_cmpuint(fdt_cell(fdt, smmu, "interrupts", i * 3 + 2), ==, 1);
    }
    /* every requester ID is a StreamID */
    g_assert_cmphex(fdt_cell(fdt, pcie, "iommu-map", 0), ==, 0);
    g_assert_cmphex(fdt_cell(fdt, pcie, "iommu-map", 1), ==,
                    fdt_get_phandle(fdt, smmu));
    g_assert_cmphex(fdt_cell(fdt, pcie, "iommu-map", 2), ==, 0);
    g_assert_cmphex(fdt_cell(fdt, pcie, "iommu-map", 3), ==, 0x10000);
    g_assert_true(fdt_has(fdt, pcie, "ats-supported"));
}

static void test_fdt_follows_the_features(void)
{
    g_autofree void *fdt = dump_fdt("-global smmuv3-sva.ats=0 "
                                    "-global smmuv3-sva.cohacc=0");
    int smmu = fdt_path_offset(fdt, "/smmuv3@9050000");
    int pcie = fdt_path_offset(fdt, "/pcie@10000000");

    g_assert_false(fdt_has(fdt, pcie, "ats-supported"));
    g_assert_false(fdt_has(fdt, smmu, "dma-coherent"));
}

static void test_fdt_describes_endpoints(void)
{
    g_autofree void *fdt = dump_fdt(
        "-device pasid-dev,addr=4 "
        "-device pcie-root-port,id=rp,addr=5,chassis=1 "
        "-device pasid-dev,bus=rp "
        "-device pcie-root-port,id=empty,addr=6,chassis=2");
    int accel = fdt_path_offset(fdt, "/pcie@10000000/accel@4,0");
    int port = fdt_path_offset(fdt, "/pcie@10000000/pci@5,0");
    int below = fdt_path_offset(fdt, "/pcie@10000000/pci@5,0/accel@0,0");

    g_assert_cmpint(accel, >=, 0);
    g_assert_cmphex(fdt_cell(fdt, accel, "reg", 0), ==, 4 << 11);
    g_assert_true(fdt_has(fdt, accel, "dma-can-stall"));
    g_assert_cmpint(port, >=, 0);
    g_assert_cmphex(fdt_cell(fdt, port, "reg", 0), ==, 5 << 11);
    g_assert_cmpint(below, >=, 0);
    g_assert_true(fdt_has(fdt, below, "dma-can-stall"));
    /* what leads to no endpoint is not described */
    g_assert_cmpint(fdt_path_offset(fdt, "/pcie@10000000/pci@6,0"), <, 0);
}

/* They are not there at boot; when they are, Linux looks for their nodes. */
static void test_fdt_describes_virtual_functions(void)
{
    g_autofree void *fdt = dump_fdt(
        "-device pasid-dev,addr=4,vfs=9 "
        "-device pcie-root-port,id=rp,addr=5,chassis=1 "
        "-device pasid-dev,bus=rp,vfs=1,can-stall=off");
    const char *last = "/pcie@10000000/accel@15,0";     /* 04.0 + 80h + 8 */
    const char *mute = "/pcie@10000000/pci@5,0/accel@10,0";
    int node = fdt_path_offset(fdt, last);

    g_assert_cmpint(node, >=, 0);
    g_assert_cmphex(fdt_cell(fdt, node, "reg", 0), ==, 0x15 << 11);
    g_assert_true(fdt_has(fdt, node, "dma-can-stall"));
    node = fdt_path_offset(fdt, mute);
    g_assert_cmpint(node, >=, 0);
    g_assert_false(fdt_has(fdt, node, "dma-can-stall"));
}

static void test_fdt_of_the_user_is_left_alone(void)
{
    g_autofree void *own = dump_fdt("");
    g_autofree void *fdt = NULL;
    g_autofree char *file = NULL, *args = NULL;
    int fd = g_file_open_tmp("sva-XXXXXX.dtb", &file, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, own, fdt_totalsize(own)), ==,
                    fdt_totalsize(own));
    close(fd);
    args = g_strdup_printf("-dtb %s -device pasid-dev,addr=4", file);
    fdt = dump_fdt(args);
    unlink(file);
    g_assert_cmpint(fdt_path_offset(fdt, "/pcie@10000000"), >=, 0);
    g_assert_cmpint(fdt_path_offset(fdt, "/pcie@10000000/accel@4,0"), <, 0);
}

static void test_fdt_bypass_has_no_map(void)
{
    g_autofree void *fdt = dump_fdt("-M default-bus-bypass-iommu=on "
                                    "-device edu");
    int pcie = fdt_path_offset(fdt, "/pcie@10000000");

    g_assert_false(fdt_has(fdt, pcie, "iommu-map"));
    g_assert_false(fdt_has(fdt, pcie, "ats-supported"));
}

/* ---- Migration -------------------------------------------------------- */

static void wait_for_migration(QTestState *qts)
{
    for (unsigned i = 0; i < 2000; i++) {
        QDict *info = qtest_qmp_assert_success_ref(qts,
            "{'execute': 'query-migrate'}");
        g_autofree char *status =
            g_strdup(qdict_get_try_str(info, "status") ?: "");

        qobject_unref(info);
        if (!strcmp(status, "completed")) {
            return;
        }
        g_assert_cmpstr(status, !=, "failed");
        g_usleep(5000);
    }
    g_assert_not_reached();
}

/* Save the machine into a new file. */
static char *save(SvaQtest *t)
{
    g_autofree char *uri = NULL;
    char *file;
    int fd = g_file_open_tmp("sva-XXXXXX.state", &file, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strdup_printf("file:%s", file);
    qtest_qmp_assert_success(t->qts,
        "{'execute': 'migrate', 'arguments': {'uri': %s}}", uri);
    wait_for_migration(t->qts);
    return file;
}

/* Another machine with the same arguments that goes on where @t is. */
static SvaQtest *migrate(SvaQtest *t, const char *args)
{
    g_autofree char *file = save(t);
    g_autofree char *uri = g_strdup_printf("file:%s", file);
    g_autofree char *incoming = g_strdup_printf("%s -incoming defer", args);
    SvaQtest *to = sva_start(incoming);

    qtest_qmp_assert_success(to->qts,
        "{'execute': 'migrate-incoming', 'arguments': {'uri': %s}}", uri);
    wait_for_migration(to->qts);
    qtest_qmp_eventwait(to->qts, "RESUME");
    unlink(file);

    to->next = t->next;
    to->mmio_next = t->mmio_next;
    to->strtab = t->strtab;
    to->cmdq = t->cmdq;
    to->eventq = t->eventq;
    to->priq = t->priq;
    to->cmdq_prod = t->cmdq_prod;
    to->eventq_cons = t->eventq_cons;
    to->priq_cons = t->priq_cons;
    return to;
}

static void assert_same_registers(SvaQtest *a, SvaQtest *b)
{
    for (uint32_t reg = 0; reg < 0x200; reg += 4) {
        g_assert_cmphex(sva_read32(a, reg), ==, sva_read32(b, reg));
        g_assert_cmphex(sva_read32(a, SMMU3_PAGE_BYTES + reg), ==,
                        sva_read32(b, SMMU3_PAGE_BYTES + reg));
    }
}

static void test_idle_smmu_migrates(void)
{
    SvaQtest *from = sva_start(""), *to;

    sva_write32(from, SMMU3_CR1, 0xd75);
    sva_write32(from, SMMU3_CR2, smmu3_field_mask(CR2_RECINVSID));
    sva_write32(from, SMMU3_GBPA, smmu3_field_mask(GBPA_ABORT) |
                                  smmu3_field_mask(GBPA_UPDATE));
    sva_write64(from, SMMU3_GERROR_IRQ_CFG0, 0x40123450);
    sva_write32(from, SMMU3_GERROR_IRQ_CFG1, 0x1234);
    sva_write64(from, SMMU3_PRIQ_IRQ_CFG0, 0x40123454);
    sva_write32(from, SMMU3_PRIQ_IRQ_CFG2,
                smmu3_field_mask(PRIQ_IRQ_CFG2_LO));
    sva_smmu_enable(from);
    sva_sync(from);
    to = migrate(from, "");
    assert_same_registers(from, to);
    sva_sync(to);
    sva_stop(from);
    sva_stop(to);
}

/*
 * With an event not yet read, an error not yet acknowledged, and commands
 * behind the one in error.
 */
static void test_busy_smmu_migrates(void)
{
    static const char args[] = "-device edu,addr=1";
    SvaQtest *from = sva_start(args), *to;
    uint64_t event[SMMU3_EVENT_WORDS], resume = CMD_RESUME;
    uint64_t cons, bar;

    sva_smmu_enable(from);
    sva_sync(from);
    sva_command(from, 0xff, 0);
    sva_command(from, resume, 0);
    sva_command(from, CMD_SYNC, 0);
    /* one StreamID without an STE: a record in the queue */
    bar = sva_enable_bar(from, 0, 1 << 3, 0);
    sva_config_write(from, 0, 1 << 3,
                     sva_find_cap(from, 0, 1 << 3, PCI_CAP_ID_MSI) +
                     PCI_MSI_FLAGS, 2, PCI_MSI_FLAGS_ENABLE);
    qtest_writel(from->qts, bar + 0x60, 1);
    g_assert_cmpuint(sva_read32(from, SMMU3_EVENTQ_PROD), ==, 1);

    to = migrate(from, args);
    assert_same_registers(from, to);
    g_assert_cmphex(sva_read32(to, SMMU3_GERROR) & 1, ==, 1);
    cons = sva_read32(to, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==, CERROR_ILL);
    g_assert_true(sva_event(to, event));
    g_assert_cmphex(smmu3_get(event, EVENT_TYPE), ==, C_BAD_STE);
    g_assert_cmphex(smmu3_get(event, EVENT_STREAMID), ==, 1 << 3);

    /* Software corrects the command and goes on. */
    qtest_writeq(to->qts, to->cmdq + SMMU3_CMD_BYTES, CMD_SYNC);
    sva_write32(to, SMMU3_GERRORN, sva_read32(to, SMMU3_GERROR));
    sva_sync(to);
    sva_stop(from);
    sva_stop(to);
}

/*
 * A CMD_SYNC waits for an ATC invalidation that nobody answers, with more
 * commands behind it. Whoever had to answer starts anew with an empty ATC, so
 * after the load there is nothing to wait for.
 */
static void test_waiting_sync_migrates(void)
{
    static const char args[] = "-device edu,addr=1";
    SvaQtest *from = sva_start(args), *to;
    uint64_t command = CMD_ATC_INV, cons;

    sva_smmu_enable(from);
    smmu3_set(&command, CMD_STREAMID, 1 << 3);
    sva_command(from, command, CMD_ATC_SIZE_ALL);
    sva_command(from, CMD_SYNC, 0);
    sva_command(from, CMD_TLBI_NSNH_ALL, 0);
    cons = sva_read32(from, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, QUEUE_INDEX), ==, 1);

    to = migrate(from, args);
    sva_sync(to);
    cons = sva_read32(to, SMMU3_CMDQ_CONS);
    g_assert_cmpuint(smmu3_get(&cons, QUEUE_INDEX), ==, 4);
    g_assert_cmpuint(smmu3_get(&cons, CMDQ_CONS_ERR), ==, 0);
    sva_stop(from);
    sva_stop(to);
}

static void test_other_features_refuse_the_state(void)
{
    SvaQtest *t = sva_start("");
    g_autofree char *file = save(t);
    g_autofree char *said = NULL, *line = NULL;

    sva_stop(t);
    line = g_strdup_printf("-M virt-sva,verdict=off -m 128M -accel tcg "
                           "-global smmuv3-sva.ssidsize=8 -incoming file:%s",
                           file);
    g_assert_cmpint(run_qemu(line, &said), !=, 0);
    g_assert_nonnull(strstr(said, "other features"));
    unlink(file);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/virt-sva/" path, fn)
    TEST("options/wrong-are-refused-with-a-hint",
         test_wrong_options_are_refused_with_a_hint);
    TEST("options/dependent-fields-follow", test_dependent_fields_follow);
    TEST("options/help-describes-the-id-fields",
         test_help_describes_the_id_fields);
    TEST("verdict/names-the-reason", test_verdict_names_the_reason);
    TEST("verdict/is-quiet-when-all-is-well",
         test_verdict_is_quiet_when_all_is_well);
    TEST("verdict/warns-of-endpoints-without-page-faults",
         test_verdict_warns_of_endpoints_without_page_faults);
    TEST("verdict/can-be-silenced", test_verdict_can_be_silenced);
    TEST("fdt/describes-the-smmu", test_fdt_describes_the_smmu);
    TEST("fdt/follows-the-features", test_fdt_follows_the_features);
    TEST("fdt/describes-endpoints", test_fdt_describes_endpoints);
    TEST("fdt/describes-virtual-functions",
         test_fdt_describes_virtual_functions);
    TEST("fdt/of-the-user-is-left-alone", test_fdt_of_the_user_is_left_alone);
    TEST("fdt/bypass-has-no-map", test_fdt_bypass_has_no_map);
    TEST("migration/idle", test_idle_smmu_migrates);
    TEST("migration/busy", test_busy_smmu_migrates);
    TEST("migration/waiting-sync", test_waiting_sync_migrates);
    TEST("migration/other-features-refuse",
         test_other_features_refuse_the_state);
#undef TEST
    return g_test_run();
}
