/*
 * See config-fetch.h. Tables of one or two levels (IHI 0070 3.3.1, 3.3.3, 5.1,
 * 5.3), read where the caches have nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "config-fetch.h"
#include <string.h>
#include "stages.h"

/* ---- Stream table ------------------------------------------------------ */

/* STRTAB_BASE and STRTAB_BASE_CFG, as they act. */
typedef struct StreamTable {
    uint64_t base;
    unsigned log2;          /* of the StreamIDs it covers */
    unsigned split;         /* two levels; 0: linear */
} StreamTable;

static StreamTable stream_table(const Smmu3 *s)
{
    uint64_t cfg = s->regs.strtab_base_cfg;
    unsigned log2size = smmu3_get(&cfg, STRTAB_CFG_LOG2SIZE);
    unsigned split = smmu3_get(&cfg, STRTAB_CFG_SPLIT);
    StreamTable table = { .log2 = smmu3_strtab_log2(s) };
    unsigned align_log2 = log2size + 6;

    if (s->features.st_level && smmu3_get(&cfg, STRTAB_CFG_FMT) == 1) {
        table.split = split == 8 || split == 10 ? split : 6;
        align_log2 = log2size > table.split + 3 ? log2size - table.split + 3
                                                : 6;
    }
    table.base = smmu3_get_addr(&s->regs.strtab_base, STRTAB_BASE_ADDR) &
                 ~smmu3_mask(align_log2);
    return table;
}

/* Read a structure; an address that does not exist aborts too. */
static bool fetch(Smmu3Pass *p, uint64_t pa, uint64_t *words, unsigned count)
{
    return !(pa >> smmu3_oas_bits(&p->s->features)) &&
           p->s->ops->read(p->s->host, pa, words, count);
}

static bool fail_fetch(Smmu3Pass *p, Smmu3EventType type, uint64_t pa)
{
    p->fault.fetch_addr = pa;
    return smmu3_pass_fail(p, type);
}

/* Where the STE is (5.1); the second level is aligned to its own size. */
static bool locate_ste(Smmu3Pass *p, uint64_t *pa)
{
    StreamTable table = stream_table(p->s);
    uint32_t sid = p->t->sid, index;
    uint64_t l1, l1std;
    unsigned span;

    if ((uint64_t)sid >> table.log2) {
        return smmu3_pass_fail(p, C_BAD_STREAMID);
    }
    if (!table.split) {
        *pa = table.base + (uint64_t)sid * SMMU3_STE_BYTES;
        return true;
    }
    l1 = table.base + (uint64_t)(sid >> table.split) * SMMU3_L1STD_BYTES;
    if (!fetch(p, l1, &l1std, 1)) {
        return fail_fetch(p, F_STE_FETCH, l1);
    }
    smmu3_pass_watch(p, &(Smmu3Step) {
        .kind = SMMU3_STEP_L1STD, .addr = l1, .words = &l1std,
    });
    span = smmu3_get(&l1std, L1STD_SPAN);
    index = sid & smmu3_mask(table.split);
    if (span == 0 || span > 11 || span > table.split + 1) {
        return smmu3_pass_fail(p, C_BAD_STREAMID);
    }
    if (index >> (span - 1)) {
        return smmu3_pass_fail(p, C_BAD_STREAMID);
    }
    *pa = (smmu3_get_addr(&l1std, L1STD_L2PTR) & ~smmu3_mask(span + 5)) +
          (uint64_t)index * SMMU3_STE_BYTES;
    return true;
}

/* The auditor hears of what goes into the cache. */
static void tell_fetched(Smmu3Pass *p, bool is_cd, uint64_t addr,
                         const uint64_t *words)
{
    Smmu3Structure fetched = {
        .is_cd = is_cd, .sid = p->t->sid, .ssid = is_cd ? p->cd_index : 0,
        .addr = addr,
    };

    if (p->s->audit && p->mode == SMMU3_PASS_FULL) {
        memcpy(fetched.words, words, sizeof(fetched.words));
        smmu3_audit_fetched(p->s->audit, &fetched);
    }
}

static bool read_stream(Smmu3Pass *p)
{
    uint64_t cr2 = p->s->regs.cr2, ste[SMMU3_STE_WORDS], pa;
    Smmu3EventType verdict;

    if (!locate_ste(p, &pa)) {
        return false;
    }
    if (!fetch(p, pa, ste, SMMU3_STE_WORDS)) {
        return fail_fetch(p, F_STE_FETCH, pa);
    }
    smmu3_pass_watch(p, &(Smmu3Step) {
        .kind = SMMU3_STEP_STE, .addr = pa, .words = ste,
    });
    verdict = smmu3_ste_decode(&p->s->features, smmu3_get(&cr2, CR2_E2H), ste,
                               &p->config.stream);
    if (verdict == EVENT_NONE) {
        tell_fetched(p, false, pa, ste);
    }
    return verdict == EVENT_NONE || smmu3_pass_fail(p, verdict);
}

/*
 * A cached context carries its stream, so the first guess is the context that
 * the transaction most likely uses; find_substream() checks that it may.
 */
static bool lookup_stream(Smmu3Pass *p)
{
    const Smmu3Transaction *t = p->t;
    Smmu3ConfigCache *cache = p->s->configs;

    if (t->type != SMMU3_ATS_TRANSLATED) {
        p->cd_index = t->ssv ? t->ssid : 0;
        if (smmu3_config_lookup(cache, t->sid, true, p->cd_index,
                                &p->config)) {
            return true;
        }
    }
    return smmu3_config_lookup(cache, t->sid, false, 0, &p->config);
}

static void count_fetch(Smmu3Pass *p)
{
    if (p->mode == SMMU3_PASS_FULL) {
        smmu3_count(&p->s->counters.config_misses);
    }
}

/* ---- Context descriptors ----------------------------------------------- */

/*
 * Read words of a CD table. Over stage 2 the address is an IPA, and the read
 * needs stage 2's leave (CLASS=CD).
 */
static bool fetch_cd_words(Smmu3Pass *p, uint64_t addr, uint64_t *words,
                           unsigned count, Smmu3StepKind kind)
{
    uint64_t pa = addr;
    Smmu3Leaf leaf;

    if (p->config.stream.s2) {
        if (!smmu3_pass_stage2(p, addr, SMMU3_UNPRIV_R, CLASS_CD, &leaf)) {
            return false;
        }
        pa = smmu3_leaf_output(&leaf, addr);
    }
    if (!fetch(p, pa, words, count)) {
        return fail_fetch(p, F_CD_FETCH, pa);
    }
    smmu3_pass_watch(p, &(Smmu3Step) {
        .kind = kind, .addr = pa, .words = words,
    });
    return true;
}

/* Where the CD is (5.3); tables are aligned to their own size. */
static bool locate_cd(Smmu3Pass *p, uint64_t *addr)
{
    const Smmu3Stream *stream = &p->config.stream;
    unsigned leaf_bits = stream->s1fmt == STE_S1FMT_4K_L2 ? 6 : 10;
    unsigned l1_bits = stream->s1cdmax > leaf_bits
                       ? stream->s1cdmax - leaf_bits : 0;
    uint64_t l1, l1cd, l2ptr;

    if (stream->s1fmt == STE_S1FMT_LINEAR) {
        *addr = (stream->s1contextptr & ~smmu3_mask(stream->s1cdmax + 6)) +
                (uint64_t)p->cd_index * SMMU3_CD_BYTES;
        return true;
    }
    l1 = (stream->s1contextptr & ~smmu3_mask(MAX(l1_bits + 3, 6u))) +
         (uint64_t)(p->cd_index >> leaf_bits) * SMMU3_L1CD_BYTES;
    if (!fetch_cd_words(p, l1, &l1cd, 1, SMMU3_STEP_L1CD)) {
        return false;
    }
    if (!smmu3_get(&l1cd, L1CD_V)) {
        return smmu3_pass_fail(p, C_BAD_SUBSTREAMID);
    }
    l2ptr = smmu3_get_addr(&l1cd, L1CD_L2PTR) & ~smmu3_mask(leaf_bits + 6);
    if (l2ptr >> smmu3_oas_bits(&p->s->features)) {
        return smmu3_pass_fail(p, C_BAD_SUBSTREAMID);
    }
    *addr = l2ptr +
            (p->cd_index & smmu3_mask(leaf_bits)) * SMMU3_CD_BYTES;
    return true;
}

static bool read_context(Smmu3Pass *p)
{
    uint64_t addr, cd[SMMU3_CD_WORDS];
    Smmu3EventType verdict;

    if (!locate_cd(p, &addr) ||
        !fetch_cd_words(p, addr, cd, SMMU3_CD_WORDS, SMMU3_STEP_CD)) {
        return false;
    }
    verdict = smmu3_cd_decode(&p->s->features, &p->config.stream, cd,
                              &p->config.stage1);
    if (verdict == EVENT_NONE) {
        tell_fetched(p, true, addr, cd);
    }
    return verdict == EVENT_NONE || smmu3_pass_fail(p, verdict);
}

/* ---- Both, by the cache if it has them ---------------------------------- */

/* The auditor is shown what memory has in the place of what was cached. */
static void show_ste(Smmu3Pass *dry)
{
    Smmu3Structure now = { .sid = dry->t->sid };
    uint64_t pa;

    if (locate_ste(dry, &pa) && fetch(dry, pa, now.words, SMMU3_STE_WORDS)) {
        now.addr = pa;
    }
    smmu3_audit_structure_used(dry->s->audit, &now);
}

static void show_cd(Smmu3Pass *dry)
{
    Smmu3Structure now = { .is_cd = true, .sid = dry->t->sid,
                           .ssid = dry->cd_index };
    uint64_t addr;

    if (locate_cd(dry, &addr) &&
        fetch_cd_words(dry, addr, now.words, SMMU3_CD_WORDS, SMMU3_STEP_CD)) {
        now.addr = addr;
    }
    smmu3_audit_structure_used(dry->s->audit, &now);
}

/* The cache's answer was taken; apart, as tell_used_stage1() is. */
static void G_GNUC_NO_INLINE tell_used(const Smmu3Pass *p)
{
    Smmu3Pass dry;

    if (!p->s->audit || p->t->peek) {
        return;
    }
    smmu3_pass_init(&dry, p->s, p->t, SMMU3_PASS_DRY);
    dry.config = p->config;
    dry.cd_index = p->cd_index;
    show_ste(&dry);
    if (p->config.has_cd) {
        show_cd(&dry);
    }
}

bool smmu3_pass_find_stream(Smmu3Pass *p)
{
    Smmu3 *s = p->s;
    uint64_t epoch;

    if (p->mode != SMMU3_PASS_DRY && lookup_stream(p)) {
        if (!smmu3_pass_is_free(p)) {
            tell_used(p);
        }
        return true;
    }
    if (smmu3_pass_is_free(p)) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    count_fetch(p);
    epoch = smmu3_config_epoch(s->configs);
    if (!read_stream(p)) {
        return false;
    }
    if (p->mode == SMMU3_PASS_FULL) {
        smmu3_config_insert(s->configs, p->t->sid, false, 0, &p->config,
                            epoch);
    }
    return true;
}

Smmu3EventType smmu3_stream_find(Smmu3 *s, uint32_t sid, Smmu3Stream *stream,
                                 uint64_t *fetch_addr)
{
    Smmu3Transaction t = { .type = SMMU3_ATS_TRANSLATED, .sid = sid };
    Smmu3Pass p;

    smmu3_pass_init(&p, s, &t, SMMU3_PASS_FULL);
    if (smmu3_pass_find_stream(&p)) {
        *stream = p.config.stream;
        return EVENT_NONE;
    }
    *fetch_addr = p.fault.fetch_addr;
    return p.fault.type;
}

bool smmu3_pass_find_context(Smmu3Pass *p)
{
    Smmu3 *s = p->s;
    uint64_t epoch;

    if (p->config.has_cd) {
        return true;            /* found along with the stream */
    }
    if (smmu3_pass_is_free(p)) {
        return smmu3_pass_fail(p, EVENT_NONE);
    }
    count_fetch(p);
    epoch = smmu3_config_epoch(s->configs);
    if (!read_context(p)) {
        return false;
    }
    p->config.has_cd = true;
    if (p->mode == SMMU3_PASS_FULL) {
        smmu3_config_insert(s->configs, p->t->sid, true, p->cd_index,
                            &p->config, epoch);
    }
    return true;
}
