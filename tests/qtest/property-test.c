/*
 * Every property of every device and machine of ours at its extremes, and the
 * pairs of them: on the command line, and plugged into a root port of a running
 * machine and out of it. QEMU either works, which a register shows, or says
 * which property is wrong and what is allowed. Not what the properties do.
 *
 * The properties are asked of QEMU: one that this program does not know fails
 * it, so that none is forgotten.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "standard-headers/linux/pci_regs.h"
#include "sva-qtest.h"

/* ---- What there is ---------------------------------------------------- */

typedef struct Property {
    const char *name;           /* NULL: the end */
    bool is_number;
    uint32_t min, max;          /* of a number */
    bool zero_is_default;       /* 0 is legal, and stands for another value */
    bool has_auto;              /* "on" and "off" are words, not a boolean */
    bool is_link;               /* names an object that no test here has */
    /* Of text, two values that are legal, and one that is not; a message about
       that names the first, too */
    const char *text[3];
} Property;

enum { MAX_PROPERTIES = 24, MAX_VALUES = 6, MAX_TEXT = 40 };

/* A value for each property of a device; "": it is not given. */
typedef char Setting[MAX_PROPERTIES][MAX_TEXT];

typedef struct Device {
    const char *driver;
    uint16_t vendor_id, device_id;
    /* A register that is never 0 */
    unsigned bar;
    uint32_t offset;
    uint64_t value;
    bool is_64_bits;
    Property properties[MAX_PROPERTIES + 1];
    /* What a message says if legal values do not go together, or NULL */
    const char *(*conflict)(const struct Device *dev, Setting setting);
} Device;

static const char *given(const Device *dev, Setting setting, const char *name)
{
    for (unsigned i = 0; dev->properties[i].name; i++) {
        if (!strcmp(dev->properties[i].name, name)) {
            return setting[i];
        }
    }
    g_assert_not_reached();
}

static bool is_on(const Device *dev, Setting setting, const char *name)
{
    return !strcmp(given(dev, setting, name), "on");
}

static unsigned number(const Device *dev, Setting setting, const char *name,
                       unsigned otherwise)
{
    const char *text = given(dev, setting, name);

    return *text ? (unsigned)atoi(text) : otherwise;
}

/* The endpoints' translation cache, and page requests */
static const char *ats_conflict(const Device *dev, Setting setting,
                                const char *ats_default)
{
    unsigned entries = number(dev, setting, "atc-entries", 256);
    unsigned ways = number(dev, setting, "atc-ways", 4);
    const char *ats = given(dev, setting, "ats");

    if (!entries || !ways) {
        return NULL;    /* illegal by itself */
    }
    if (entries % ways) {
        return "not a multiple of its ways";
    }
    if (!is_power_of_2(entries / ways)) {
        return "no power of two";
    }
    return is_on(dev, setting, "pri") &&
           !strcmp(*ats ? ats : ats_default, "off") ? "needs ats=on" : NULL;
}

static const char *pasid_dev_conflict(const Device *dev, Setting setting)
{
    return ats_conflict(dev, setting, "on");
}

static const char *zip_conflict(const Device *dev, Setting setting)
{
    unsigned queues = atoi(given(dev, setting, "queues"));

    if (strcmp(given(dev, setting, "version"), "2")) {
        return ats_conflict(dev, setting, "off");
    }
    if (queues && queues != 1024) {
        return "version 2 always has 1024";
    }
    return is_on(dev, setting, "kernel-crypto") ||
           is_on(dev, setting, "stop-queue") || is_on(dev, setting, "flush")
           ? "need version=3" : ats_conflict(dev, setting, "off");
}

static const char *testdev_conflict(const Device *dev, Setting setting)
{
    return is_on(dev, setting, "notify-unmap") &&
           is_on(dev, setting, "notify-deviotlb") ? "exclude each other" : NULL;
}

static const Device devices[] = {
    {
        .driver = "pasid-dev",
        .vendor_id = 0x1234, .device_id = 0x5afa,
        .bar = 0, .offset = 0, .value = 0x64736170,     /* MAGIC */
        .properties = {
            { "queues", true, 1, 256 },
            { "jobs", true, 1, 16 },
            { "pasid-bits", true, 1, 20 },
            { "can-stall" },
            { "privileged" },
            { "execute" },
            { "ats" },
            { "atc-entries", true, 1, 8192 },
            { "atc-ways", true, 1, 8192 },
            { "pri", .has_auto = true },
            { "pri-group-pages", true, 1, 16 },
            { "pri-response-pasid" },
            { "vfs", true, 0, 63 },
            { "x-misbehave", .text = { "dma-no-master", "inv-late+pasid-wide",
                                       "inv-late+nonsense" } },
            { "vf-queues", true, 1, 16 },
            { "iothread", .is_link = true },
        },
        .conflict = pasid_dev_conflict,
    }, {
        .driver = "hisi-zip",
        .vendor_id = 0x19e5, .device_id = 0xa250,
        .bar = 2, .offset = 0x300150, .value = 3,       /* MASTER_TRANS_RETURN */
        .properties = {
            { "version", true, 2, 3 },
            { "queues", true, 2, 1024, .zero_is_default = true },
            { "pasid-bits", true, 1, 16 },
            { "level", true, 1, 9 },
            { "kernel-crypto" },
            { "stop-queue" },
            { "flush" },
            { "ats" },
            { "atc-entries", true, 1, 8192 },
            { "atc-ways", true, 1, 8192 },
            { "pri", .has_auto = true },
            { "pri-group-pages", true, 1, 16 },
            { "pri-response-pasid" },
            { "iothread", .is_link = true },
        },
        .conflict = zip_conflict,
    }, {
        .driver = "sva-testdev",
        .vendor_id = 0x1234, .device_id = 0x5afe,
        .bar = 0, .offset = 0, .value = UINT64_C(0x7473657461766173),  /* MAGIC */
        .is_64_bits = true,
        .properties = {
            { "ats" },
            { "client" },
            { "notify-unmap" },
            { "notify-deviotlb" },
        },
        .conflict = testdev_conflict,
    },
};

/* The interesting values of @property, the legal ones and those beyond. */
static unsigned values_of(const Property *property,
                          char values[MAX_VALUES][MAX_TEXT])
{
    const int64_t numbers[] = { 0, property->min, property->max,
                                (int64_t)property->min - 1,
                                (int64_t)property->max + 1, UINT32_MAX };
    unsigned n = 0;

    if (property->is_link) {
        return 0;
    }
    if (property->text[0]) {
        for (n = 0; n < ARRAY_SIZE(property->text); n++) {
            strcpy(values[n], property->text[n]);
        }
        return n;
    }
    if (!property->is_number) {
        strcpy(values[0], "on");
        strcpy(values[1], "off");
        return 2;
    }
    QEMU_BUILD_BUG_ON(ARRAY_SIZE(numbers) > MAX_VALUES);
    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        bool is_new = numbers[i] >= 0;

        for (unsigned k = 0; k < i; k++) {
            is_new &= numbers[k] != numbers[i];
        }
        if (is_new) {
            snprintf(values[n++], MAX_TEXT, "%" PRId64, numbers[i]);
        }
    }
    return n;
}

static bool is_legal(const Property *property, const char *value)
{
    uint64_t number = g_ascii_strtoull(value, NULL, 10);

    if (property->text[0]) {
        return strcmp(value, property->text[2]);
    }
    return !*value || !property->is_number ||
           (property->zero_is_default && !number) ||
           (number >= property->min && number <= property->max);
}

/*
 * Is @said right for a device that was refused with @setting? It has to name a
 * property that is wrong, with both ends of what is allowed.
 */
static bool explains(const Device *dev, Setting setting, const char *said)
{
    const char *conflict = dev->conflict ? dev->conflict(dev, setting) : NULL;

    for (unsigned i = 0; dev->properties[i].name; i++) {
        const Property *p = &dev->properties[i];
        g_autofree char *min = p->text[0] ? g_strdup(p->text[0]) :
                               g_strdup_printf("%u", p->min);
        g_autofree char *max = p->text[0] ? g_strdup(p->text[2]) :
                               g_strdup_printf("%u", p->max);

        if (!is_legal(p, setting[i]) && strstr(said, p->name) &&
            strstr(said, min) && strstr(said, max)) {
            return true;
        }
    }
    return conflict && strstr(said, conflict);
}

static bool is_acceptable(const Device *dev, Setting setting)
{
    for (unsigned i = 0; dev->properties[i].name; i++) {
        if (!is_legal(&dev->properties[i], setting[i])) {
            return false;
        }
    }
    return !dev->conflict || !dev->conflict(dev, setting);
}

static char *options_of(const Device *dev, Setting setting)
{
    GString *text = g_string_new(dev->driver);

    for (unsigned i = 0; dev->properties[i].name; i++) {
        if (*setting[i]) {
            g_string_append_printf(text, ",%s=%s", dev->properties[i].name,
                                   setting[i]);
        }
    }
    return g_string_free(text, false);
}

typedef void Try(const Device *dev, Setting setting, void *opaque);

/*
 * None, each value of each property, and each pair of two; on a command line,
 * where each takes a QEMU, pairs of neighbours only.
 */
static void for_each_setting(const Device *dev, bool all_pairs, Try *try,
                             void *opaque)
{
    char first[MAX_VALUES][MAX_TEXT], second[MAX_VALUES][MAX_TEXT];
    Setting setting = { { 0 } };

    try(dev, setting, opaque);
    for (unsigned i = 0; dev->properties[i].name; i++) {
        unsigned n = values_of(&dev->properties[i], first);

        for (unsigned a = 0; a < n; a++) {
            strcpy(setting[i], first[a]);
            try(dev, setting, opaque);
            for (unsigned k = i + 1;
                 dev->properties[k].name && (all_pairs || k == i + 1); k++) {
                unsigned m = values_of(&dev->properties[k], second);

                for (unsigned b = 0; b < m; b++) {
                    strcpy(setting[k], second[b]);
                    try(dev, setting, opaque);
                }
                setting[k][0] = 0;
            }
        }
        setting[i][0] = 0;
    }
}

/* ---- QEMU as a program ------------------------------------------------ */

typedef struct Run {
    bool works;             /* all of the script was answered */
    uint64_t answer;        /* to its last line */
    char *said;             /* on stderr; to be freed */
} Run;

/* Reads @file until @lines answers have come or it ends. */
static bool read_answers(int file, unsigned lines, uint64_t *answer)
{
    FILE *stream = fdopen(file, "r");
    char line[256];

    while (lines && fgets(line, sizeof(line), stream)) {
        if (g_str_has_prefix(line, "OK")) {
            *answer = g_ascii_strtoull(line + 2, NULL, 0);
            lines--;
        }
    }
    fclose(stream);
    return !lines;
}

/* All that is in @file, which is closed; to be freed. */
static char *read_all(int file)
{
    GString *text = g_string_new(NULL);
    char part[256];
    ssize_t n;

    while ((n = read(file, part, sizeof(part))) > 0) {
        g_string_append_len(text, part, n);
    }
    close(file);
    return g_string_free(text, false);
}

/*
 * Start QEMU and give it @script, lines of the qtest protocol. Ended by a
 * signal (an assertion) fails the test.
 */
static Run run_qemu(const char *arguments, const char *script)
{
    g_autofree char *line = g_strdup_printf(
        "%s -display none -nodefaults -accel qtest -m 16 -qtest stdio "
        "-qtest-log none %s", getenv("QTEST_QEMU_BINARY"), arguments);
    g_auto(GStrv) argv = NULL;
    int in, out, err, status;
    unsigned lines = 0;
    Run run = { 0 };
    GPid pid;

    g_assert_true(g_shell_parse_argv(line, NULL, &argv, NULL));
    g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL,
                                           G_SPAWN_DO_NOT_REAP_CHILD, NULL,
                                           NULL, &pid, &in, &out, &err, NULL));
    for (const char *c = script; *c; c++) {
        lines += *c == '\n';
    }
    /* QEMU that refused its options reads nothing. */
    if (write(in, script, strlen(script)) < 0) {
        g_assert_cmpint(errno, ==, EPIPE);
    }
    run.works = read_answers(out, lines, &run.answer);
    if (run.works) {
        kill(pid, SIGTERM);
    }
    run.said = read_all(err);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    close(in);
    if (!WIFEXITED(status) || run.works != !WEXITSTATUS(status)) {
        g_test_message("%s: ended with 0x%x: %s", arguments, status, run.said);
        g_test_fail();
    }
    return run;
}

/* The qtest lines that place @dev's BAR, at @config, and read its register. */
static char *script_for(const Device *dev, uint64_t config)
{
    const uint64_t bar = UINT64_C(0x10000000);

    return g_strdup_printf("writel 0x%" PRIx64 " 0x%" PRIx64 "\n"
                           "writel 0x%" PRIx64 " 0x6\n"
                           "read%c 0x%" PRIx64 "\n",
                           config + PCI_BASE_ADDRESS_0 + dev->bar * 4, bar,
                           config + PCI_COMMAND, dev->is_64_bits ? 'q' : 'l',
                           bar + dev->offset);
}

typedef struct Tally {
    unsigned works, refused;
    SvaQtest *t;            /* of the machine to plug into */
} Tally;

static void count(Tally *tally, const Device *dev, Setting setting, bool works,
                  uint64_t answer, const char *said)
{
    g_autofree char *options = options_of(dev, setting);

    tally->works += works;
    tally->refused += !works;
    if (works != is_acceptable(dev, setting)) {
        g_test_message("%s %s: %s", options, works ? "works" : "is refused",
                       said);
        g_test_fail();
    } else if (works ? answer != dev->value : !explains(dev, setting, said)) {
        g_test_message("%s: 0x%" PRIx64 ": %s", options, answer, said);
        g_test_fail();
    }
}

static void try_command_line(const Device *dev, Setting setting, void *opaque)
{
    g_autofree char *options = options_of(dev, setting);
    g_autofree char *arguments = g_strdup_printf(
        "-M virt-sva -device %s,addr=5", options);
    g_autofree char *script = script_for(dev, UINT64_C(0x4010000000) +
                                              (5 << 15));
    Run run = run_qemu(arguments, script);

    count(opaque, dev, setting, run.works, run.answer, run.said);
    g_free(run.said);
}

static void test_command_line(gconstpointer data)
{
    Tally tally = { 0 };

    for_each_setting(data, false, try_command_line, &tally);
    g_assert_cmpuint(tally.works, >, 0);
    g_assert_cmpuint(tally.refused, >, 0);
}

/* ---- Into a running machine, and out of it ---------------------------- */

#define PORT    (4 << 3)

static QDict *device_add(SvaQtest *t, const Device *dev, Setting setting)
{
    QDict *arguments = qdict_new();

    qdict_put_str(arguments, "driver", dev->driver);
    qdict_put_str(arguments, "id", "it");
    qdict_put_str(arguments, "bus", "rp");
    for (unsigned i = 0; dev->properties[i].name; i++) {
        const Property *p = &dev->properties[i];

        if (!*setting[i]) {
            continue;
        } else if (p->is_number) {
            qdict_put_int(arguments, p->name,
                          g_ascii_strtoull(setting[i], NULL, 10));
        } else if (p->has_auto || p->text[0]) {
            qdict_put_str(arguments, p->name, setting[i]);
        } else {
            qdict_put_bool(arguments, p->name, !strcmp(setting[i], "on"));
        }
    }
    return qtest_qmp(t->qts, "{'execute': 'device_add', 'arguments': %p}",
                     arguments);
}

static void set_slot(SvaQtest *t, uint16_t control)
{
    unsigned cap = sva_find_cap(t, 0, PORT, PCI_CAP_ID_EXP);

    sva_config_write(t, 0, PORT, cap + PCI_EXP_SLTCTL, 2, control);
}

static void try_hot_plug(const Device *dev, Setting setting, void *opaque)
{
    g_autofree char *options = options_of(dev, setting);
    Tally *tally = opaque;
    SvaQtest *t = tally->t;
    uint64_t window = t->mmio_next, address, answer;
    QDict *response;

    g_test_message("device_add %s", options);
    response = device_add(t, dev, setting);
    if (qdict_haskey(response, "error")) {
        QDict *error = qdict_get_qdict(response, "error");

        count(tally, dev, setting, false, 0, qdict_get_str(error, "desc"));
        qobject_unref(response);
        return;
    }
    qobject_unref(response);
    set_slot(t, PCI_EXP_SLTCTL_PWR_IND_ON);
    address = sva_enable_bar(t, 1, 0, dev->bar) + dev->offset;
    answer = dev->is_64_bits ? qtest_readq(t->qts, address)
                             : qtest_readl(t->qts, address);
    count(tally, dev, setting, true, answer, "");
    qtest_qmp_assert_success(t->qts, "{'execute': 'device_del', "
                             "'arguments': {'id': 'it'}}");
    set_slot(t, PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    qtest_qmp_eventwait(t->qts, "DEVICE_DELETED");
    g_assert_cmphex(sva_config_read(t, 1, 0, PCI_VENDOR_ID, 2), ==, 0xffff);
    t->mmio_next = window;
}

static void test_hot_plug(gconstpointer data)
{
    Tally tally = { .t = sva_start("-device pcie-root-port,id=rp,addr=4.0,"
                                   "chassis=1") };

    sva_enable_bridge(tally.t, 0, PORT, 1);
    for_each_setting(data, true, try_hot_plug, &tally);
    g_assert_cmpuint(tally.works, >, 0);
    g_assert_cmpuint(tally.refused, >, 0);
    sva_stop(tally.t);
}

/* ---- The SMMU and the machine ----------------------------------------- */

/* IDR0: some of it is never 0 */
#define READ_IDR0   "readl 0x9050000\n"

/* Works, or is refused with a message that has @name. */
static void assert_works_or_explains(const char *arguments, const char *name)
{
    Run run = run_qemu(arguments, READ_IDR0);

    if (run.works ? !run.answer : !strstr(run.said, name)) {
        g_test_message("%s: 0x%" PRIx64 ": %s", arguments, run.answer,
                       run.said);
        g_test_fail();
    }
    g_free(run.said);
}

/* QEMU's own machine that ours is made of, by its alias; to be freed. */
static char *type_of_virt(QTestState *qts)
{
    QDict *response = qtest_qmp(qts, "{'execute': 'query-machines'}");
    QListEntry *entry;
    char *type = NULL;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
        QDict *machine = qobject_to(QDict, qlist_entry_obj(entry));

        if (!g_strcmp0(qdict_get_try_str(machine, "alias"), "virt")) {
            type = g_strdup_printf("%s-machine",
                                   qdict_get_str(machine, "name"));
        }
    }
    qobject_unref(response);
    return type;
}

/*
 * The properties of @type that @base (NULL: QEMU's virt) lacks, as QOM has
 * them, with their types; to be unref'd.
 */
static QDict *own_properties(const char *command, const char *type,
                             const char *base)
{
    QTestState *qts = qtest_init("-M virt-sva -nodefaults");
    g_autofree char *base_type = base ? g_strdup(base) : type_of_virt(qts);
    QDict *own = qdict_new();

    for (unsigned of_base = 0; of_base < 2; of_base++) {
        QDict *response = qtest_qmp(qts, "{'execute': %s, "
                                    "'arguments': {'typename': %s}}",
                                    command, of_base ? base_type : type);
        QListEntry *entry;

        QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
            QDict *p = qobject_to(QDict, qlist_entry_obj(entry));

            if (of_base) {
                qdict_del(own, qdict_get_str(p, "name"));
            } else {
                qdict_put_str(own, qdict_get_str(p, "name"),
                              qdict_get_str(p, "type"));
            }
        }
        qobject_unref(response);
    }
    qtest_quit(qts);
    return own;
}

/* Each value at an end of what the property's type takes. */
static void test_smmu(void)
{
    /* One that all system bus devices' properties are in */
    QDict *own = own_properties("qom-list-properties", "smmuv3-sva",
                                "sys-bus-device");
    static const char *const of_running_machines[] = {
        "audit-reports", "audit-summary", "counters", "counters-reset",
        "inject-counts", "inject-drops", NULL
    };
    const QDictEntry *entry;

    g_assert_cmpuint(qdict_size(own), >, 40);
    for (entry = qdict_first(own); entry; entry = qdict_next(own, entry)) {
        const char *name = qdict_entry_key(entry);
        const char *type = qdict_get_str(own, name);
        static const char *const words[] = { "0", "1", "65535" };
        static const char *const longs[] = { "0", "1", "4294967295" };
        static const char *const texts[] = { "", "nonsense" };
        const char *const *values = texts;
        unsigned n = ARRAY_SIZE(texts);

        if (!strcmp(type, "uint16")) {
            values = words;
            n = ARRAY_SIZE(words);
        } else if (!strcmp(type, "uint32")) {
            values = longs;
            n = ARRAY_SIZE(longs);
        } else if (g_strv_contains(of_running_machines, name) ||
                   g_str_has_prefix(type, "child<")) {
            continue;
        } else if (strcmp(type, "string") && strcmp(type, "str") &&
                   !g_str_has_prefix(type, "link<")) {
            g_test_message("%s: no values for type %s", name, type);
            g_test_fail();
            continue;
        }
        for (unsigned i = 0; i < n; i++) {
            g_autofree char *arguments = g_strdup_printf(
                "-M virt-sva -global smmuv3-sva.%s=%s", name, values[i]);

            assert_works_or_explains(arguments, name);
        }
    }
    qobject_unref(own);
}

/* Values that are legal each for itself, and speak of each other. */
static void test_smmu_together(void)
{
    static const struct {
        const char *values[4];
        bool works;
    } cases[] = {
        { { "s1p=0", "s2p=0" } },
        { { "s1p=0", "hyp=1" } },
        { { "s1p=0", "s2p=1" }, true },
        { { "s2p=0", "vmw=1" } },
        { { "ats=0", "pri=1" } },
        { { "ats=0", "ns1ats=1" } },
        { { "ats=0", "atsrecerr=1" } },
        { { "pri=0", "pps=1" } },
        { { "ssidsize=0", "pps=1" } },
        { { "ssidsize=0", "pps=0" }, true },
        { { "sidsize=7", "st-level=0" } },
        { { "sidsize=6", "st-level=0" }, true },
        { { "sidsize=0", "st-level=0" }, true },
        { { "sidsize=32", "ssidsize=20" }, true },
        { { "gran4k=0", "gran16k=0", "gran64k=0" } },
        { { "gran4k=0", "gran16k=0", "oas=0" }, true },
        { { "oas=6", "gran64k=0", "ds=0" } },
        { { "oas=6", "aidr-minor=0" } },
        { { "oas=6", "vax=1", "ds=1" }, true },
        { { "vax=1", "gran64k=0" } },
        { { "ds=1", "vax=0" } },
        { { "ds=1", "vax=1", "gran4k=0", "gran16k=0" } },
        { { "stall-model=1", "stall-max=1" } },
        { { "stall-model=2", "stall-max=0" } },
        { { "stall-model=0", "stall-max=1" }, true },
        { { "stall-model=2", "stall-max=65535" }, true },
        { { "cmdqs=0", "eventqs=0", "priqs=0" }, true },
        { { "tlb-entries=1", "config-entries=1" }, true },
        { { "atc-timeout-ms=1", "ats=0" }, true },
        { { "aidr-minor=3", "e0pd=0" } },
        { { "aidr-minor=2", "ril=0" } },
        { { "aidr-minor=0", "ril=0", "fwb=0", "bbml=0" }, true },
        { { "profile=mmu-600", "oas=6", "gran64k=0" } },
        { { "profile=minimal", "ssidsize=20", "stall-model=0" } },
        { { "profile=minimal", "ssidsize=20", "stall-max=8",
            "stall-model=0" }, true },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        GString *arguments = g_string_new("-M virt-sva");
        g_auto(GStrv) first = NULL;
        Run run;

        for (unsigned k = 0; k < 4 && cases[i].values[k]; k++) {
            g_string_append_printf(arguments, " -global smmuv3-sva.%s",
                                   cases[i].values[k]);
        }
        run = run_qemu(arguments->str, READ_IDR0);
        first = g_strsplit(run.said, "smmuv3-sva:", 2);
        if (run.works != cases[i].works ||
            (!run.works && !strchr(first[1] ?: "", '='))) {
            g_test_message("%s %s: %s", arguments->str,
                           run.works ? "works" : "is refused", run.said);
            g_test_fail();
        }
        g_free(run.said);
        g_string_free(arguments, true);
    }
}

static void test_machine(void)
{
    static const char *const profiles[] = {
        "linux-sva", "minimal", "mmu-600", "mmu-700", "fvp-aem", "", "nonsense",
    };
    static const char *const others[] = {
        "", "-global smmuv3-sva.oas=0", "-global smmuv3-sva.oas=6",
        "-global smmuv3-sva.ssidsize=0", "-global smmuv3-sva.stall-model=1",
        "-global smmuv3-sva.profile=minimal",
    };
    QDict *own = own_properties("qom-list-properties", "virt-sva-machine",
                                NULL);

    g_assert_true(qdict_haskey(own, "smmu-profile"));
    g_assert_true(qdict_haskey(own, "verdict"));
    g_assert_cmpuint(qdict_size(own), ==, 2);
    qobject_unref(own);
    for (unsigned i = 0; i < ARRAY_SIZE(profiles); i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(others); k++) {
            g_autofree char *arguments = g_strdup_printf(
                "-M virt-sva,smmu-profile=%s,verdict=%s %s", profiles[i],
                k & 1 ? "on" : "off", others[k]);

            assert_works_or_explains(arguments, i == 6 ? "profile" : "oas");
        }
    }
}

/* ---- Where a device may be -------------------------------------------- */

static void test_places(gconstpointer data)
{
    static const char *const machines[] = {
        "virt", "virt,iommu=smmuv3", "virt-sva",
        "virt-sva,default-bus-bypass-iommu=on",
    };
    const Device *dev = data;
    g_autofree char *script = script_for(dev, UINT64_C(0x4010000000) +
                                              (5 << 15));

    for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
        g_autofree char *arguments = g_strdup_printf(
            "-M %s -device %s,addr=5.0,multifunction=on -device %s,addr=5.1",
            machines[i], dev->driver, dev->driver);
        Run run = run_qemu(arguments, script);

        if (!run.works || run.answer != dev->value) {
            g_test_message("%s: %s", arguments, run.said);
            g_test_fail();
        }
        g_free(run.said);
    }
}

/* Listening takes an IOMMU that tells. */
static void test_notifiers_need_an_iommu(void)
{
    static const char *const machines[] = { "virt", "virt,iommu=smmuv3" };

    for (unsigned i = 0; i < ARRAY_SIZE(machines); i++) {
        for (unsigned k = 0; k < 2; k++) {
            g_autofree char *arguments = g_strdup_printf(
                "-M %s -device sva-testdev,%s=on", machines[i],
                k ? "notify-unmap" : "notify-deviotlb");
            Run run = run_qemu(arguments, READ_IDR0);

            if (!run.works && !strstr(run.said, "IOMMU") &&
                !strstr(run.said, "SMMU")) {
                g_test_message("%s: %s", arguments, run.said);
                g_test_fail();
            }
            g_free(run.said);
        }
    }
}

/* ---- None is forgotten ------------------------------------------------- */

static void test_enumerated(gconstpointer data)
{
    const Device *dev = data;
    /* A PCI device of QEMU's with next to no properties of its own */
    QDict *own = own_properties("device-list-properties", dev->driver, "edu");
    const QDictEntry *entry;
    unsigned known = 0;

    for (entry = qdict_first(own); entry; entry = qdict_next(own, entry)) {
        bool found = false;

        for (unsigned i = 0; dev->properties[i].name; i++) {
            found |= !strcmp(dev->properties[i].name, qdict_entry_key(entry));
        }
        if (!found) {
            g_test_message("%s has a property '%s' that has no test",
                           dev->driver, qdict_entry_key(entry));
            g_test_fail();
        }
        known++;
    }
    for (unsigned i = 0; dev->properties[i].name; i++) {
        known--;
    }
    g_assert_cmpuint(known, ==, 0);
    qobject_unref(own);
}

static void add(const char *what, const Device *dev, GTestDataFunc test)
{
    g_autofree char *path = g_strdup_printf("/properties/%s/%s", what,
                                            dev->driver);

    g_test_add_data_func(path, dev, test);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* QEMU may be gone when its script is written. */
    signal(SIGPIPE, SIG_IGN);

    for (unsigned i = 0; i < ARRAY_SIZE(devices); i++) {
        add("enumerated", &devices[i], test_enumerated);
        add("command-line", &devices[i], test_command_line);
        add("hot-plug", &devices[i], test_hot_plug);
        add("places", &devices[i], test_places);
    }
    g_test_add_func("/properties/notifiers-need-an-iommu",
                    test_notifiers_need_an_iommu);
    g_test_add_func("/properties/smmu/extremes", test_smmu);
    g_test_add_func("/properties/smmu/together", test_smmu_together);
    g_test_add_func("/properties/machine", test_machine);
    return g_test_run();
}
