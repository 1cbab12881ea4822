/*
 * Configuration: stream table entries and context descriptors, from their
 * words to plain structs, with every rule that makes them ILLEGAL. Pure
 * functions; not where the words are (config-fetch.c), nor a cache. Called by
 * config-fetch.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_CONFIG_H
#define SMMU3_CONFIG_H

#include <stddef.h>
#include "../spec/id.h"

/* Translation regimes that do not share entries (StreamWorld, 3.3.4). */
typedef enum {
    SMMU3_WORLD_NS_EL1,     /* tagged by VMID and ASID */
    SMMU3_WORLD_NS_EL2,     /* neither */
    SMMU3_WORLD_NS_EL2_E2H, /* ASID only */
    SMMU3_WORLD_STAGE2,     /* IPA to PA, VMID only */
} Smmu3World;

static inline bool smmu3_world_has_asids(Smmu3World world)
{
    return world == SMMU3_WORLD_NS_EL1 || world == SMMU3_WORLD_NS_EL2_E2H;
}

/* One half of the VA space (CD.TTBx and its companions). */
typedef struct Smmu3TableBase {
    uint64_t ttb;
    uint8_t tsz;
    uint8_t page_log2;      /* 12, 14 or 16 */
    bool epd, tbi, had, e0pd;
} Smmu3TableBase;

/* Stage 1, from a CD (IHI 0070 5.4). */
typedef struct Smmu3Stage1 {
    Smmu3TableBase half[2];
    uint8_t oa_bits;        /* min(IPS, OAS), in bits */
    uint16_t asid;
    bool aset, big_endian, affd, ha, hd, wxn, pan, ds;
    bool stall, record, abort;      /* CD.S, .R, .A */
    uint64_t mair;
} Smmu3Stage1;

/* Stage 2, from an STE (IHI 0070 5.2). */
typedef struct Smmu3Stage2 {
    uint64_t ttb;
    uint8_t t0sz;
    uint8_t page_log2;
    int8_t start_level;     /* -1 ... 3 */
    uint8_t oa_bits;        /* min(S2PS, OAS), in bits */
    bool big_endian, affd, ha, hd, ds, fwb;
    bool protect_walks;     /* S2PTW */
    bool stall, record;     /* S2S, S2R */
} Smmu3Stage2;

/* PRIVCFG and INSTCFG (5.2): what replaces an incoming attribute. */
typedef enum {
    SMMU3_OVERRIDE_NONE, SMMU3_OVERRIDE_CLEAR, SMMU3_OVERRIDE_SET,
} Smmu3Override;

/* A stream, from its STE. */
typedef struct Smmu3Stream {
    uint8_t config;         /* STE_CONFIG_* */
    bool s1, s2;            /* the stages that Config enables */
    uint8_t s1fmt, s1cdmax, s1dss, eats;
    bool s1stalld, ppar;
    uint64_t s1contextptr;
    uint16_t vmid;
    Smmu3World world;       /* StreamWorld */
    Smmu3Override priv, inst;
    Smmu3Stage2 stage2;     /* if s2 */
} Smmu3Stream;

/* A stream and, if has_cd, one of its contexts: what the cache holds. */
typedef struct Smmu3Config {
    Smmu3Stream stream;
    bool has_cd;
    Smmu3Stage1 stage1;     /* if has_cd */
} Smmu3Config;

/*
 * Of a local that has a configuration in it and is filled in before it is read: QEMU
 * has the compiler set all locals to 0, which would cost more than the lookup.
 */
#if __has_attribute(uninitialized)
#define SMMU3_UNSET __attribute__((uninitialized))
#else
#define SMMU3_UNSET
#endif

/*
 * IHI 0070 5.2.2. EVENT_NONE, or C_BAD_STE. @e2h: CR2.E2H. A stream that
 * aborts (Config 0b0xx) is legal whatever else the STE holds.
 */
Smmu3EventType smmu3_ste_decode(const Smmu3Features *f, bool e2h,
                                const uint64_t ste[SMMU3_STE_WORDS],
                                Smmu3Stream *stream);

/* IHI 0070 5.4.2. EVENT_NONE, or C_BAD_CD. */
Smmu3EventType smmu3_cd_decode(const Smmu3Features *f,
                               const Smmu3Stream *stream,
                               const uint64_t cd[SMMU3_CD_WORDS],
                               Smmu3Stage1 *stage1);

#endif
