/*
 * pasid-dev copies in eight address spaces without a pause while their pages
 * are taken away: once an invalidation is complete, nothing may reach the
 * memory that was behind a page, whatever was under way. By stalls, by ATS, by
 * page requests. A program of its own; see run. Arguments: --rounds N,
 * so many pages are taken away in each case, and --seed N.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "accel-rig.h"
#include "irq.h"

enum { MAX_RETIRED = 40000 };
#define POISON UINT64_C(0xdeadbeefdeadbeef)

static uint64_t most_rounds = 500, seed = 1;
static uint64_t state;
static uint64_t *retired[MAX_RETIRED];
static unsigned retired_count;
static unsigned slots[QUEUES], jobs_done;

static unsigned pick(unsigned n)
{
    state = state * UINT64_C(6364136223846793005) +
            UINT64_C(1442695040888963407);
    return (state >> 33) % n;
}

/* ---- Pages -------------------------------------------------------------- */

/* Not between the look and the change: the handler maps. */
static uint64_t *unmap(unsigned pasid, uint64_t va)
{
    uint64_t pa;

    irq_mask();
    pa = space_pa(&spaces[pasid], va);
    if (pa) {
        space_unmap(&spaces[pasid], va);
    }
    irq_unmask();
    return pa ? at_pa(pa) : NULL;
}

/* False: it was not there. */
static bool take_away(unsigned pasid, uint64_t va)
{
    uint64_t *frame = unmap(pasid, va);

    if (!frame) {
        return false;
    }
    smmu_invalidate(&stream, pasid, &spaces[pasid], va);
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
        frame[i] = POISON;
    }
    CHECK(retired_count < MAX_RETIRED);
    retired[retired_count++] = frame;
    return true;
}

static void expect_untouched(const uint64_t *frame)
{
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
        CHECK_EQ(frame[i], POISON);
    }
}

/* ---- Jobs --------------------------------------------------------------- */

/*
 * A page that was taken away and came again has what the pager writes, and
 * from some word on what the job wrote after that.
 */
static void expect_old_or_new(unsigned pasid)
{
    for (unsigned page = 0; page < PAGES; page++) {
        uint64_t va = DST + page * PAGE_BYTES, pa;
        const uint64_t *words;

        irq_mask();
        pa = space_pa(&spaces[pasid], va);
        irq_unmask();
        if (!pa) {
            continue;
        }
        words = at_pa(pa);
        for (unsigned i = 0; i < PAGE_BYTES / 8; i++) {
            uint64_t data = source_word(pasid, page * PAGE_BYTES / 8 + i);

            CHECK(words[i] == data ||
                  words[i] == (i ? 0 : pager_mark(va, pasid)));
        }
    }
}

static void look_after(unsigned n)
{
    PasidDevCompletion record;

    if (!accel_is_done(&queues[n], slots[n])) {
        return;
    }
    record = accel_wait(&queues[n], slots[n]);
    CHECK_EQ(record.status, PASID_DEV_DONE_OK);
    CHECK_EQ(record.progress, PAGES * PAGE_BYTES);
    expect_old_or_new(n + 1);
    jobs_done++;
    slots[n] = accel_submit(&queues[n], &copy_all);
}

/* One page, if it is there; and one queue is kept at work. */
static bool take_away_some(void)
{
    look_after(pick(QUEUES));
    return take_away(1 + pick(QUEUES), DST + pick(PAGES) * PAGE_BYTES);
}

/* ---- The test ----------------------------------------------------------- */

static void churn(uint64_t rounds)
{
    state = seed;
    retired_count = jobs_done = 0;
    for (unsigned n = 0; n < QUEUES; n++) {
        make_source(n + 1);
    }
    for (unsigned n = 0; n < QUEUES; n++) {
        slots[n] = accel_submit(&queues[n], &copy_all);
    }
    for (uint64_t round = 0; round < rounds; round++) {
        WAIT_FOR(take_away_some());
        expect_untouched(retired[pick(retired_count)]);
    }
    for (unsigned n = 0; n < QUEUES; n++) {
        CHECK_EQ(accel_wait(&queues[n], slots[n]).status, PASID_DEV_DONE_OK);
        expect_old_or_new(n + 1);
    }
    for (unsigned i = 0; i < retired_count; i++) {
        expect_untouched(retired[i]);
    }
    print("# %u pages taken away, %u jobs done meanwhile; %u stalls, %u page "
          "requests\n", retired_count, jobs_done, pager.stalls,
          pager.requests);
    CHECK_EQ(pager.denied, 0);
    CHECK_EQ(smmu_irqs.gerrors, 0);
}

static void test_stalls(void)
{
    set_up((SmmuSetup) { .eventq_log2 = 2 }, true);
    churn(most_rounds);
    CHECK_EQ(pager.requests, 0);
}

static void test_ats(void)
{
    set_up((SmmuSetup) { .messages = true }, true);
    accel_ats(true);
    churn(most_rounds);
    CHECK_EQ(pager.requests, 0);
}

static void test_pri(void)
{
    set_up_pri((SmmuSetup) { 0 }, 32);
    churn(most_rounds);
    CHECK_EQ(pager.stalls, 0);
}

/* A PRI queue that overflows again and again: what is lost is asked for again
   at once, which leaves little time for anything else. */
static void test_pri_overflow(void)
{
    set_up_pri((SmmuSetup) { .priq_log2 = 1, .messages = true }, 32);
    churn(most_rounds / 5);
    CHECK_EQ(pager.stalls, 0);
}

static const TestCase cases[] = {
    { "/baremetal/accel-churn/stalls", test_stalls },
    { "/baremetal/accel-churn/ats", test_ats },
    { "/baremetal/accel-churn/pri", test_pri },
    { "/baremetal/accel-churn/pri-overflow", test_pri_overflow },
};

int main(void)
{
    irq_init();
    guest_number("--rounds", &most_rounds);
    guest_number("--seed", &seed);
    guest_exit(TAP_RUN(cases));
}
