/*
 * What an instance implements: the ID registers, decoded. Not the registers
 * themselves, which id.c builds from this. Set once before
 * smmu3_new(), read everywhere.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef SMMU3_ID_H
#define SMMU3_ID_H

#include <stddef.h>
#include "spec.h"

/*
 * One member for each ID field that may vary, named after it and holding the
 * architecture's own encoding. All members have one type so that the table
 * below can address them.
 */
typedef struct Smmu3Features {
    /* IDR0 */
    uint16_t s2p, s1p, cohacc, httu, hyp, ats, ns1ats, asid16, msi, sev, pri,
             vmid16, cd2l, ttendian, atsrecerr, stall_model, term_model,
             st_level, atos, vmw;
    /* IDR1 */
    uint16_t sidsize, ssidsize, priqs, eventqs, cmdqs, attr_perms_ovr,
             attr_types_ovr;
    /* IDR3 */
    uint16_t had, xnx, pps, fwb, stt, ril, bbml, e0pd, ptwnnc;
    /* IDR5 */
    uint16_t oas, gran4k, gran16k, gran64k, ds, vax, stall_max;
    /* IIDR, AIDR */
    uint16_t implementer, revision, variant, productid, aidr_minor;
} Smmu3Features;

/* One ID field: where it is, what it may hold, what it means. */
typedef struct Smmu3IdField {
    const char *name;           /* property name, e.g. "httu" */
    unsigned reg;               /* SMMU3_IDR0 ... SMMU3_AIDR */
    unsigned lsb, width;        /* in that register */
    size_t member;              /* offset in Smmu3Features */
    uint16_t initial;           /* the default profile's value */
    uint32_t allowed;           /* bit n set: value n is implemented, for
                                   fields narrower than 6 bits; else unused */
    uint16_t max;               /* largest value implemented */
    const char *description;    /* one line, for help texts and docs */
} Smmu3IdField;

extern const Smmu3IdField smmu3_id_fields[];
extern const size_t smmu3_id_field_count;

/* The member that @field describes. */
static inline uint16_t *smmu3_feature(Smmu3Features *f,
                                      const Smmu3IdField *field)
{
    return (uint16_t *)((char *)f + field->member);
}

/* A named set of ID values taken from a public description of a product. */
typedef struct Smmu3Profile {
    const char *name;           /* "linux-sva", "minimal", "mmu-600" ... */
    const char *description;
    void (*apply)(Smmu3Features *f);
} Smmu3Profile;

extern const Smmu3Profile smmu3_profiles[];
extern const size_t smmu3_profile_count;

/*
 * Make the fields that were not chosen one by one follow those that were: what
 * needs a feature that is gone goes as well, and AIDR falls to a version that
 * does not ask for what is missing. Bit n of @chosen: smmu3_id_fields[n] was
 * chosen, and stays.
 */
void smmu3_features_settle(Smmu3Features *f, uint64_t chosen);

/* The default profile: everything that makes Linux accept SVA. */
void smmu3_features_init(Smmu3Features *f);

/*
 * Whether the values are implemented and agree with each other (IHI 0070
 * 6.3.1 to 6.3.8). Returns NULL, or a message to free with g_free() that names
 * the field, its value and what is allowed.
 */
char *smmu3_features_check(const Smmu3Features *f);

/* The 32-bit ID register at @reg (SMMU3_IDR0 ... SMMU3_AIDR). */
uint32_t smmu3_features_reg(const Smmu3Features *f, unsigned reg);

/* Bits of an OAS, IPS or S2PS code: 0..6 = 32, 36, 40, 42, 44, 48, 52. */
unsigned smmu3_address_bits(unsigned code);

/* The output address size in bits, and the intermediate one (3.4). */
static inline unsigned smmu3_oas_bits(const Smmu3Features *f)
{
    return smmu3_address_bits(f->oas);
}

static inline unsigned smmu3_ias_bits(const Smmu3Features *f)
{
    return smmu3_oas_bits(f);       /* AArch32 LPAE is not implemented */
}

#endif
