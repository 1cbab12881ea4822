/*
 * What an instance implements: the table of ID fields, the rules between them
 * and named sets of values. Not what the fields do. Called before smmu3_new(),
 * and by regs.c for the ID registers.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include "id.h"

/* The lowest bit and the width of a field's triple (field.h). */
#define LSB(...)                LSB_(__VA_ARGS__)
#define LSB_(word, lsb, width)  lsb
#define WIDTH(...)              WIDTH_(__VA_ARGS__)
#define WIDTH_(word, lsb, width) width

/* The values that are implemented: Smmu3IdField.allowed and .max. */
#define UP_TO(largest)          ((UINT32_C(2) << (largest)) - 1)
#define BIT_OF(value)           (UINT32_C(1) << (value))
#define CODES(set, largest)     .allowed = (set), .max = (largest)
#define FLAG                    CODES(UP_TO(1), 1)
#define UPTO_WIDE(largest)      .allowed = 0, .max = (largest)

#define FIELD(member_, reg_, field_, initial_, values_, description_)   \
    { .name = #member_, .reg = SMMU3_##reg_,                            \
      .lsb = LSB(field_), .width = WIDTH(field_),                       \
      .member = offsetof(Smmu3Features, member_),                       \
      .initial = (initial_), values_, .description = description_ }

/* IHI 0070 6.3.1 to 6.3.8. The initial values are the default profile. */
const Smmu3IdField smmu3_id_fields[] = {
    FIELD(s2p, IDR0, IDR0_S2P, 1, FLAG,
          "stage 2 translation"),
    FIELD(s1p, IDR0, IDR0_S1P, 1, FLAG,
          "stage 1 translation"),
    FIELD(cohacc, IDR0, IDR0_COHACC, 1, FLAG,
          "coherent access to structures, queues and translation tables"),
    FIELD(httu, IDR0, IDR0_HTTU, 2, CODES(UP_TO(2), 2),
          "hardware update of: 0 no flag, 1 access flag, 2 and dirty state"),
    FIELD(hyp, IDR0, IDR0_HYP, 1, FLAG,
          "hypervisor (EL2) stage 1 contexts"),
    FIELD(ats, IDR0, IDR0_ATS, 1, FLAG,
          "PCIe ATS"),
    FIELD(ns1ats, IDR0, IDR0_NS1ATS, 0, FLAG,
          "split-stage ATS is not supported"),
    FIELD(asid16, IDR0, IDR0_ASID16, 1, FLAG,
          "16-bit ASIDs"),
    FIELD(msi, IDR0, IDR0_MSI, 1, FLAG,
          "message signalled interrupts"),
    FIELD(sev, IDR0, IDR0_SEV, 1, FLAG,
          "CMD_SYNC and queue space can wake a CPU from WFE"),
    FIELD(atos, IDR0, IDR0_ATOS, 1, FLAG,
          "address translation operations by registers"),
    FIELD(pri, IDR0, IDR0_PRI, 1, FLAG,
          "PCIe page requests"),
    FIELD(vmw, IDR0, IDR0_VMW, 1, FLAG,
          "VMID wildcards in invalidations"),
    FIELD(vmid16, IDR0, IDR0_VMID16, 1, FLAG,
          "16-bit VMIDs"),
    FIELD(cd2l, IDR0, IDR0_CD2L, 1, FLAG,
          "two-level tables of context descriptors"),
    FIELD(ttendian, IDR0, IDR0_TTENDIAN, 0,
          CODES(BIT_OF(0) | BIT_OF(2) | BIT_OF(3), 3),
          "endianness of translation tables: 0 either, 2 little, 3 big"),
    FIELD(atsrecerr, IDR0, IDR0_ATSRECERR, 1, FLAG,
          "CR2.REC_CFG_ATS: ATS configuration errors can be recorded"),
    FIELD(stall_model, IDR0, IDR0_STALL_MODEL, 0, CODES(UP_TO(2), 2),
          "0 stall or terminate, 1 terminate only, 2 stall always"),
    FIELD(term_model, IDR0, IDR0_TERM_MODEL, 0, FLAG,
          "0 terminate by abort or RAZ/WI, 1 by abort only"),
    FIELD(st_level, IDR0, IDR0_ST_LEVEL, 1, CODES(UP_TO(1), 1),
          "stream table: 0 linear, 1 also two-level"),
    FIELD(sidsize, IDR1, IDR1_SIDSIZE, 16, UPTO_WIDE(32),
          "bits of StreamID"),
    FIELD(ssidsize, IDR1, IDR1_SSIDSIZE, 20, CODES(UP_TO(20), 20),
          "bits of SubstreamID; 0: no substreams"),
    FIELD(priqs, IDR1, IDR1_PRIQS, 19, CODES(UP_TO(19), 19),
          "log2 of the PRI queue's greatest size"),
    FIELD(eventqs, IDR1, IDR1_EVENTQS, 19, CODES(UP_TO(19), 19),
          "log2 of the event queue's greatest size"),
    FIELD(cmdqs, IDR1, IDR1_CMDQS, 19, CODES(UP_TO(19), 19),
          "log2 of the command queue's greatest size"),
    FIELD(attr_perms_ovr, IDR1, IDR1_ATTR_PERMS_OVR, 1, FLAG,
          "STE and GBPA can override privilege and instruction attributes"),
    FIELD(attr_types_ovr, IDR1, IDR1_ATTR_TYPES_OVR, 1, FLAG,
          "STE and GBPA can override memory types"),
    FIELD(had, IDR3, IDR3_HAD, 1, FLAG,
          "hierarchical attributes can be disabled"),
    FIELD(xnx, IDR3, IDR3_XNX, 1, FLAG,
          "stage 2 execute permission by exception level"),
    FIELD(pps, IDR3, IDR3_PPS, 0, FLAG,
          "automatic page request responses always carry the PASID"),
    FIELD(fwb, IDR3, IDR3_FWB, 1, FLAG,
          "stage 2 can force write-back"),
    FIELD(stt, IDR3, IDR3_STT, 1, FLAG,
          "small translation tables"),
    FIELD(ril, IDR3, IDR3_RIL, 1, FLAG,
          "invalidation by range, with level hint"),
    FIELD(bbml, IDR3, IDR3_BBML, 2, CODES(UP_TO(2), 2),
          "break-before-make level"),
    FIELD(e0pd, IDR3, IDR3_E0PD, 1, FLAG,
          "unprivileged access can be kept from a half of the address space"),
    FIELD(ptwnnc, IDR3, IDR3_PTWNNC, 1, FLAG,
          "walks through Device memory are Normal Non-cacheable"),
    FIELD(oas, IDR5, IDR5_OAS, 5, CODES(UP_TO(6), 6),
          "output address size: 0..6 are 32, 36, 40, 42, 44, 48, 52 bits"),
    FIELD(gran4k, IDR5, IDR5_GRAN4K, 1, FLAG,
          "4 KiB granule"),
    FIELD(gran16k, IDR5, IDR5_GRAN16K, 1, FLAG,
          "16 KiB granule"),
    FIELD(gran64k, IDR5, IDR5_GRAN64K, 1, FLAG,
          "64 KiB granule"),
    FIELD(ds, IDR5, IDR5_DS, 0, FLAG,
          "52-bit addresses with the 4 KiB and 16 KiB granules"),
    FIELD(vax, IDR5, IDR5_VAX, 0, CODES(UP_TO(1), 1),
          "virtual addresses of 0: 48 bits, 1: 52 bits"),
    FIELD(stall_max, IDR5, IDR5_STALL_MAX, 4096, UPTO_WIDE(65535),
          "recorded stalls that may await CMD_RESUME"),
    FIELD(implementer, IIDR, IIDR_IMPLEMENTER, 0, UPTO_WIDE(0xfff),
          "JEP106 code of the implementer"),
    FIELD(revision, IIDR, IIDR_REVISION, 0, CODES(UP_TO(15), 15),
          "revision of the product"),
    FIELD(variant, IIDR, IIDR_VARIANT, 0, CODES(UP_TO(15), 15),
          "variant of the product"),
    FIELD(productid, IIDR, IIDR_PRODUCTID, 0, UPTO_WIDE(0xfff),
          "product"),
    FIELD(aidr_minor, AIDR, AIDR_MINOR, 3, CODES(UP_TO(3), 3),
          "architecture version 3.x"),
};
const size_t smmu3_id_field_count = G_N_ELEMENTS(smmu3_id_fields);

unsigned smmu3_address_bits(unsigned code)
{
    static const uint8_t bits[] = { 32, 36, 40, 42, 44, 48, 52 };

    return bits[MIN(code, G_N_ELEMENTS(bits) - 1)];
}

uint32_t smmu3_features_reg(const Smmu3Features *f, unsigned reg)
{
    uint64_t value = 0;

    if (reg == SMMU3_IDR0) {
        smmu3_set(&value, IDR0_TTF, IDR0_TTF_AARCH64);
    }
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        const Smmu3IdField *field = &smmu3_id_fields[i];

        if (field->reg == reg) {
            smmu3_set(&value, 0, field->lsb, field->width,
                      *smmu3_feature((Smmu3Features *)f, field));
        }
    }
    return value;
}

/* ---- Rules ------------------------------------------------------------ */

/* "0, 2 or 3", "0 to 65535": for messages. */
static char *allowed_values(const Smmu3IdField *field)
{
    GString *text;

    if (!field->allowed || field->allowed == UP_TO(field->max)) {
        return field->max < 2 ? g_strdup(field->max ? "0 or 1" : "0 only")
                              : g_strdup_printf("0 to %u", field->max);
    }
    text = g_string_new(NULL);
    for (unsigned value = 0; value <= field->max; value++) {
        if (field->allowed & BIT_OF(value)) {
            g_string_append_printf(text, "%s%u",
                                   !text->len ? "" :
                                   value == field->max ? " or " : ", ", value);
        }
    }
    return g_string_free(text, FALSE);
}

static char *check_value(const Smmu3Features *f, const Smmu3IdField *field)
{
    uint16_t value = *smmu3_feature((Smmu3Features *)f, field);
    char *allowed, *message;

    if (value <= field->max &&
        (!field->allowed || (field->allowed & BIT_OF(value)))) {
        return NULL;
    }
    allowed = allowed_values(field);
    message = g_strdup_printf("%s=%u is not implemented; it may be %s (%s)",
                              field->name, value, allowed, field->description);
    g_free(allowed);
    return message;
}

#define REFUSE_IF(condition, ...)                                       \
    do {                                                                \
        if (condition) {                                                \
            return g_strdup_printf(__VA_ARGS__);                        \
        }                                                               \
    } while (0)
#define NEEDS(member, condition, what)                                  \
    REFUSE_IF(f->member && !(condition), "%s=%u needs %s", #member,     \
              f->member, what)
#define MANDATORY(minor, when, member)                                  \
    REFUSE_IF(f->aidr_minor >= (minor) && (when) && !f->member,         \
              "aidr_minor=%u (SMMUv3.%u) needs %s; set it, or lower "   \
              "aidr_minor to %u or less", f->aidr_minor, f->aidr_minor, \
              #member, (minor) - 1)

char *smmu3_features_check(const Smmu3Features *f)
{
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        char *message = check_value(f, &smmu3_id_fields[i]);

        if (message) {
            return message;
        }
    }

    /* IDR0 */
    REFUSE_IF(!f->s1p && !f->s2p, "s1p=0 and s2p=0: at least one stage of "
              "translation must be implemented");
    NEEDS(hyp, f->s1p && f->s2p, "s1p=1 and s2p=1");
    NEEDS(ns1ats, f->ats && f->s1p && f->s2p, "ats=1, s1p=1 and s2p=1");
    NEEDS(pri, f->ats, "ats=1");
    NEEDS(atsrecerr, f->ats, "ats=1");
    NEEDS(atsrecerr, f->aidr_minor >= 3, "aidr_minor=3");
    NEEDS(vmw, f->s2p, "s2p=1");
    REFUSE_IF(f->sidsize >= 7 && !f->st_level, "sidsize=%u needs st_level=1 "
              "(7 bits or more: two-level stream tables)", f->sidsize);

    /* IDR3 */
    NEEDS(had, f->s1p, "s1p=1");
    NEEDS(ptwnnc, f->s2p, "s2p=1");
    NEEDS(pps, f->pri && f->ssidsize, "pri=1 and an ssidsize above 0");

    /* IDR5 */
    REFUSE_IF(!f->gran4k && !f->gran16k && !f->gran64k,
              "gran4k=0, gran16k=0 and gran64k=0: at least one granule must "
              "be implemented");
    REFUSE_IF(f->oas == 6 && !f->gran64k && !f->ds,
              "oas=6 (52 bits) needs gran64k=1 or ds=1");
    REFUSE_IF(f->oas == 6 && f->aidr_minor < 1,
              "oas=6 (52 bits) needs aidr_minor=1 or more");
    NEEDS(vax, f->gran64k || f->ds, "gran64k=1 or ds=1");
    NEEDS(vax, f->aidr_minor >= 1, "aidr_minor=1 or more");
    NEEDS(ds, f->vax, "vax=1");
    NEEDS(ds, f->gran4k || f->gran16k, "gran4k=1 or gran16k=1");
    REFUSE_IF(f->stall_model == 1 && f->stall_max,
              "stall_max=%u needs a stall_model that stalls, 0 or 2",
              f->stall_max);
    REFUSE_IF(f->stall_model != 1 && !f->stall_max,
              "stall_model=%u needs stall_max=1 or more", f->stall_model);

    /* What a version of the architecture makes mandatory (AIDR) */
    MANDATORY(1, f->s1p, had);
    MANDATORY(1, f->s2p, xnx);
    MANDATORY(2, f->s1p && f->s2p, hyp);
    MANDATORY(2, true, ril);
    MANDATORY(2, true, fwb);
    MANDATORY(2, true, bbml);
    MANDATORY(3, true, e0pd);
    MANDATORY(3, f->s2p, ptwnnc);
    return NULL;
}

/* ---- Dependent fields ------------------------------------------------- */

static bool is_chosen(uint64_t chosen, size_t member)
{
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        if (smmu3_id_fields[i].member == member) {
            return chosen >> i & 1;
        }
    }
    return false;
}

/* The greatest minor version whose mandatory features @f has (6.3.8). */
static unsigned greatest_minor(const Smmu3Features *f)
{
    if ((f->s1p && !f->had) || (f->s2p && !f->xnx)) {
        return 0;
    }
    if ((f->s1p && f->s2p && !f->hyp) || !f->ril || !f->fwb || !f->bbml) {
        return 1;
    }
    if (!f->e0pd || (f->s2p && !f->ptwnnc)) {
        return 2;
    }
    return 3;
}

#define DROP_UNLESS(member, condition)                                      \
    do {                                                                    \
        if (!is_chosen(chosen, offsetof(Smmu3Features, member)) &&          \
            !(condition)) {                                                 \
            f->member = 0;                                                  \
        }                                                                   \
    } while (0)

void smmu3_features_settle(Smmu3Features *f, uint64_t chosen)
{
    DROP_UNLESS(hyp, f->s1p && f->s2p);
    DROP_UNLESS(ns1ats, f->ats && f->s1p && f->s2p);
    DROP_UNLESS(pri, f->ats);
    DROP_UNLESS(pps, f->pri && f->ssidsize);
    DROP_UNLESS(vmw, f->s2p);
    DROP_UNLESS(had, f->s1p);
    DROP_UNLESS(ptwnnc, f->s2p);
    DROP_UNLESS(ds, f->vax && (f->gran4k || f->gran16k));
    DROP_UNLESS(stall_max, f->stall_model != 1);
    if (!is_chosen(chosen, offsetof(Smmu3Features, aidr_minor))) {
        f->aidr_minor = MIN(f->aidr_minor, greatest_minor(f));
    }
    DROP_UNLESS(atsrecerr, f->ats && f->aidr_minor >= 3);
}

/* ---- Profiles --------------------------------------------------------- */

void smmu3_features_init(Smmu3Features *f)
{
    for (size_t i = 0; i < smmu3_id_field_count; i++) {
        *smmu3_feature(f, &smmu3_id_fields[i]) = smmu3_id_fields[i].initial;
    }
}

/* SMMUv3.0 with as little as the architecture allows and Linux boots with. */
static void apply_minimal(Smmu3Features *f)
{
    *f = (Smmu3Features) {
        .s1p = 1, .cohacc = 1, .ttendian = IDR0_TTENDIAN_LE,
        .stall_model = 1, .term_model = 1,
        .sidsize = 6, .cmdqs = 8, .eventqs = 7,
        .oas = 4, .gran4k = 1,
    };
}

/*
 * Arm CoreLink MMU-600, SMMUv3.1, with the ID registers that Intel publishes of
 * the one in its Agilex 5: IDR0=0x080f7e3f IDR1=0x0e739d18 IDR3=0x0000003c
 * IDR5=0x00400075. Without what this model lacks: AArch32 tables (TTF=3),
 * broadcast TLB maintenance (BTM), PBHA.
 */
static void apply_mmu_600(Smmu3Features *f)
{
    smmu3_features_init(f);
    f->aidr_minor = 1;
    f->implementer = 0x43b;
    f->productid = 0x483;
    f->variant = 1;
    f->httu = f->atos = f->atsrecerr = 0;
    f->ns1ats = f->pps = 1;
    f->ttendian = IDR0_TTENDIAN_MIXED;
    f->stall_max = 64;
    f->sidsize = 24;
    f->ssidsize = 20;
    f->fwb = f->stt = f->ril = f->bbml = f->e0pd = f->ptwnnc = 0;
    f->oas = 5;
}

/*
 * Shaped like Arm CoreLink MMU-700, SMMUv3.2, after the feature list of its
 * technical reference manual: no register values are public. What the list
 * does not say (ATOS, NS1ATS, PPS, HTTU, STALL_MAX, queue sizes) is the default
 * profile's. Without AArch32 tables, broadcast TLB maintenance and MPAM.
 */
static void apply_mmu_700(Smmu3Features *f)
{
    smmu3_features_init(f);
    f->aidr_minor = 2;
    f->implementer = 0x43b;
    f->productid = 0x487;
    f->variant = 1;
    f->ttendian = IDR0_TTENDIAN_LE;
    f->atsrecerr = 0;
    f->sidsize = 24;
    f->ssidsize = 20;
    f->e0pd = f->ptwnnc = 0;
    f->oas = 6;
}

/*
 * Arm's Base FVP with the parameters that Trusted Firmware-A's documentation
 * sets: AIDR=2 IDR0=0x0046123b IDR1=0x00600002 IDR3=0x1714 IDR5=0xffff0475;
 * without broadcast TLB maintenance. Its queues are too short for Linux.
 */
static void apply_fvp_aem(Smmu3Features *f)
{
    *f = (Smmu3Features) {
        .s2p = 1, .s1p = 1, .cohacc = 1, .hyp = 1, .asid16 = 1, .vmw = 1,
        .vmid16 = 1, .ttendian = IDR0_TTENDIAN_LE,
        .sidsize = 2, .cmdqs = 3,
        .had = 1, .xnx = 1, .fwb = 1, .stt = 1, .ril = 1, .bbml = 2,
        .oas = 5, .gran4k = 1, .gran16k = 1, .gran64k = 1, .vax = 1,
        .stall_max = 65535,
        .aidr_minor = 2,
    };
}

const Smmu3Profile smmu3_profiles[] = {
    { "linux-sva", "everything that makes Linux share address spaces with "
      "devices (the default)", smmu3_features_init },
    { "minimal", "SMMUv3.0 with stage 1 and nothing optional", apply_minimal },
    { "mmu-600", "Arm CoreLink MMU-600 (SMMUv3.1) as in Intel's Agilex 5, "
      "but for TTF=2, BTM=0 and PBHA=0", apply_mmu_600 },
    { "mmu-700", "shaped like Arm CoreLink MMU-700 (SMMUv3.2), after its "
      "feature list", apply_mmu_700 },
    { "fvp-aem", "Arm Base FVP as Trusted Firmware-A configures it "
      "(SMMUv3.2)", apply_fvp_aem },
};
const size_t smmu3_profile_count = G_N_ELEMENTS(smmu3_profiles);
