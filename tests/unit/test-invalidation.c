/*
 * CMD_CFGI_*, CMD_TLBI_* and CMD_ATC_INV: what each removes from the caches,
 * and what it asks of endpoints. Not the caches themselves (test-tlb.c), nor
 * when an invalidation is complete (test-sync.c). One of the unit tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command-rig.h"
#include "conformance.h"
#include "core/signal/state.h"

/* ---- CFGI ------------------------------------------------------------- */

typedef struct CachedConfig {
    uint32_t sid;
    bool with_cd;
    uint32_t cd_index;
} CachedConfig;

/* What is cached before each command; a case names what must have gone. */
static const CachedConfig cached_configs[] = {
    { 4, false, 0 }, { 4, true, 0 }, { 4, true, 3 },
    { 5, false, 0 }, { 5, true, 0 }, { 5, true, 3 }, { 5, true, 0xfffff },
    { 7, false, 0 }, { 8, false, 0 }, { 0xffff, true, 1 },
};

typedef struct CfgiCase {
    uint64_t word0, word1;
    const char *gone;           /* one character for each of the above:
                                   x gone, - there, ? either (allowed) */
} CfgiCase;

#define SSID(n)     ((uint64_t)(n) << 12)

static const CfgiCase cfgi_cases[] = {
    /* CFGI_STE: the STE and all its CDs; Leaf is no matter */
    { 0x03 | SID(5), 1,                     "---xxxx---" },
    { 0x03 | SID(5), 0,                     "---xxxx---" },
    { 0x03 | SID(8), 1,                     "--------x-" },
    { 0x03 | SID(6), 1,                     "----------" },
    /* CFGI_STE_RANGE: aligned blocks of 2^(Range+1) */
    { 0x04 | SID(4), 0,                     "xxxxxxx---" },
    { 0x04 | SID(5), 0,                     "xxxxxxx---" },
    { 0x04 | SID(5), 1,                     "xxxxxxxx--" },
    { 0x04 | SID(9), 2,                     "--------x-" },
    { 0x04 | SID(9), 3,                     "xxxxxxxxx-" },
    { 0x04 | SID(0), 15,                    "xxxxxxxxxx" },
    { 0x04 | SID(0x10000), 15,              "??????????" },
    { 0x04 | SID(0), 30,                    "xxxxxxxxxx" },
    { 0x04 | SID(0x80000000), 30,           "??????????" },
    /* CFGI_ALL: the StreamID is no matter */
    { 0x04, 31,                             "xxxxxxxxxx" },
    { 0x04 | SID(0x80000000), 31,           "xxxxxxxxxx" },
    /* CFGI_CD: one CD; SSV is not used, 0 is the only or default one */
    { 0x05 | SID(5) | SSID(3), 1,           "---?-x----" },
    { 0x05 | SID(5) | SSID(0), 1,           "---?x-----" },
    { 0x05 | SID(5) | SSID(0xfffff), 0,     "---?--x---" },
    { 0x05 | SID(5) | SSID(9), 1,           "---?------" },
    /* CFGI_CD_ALL: all CDs of the stream */
    { 0x06 | SID(5), 0,                     "---?xxx---" },
    { 0x06 | SID(4), 0,                     "?xx-------" },
};

static bool is_cached(Rig *r, const CachedConfig *c)
{
    Smmu3Config config;

    return smmu3_config_lookup(r->smmu->configs, c->sid, c->with_cd,
                               c->cd_index, &config);
}

static void test_cfgi(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(cfgi_cases); i++) {
        const CfgiCase *c = &cfgi_cases[i];
        g_autoptr(Rig) r = started(NULL, NULL);

        for (unsigned j = 0; j < G_N_ELEMENTS(cached_configs); j++) {
            const CachedConfig *at = &cached_configs[j];
            Smmu3Config config = { .has_cd = at->with_cd };

            g_mutex_lock(&r->smmu->lock);
            smmu3_config_insert(r->smmu->configs, at->sid, at->with_cd,
                                at->cd_index, &config,
                                smmu3_config_epoch(r->smmu->configs));
            g_mutex_unlock(&r->smmu->lock);
            g_assert_true(is_cached(r, at));
        }
        rig_command2(r, c->word0, c->word1);
        assert_idle(r);
        for (unsigned j = 0; j < G_N_ELEMENTS(cached_configs); j++) {
            g_test_message("case %u, entry %u", i, j);
            if (c->gone[j] != '?') {
                g_assert_cmpint(is_cached(r, &cached_configs[j]), ==,
                                c->gone[j] == '-');
            }
        }
    }
}

/* From outside: a changed STE is seen after CFGI_STE and SYNC, if not before.
 */
static void test_cfgi_makes_changes_visible(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Smmu3Transaction t = dma_read(6, 0x5000);
    Smmu3Translation result;
    uint64_t ste[SMMU3_STE_WORDS];

    ste_bypass(ste);
    rig_set_ste(r, 6, ste);
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_OK);
    ste_abort(ste);
    fake_write_words(r->host, rig_ste_addr(r, 6), ste, SMMU3_STE_WORDS);
    rig_command2(r, CMD_CFGI_STE | SID(6), 1);
    rig_sync(r);
    g_assert_cmpint(smmu3_translate(r->smmu, &t, &result), ==, SMMU3_ABORT);
}

/* ---- TLBI ------------------------------------------------------------- */

#define VA0     UINT64_C(0x10000000)
#define VA1     UINT64_C(0x20000000)
#define VA2     UINT64_C(0x30000000)

typedef struct CachedLeaf {
    char name;
    Smmu3World world;
    uint16_t vmid, asid;
    uint64_t addr;
    bool global;
} CachedLeaf;

static const CachedLeaf cached_leaves[] = {
    { 'a', SMMU3_WORLD_NS_EL1, 1, 1, VA0, false },
    { 'b', SMMU3_WORLD_NS_EL1, 1, 2, VA0, false },
    { 'c', SMMU3_WORLD_NS_EL1, 1, 1, VA1, false },
    { 'g', SMMU3_WORLD_NS_EL1, 1, 1, VA2, true },
    { 'd', SMMU3_WORLD_NS_EL1, 2, 1, VA0, false },
    { 'e', SMMU3_WORLD_NS_EL2, 0, 0, VA0, false },
    { 'h', SMMU3_WORLD_NS_EL2_E2H, 0, 1, VA0, false },
    { 'i', SMMU3_WORLD_NS_EL2_E2H, 0, 2, VA0, false },
    { 'j', SMMU3_WORLD_NS_EL2_E2H, 0, 1, VA2, true },
    { 's', SMMU3_WORLD_STAGE2, 1, 0, VA0, false },
    { 't', SMMU3_WORLD_STAGE2, 1, 0, VA1, false },
    { 'u', SMMU3_WORLD_STAGE2, 2, 0, VA0, false },
};

static Smmu3TlbTag tag_of(const CachedLeaf *c)
{
    return (Smmu3TlbTag) { .world = c->world, .vmid = c->vmid,
                           .asid = c->asid };
}

static void insert_page(Rig *r, const Smmu3TlbTag *tag, uint64_t addr,
                        unsigned size_log2, bool global)
{
    Smmu3Leaf leaf = {
        .base = addr, .size_log2 = size_log2, .global = global,
        .rights = SMMU3_UNPRIV_R | SMMU3_PRIV_R,
    };

    g_mutex_lock(&r->smmu->lock);
    smmu3_tlb_insert(r->smmu->tlb, tag, addr, &leaf,
                     smmu3_tlb_epoch(r->smmu->tlb));
    g_mutex_unlock(&r->smmu->lock);
}

static bool in_tlb(Rig *r, const Smmu3TlbTag *tag, uint64_t addr)
{
    Smmu3Leaf leaf;

    return smmu3_tlb_lookup(r->smmu->tlb, tag, addr, &leaf);
}

typedef struct TlbiCase {
    uint64_t word0, word1;
    const char *gone;           /* names of cached_leaves */
    const char *may_go;         /* more than asked for is legal; NULL: none */
    bool e2h;                   /* CR2.E2H */
    uint8_t vmw;                /* CR0.VMW */
} TlbiCase;

#define VMID(n)     ((uint64_t)(n) << 32)
#define ASID(n)     ((uint64_t)(n) << 48)

static const TlbiCase tlbi_cases[] = {
    { 0x10 | VMID(1), 0, "abcg" },
    { 0x10 | VMID(2), 0, "d" },
    { 0x10 | VMID(3), 0, "" },
    /* by ASID: what is global stays */
    { 0x11 | VMID(1) | ASID(1), 0, "ac" },
    { 0x11 | VMID(1) | ASID(2), 0, "b" },
    { 0x11 | VMID(2) | ASID(2), 0, "" },
    /* by VA and ASID: what is global goes, too */
    { 0x12 | VMID(1) | ASID(1), VA0, "a" },
    { 0x12 | VMID(1) | ASID(2), VA0, "b" },
    { 0x12 | VMID(1) | ASID(9), VA2, "g" },
    { 0x12 | VMID(1) | ASID(1), VA0 + 0x1000, "" },
    { 0x12 | VMID(1) | ASID(1), VA0 | 1, "a" },         /* Leaf */
    /* by VA, of every ASID: here the TLB lets go of the VMID */
    { 0x13 | VMID(1), VA0, "ab", "cg" },
    { 0x13 | VMID(1), VA2, "g", "abc" },
    { 0x13 | VMID(2), VA0, "d" },
    { 0x20, 0, "ehij" },
    { 0x21 | ASID(1), 0, "h" },
    { 0x21 | ASID(2), 0, "i" },
    { 0x22 | ASID(1), VA0, "h", .e2h = true },
    { 0x22 | ASID(7), VA2, "j", .e2h = true },
    { 0x22 | ASID(1), VA0, "e", .e2h = false },
    { 0x22 | ASID(7), VA0, "e", .e2h = false },         /* ASID ignored */
    { 0x23, VA0, "hi", "ej", .e2h = true },
    { 0x23, VA2, "j", "ehi", .e2h = true },
    { 0x23, VA0, "e", "hij", .e2h = false },
    { 0x28 | VMID(1), 0, "abcgst" },
    { 0x28 | VMID(2), 0, "du" },
    { 0x2a | VMID(1), VA0, "s" },
    { 0x2a | VMID(1), VA1, "t" },
    { 0x2a | VMID(2), VA0, "u" },
    { 0x30, 0, "abcgdstu" },
    /* VMID wildcards: 1..4 low bits; other values are none */
    { 0x10 | VMID(3), 0, "d", .vmw = 1 },
    { 0x10 | VMID(3), 0, "abcgd", .vmw = 2 },
    { 0x28 | VMID(15), 0, "abcgdstu", .vmw = 4 },
    { 0x28 | VMID(16), 0, "", .vmw = 4 },
    { 0x28 | VMID(3), 0, "", .vmw = 5 },
    { 0x11 | VMID(3) | ASID(1), 0, "acd", .vmw = 2 },
    { 0x12 | VMID(3) | ASID(1), VA0, "ad", .vmw = 2 },
    { 0x13 | VMID(3), VA0, "abd", "cg", .vmw = 2 },
    { 0x2a | VMID(3), VA0, "su", .vmw = 2 },
    { 0x2a | VMID(3), VA0, "u", .vmw = 1 },
};

static void test_tlbi(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(tlbi_cases); i++) {
        const TlbiCase *c = &tlbi_cases[i];
        g_autoptr(Rig) r = rig_new();
        uint64_t cr0;

        r->cr2 = c->e2h ? MASK(CR2_E2H) : 0;
        rig_start(r);
        cr0 = rig_read32(r, SMMU3_CR0);
        smmu3_set(&cr0, CR0_VMW, c->vmw);
        rig_write32(r, SMMU3_CR0, cr0);
        for (unsigned j = 0; j < G_N_ELEMENTS(cached_leaves); j++) {
            const CachedLeaf *leaf = &cached_leaves[j];
            Smmu3TlbTag tag = tag_of(leaf);

            insert_page(r, &tag, leaf->addr, 12, leaf->global);
        }
        fake_clear_records(r->host);
        rig_command2(r, c->word0, c->word1);
        assert_idle(r);
        for (unsigned j = 0; j < G_N_ELEMENTS(cached_leaves); j++) {
            const CachedLeaf *leaf = &cached_leaves[j];
            Smmu3TlbTag tag = tag_of(leaf);

            g_test_message("case %u, entry %c", i, leaf->name);
            if (!c->may_go || !strchr(c->may_go, leaf->name)) {
                g_assert_cmpint(in_tlb(r, &tag, leaf->addr), ==,
                                !strchr(c->gone, leaf->name));
            }
        }
        /* IOMMU notifiers hear of each */
        g_assert_cmpuint(r->host->tlb_invalidations->len, ==, 1);
    }
}

/* Without stage 2 there is one VMID. */
static void test_tlbi_without_stage_2(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3TlbTag tag = { .world = SMMU3_WORLD_NS_EL1, .asid = 3 };

    no_s2(&r->features);
    rig_start(r);
    insert_page(r, &tag, VA0, 12, false);
    rig_command2(r, CMD_TLBI_NH_ASID | VMID(5) | ASID(3), 0);
    g_assert_false(in_tlb(r, &tag, VA0));
}

typedef struct RangeCase {
    uint64_t word0, word1;
    uint64_t first, last;       /* what tlb_invalidated() hears */
    bool ril, no_ds;
} RangeCase;

static const RangeCase range_cases[] = {
    /* TG=0: one address, whatever NUM, SCALE and TTL say */
    { 0x12, VA0, VA0, VA0 + 0xfff, true },
    { 0x12 | NUM(3) | SCALE(1), VA0 | TTL(2), VA0, VA0 + 0xfff, true },
    /* (NUM + 1) * 2^SCALE granules */
    { 0x12 | NUM(3) | SCALE(1), VA0 | TG(1), VA0, VA0 + 0x7fff, true },
    { 0x12, VA0 | TG(1) | TTL(3), VA0, VA0 + 0xfff, true },
    { 0x12 | NUM(1), VA0 | TG(2), VA0, VA0 + 0x7fff, true },
    { 0x12 | NUM(31) | SCALE(0), VA0 | TG(3), VA0, VA0 + 0x1fffff, true },
    { 0x12 | NUM(0) | SCALE(10), VA0 | TG(1), VA0, VA0 + 0x3fffff, true },
    /* The address is aligned down to the granule */
    { 0x12 | NUM(1), (VA0 + 0x3000) | TG(3), VA0, VA0 + 0x1ffff, true },
    /* SCALE ends at 39, and has five bits only without DS */
    { 0x12 | NUM(31) | SCALE(39), VA0 | TG(3), VA0,
      VA0 + (UINT64_C(1) << 60) - 1, true },
    { 0x12 | NUM(0) | SCALE(63), VA0 | TG(3), VA0,
      VA0 + (UINT64_C(1) << 55) - 1, true },
    { 0x12 | NUM(0) | SCALE(40), VA0 | TG(1), VA0, VA0 + 0xfffff, true,
      .no_ds = true },
    /* No wrap-around */
    { 0x12 | NUM(1), UINT64_C(0xfffffffffffff000) | TG(1),
      UINT64_C(0xfffffffffffff000), UINT64_MAX, true },
    /* Without RIL all of that is RES0 */
    { 0x12 | NUM(3) | SCALE(1), VA0 | TG(1), VA0, VA0 + 0xfff, false },
};

static void test_tlbi_ranges(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(range_cases); i++) {
        const RangeCase *c = &range_cases[i];
        g_autoptr(Rig) r = rig_new();
        const Smmu3TlbInvalidate *inv;

        g_test_message("case %u", i);
        r->features.ds = !c->no_ds;
        if (!c->ril) {
            r->features.ril = 0;
            r->features.aidr_minor = 1;
        }
        rig_start(r);
        rig_command2(r, c->word0 | VMID(7) | ASID(9), c->word1);
        assert_idle(r);
        g_assert_cmpuint(r->host->tlb_invalidations->len, ==, 1);
        inv = &g_array_index(r->host->tlb_invalidations, Smmu3TlbInvalidate,
                             0);
        g_assert_true(inv->by_address && inv->by_asid && inv->by_vmid);
        g_assert_false(inv->stage2);
        g_assert_cmphex(inv->vmid, ==, 7);
        g_assert_cmphex(inv->asid, ==, 9);
        g_assert_cmphex(inv->addr, ==, c->first);
        g_assert_cmphex(inv->last, ==, c->last);
    }
}

/* Pages inside go, pages around stay, a block that overlaps goes whole. */
static void test_tlbi_range_and_tlb(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);
    Smmu3TlbTag tag = { .world = SMMU3_WORLD_NS_EL1, .vmid = 1, .asid = 1 };

    for (unsigned page = 0; page < 12; page++) {
        insert_page(r, &tag, VA0 + page * 0x1000, 12, page == 5);
    }
    insert_page(r, &tag, VA1, 21, false);
    rig_command2(r, CMD_TLBI_NH_VA | VMID(1) | ASID(1) | NUM(3) | SCALE(1),
                 (VA0 + 0x2000) | TG(1));
    for (unsigned page = 0; page < 12; page++) {
        g_assert_cmpint(in_tlb(r, &tag, VA0 + page * 0x1000), ==,
                        page < 2 || page > 9);
    }
    g_assert_true(in_tlb(r, &tag, VA1));
    rig_command2(r, CMD_TLBI_NH_VA | VMID(1) | ASID(1), VA1 + 0x5000);
    g_assert_false(in_tlb(r, &tag, VA1));
    g_assert_false(in_tlb(r, &tag, VA1 + 0x100000));
}

/* ---- ATC_INV ---------------------------------------------------------- */

typedef struct AtcCase {
    uint64_t word0, word1;
    Smmu3AtcInvalidate expect;
} AtcCase;

#define SSV         (1u << 11)
#define GLOBAL      (1u << 9)

static const AtcCase atc_cases[] = {
    { SID(9), 0x5000, { .sid = 9, .addr = 0x5000, .size_log2 = 12 } },
    { SID(9) | SSV | SSID(0xabcde), 0x5000,
      { .sid = 9, .has_ssid = true, .ssid = 0xabcde, .addr = 0x5000,
        .size_log2 = 12 } },
    { SID(9) | SSV | SSID(3) | GLOBAL, 0x5000,
      { .sid = 9, .has_ssid = true, .ssid = 3, .global = true,
        .addr = 0x5000, .size_log2 = 12 } },
    /* Without SSV, SubstreamID and Global are ignored */
    { SID(9) | SSID(3) | GLOBAL, 0x5000,
      { .sid = 9, .addr = 0x5000, .size_log2 = 12 } },
    /* The address is aligned to the span */
    { SID(9), 0x12345000 | 4,
      { .sid = 9, .addr = 0x12340000, .size_log2 = 16 } },
    /* Everything */
    { SID(9), UINT64_C(0xfffffffffffff000) | 52,
      { .sid = 9, .addr = 0, .size_log2 = 64 } },
    { SID(9), UINT64_C(0xfffffffffffff000) | 51,
      { .sid = 9, .addr = UINT64_C(1) << 63, .size_log2 = 63 } },
};

static void assert_same_invalidation(const Smmu3AtcInvalidate *a,
                                     const Smmu3AtcInvalidate *b)
{
    g_assert_cmphex(a->sid, ==, b->sid);
    g_assert_cmphex(a->ssid, ==, b->ssid);
    g_assert_cmpint(a->has_ssid, ==, b->has_ssid);
    g_assert_cmpint(a->global, ==, b->global);
    g_assert_cmphex(a->addr, ==, b->addr);
    g_assert_cmpuint(a->size_log2, ==, b->size_log2);
}

static void test_atc_inv(void)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(atc_cases); i++) {
        const AtcCase *c = &atc_cases[i];
        g_autoptr(Rig) r = started(NULL, NULL);

        rig_command2(r, CMD_ATC_INV | c->word0, c->word1);
        assert_idle(r);
        g_assert_cmpuint(r->host->atc_invalidations->len, ==, 1);
        assert_same_invalidation(&g_array_index(r->host->atc_invalidations,
                                                Smmu3AtcInvalidate, 0),
                                 &c->expect);
    }
}

static void test_atc_inv_without_substreams(void)
{
    g_autoptr(Rig) r = rig_new();
    Smmu3AtcInvalidate expect = { .sid = 9, .addr = 0x5000, .size_log2 = 12 };

    r->features.ssidsize = 0;
    rig_start(r);
    rig_command2(r, CMD_ATC_INV | SID(9) | SSV | SSID(3) | GLOBAL, 0x5000);
    assert_idle(r);
    assert_same_invalidation(&g_array_index(r->host->atc_invalidations,
                                            Smmu3AtcInvalidate, 0), &expect);
}

static void test_atc_inv_ignored_when_disabled(void)
{
    g_autoptr(Rig) r = started(NULL, NULL);

    r->host->atc_answers_later = true;
    rig_write32(r, SMMU3_CR0, MASK(CR0_CMDQEN));
    rig_command2(r, CMD_ATC_INV | SID(9), 52);
    rig_sync(r);
    assert_idle(r);
    g_assert_cmpuint(r->host->atc_invalidations->len, ==, 0);
}

/* ---- Reset and load --------------------------------------------------- */

static void fill_caches(Rig *r, const Smmu3TlbTag *tag,
                        const CachedConfig *config)
{
    insert_page(r, tag, VA0, 12, false);
    g_mutex_lock(&r->smmu->lock);
    smmu3_config_insert(r->smmu->configs, config->sid, config->with_cd,
                        config->cd_index, &(Smmu3Config) { .has_cd = true },
                        smmu3_config_epoch(r->smmu->configs));
    g_mutex_unlock(&r->smmu->lock);
    g_assert_true(in_tlb(r, tag, VA0));
    g_assert_true(is_cached(r, config));
}

static void test_reset_and_load_empty_the_caches(void)
{
    static const Smmu3TlbTag tag = { .world = SMMU3_WORLD_NS_EL2 };
    static const CachedConfig config = { 5, true, 3 };
    g_autoptr(Rig) r = started(NULL, NULL);
    Smmu3Regs regs = *smmu3_regs(r->smmu);

    fill_caches(r, &tag, &config);
    smmu3_reset(r->smmu);
    g_assert_false(in_tlb(r, &tag, VA0));
    g_assert_false(is_cached(r, &config));
    fill_caches(r, &tag, &config);
    g_assert_true(smmu3_load(r->smmu, &regs, NULL, 0));
    g_assert_false(in_tlb(r, &tag, VA0));
    g_assert_false(is_cached(r, &config));
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmu3/command/cfgi", test_cfgi, "83");
    conformance_test("/smmu3/command/cfgi-makes-changes-visible",
                     test_cfgi_makes_changes_visible, "83");
    conformance_test("/smmu3/command/tlbi", test_tlbi, "84 85 116");
    conformance_test("/smmu3/command/tlbi-without-stage-2",
                     test_tlbi_without_stage_2, "");
    conformance_test("/smmu3/command/tlbi-ranges", test_tlbi_ranges, "86");
    conformance_test("/smmu3/command/tlbi-range-and-tlb",
                     test_tlbi_range_and_tlb, "86");
    conformance_test("/smmu3/command/atc-inv", test_atc_inv, "102");
    conformance_test("/smmu3/command/atc-inv-without-substreams",
                     test_atc_inv_without_substreams, "");
    conformance_test("/smmu3/command/atc-inv-ignored-when-disabled",
                     test_atc_inv_ignored_when_disabled, "102");
    conformance_test("/smmu3/command/reset-and-load-empty-the-caches",
                     test_reset_and_load_empty_the_caches, "");
    return conformance_run();
}
