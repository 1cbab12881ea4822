/*
 * The translation auditor: what it reports, and what it must not. Not what a
 * report looks like on the monitor (qtests). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include "core/audit/heard.h"
#include "core/audit/reports.h"
#include "core/signal/state.h"
#include "audit-rig.h"

/* The device goes on with other pages, so that its context is in use. */
static void use_other(Setup *x)
{
    uint64_t other = VA + 0x100000;

    pt_map(&x->pt, other, PA + 0x100000, 3, PT_USER_RW);
    translate(x, dma_read(SID, other));
}

/* ---- What is a mistake -------------------------------------------------- */

typedef struct MistakeCase {
    const char *name;
    uint64_t before, after;     /* descriptors; after: 0 is none */
    Smmu3Mistake kind;
} MistakeCase;

#define AT(pa, attributes) ((pa) | (attributes) | 3)
static const MistakeCase mistakes[] = {
    { "gone", AT(PA, PT_USER_RW), 0, SMMU3_STALE_GONE },
    { "moved", AT(PA, PT_USER_RW), AT(PA + PAGE, PT_USER_RW),
      SMMU3_STALE_MOVED },
    { "read-only", AT(PA, PT_USER_RW), AT(PA, PT_USER_RO),
      SMMU3_STALE_RIGHTS },
    { "privileged", AT(PA, PT_USER_RW), AT(PA, PT_KERNEL_RW),
      SMMU3_STALE_RIGHTS },
    { "clean", AT(PA, PT_USER_RW | PT_DBM), AT(PA, PT_USER_RO | PT_DBM),
      SMMU3_STALE_CLEAN },
};

static void with_httu(Setup *x)
{
    smmu3_set(x->cd, CD_HA, 1);
    smmu3_set(x->cd, CD_HD, 1);
    apply(x);
}

/* Used all the time: reported when both, the CMD_SYNCs and the time, are over. */
static void test_used(gconstpointer data)
{
    const MistakeCase *c = data;
    const Smmu3AuditReport *r;
    Setup x;

    audited(&x);
    x.rig->host->writer = (Smmu3Writer) { .known = true, .cpu = 3,
                                          .pc = 0x1234 };
    with_httu(&x);
    pt_write(&x.pt, leaf_of(&x, VA), c->before);
    translate(&x, dma_read(SID, VA));
    pt_write(&x.pt, leaf_of(&x, VA), c->after);
    /* The TLB answers, and is right to: nothing was invalidated */
    expect_pa(&x, dma_read(SID, VA + 8), PA + 8);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    syncs(&x, SYNCS, GRACE_MS - 1);
    translate(&x, dma_read(SID, VA));
    g_assert_cmpuint(reports(&x), ==, 0);
    x.rig->host->now_ns += MS;
    translate(&x, dma_read(SID, VA));
    g_assert_cmpuint(reports(&x), ==, 1);
    g_assert_cmpuint(COUNTER(&x, audit_reports), ==, 1);

    r = report_at(&x, 0);
    g_assert_cmpint(r->kind, ==, c->kind);
    g_assert_false(r->stage2);
    g_assert_true(r->has_asid && r->has_vmid);
    g_assert_cmphex(r->asid, ==, ASID);
    g_assert_cmphex(r->sid, ==, SID);
    g_assert_false(r->ssv);
    g_assert_cmphex(r->addr, ==, VA);
    g_assert_cmphex(r->bytes, ==, PAGE);
    g_assert_cmphex(r->cached_output & ~UINT64_C(0xfff), ==, PA);
    g_assert_cmpuint(r->cached_trail.count, ==, 4);
    g_assert_cmphex(r->cached_trail.read[3].pa, ==, leaf_of(&x, VA));
    g_assert_cmphex(r->cached_trail.read[3].descriptor, ==, c->before);
    g_assert_cmphex(r->tables_trail.read[3].descriptor, ==, c->after);
    g_assert_cmpuint(r->reported_syncs - r->seen_syncs, ==, SYNCS);
    g_assert_cmpuint(r->reported_ns - r->seen_ns, ==, (uint64_t)GRACE_MS * MS);
    g_assert_cmpuint(r->uses, ==, 3);
    g_assert_true(r->before.known && r->after.known);
    g_assert_cmpuint(r->after.cpu, ==, 3);
    g_assert_cmphex(r->after.pc, ==, 0x1234);

    /* Once for an entry */
    syncs(&x, SYNCS, GRACE_MS);
    translate(&x, dma_read(SID, VA));
    g_assert_cmpuint(COUNTER(&x, audit_reports), ==, 1);
    done(&x);
}

/* Not enough CMD_SYNCs, however long it takes. */
static void test_too_few_syncs(void)
{
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, SYNCS - 1, 100 * GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 0);
    syncs(&x, 1, 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 1);
    done(&x);
}

/* The guest's clock goes on, and its processors stand: the host is busy. */
static void test_stolen_time_does_not_count(void)
{
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    x.rig->host->stolen_ns = (uint64_t)10 * GRACE_MS * MS;
    syncs(&x, 2 * SYNCS, 11 * GRACE_MS - 1);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 0);
    syncs(&x, 1, 2);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 1);
    done(&x);
}

/*
 * A range of 32 MiB, elsewhere: a TLB that has no auditor would rather give up the
 * whole ASID, and what is stale with it.
 */
static void test_range_takes_no_others_along(void)
{
    uint64_t cmd[SMMU3_CMD_WORDS] = { 0 };
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    smmu3_set(cmd, CMD_OPCODE, CMD_TLBI_NH_VA);
    smmu3_set(cmd, CMD_ASID, ASID);
    smmu3_set_addr(cmd, CMD_ADDR, VA + (1 << 30));
    smmu3_set(cmd, CMD_TLBI_TG, 1);
    smmu3_set(cmd, CMD_TLBI_NUM, 15);
    smmu3_set(cmd, CMD_TLBI_SCALE, 9);
    for (unsigned i = 0; i < SYNCS; i++) {
        rig_command(x.rig, cmd);
        syncs(&x, 1, GRACE_MS);
    }
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(reports(&x), ==, 1);
    g_assert_cmpint(report_at(&x, 0)->heard[0].miss, ==, SMMU3_MISS_RANGE);
    done(&x);
}

/* Not used any more, but its context is: the sweep finds it. */
static void test_swept(void)
{
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    syncs(&x, SYNCS + 1, 2 * GRACE_MS);
    use_other(&x);
    syncs(&x, 1, 0);
    g_assert_cmpuint(reports(&x), ==, 1);
    g_assert_cmpuint(report_at(&x, 0)->uses, ==, 0);
    done(&x);
}

/* A context that nobody uses any more may leave what it likes. */
static void test_context_is_gone(void)
{
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    syncs(&x, 100, 100 * GRACE_MS);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* Nor is it used by who only wants to know, of a page that is cached or of another. */
static void test_peek_is_no_use(void)
{
    Smmu3Transaction t = dma_read(SID, VA);
    uint64_t other = VA + 0x100000;
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    t.speculative = t.peek = true;
    for (unsigned i = 0; i < 4; i++) {
        t.addr = i % 2 ? VA : other + i * PAGE;
        if (t.addr != VA) {
            pt_map(&x.pt, t.addr, PA, 3, PT_USER_RW);
        }
        g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
        syncs(&x, SYNCS, GRACE_MS);
    }
    g_assert_cmpuint(reports(&x), ==, 0);
    /* Whoever uses what it was told does so, though that is speculative, too */
    t.peek = false;
    g_assert_cmpint(translate(&x, t), ==, SMMU3_OK);
    g_assert_cmpuint(reports(&x), ==, 1);
    g_assert_cmpuint(report_at(&x, 0)->uses, ==, 1);
    done(&x);
}

/* A page in the middle of a block that is cached as one. */
static void test_block_is_split(void)
{
    uint64_t va = VA & ~smmu3_mask(21), pa = PA & ~smmu3_mask(21);
    Setup x;

    audited(&x);
    pt_write(&x.pt, pt_entry(&x.pt, va, 2), pa | PT_USER_RW | 1);
    expect_pa(&x, dma_read(SID, va), pa);
    pt_write(&x.pt, pt_entry(&x.pt, va, 2), 0);
    for (unsigned i = 0; i < 512; i++) {
        uint64_t out = i == 7 ? PA + 0x10000000 : pa + i * PAGE;

        pt_map(&x.pt, va + i * PAGE, out, 3, PT_USER_RW);
    }
    expect_pa(&x, dma_read(SID, va), pa);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
    expect_pa(&x, dma_read(SID, va + 7 * PAGE), pa + 7 * PAGE);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, va + 7 * PAGE), pa + 7 * PAGE);
    g_assert_cmpuint(reports(&x), ==, 1);
    g_assert_cmphex(report_at(&x, 0)->at, ==, va + 7 * PAGE);
    g_assert_cmphex(report_at(&x, 0)->addr, ==, va);
    g_assert_cmphex(report_at(&x, 0)->bytes, ==, 512 * PAGE);
    done(&x);
}

/* ---- What is none ------------------------------------------------------- */

/* Cleared, then invalidated; also when that takes its time (lazy). */
static void test_invalidated_in_time(void)
{
    for (unsigned ms = 0; ms <= 10 * GRACE_MS; ms += 5 * GRACE_MS) {
        Setup x;

        audited(&x);
        expect_pa(&x, dma_read(SID, VA), PA);
        pt_write(&x.pt, leaf_of(&x, VA), 0);
        expect_pa(&x, dma_read(SID, VA), PA);
        /* Other CMD_SYNCs meanwhile: fewer than SYNCS, or all of them at once */
        syncs(&x, ms ? SYNCS - 1 : SYNCS + 10, ms);
        tlbi_va(&x, ASID, VA);
        syncs(&x, 2 * SYNCS, 2 * GRACE_MS);
        g_assert_cmpint(translate(&x, dma_read(SID, VA)), ==, SMMU3_ABORT);
        use_other(&x);
        syncs(&x, 2 * SYNCS, 2 * GRACE_MS);
        g_assert_cmpuint(reports(&x), ==, 0);
        g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
        /* syncs() rounds down */
        g_assert_cmpuint(COUNTER(&x, audit_settled_ns_max) + SYNCS, >=,
                         (uint64_t)ms * MS);
        rig_expect_event(x.rig, F_TRANSLATION, (uint64_t[SMMU3_EVENT_WORDS]) {
            0 });
        done(&x);
    }
}

/* Zapped, and something new in its place before the invalidation (SVA). */
static void test_reinstalled_before_invalidation(void)
{
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_map(&x.pt, VA, PA + PAGE, 3, PT_USER_RW);
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, 2 * SYNCS, GRACE_MS - 1);
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID, VA);
    syncs(&x, 2 * SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA + PAGE);
    syncs(&x, 2 * SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA + PAGE);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

typedef struct HarmlessCase {
    const char *name;
    uint64_t before, after;
} HarmlessCase;

static const HarmlessCase harmless[] = {
    { "more-rights", AT(PA, PT_USER_RO), AT(PA, PT_USER_RW) },
    { "dirty", AT(PA, PT_USER_RO | PT_DBM), AT(PA, PT_USER_RW | PT_DBM) },
    { "access-flag", AT(PA, PT_USER_RW), AT(PA, PT_USER_RW) & ~PT_AF },
    { "nothing-changed", AT(PA, PT_USER_RW), AT(PA, PT_USER_RW) },
};

static void test_harmless(gconstpointer data)
{
    const HarmlessCase *c = data;

    for (unsigned httu = 0; httu < 2; httu++) {
        Setup x;

        audited(&x);
        if (httu) {
            with_httu(&x);
        }
        pt_write(&x.pt, leaf_of(&x, VA), c->before);
        expect_pa(&x, dma_read(SID, VA), PA);
        pt_write(&x.pt, leaf_of(&x, VA), c->after);
        for (unsigned i = 0; i < 4; i++) {
            expect_pa(&x, dma_read(SID, VA), PA);
            syncs(&x, SYNCS, GRACE_MS);
        }
        g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
        g_assert_cmpuint(reports(&x), ==, 0);
        done(&x);
    }
}

/* It disagrees at two moments and agrees in between: none outlasts anything. */
static void test_agrees_again(void)
{
    uint64_t leaf;
    Setup x;

    audited(&x);
    leaf = leaf_of(&x, VA);
    expect_pa(&x, dma_read(SID, VA), PA);
    for (unsigned i = 0; i < 5; i++) {
        pt_write(&x.pt, leaf, 0);
        expect_pa(&x, dma_read(SID, VA), PA);
        syncs(&x, SYNCS - 1, GRACE_MS - 1);
        pt_write(&x.pt, leaf, AT(PA, PT_USER_RW));
        syncs(&x, 1, 0);
        expect_pa(&x, dma_read(SID, VA), PA);
    }
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 5);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* Just as somebody looks, for the time of that look. */
static void blink(FakeHost *host, uint64_t pa)
{
    Setup *x = host->hook_data;

    if (pa == leaf_of(x, VA)) {
        host->before_read = NULL;
        pt_write(&x->pt, pa, 0);
    }
}

static void look_in_a_bad_moment(Setup *x)
{
    x->rig->host->hook_data = x;
    x->rig->host->before_read = blink;
    expect_pa(x, dma_read(SID, VA), PA);
    g_assert_null(x->rig->host->before_read);
    pt_write(&x->pt, leaf_of(x, VA), AT(PA, PT_USER_RW));
}

/*
 * Two looks in bad moments prove nothing, even where there are so many suspects
 * that nobody looks in between: it takes several CMD_SYNCs.
 */
static void test_two_bad_moments(void)
{
    enum { OTHERS = 20 * SYNCS };
    Setup x;

    audited(&x);
    for (unsigned i = 1; i <= OTHERS; i++) {
        pt_map(&x.pt, VA + i * PAGE, PA, 3, PT_USER_RW);
        expect_pa(&x, dma_read(SID, VA + i * PAGE), PA);
        pt_write(&x.pt, leaf_of(&x, VA + i * PAGE), 0);
        expect_pa(&x, dma_read(SID, VA + i * PAGE), PA);
    }
    expect_pa(&x, dma_read(SID, VA), PA);
    look_in_a_bad_moment(&x);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, OTHERS + 1);
    syncs(&x, SYNCS, GRACE_MS);
    look_in_a_bad_moment(&x);
    g_assert_cmpuint(COUNTER(&x, audit_reports), ==, 0);
    done(&x);
}

/*
 * After a load nothing is cached, and the clock may be an earlier one: what was
 * suspect before is forgotten, and not settled by a time that never was.
 */
static void test_load_forgets(void)
{
    Smmu3Regs regs;
    Setup x;

    audited(&x);
    x.rig->host->now_ns = UINT64_C(1000) * GRACE_MS * MS;
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 1);
    regs = *smmu3_regs(x.rig->smmu);
    g_assert_true(smmu3_load(x.rig->smmu, &regs, NULL, 0));
    x.rig->host->now_ns = 0;
    use_other(&x);
    syncs(&x, 2 * SYNCS, 2 * GRACE_MS);
    use_other(&x);
    g_assert_cmpuint(COUNTER(&x, audit_settled_ns_max), ==, 0);
    g_assert_cmpuint(reports(&x), ==, 0);
    done(&x);
}

/* ---- Two stages --------------------------------------------------------- */

#define DELTA UINT64_C(0x4000000000)

/* As a VM's: what stage 1 has is at an IPA that is DELTA above its PA. */
static void nested(Setup *x, PageTable *s2)
{
    FakeHost *host;

    audited(x);
    host = x->rig->host;
    pt_init(&x->pt, host, 12, 48, false);
    x->pt.ipa_delta = DELTA;
    pt_map(&x->pt, VA, PA, 3, PT_USER_RW);
    cd_for(x->cd, &x->pt, ASID);
    pt_init_stage2(s2, host, 12, 48, 0, false);
    for (int level = x->pt.start_level; level <= 3; level++) {
        uint64_t pa = pt_entry(&x->pt, VA, level);

        pt_map(s2, pa + DELTA, pa, 3, PT_S2_RW);
    }
    pt_map(s2, x->cds + DELTA, x->cds, 3, PT_S2_RW);
    pt_map(s2, PA, PA + 0x1000000, 3, PT_S2_RW);
    ste_nested(x->ste, x->cds + DELTA, 0, s2, 9);
    apply(x);
    expect_pa(x, dma_read(SID, VA), PA + 0x1000000);
}

static void test_nested(void)
{
    for (unsigned stage = 1; stage <= 2; stage++) {
        const Smmu3AuditReport *r;
        PageTable s2;
        Setup x;

        nested(&x, &s2);
        syncs(&x, 3 * SYNCS, 3 * GRACE_MS);
        expect_pa(&x, dma_read(SID, VA), PA + 0x1000000);
        g_assert_cmpuint(COUNTER(&x, audit_suspicions), ==, 0);
        if (stage == 1) {
            pt_write(&x.pt, leaf_of(&x, VA), 0);
        } else {
            pt_write(&s2, pt_entry(&s2, PA, 3), 0);
        }
        expect_pa(&x, dma_read(SID, VA), PA + 0x1000000);
        syncs(&x, SYNCS, GRACE_MS);
        expect_pa(&x, dma_read(SID, VA), PA + 0x1000000);
        g_assert_cmpuint(reports(&x), ==, 1);
        r = report_at(&x, 0);
        g_assert_cmpint(r->stage2, ==, stage == 2);
        g_assert_cmphex(r->addr, ==, stage == 2 ? PA : VA);
        g_assert_true(r->has_vmid);
        g_assert_cmphex(r->vmid, ==, 9);
        done(&x);
    }
}

/* ---- What a report says of invalidations -------------------------------- */

static void test_misses(void)
{
    const Smmu3AuditReport *r;
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID + 1, VA);
    tlbi_va(&x, ASID, VA + PAGE);
    rig_command2(x.rig, CMD_TLBI_EL2_ALL, 0);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    r = report_at(&x, 0);
    g_assert_cmpuint(r->heard_count, ==, 3);
    g_assert_cmpint(r->heard[0].miss, ==, SMMU3_MISS_ASID);
    g_assert_cmpint(r->heard[1].miss, ==, SMMU3_MISS_RANGE);
    g_assert_cmpint(r->heard[2].miss, ==, SMMU3_MISS_WORLD);
    done(&x);
}

/* Those that came close are told first, others as far as there is room. */
static void test_close_ones_first(void)
{
    const Smmu3AuditReport *r;
    unsigned close = 0;
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID + 7, VA);
    tlbi_va(&x, ASID, VA + PAGE);
    for (unsigned i = 0; i < 20; i++) {
        tlbi_va(&x, ASID + 7, VA + 0x1000000);
    }
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    r = report_at(&x, 0);
    g_assert_cmpuint(r->heard_count, ==, SMMU3_REPORT_HEARD);
    for (unsigned i = 0; i < r->heard_count; i++) {
        close += r->heard[i].asid == ASID || r->heard[i].first == VA;
    }
    g_assert_cmpuint(close, ==, 2);
    done(&x);
}

/* The same page of another ASID comes before other pages of the same one. */
static void test_closest_ones_first(void)
{
    const Smmu3AuditReport *r;
    Setup x;

    audited(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    tlbi_va(&x, ASID + 7, VA);
    for (unsigned i = 0; i < 20; i++) {
        tlbi_va(&x, ASID, VA + 0x1000000);
    }
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    r = report_at(&x, 0);
    g_assert_cmpint(r->heard[0].miss, ==, SMMU3_MISS_ASID);
    g_assert_cmphex(r->heard[0].first, ==, VA);
    done(&x);
}

static void lose_once(FakeHost *host, uint64_t pa)
{
    host->before_cas = NULL;
    fake_write64(host, pa, fake_read64(host, pa) | PT_PXN);
}

/* A walk that had to be made again is told once. */
static void test_trail_of_a_second_walk(void)
{
    const Smmu3AuditReport *r;
    Setup x;

    audited(&x);
    with_httu(&x);
    pt_write(&x.pt, leaf_of(&x, VA), AT(PA, PT_USER_RW) & ~PT_AF);
    x.rig->host->before_cas = lose_once;
    expect_pa(&x, dma_read(SID, VA), PA);
    g_assert_null(x.rig->host->before_cas);
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    expect_pa(&x, dma_read(SID, VA), PA);
    syncs(&x, SYNCS, GRACE_MS);
    expect_pa(&x, dma_read(SID, VA), PA);
    r = report_at(&x, 0);
    g_assert_cmpuint(r->cached_trail.count, ==, 4);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpint(r->cached_trail.read[i].level, ==, i);
    }
    g_assert_cmphex(r->cached_trail.read[3].descriptor, ==,
                    AT(PA, PT_USER_RW | PT_PXN));
    done(&x);
}

/*
 * Invalidated, and only then unmapped: in between it was cached again. A range that
 * the page was not in, or that came long before, is no such mistake.
 */
static void test_invalidated_too_early(void)
{
    static const struct {
        uint64_t va;
        unsigned ms;
        bool early;
    } rows[] = { { VA, 1, true }, { VA + PAGE, 1, false },
                 { VA, 3 * GRACE_MS, false } };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) words = g_string_new(NULL);
        const Smmu3AuditReport *r;
        Setup x;

        audited(&x);
        expect_pa(&x, dma_read(SID, VA), PA);
        tlbi_va(&x, ASID, rows[i].va);
        expect_pa(&x, dma_read(SID, VA), PA);
        syncs(&x, 1, rows[i].ms);
        pt_write(&x.pt, leaf_of(&x, VA), 0);
        expect_pa(&x, dma_read(SID, VA), PA);
        syncs(&x, SYNCS, GRACE_MS);
        expect_pa(&x, dma_read(SID, VA), PA);
        g_assert_cmpuint(reports(&x), ==, 1);
        r = report_at(&x, 0);
        g_assert_cmpint(r->has_early, ==, rows[i].early);
        if (rows[i].early) {
            g_assert_cmpint(r->early.opcode, ==, CMD_TLBI_NH_VA);
            g_assert_cmphex(r->early.first, ==, VA);
            smmu3_report_words(r, words);
            g_assert_nonnull(strstr(words->str, "; invalidated too early, "
                                    "1000 us before that"));
        }
        done(&x);
    }
}

/* ---- Bounds -------------------------------------------------------------- */

/* However many mistakes: each is counted, few are told, and few are kept. */
static void test_reports_are_bounded(void)
{
    enum { REGIONS = SMMU3_REPORTS_MAX + 10, OF_EACH = 2 };
    g_autoptr(GArray) kept = NULL;
    Setup x;

    audited(&x);
    for (unsigned i = 0; i < REGIONS * OF_EACH; i++) {
        uint64_t va = VA + (i / OF_EACH * 0x200000ull) + i % OF_EACH * PAGE;

        pt_map(&x.pt, va, PA, 3, PT_USER_RW);
        expect_pa(&x, dma_read(SID, va), PA);
        pt_write(&x.pt, leaf_of(&x, va), 0);
        expect_pa(&x, dma_read(SID, va), PA);
    }
    syncs(&x, 1000, GRACE_MS);
    for (unsigned i = 0; i < REGIONS * OF_EACH; i++) {
        uint64_t va = VA + (i / OF_EACH * 0x200000ull) + i % OF_EACH * PAGE;

        expect_pa(&x, dma_read(SID, va), PA);
    }
    g_assert_cmpuint(COUNTER(&x, audit_reports), ==, REGIONS * OF_EACH);
    g_assert_cmpuint(reports(&x), ==, SMMU3_REPORTS_MAX);
    kept = smmu3_audit_reports(x.rig->smmu);
    g_assert_cmpuint(kept->len, ==, SMMU3_REPORTS_MAX);
    g_assert_cmpuint(g_array_index(kept, Smmu3AuditReport, 0).count, ==,
                     OF_EACH);
    g_clear_pointer(&kept, g_array_unref);
    smmu3_counters_reset(x.rig->smmu);
    kept = smmu3_audit_reports(x.rig->smmu);
    g_assert_cmpuint(kept->len, ==, 0);
    done(&x);
}

/* A CMD_SYNC looks at a few entries, however many there are. */
static void test_sweep_is_bounded(void)
{
    uint64_t before;
    Setup x;

    audited(&x);
    for (unsigned i = 0; i < 1000; i++) {
        pt_map(&x.pt, VA + i * PAGE, PA, 3, PT_USER_RW);
        expect_pa(&x, dma_read(SID, VA + i * PAGE), PA);
    }
    before = COUNTER(&x, audit_looks);
    rig_sync(x.rig);
    g_assert_cmpuint(COUNTER(&x, audit_looks) - before, ==, 8);
    done(&x);
}

/* Without it nothing is kept, and the TLB answers without the lock. */
static void test_off(void)
{
    g_autoptr(GArray) kept = NULL;
    unsigned reads;
    Setup x;

    setup(&x);
    expect_pa(&x, dma_read(SID, VA), PA);
    reads = x.rig->host->reads;
    pt_write(&x.pt, leaf_of(&x, VA), 0);
    g_mutex_lock(&x.rig->smmu->lock);
    expect_pa(&x, dma_read(SID, VA), PA);
    g_mutex_unlock(&x.rig->smmu->lock);
    g_assert_cmpuint(x.rig->host->reads, ==, reads);
    kept = smmu3_audit_reports(x.rig->smmu);
    g_assert_cmpuint(kept->len, ==, 0);
    done(&x);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define T(name, fn) g_test_add_func("/smmu3/audit/" name, fn)
    for (unsigned i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        g_autofree char *path = g_strconcat("/smmu3/audit/mistake/",
                                            mistakes[i].name, NULL);

        g_test_add_data_func(path, &mistakes[i], test_used);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(harmless); i++) {
        g_autofree char *path = g_strconcat("/smmu3/audit/harmless/",
                                            harmless[i].name, NULL);

        g_test_add_data_func(path, &harmless[i], test_harmless);
    }
    T("too-few-syncs", test_too_few_syncs);
    T("stolen-time-does-not-count", test_stolen_time_does_not_count);
    T("range-takes-no-others-along", test_range_takes_no_others_along);
    T("swept-if-its-context-is-used", test_swept);
    T("left-of-a-context-that-is-gone", test_context_is_gone);
    T("peek-is-no-use", test_peek_is_no_use);
    T("page-in-a-block", test_block_is_split);
    T("invalidated-in-time", test_invalidated_in_time);
    T("reinstalled-before-invalidation", test_reinstalled_before_invalidation);
    T("agrees-again", test_agrees_again);
    T("two-bad-moments", test_two_bad_moments);
    T("load-forgets", test_load_forgets);
    T("nested", test_nested);
    T("misses", test_misses);
    T("close-ones-first", test_close_ones_first);
    T("closest-ones-first", test_closest_ones_first);
    T("trail-of-a-second-walk", test_trail_of_a_second_walk);
    T("invalidated-too-early", test_invalidated_too_early);
    T("reports-are-bounded", test_reports_are_bounded);
    T("sweep-is-bounded", test_sweep_is_bounded);
    T("off", test_off);
    return g_test_run();
}
