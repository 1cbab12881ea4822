/*
 * See builders.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "builders.h"
#include <string.h>

void features_all(Smmu3Features *f)
{
    *f = (Smmu3Features) {
        .s2p = 1, .s1p = 1, .cohacc = 1, .httu = 2, .hyp = 1, .ats = 1,
        .ns1ats = 0, .asid16 = 1, .msi = 1, .sev = 1, .pri = 1, .vmid16 = 1,
        .cd2l = 1, .ttendian = IDR0_TTENDIAN_MIXED, .atsrecerr = 1,
        .stall_model = 0, .term_model = 0, .st_level = 1, .vmw = 1,
        .sidsize = 16, .ssidsize = 20, .priqs = 10, .eventqs = 10,
        .cmdqs = 10, .attr_perms_ovr = 1, .attr_types_ovr = 1,
        .had = 1, .xnx = 1, .pps = 0, .fwb = 1, .stt = 1, .ril = 1, .bbml = 2,
        .e0pd = 1, .ptwnnc = 1,
        .oas = 6, .gran4k = 1, .gran16k = 1, .gran64k = 1, .ds = 1, .vax = 1,
        .stall_max = 16,
        .implementer = 0x43b, .aidr_minor = 3,
    };
}

/* ---- Translation tables ------------------------------------------------ */

static unsigned bits_per_level(const PageTable *pt)
{
    return pt->page_log2 - 3;
}

unsigned pt_level_log2(const PageTable *pt, int level)
{
    return pt->page_log2 + (3 - level) * bits_per_level(pt);
}

static uint64_t new_table(PageTable *pt, unsigned index_bits)
{
    uint64_t bytes = UINT64_C(8) << index_bits;

    return fake_alloc(pt->host, bytes, MAX(bytes, 64));
}

void pt_init(PageTable *pt, FakeHost *host, unsigned page_log2,
             unsigned in_bits, bool ds)
{
    unsigned per_level = page_log2 - 3;
    unsigned levels = (in_bits - page_log2 + per_level - 1) / per_level;

    *pt = (PageTable) {
        .host = host, .page_log2 = page_log2, .in_bits = in_bits, .ds = ds,
        .start_level = 4 - (int)levels,
    };
    pt->start_bits = in_bits - pt_level_log2(pt, pt->start_level);
    pt->root = new_table(pt, pt->start_bits);
}

void pt_init_stage2(PageTable *pt, FakeHost *host, unsigned page_log2,
                    unsigned in_bits, int start_level, bool ds)
{
    *pt = (PageTable) {
        .host = host, .stage2 = true, .page_log2 = page_log2,
        .in_bits = in_bits, .ds = ds, .start_level = start_level,
    };
    pt->start_bits = in_bits - pt_level_log2(pt, start_level);
    pt->root = new_table(pt, pt->start_bits);
}

uint64_t pt_ttb(const PageTable *pt)
{
    return pt->root + pt->ipa_delta;
}

/* An output address in the form of @pt's descriptors. */
static uint64_t encode_address(const PageTable *pt, uint64_t addr)
{
    uint64_t desc = addr & smmu3_mask(48);

    if (pt->page_log2 == 16) {
        smmu3_set(&desc, TTD_OA_51_48, addr >> 48);
    } else if (pt->ds) {
        desc = addr & smmu3_mask(50);
        smmu3_set(&desc, TTD_OA_51_50, addr >> 50);
    }
    return desc;
}

static uint64_t decode_address(const PageTable *pt, uint64_t desc)
{
    uint64_t low = ~smmu3_mask(pt->page_log2);

    if (pt->page_log2 == 16) {
        return (desc & smmu3_mask(48) & low) |
               smmu3_get(&desc, TTD_OA_51_48) << 48;
    }
    if (pt->ds) {
        return (desc & smmu3_mask(50) & low) |
               smmu3_get(&desc, TTD_OA_51_50) << 50;
    }
    return desc & smmu3_mask(48) & low;
}

uint64_t pt_read(const PageTable *pt, uint64_t pa)
{
    uint64_t desc = fake_read64(pt->host, pa);

    return pt->big_endian ? GUINT64_SWAP_LE_BE(desc) : desc;
}

void pt_write(const PageTable *pt, uint64_t pa, uint64_t descriptor)
{
    fake_write64(pt->host, pa, pt->big_endian ? GUINT64_SWAP_LE_BE(descriptor)
                                              : descriptor);
}

uint64_t pt_entry(PageTable *pt, uint64_t in, int level)
{
    uint64_t table = pt->root;

    g_assert_cmpint(level, >=, pt->start_level);
    for (int l = pt->start_level; ; l++) {
        unsigned bits = l == pt->start_level ? pt->start_bits
                                             : bits_per_level(pt);
        uint64_t index = (in >> pt_level_log2(pt, l)) & smmu3_mask(bits);
        uint64_t pa = table + 8 * index;
        uint64_t desc;

        if (l == level) {
            return pa;
        }
        desc = pt_read(pt, pa);
        if (!desc) {
            table = new_table(pt, bits_per_level(pt));
            pt_write(pt, pa, encode_address(pt, table + pt->ipa_delta) | 3);
        } else {
            table = decode_address(pt, desc) - pt->ipa_delta;
        }
    }
}

uint64_t pt_map(PageTable *pt, uint64_t in, uint64_t out, int level,
                uint64_t attributes)
{
    uint64_t pa = pt_entry(pt, in, level);

    out &= ~smmu3_mask(pt_level_log2(pt, level));
    pt_write(pt, pa, encode_address(pt, out) | attributes |
                     (level == 3 ? 3 : 1));
    return pa;
}

void pt_map_range(PageTable *pt, uint64_t in, uint64_t out, uint64_t bytes,
                  uint64_t attributes)
{
    for (uint64_t offset = 0; offset < bytes;
         offset += UINT64_C(1) << pt->page_log2) {
        pt_map(pt, in + offset, out + offset, 3, attributes);
    }
}

void pt_or(PageTable *pt, uint64_t in, int level, uint64_t bits)
{
    uint64_t pa = pt_entry(pt, in, level);

    pt_write(pt, pa, pt_read(pt, pa) | bits);
}

/* ---- Structures -------------------------------------------------------- */

static bool wide_output(const PageTable *pt)
{
    return pt->page_log2 == 16 || pt->ds;
}

void cd_for(uint64_t cd[SMMU3_CD_WORDS], const PageTable *pt, uint16_t asid)
{
    static const uint8_t tg0[] = { [12] = CD_TG0_4K, [14] = CD_TG0_16K,
                                   [16] = CD_TG0_64K };

    memset(cd, 0, SMMU3_CD_BYTES);
    smmu3_set(cd, CD_V, 1);
    smmu3_set(cd, CD_AA64, 1);
    smmu3_set(cd, CD_T0SZ, 64 - pt->in_bits);
    smmu3_set(cd, CD_TG0, tg0[pt->page_log2]);
    smmu3_set(cd, CD_IR0, 1);
    smmu3_set(cd, CD_OR0, 1);
    smmu3_set(cd, CD_SH0, 3);
    smmu3_set(cd, CD_EPD1, 1);
    smmu3_set(cd, CD_ENDI, pt->big_endian);
    smmu3_set(cd, CD_IPS, wide_output(pt) ? 6 : 5);
    smmu3_set(cd, CD_R, 1);
    smmu3_set(cd, CD_A, 1);
    smmu3_set(cd, CD_ASID, asid);
    smmu3_set_addr(cd, CD_TTB0, pt_ttb(pt));
    smmu3_set(cd, CD_DS, pt->ds);
    smmu3_set(cd, CD_MAIR, 0x00ff);     /* 0: Normal write-back, 1: Device */
}

void cd_second_half(uint64_t cd[SMMU3_CD_WORDS], const PageTable *pt)
{
    static const uint8_t tg1[] = { [12] = CD_TG1_4K, [14] = CD_TG1_16K,
                                   [16] = CD_TG1_64K };

    smmu3_set(cd, CD_EPD1, 0);
    smmu3_set(cd, CD_T1SZ, 64 - pt->in_bits);
    smmu3_set(cd, CD_TG1, tg1[pt->page_log2]);
    smmu3_set_addr(cd, CD_TTB1, pt_ttb(pt));
}

void ste_abort(uint64_t ste[SMMU3_STE_WORDS])
{
    memset(ste, 0, SMMU3_STE_BYTES);
    smmu3_set(ste, STE_V, 1);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_ABORT);
}

void ste_bypass(uint64_t ste[SMMU3_STE_WORDS])
{
    ste_abort(ste);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_BYPASS);
    smmu3_set(ste, STE_SHCFG, 1);
}

void ste_stage1(uint64_t ste[SMMU3_STE_WORDS], uint64_t cd_table,
                unsigned cdmax)
{
    ste_bypass(ste);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S1);
    smmu3_set(ste, STE_S1FMT, STE_S1FMT_LINEAR);
    smmu3_set_addr(ste, STE_S1CONTEXTPTR, cd_table);
    smmu3_set(ste, STE_S1CDMAX, cdmax);
    smmu3_set(ste, STE_S1DSS, STE_S1DSS_CD0);
}

/* The fields of stage 2, in an STE whose Config has it. */
static void set_stage2(uint64_t ste[SMMU3_STE_WORDS], const PageTable *pt,
                       uint16_t vmid)
{
    static const uint8_t s2tg[] = { [12] = STE_S2TG_4K, [14] = STE_S2TG_16K,
                                    [16] = STE_S2TG_64K };
    /* S2SL0 with S2SL0_2 above it, by start level + 1 (IHI 0070 5.2). */
    static const uint8_t sl0_4k[] = { 4, 2, 1, 0, 3 };
    unsigned sl0 = pt->page_log2 == 12 ? sl0_4k[pt->start_level + 1]
                                       : 3 - pt->start_level;

    smmu3_set(ste, STE_S2VMID, vmid);
    smmu3_set(ste, STE_S2T0SZ, 64 - pt->in_bits);
    smmu3_set(ste, STE_S2SL0, sl0);
    smmu3_set(ste, STE_S2SL0_2, sl0 >> 2);
    smmu3_set(ste, STE_S2TG, s2tg[pt->page_log2]);
    smmu3_set(ste, STE_S2PS, wide_output(pt) ? 6 : 5);
    smmu3_set(ste, STE_S2AA64, 1);
    smmu3_set(ste, STE_S2ENDI, pt->big_endian);
    smmu3_set(ste, STE_S2R, 1);
    smmu3_set(ste, STE_S2DS, pt->ds);
    smmu3_set_addr(ste, STE_S2TTB, pt_ttb(pt));
}

void ste_stage2(uint64_t ste[SMMU3_STE_WORDS], const PageTable *pt,
                uint16_t vmid)
{
    ste_bypass(ste);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_S2);
    set_stage2(ste, pt, vmid);
}

void ste_nested(uint64_t ste[SMMU3_STE_WORDS], uint64_t cd_table,
                unsigned cdmax, const PageTable *pt, uint16_t vmid)
{
    ste_stage1(ste, cd_table, cdmax);
    smmu3_set(ste, STE_CONFIG, STE_CONFIG_NESTED);
    set_stage2(ste, pt, vmid);
}

/* ---- Transactions ------------------------------------------------------ */

Smmu3Transaction dma_read(uint32_t sid, uint64_t addr)
{
    return (Smmu3Transaction) {
        .type = SMMU3_UNTRANSLATED, .sid = sid, .addr = addr,
        .access = SMMU3_READ,
    };
}

Smmu3Transaction dma_write(uint32_t sid, uint64_t addr)
{
    Smmu3Transaction t = dma_read(sid, addr);

    t.access = SMMU3_WRITE;
    return t;
}

Smmu3Transaction with_ssid(Smmu3Transaction t, uint32_t ssid)
{
    t.ssv = true;
    t.ssid = ssid;
    return t;
}

Smmu3Transaction with_priv(Smmu3Transaction t)
{
    t.priv = true;
    return t;
}

Smmu3Transaction with_ind(Smmu3Transaction t)
{
    t.ind = true;
    return t;
}
