/*
 * Damaged migration streams: bits and words of our devices' sections are
 * changed, and the machine that gets them says an error or goes on; it does not
 * end by itself. Not whether a sound stream is understood. Which damage is
 * drawn by the test's seed; SVA_STREAM_CASES sets how much of it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "sva-qtest.h"

#define DEVICES \
    "-device pasid-dev,addr=1 -device hisi-zip,addr=2 " \
    "-device sva-testdev,addr=3 "

static const char *const sections[] = {
    "smmuv3-sva", "pasid-dev", "hisi-zip", "sva-testdev",
};

/* ---- A stream ----------------------------------------------------------- */

typedef struct Stream {
    uint8_t *bytes;
    size_t length;
} Stream;

/* The machine's whole state, with the SMMU and its queues in use. */
static Stream sound_stream(void)
{
    SvaQtest *t = sva_start(DEVICES);
    g_autofree char *file = NULL, *uri = NULL;
    int fd = g_file_open_tmp("sva-XXXXXX.state", &file, NULL);
    Stream stream;
    QDict *info;
    bool done = false;

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    sva_smmu_enable(t);
    sva_sync(t);
    uri = g_strdup_printf("file:%s", file);
    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate', "
                             "'arguments': {'uri': %s}}", uri);
    while (!done) {
        info = qtest_qmp_assert_success_ref(t->qts,
                                            "{'execute': 'query-migrate'}");
        done = g_str_equal(qdict_get_try_str(info, "status") ?: "",
                           "completed");
        qobject_unref(info);
    }
    sva_stop(t);
    g_assert_true(g_file_get_contents(file, (char **)&stream.bytes,
                                      &stream.length, NULL));
    unlink(file);
    return stream;
}

/*
 * A device's section: 4, its number, a name with its length, instance,
 * version; the payload; 0x7e and the number again.
 */
static void find_section(const Stream *stream, const char *device,
                         size_t *first, size_t *bytes)
{
    size_t name = strlen(device);

    for (size_t i = 6; i + name + 8 < stream->length; i++) {
        size_t length, start;
        uint8_t footer[5] = { 0x7e };
        const uint8_t *end;

        /* Names of PCI functions begin with their place. */
        length = stream->bytes[i - 1];
        if (stream->bytes[i - 6] != 4 || length < name ||
            i + length + 8 >= stream->length ||
            memcmp(stream->bytes + i + length - name, device, name)) {
            continue;
        }
        start = i + length + 8;
        memcpy(footer + 1, stream->bytes + i - 5, 4);
        end = memmem(stream->bytes + start, stream->length - start, footer,
                     sizeof(footer));
        g_assert_nonnull(end);
        *first = start;
        *bytes = end - stream->bytes - start;
        return;
    }
    g_assert_not_reached();
}

/* ---- What becomes of it ------------------------------------------------- */

/* It may be refused. If not, the machine has to bear being used. */
static bool is_taken(const Stream *stream)
{
    SvaQtest *t = sva_start(DEVICES "-incoming defer");
    g_autofree char *file = NULL, *uri = NULL;
    int fd = g_file_open_tmp("sva-XXXXXX.state", &file, NULL);
    g_autofree char *status = g_strdup("");

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(file, (char *)stream->bytes,
                                      stream->length, NULL));
    uri = g_strdup_printf("file:%s", file);
    qtest_qmp_assert_success(t->qts, "{'execute': 'migrate-incoming', "
                             "'arguments': {'uri': %s, "
                             "'exit-on-error': false}}", uri);
    while (!g_str_equal(status, "completed") &&
           !g_str_equal(status, "failed")) {
        QDict *info = qtest_qmp_assert_success_ref(t->qts,
            "{'execute': 'query-migrate'}");

        g_free(status);
        status = g_strdup(qdict_get_try_str(info, "status") ?: "");
        qobject_unref(info);
    }
    unlink(file);
    if (g_str_equal(status, "completed")) {
        for (uint32_t reg = 0; reg < 0x200; reg += 4) {
            sva_read32(t, reg);
        }
        sva_write32(t, SMMU3_CMDQ_PROD, 3);
        sva_write32(t, SMMU3_EVENTQ_CONS, 1);
        qtest_clock_step(t->qts, 1000 * 1000);
        qtest_system_reset(t->qts);
    }
    /* It sees to it that QEMU is still there, and ends in order. */
    sva_stop(t);
    return g_str_equal(status, "completed");
}

static Stream copy_of(const Stream *stream)
{
    return (Stream) { g_memdup2(stream->bytes, stream->length),
                      stream->length };
}

static void test_sound_stream_is_taken(void)
{
    Stream stream = sound_stream();

    g_assert_true(is_taken(&stream));
    g_free(stream.bytes);
}

/* It is the last word of the section where there are no stalls. */
static void test_impossible_stall_counts_are_refused(void)
{
    static const uint32_t counts[] = { 0x80000000, UINT32_MAX, INT32_MAX,
                                       65536 };
    Stream sound = sound_stream();
    size_t first, bytes;

    find_section(&sound, "smmuv3-sva", &first, &bytes);
    g_assert_cmphex(ldl_be_p(sound.bytes + first + bytes - 4), ==, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
        Stream damaged = copy_of(&sound);

        stl_be_p(damaged.bytes + first + bytes - 4, counts[i]);
        g_assert_false(is_taken(&damaged));
        g_free(damaged.bytes);
    }
    g_free(sound.bytes);
}

static void damage(uint8_t *payload, size_t bytes)
{
    static const uint32_t words[] = { 0, UINT32_MAX, INT32_MAX, 0x80000000,
                                      0x10000 };
    unsigned places = g_test_rand_int_range(1, 4);

    for (unsigned i = 0; i < places; i++) {
        size_t at = g_test_rand_int_range(0, bytes - 3);

        if (g_test_rand_bit()) {
            payload[at] ^= 1 << g_test_rand_int_range(0, 8);
        } else {
            stl_be_p(payload + at,
                     words[g_test_rand_int_range(0, G_N_ELEMENTS(words))]);
        }
    }
}

static void test_damage_fells_nothing(void)
{
    const char *wanted = g_getenv("SVA_STREAM_CASES");
    unsigned cases = wanted ? atoi(wanted) : 4, taken = 0;
    Stream sound = sound_stream();

    for (unsigned s = 0; s < G_N_ELEMENTS(sections); s++) {
        size_t first, bytes;

        find_section(&sound, sections[s], &first, &bytes);
        for (unsigned i = 0; i < cases; i++) {
            Stream damaged = copy_of(&sound);

            damage(damaged.bytes + first, bytes);
            taken += is_taken(&damaged);
            g_free(damaged.bytes);
        }
    }
    g_test_message("%u of %zu were taken", taken,
                   cases * G_N_ELEMENTS(sections));
    g_free(sound.bytes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define TEST(path, fn) g_test_add_func("/smmuv3-sva/stream/" path, fn)
    TEST("sound-is-taken", test_sound_stream_is_taken);
    TEST("impossible-stall-counts-are-refused",
         test_impossible_stall_counts_are_refused);
    TEST("damage-fells-nothing", test_damage_fells_nothing);
#undef TEST
    return g_test_run();
}
