/*
 * Decoding of stream table entries and context descriptors: the rules that
 * make them ILLEGAL, one a line, in the order of IHI 0070 5.2.2 and 5.4.2.
 * Not their fetch (config-fetch.c) nor their cache (config-cache.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "config.h"
#include <glib.h>

/* ---- Fields that both structures have ---------------------------------- */

/* IPS and S2PS (5.2, 5.4): reserved codes act as the largest one there is. */
static unsigned output_bits(const Smmu3Features *f, unsigned code)
{
    unsigned largest = f->aidr_minor >= 1 ? 6 : 5;

    return MIN(smmu3_address_bits(MIN(code, largest)), smmu3_oas_bits(f));
}

static bool granule_supported(const Smmu3Features *f, unsigned page_log2)
{
    switch (page_log2) {
    case 12:
        return f->gran4k;
    case 14:
        return f->gran16k;
    case 16:
        return f->gran64k;
    default:
        return false;
    }
}

/* log2 of the page size, 0 if reserved; each field has its own numbers. */
static unsigned page_of_tg0(unsigned tg)
{
    return tg == CD_TG0_4K ? 12 : tg == CD_TG0_16K ? 14
         : tg == CD_TG0_64K ? 16 : 0;
}

static unsigned page_of_tg1(unsigned tg)
{
    return tg == CD_TG1_4K ? 12 : tg == CD_TG1_16K ? 14
         : tg == CD_TG1_64K ? 16 : 0;
}

static unsigned page_of_s2tg(unsigned tg)
{
    return tg == STE_S2TG_4K ? 12 : tg == STE_S2TG_16K ? 14
         : tg == STE_S2TG_64K ? 16 : 0;
}

/* The smallest input address has TxSZ 39, or more with small tables (STT). */
static unsigned max_tsz(const Smmu3Features *f, unsigned page_log2)
{
    return !f->stt ? 39 : page_log2 == 16 ? 47 : 48;
}

static bool endianness_supported(const Smmu3Features *f, bool big_endian)
{
    return f->ttendian == IDR0_TTENDIAN_MIXED ||
           f->ttendian == (big_endian ? IDR0_TTENDIAN_BE : IDR0_TTENDIAN_LE);
}

static bool ttb_in_range(uint64_t ttb, unsigned page_log2, bool ds,
                         unsigned oa_bits)
{
    return !(ttb >> oa_bits) && (page_log2 == 16 || ds || !(ttb >> 48));
}

/* ---- Stream table entries (5.2) ---------------------------------------- */

static bool eats_legal(const Smmu3Features *f, const uint64_t *ste,
                       unsigned config)
{
    unsigned eats = smmu3_get(ste, STE_EATS);
    bool s2s = smmu3_get(ste, STE_S2S);

    if (!f->ats || config == STE_CONFIG_BYPASS) {
        return true;
    }
    if (eats == STE_EATS_SPLIT &&
        (config != STE_CONFIG_NESTED || s2s || f->ns1ats)) {
        return false;
    }
    if (eats == STE_EATS_FULL && s2s && (config & STE_CONFIG_S2_BIT)) {
        return false;
    }
    return true;
}

/* STRW selects a world only for stage 1 alone, where there is an EL2. */
static bool strw_used(const Smmu3Features *f, unsigned config)
{
    return f->s1p && f->hyp && config == STE_CONFIG_S1;
}

static Smmu3World stream_world(const Smmu3Features *f, bool e2h,
                               const uint64_t *ste, unsigned config)
{
    if (!strw_used(f, config) || smmu3_get(ste, STE_STRW) != STE_STRW_NS_EL2) {
        return SMMU3_WORLD_NS_EL1;
    }
    return e2h ? SMMU3_WORLD_NS_EL2_E2H : SMMU3_WORLD_NS_EL2;
}

static bool stage1_legal(const Smmu3Features *f, const uint64_t *ste)
{
    unsigned cdmax = smmu3_get(ste, STE_S1CDMAX);
    unsigned fmt = smmu3_get(ste, STE_S1FMT);
    bool two_level = fmt == STE_S1FMT_4K_L2 || fmt == STE_S1FMT_64K_L2;

    if (smmu3_get(ste, STE_S1STALLD) && f->stall_model != 0) {
        return false;
    }
    if (f->ssidsize && cdmax > f->ssidsize) {
        return false;
    }
    if (f->ssidsize && cdmax && !f->cd2l && two_level) {
        return false;
    }
    /* Over stage 2 this is an IPA, and IAS and OAS are the same. */
    if (smmu3_get_addr(ste, STE_S1CONTEXTPTR) >> smmu3_oas_bits(f)) {
        return false;
    }
    return true;
}

/* What S2SL0 names (5.2): each granule numbers the levels in its own way. */
static int stage2_level_named(const Smmu3Features *f, const uint64_t *ste,
                              unsigned page_log2, bool ds)
{
    unsigned sl0 = smmu3_get(ste, STE_S2SL0);

    switch (page_log2) {
    case 12:
        if (ds && smmu3_get(ste, STE_S2SL0_2)) {
            return sl0 == 0 ? -1 : -2;
        }
        return sl0 < 3 ? 2 - (int)sl0 : f->stt ? 3 : -2;
    case 14:
        return sl0 < 3 || ds ? 3 - (int)sl0 : -2;
    default:
        return sl0 < 3 ? 3 - (int)sl0 : -2;
    }
}

/*
 * The physical addresses that a start level needs: where there are fewer, the
 * level below would do, with concatenated tables (as for VTCR_EL2:
 * AArch64.S2InvalidSL()).
 */
static unsigned stage2_level_needs_bits(unsigned page_log2, int level)
{
    switch (page_log2) {
    case 12:
        return level < 0 ? 52 : level == 0 ? 44 : 0;
    case 14:
        return level == 0 ? 52 : level == 1 ? 42 : 0;
    default:
        return level == 1 ? 44 : 0;
    }
}

/* Start level of stage 2, or -2 if S2SL0 names none that can be. */
static int stage2_start_level(const Smmu3Features *f, const uint64_t *ste,
                              unsigned page_log2, bool ds)
{
    int level = stage2_level_named(f, ste, page_log2, ds);

    return stage2_level_needs_bits(page_log2, level) <= smmu3_oas_bits(f)
           ? level : -2;
}

/* The start level resolves 1 bit at least, and 16 tables' worth at most. */
static bool start_level_fits(unsigned in_bits, unsigned page_log2, int level)
{
    int per_level = page_log2 - 3;
    int below = page_log2 + (3 - level) * per_level;
    int resolved = (int)in_bits - below;

    return level >= -1 && resolved >= 1 && resolved <= per_level + 4;
}

static bool stage2_legal(const Smmu3Features *f, const uint64_t *ste)
{
    unsigned page_log2 = page_of_s2tg(smmu3_get(ste, STE_S2TG));
    unsigned tsz = smmu3_get(ste, STE_S2T0SZ);
    bool s2s = smmu3_get(ste, STE_S2S);
    bool ha = smmu3_get(ste, STE_S2HA), hd = smmu3_get(ste, STE_S2HD);
    bool ds = f->ds && smmu3_get(ste, STE_S2DS) && page_log2 != 16;
    unsigned min_tsz = MAX(page_log2 == 16 || ds ? 12u : 16u,
                           64 - smmu3_ias_bits(f));

    if (s2s && f->stall_model == 1) {
        return false;
    }
    if (!s2s && f->stall_model == 2) {
        return false;
    }
    if (!smmu3_get(ste, STE_S2AA64)) {
        return false;           /* VMSAv8-32 LPAE: IDR0.TTF says no */
    }
    if ((ha || hd) && f->httu == 0) {
        return false;
    }
    if (hd && f->httu == 1) {
        return false;
    }
    if (!granule_supported(f, page_log2)) {
        return false;
    }
    if (!ttb_in_range(smmu3_get_addr(ste, STE_S2TTB), page_log2, ds,
                      output_bits(f, smmu3_get(ste, STE_S2PS)))) {
        return false;
    }
    if (tsz < min_tsz || tsz > max_tsz(f, page_log2)) {
        return false;
    }
    if (!start_level_fits(64 - tsz, page_log2,
                          stage2_start_level(f, ste, page_log2, ds))) {
        return false;
    }
    if (!endianness_supported(f, smmu3_get(ste, STE_S2ENDI))) {
        return false;
    }
    return true;
}

static void decode_stage2(const Smmu3Features *f, const uint64_t *ste,
                          Smmu3Stage2 *s2)
{
    s2->ttb = smmu3_get_addr(ste, STE_S2TTB);
    s2->t0sz = smmu3_get(ste, STE_S2T0SZ);
    s2->page_log2 = page_of_s2tg(smmu3_get(ste, STE_S2TG));
    s2->ds = f->ds && smmu3_get(ste, STE_S2DS) && s2->page_log2 != 16;
    s2->start_level = stage2_start_level(f, ste, s2->page_log2, s2->ds);
    s2->oa_bits = output_bits(f, smmu3_get(ste, STE_S2PS));
    s2->big_endian = smmu3_get(ste, STE_S2ENDI);
    s2->affd = smmu3_get(ste, STE_S2AFFD);
    s2->ha = smmu3_get(ste, STE_S2HA);
    s2->hd = s2->ha && smmu3_get(ste, STE_S2HD);
    s2->fwb = f->fwb && smmu3_get(ste, STE_S2FWB);
    s2->protect_walks = smmu3_get(ste, STE_S2PTW);
    s2->stall = smmu3_get(ste, STE_S2S);
    s2->record = smmu3_get(ste, STE_S2R);
}

static void decode_stage1(const Smmu3Features *f, const uint64_t *ste,
                          Smmu3Stream *stream)
{
    stream->s1contextptr = smmu3_get_addr(ste, STE_S1CONTEXTPTR);
    stream->s1stalld = smmu3_get(ste, STE_S1STALLD);
    if (!f->ssidsize) {
        return;                 /* one CD; S1CDMax, S1Fmt, S1DSS ignored */
    }
    stream->s1cdmax = smmu3_get(ste, STE_S1CDMAX);
    stream->s1fmt = smmu3_get(ste, STE_S1FMT);
    if (stream->s1fmt == 3 || !stream->s1cdmax) {
        stream->s1fmt = STE_S1FMT_LINEAR;
    }
    stream->s1dss = smmu3_get(ste, STE_S1DSS);
    if (stream->s1dss == 3) {
        stream->s1dss = STE_S1DSS_TERMINATE;
    }
}

/* PRIVCFG and INSTCFG number their values alike. */
static Smmu3Override decode_override(const Smmu3Features *f, unsigned value)
{
    if (!f->attr_perms_ovr || value < 2) {
        return SMMU3_OVERRIDE_NONE;
    }
    return value == 2 ? SMMU3_OVERRIDE_CLEAR : SMMU3_OVERRIDE_SET;
}

Smmu3EventType smmu3_ste_decode(const Smmu3Features *f, bool e2h,
                                const uint64_t ste[SMMU3_STE_WORDS],
                                Smmu3Stream *stream)
{
    unsigned config = smmu3_get(ste, STE_CONFIG);
    Smmu3World world = stream_world(f, e2h, ste, config);
    bool s1 = config & STE_CONFIG_S1_BIT, s2 = config & STE_CONFIG_S2_BIT;
    bool vmid_used = f->s2p && config != STE_CONFIG_BYPASS &&
                     world == SMMU3_WORLD_NS_EL1;

    *stream = (Smmu3Stream) { .config = STE_CONFIG_ABORT };
    if (!smmu3_get(ste, STE_V)) {
        return C_BAD_STE;
    }
    if (!(config & STE_CONFIG_PASS_BIT)) {
        return EVENT_NONE;
    }
    if (s1 && !f->s1p) {
        return C_BAD_STE;
    }
    if (s2 && !f->s2p) {
        return C_BAD_STE;
    }
    if (!eats_legal(f, ste, config)) {
        return C_BAD_STE;
    }
    if (strw_used(f, config) && (smmu3_get(ste, STE_STRW) & 1)) {
        return C_BAD_STE;
    }
    if (s1 && !stage1_legal(f, ste)) {
        return C_BAD_STE;
    }
    if (s2 && !stage2_legal(f, ste)) {
        return C_BAD_STE;
    }
    if (vmid_used && !f->vmid16 && smmu3_get(ste, STE_S2VMID) >> 8) {
        return C_BAD_STE;
    }

    stream->config = config;
    stream->s1 = s1;
    stream->s2 = s2;
    stream->world = world;
    stream->vmid = vmid_used ? smmu3_get(ste, STE_S2VMID) : 0;
    stream->ppar = smmu3_get(ste, STE_PPAR);
    stream->priv = decode_override(f, smmu3_get(ste, STE_PRIVCFG));
    stream->inst = decode_override(f, smmu3_get(ste, STE_INSTCFG));
    if (f->ats && config != STE_CONFIG_BYPASS) {
        stream->eats = smmu3_get(ste, STE_EATS);
        if (stream->eats == 3) {
            stream->eats = STE_EATS_NONE;       /* needs IDR3.DPT */
        }
    }
    if (s1) {
        decode_stage1(f, ste, stream);
    }
    if (s2) {
        decode_stage2(f, ste, &stream->stage2);
    }
    return EVENT_NONE;
}

/* ---- Context descriptors (5.4) ----------------------------------------- */

/* What one half says, before it is known whether that is legal. */
typedef struct RawHalf {
    bool live;              /* exists, and its walks are not disabled */
    unsigned tsz, page_log2;
    uint64_t ttb;
    bool tbi, had, e0pd;
} RawHalf;

static void read_halves(const uint64_t *cd, Smmu3World world, RawHalf half[2])
{
    bool el2 = world == SMMU3_WORLD_NS_EL2;

    half[0] = (RawHalf) {
        .live = el2 || !smmu3_get(cd, CD_EPD0),
        .tsz = smmu3_get(cd, CD_T0SZ),
        .page_log2 = page_of_tg0(smmu3_get(cd, CD_TG0)),
        .ttb = smmu3_get_addr(cd, CD_TTB0),
        .tbi = smmu3_get(cd, CD_TBI0),
        .had = smmu3_get(cd, CD_HAD0),
        .e0pd = !el2 && smmu3_get(cd, CD_E0PD0),
    };
    half[1] = (RawHalf) {
        .live = !el2 && !smmu3_get(cd, CD_EPD1),
        .tsz = smmu3_get(cd, CD_T1SZ),
        .page_log2 = page_of_tg1(smmu3_get(cd, CD_TG1)),
        .ttb = smmu3_get_addr(cd, CD_TTB1),
        .tbi = smmu3_get(cd, CD_TBI1),
        .had = smmu3_get(cd, CD_HAD1),
        .e0pd = smmu3_get(cd, CD_E0PD1),
    };
}

static bool half_legal(const Smmu3Features *f, const RawHalf *half, bool ds,
                       unsigned oa_bits)
{
    bool wide = f->vax && (half->page_log2 == 16 || ds);

    if (half->tsz < (wide ? 12 : 16) ||
        half->tsz > max_tsz(f, half->page_log2)) {
        return false;
    }
    if (!granule_supported(f, half->page_log2)) {
        return false;
    }
    if (!ttb_in_range(half->ttb, half->page_log2, ds, oa_bits)) {
        return false;
    }
    return true;
}

Smmu3EventType smmu3_cd_decode(const Smmu3Features *f,
                               const Smmu3Stream *stream,
                               const uint64_t cd[SMMU3_CD_WORDS],
                               Smmu3Stage1 *stage1)
{
    bool s = smmu3_get(cd, CD_S), a = smmu3_get(cd, CD_A);
    bool ha = smmu3_get(cd, CD_HA), hd = smmu3_get(cd, CD_HD);
    bool ds = f->ds && smmu3_get(cd, CD_DS);
    bool has_asid = stream->world != SMMU3_WORLD_NS_EL2;
    unsigned oa_bits = output_bits(f, smmu3_get(cd, CD_IPS));
    RawHalf half[2];

    *stage1 = (Smmu3Stage1) { 0 };
    read_halves(cd, stream->world, half);
    if (!smmu3_get(cd, CD_V)) {
        return C_BAD_CD;
    }
    if (stream->s1stalld && s) {
        return C_BAD_CD;
    }
    if (f->term_model == 1 && !a) {
        return C_BAD_CD;
    }
    if (f->stall_model == 1 && s) {
        return C_BAD_CD;
    }
    if (f->stall_model == 2 && !s) {
        return C_BAD_CD;
    }
    if ((half[0].live || half[1].live) &&
        !endianness_supported(f, smmu3_get(cd, CD_ENDI))) {
        return C_BAD_CD;
    }
    if (!smmu3_get(cd, CD_AA64)) {
        return C_BAD_CD;        /* VMSAv8-32 LPAE: IDR0.TTF says no */
    }
    if ((ha || hd) && f->httu == 0) {
        return C_BAD_CD;
    }
    if (hd && f->httu == 1) {
        return C_BAD_CD;
    }
    if (!f->asid16 && has_asid && smmu3_get(cd, CD_ASID) >> 8) {
        return C_BAD_CD;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (half[i].live && !half_legal(f, &half[i], ds, oa_bits)) {
            return C_BAD_CD;
        }
    }

    for (unsigned i = 0; i < 2; i++) {
        stage1->half[i] = (Smmu3TableBase) {
            .ttb = half[i].ttb,
            .tsz = half[i].tsz,
            .page_log2 = half[i].page_log2,
            .epd = !half[i].live,
            .tbi = half[i].tbi,
            .had = f->had && half[i].had,
            .e0pd = f->e0pd && half[i].e0pd,
        };
    }
    stage1->oa_bits = oa_bits;
    stage1->asid = has_asid ? smmu3_get(cd, CD_ASID) : 0;
    stage1->aset = smmu3_get(cd, CD_ASET);
    stage1->big_endian = smmu3_get(cd, CD_ENDI);
    stage1->affd = smmu3_get(cd, CD_AFFD);
    stage1->ha = ha;
    stage1->hd = ha && hd;
    stage1->wxn = smmu3_get(cd, CD_WXN);
    stage1->pan = has_asid && smmu3_get(cd, CD_PAN);
    stage1->ds = ds;
    stage1->stall = s;
    stage1->record = smmu3_get(cd, CD_R);
    stage1->abort = a;
    stage1->mair = smmu3_get(cd, CD_MAIR);
    return EVENT_NONE;
}
