/*
 * The CPU and the SMMU are asked about the same tables and the same address,
 * and must say the same. Two programs of their own, walk-oracle and
 * nested-oracle; see run and oracle.h. Arguments: --cases N, --seed N,
 * --first N (the number of the first case), -l, -p, -s.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "irq.h"
#include "oracle.h"
#include "tap.h"
#include "hw/pci/sva-testdev/sva-testdev-abi.h"

enum { MOST_SHOWN = 20 };

static uint64_t case_count = 10000, seed = 1, first;

/* ---- In words ----------------------------------------------------------- */

static const char *fault_name(unsigned fault)
{
    switch (fault) {
    case EVENT_NONE:
        return "none";
    case F_TRANSLATION:
        return "F_TRANSLATION";
    case F_ADDR_SIZE:
        return "F_ADDR_SIZE";
    case F_ACCESS:
        return "F_ACCESS";
    case F_PERMISSION:
        return "F_PERMISSION";
    case F_WALK_EABT:
        return "F_WALK_EABT";
    default:
        return "another fault";
    }
}

static const char *const access_names[] = {
    "privileged read", "privileged write", "unprivileged read",
    "unprivileged write",
};

static void show_answer(const char *who, const OracleAnswer *a)
{
    if (a->fault) {
        print("#   %s: %s%s%s (0x%lx)\n", who, fault_name(a->fault),
              a->stage2 ? " of stage 2" : "",
              a->on_walk ? " on a walk of stage 1" : "", a->raw);
    } else {
        print("#   %s: PA 0x%lx (0x%lx)\n", who, a->pa, a->raw);
    }
}

static void show_half(const OracleRegime *r, unsigned n)
{
    const OracleHalf *h = &r->half[n];

    print("#   half %u: TSZ %u, %u KiB, root 0x%lx, EPD %u TBI %u HPD %u "
          "E0PD %u\n", n, h->tsz, 1u << (h->page_log2 - 10), h->root, h->epd,
          h->tbi, h->hpd, h->e0pd);
}

static void show_regime(const OracleCase *c)
{
    const OracleRegime *r = &c->regime;

    print("#   VA 0x%lx; IPS %u DS %u PAN %u HA %u HD %u big-endian %u; "
          "random: half %u\n", c->va, r->ips, r->ds, r->pan, r->ha, r->hd,
          r->big_endian, c->tested);
    show_half(r, 0);
    show_half(r, 1);
}

static void show_stage2(const OracleCase *c)
{
    const OracleStage2 *s2 = &c->stage2;

    print("#   stage 2: T0SZ %u, %u KiB, start level %d, PS %u DS %u HA %u "
          "HD %u, root 0x%lx\n", s2->tsz, 1u << (s2->page_log2 - 10),
          s2->start_level, s2->ps, s2->ds, s2->ha, s2->hd, s2->root);
    for (unsigned i = 0; i < c->steps; i++) {
        oracle_stage2_show(c, c->step[i].ipa);
    }
    if (c->leaf || !c->stage1) {
        oracle_stage2_show(c, oracle_output(c));
    }
}

/* All that there is to know about it. */
static void show_case(const OracleCase *c, const OracleAnswer *cpu,
                      const OracleSmmu *smmu, const char *what)
{
    static const char *const ats[] = { "privileged", "unprivileged" };

    print("# walk-oracle: --seed %lu --first %lu --cases 1: %s\n", c->seed,
          c->number, what);
    if (c->stage1) {
        show_regime(c);
    } else {
        print("#   IPA 0x%lx, without stage 1\n", c->va);
    }
    for (unsigned i = 0; i < c->steps; i++) {
        print("#   level %d: descriptor 0x%016lx at 0x%lx\n", c->step[i].level,
              c->step[i].descriptor, c->step[i].pa);
    }
    if (oracle_nested) {
        show_stage2(c);
    }
    for (unsigned i = oracle_first_access(c); i < ORACLE_ACCESSES; i++) {
        print("#  %s:\n", access_names[i]);
        show_answer("CPU", &cpu[i]);
        show_answer("SMMU, GATOS", &smmu->gatos[i]);
        show_answer("SMMU, access", &smmu->access[i]);
    }
    for (unsigned i = c->stage1 ? 0 : 1; i < 2; i++) {
        print("#  ATS, %s: rights 0x%lx, PA 0x%lx, 0x%lx bytes\n", ats[i],
              smmu->ats[i].flags, smmu->ats[i].pa, smmu->ats[i].len);
    }
}

/* ---- Where they may differ ---------------------------------------------- */

/*
 * QEMU's CPU reads OA[51:48] of a descriptor only where the output size is 52
 * bits (target/arm/ptw.c). DDI 0487 has them part of the address wherever the
 * descriptor's format has them - with LPA2, and with 64 KiB where PAMax is 52
 * (J1, AArch64.LeafBase(), AArch64.NextTableBase()) - and so an address size
 * fault with an output size below. The SMMU does as DDI 0487 says.
 */
static bool cpu_drops_address_bits(const OracleCase *c)
{
    if (oracle_oa_bits(c) > 48 || !c->stage1) {
        return false;
    }
    for (unsigned i = 0; i < c->steps; i++) {
        uint64_t address = oracle_descriptor_address(c, c->step[i].descriptor);

        if (address >> (c->regime.half[c->tested].page_log2 == 16 ? 48 : 50)) {
            return true;
        }
    }
    return false;
}

/*
 * QEMU's CPU compares the address in a descriptor with the output size, DDI
 * 0487 the output address of the access (J1, AArch64.OAOutOfRange()): they
 * differ in a block that is larger than all output addresses. The SMMU does as
 * DDI 0487 says.
 */
static bool block_exceeds_output(const OracleCase *c)
{
    unsigned oa_bits = oracle_oa_bits(c);

    return c->leaf && c->leaf_log2 > oa_bits &&
           (c->va & smmu3_mask(c->leaf_log2)) >> oa_bits;
}

/*
 * With 52-bit addresses TTBR[5:2] are the table's bits 51:48, and bits 5:0 of
 * its address are 0 (DDI 0487 D24.2, TTBR0_EL1.BADDR). QEMU's CPU takes
 * TTBR[5:4] for address bits as well if the start table is shorter than 64
 * bytes.
 */
static bool short_start_table(const OracleCase *c)
{
    const OracleHalf *h = &c->regime.half[c->tested];
    unsigned log2 = oracle_level_log2(h->page_log2, c->step[0].level);

    return c->stage1 && h->root >> 50 && 64 - h->tsz - log2 < 3;
}

static struct {
    const char *words;
    bool (*applies)(const OracleCase *c);
    uint64_t count;
} excuses[] = {
    { "OA[51:48] with a smaller output size, QEMU's CPU (DDI 0487 J1)",
      cpu_drops_address_bits },
    { "a block larger than the output size, QEMU's CPU (DDI 0487 J1)",
      block_exceeds_output },
    { "a start table of less than 64 bytes above 48 bits, QEMU's CPU (DDI 0487 "
      "D24.2)", short_start_table },
};

static bool is_excused(const OracleCase *c)
{
    for (unsigned i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++) {
        if (excuses[i].applies(c)) {
            excuses[i].count++;
            return true;
        }
    }
    return false;
}

/* ---- Comparison --------------------------------------------------------- */

static uint64_t page_of(uint64_t address)
{
    return address & ~UINT64_C(0xfff);
}

static bool same(const OracleAnswer *a, const OracleAnswer *b)
{
    if (a->fault || b->fault) {
        return a->fault == b->fault && a->stage2 == b->stage2 &&
               a->on_walk == b->on_walk;
    }
    return page_of(a->pa) == page_of(b->pa);
}

/* As large as one leaf, or one contiguous range, of each stage, but no extent
   crosses the output size. */
static bool is_size_right(const OracleCase *c, const OracleGrant *grant)
{
    const unsigned stage1[] = { c->leaf_log2, c->joined_log2 };
    const unsigned stage2[] = { c->stage2.leaf_log2, c->stage2.joined_log2 };

    if (c->stage1 && (c->va >> 55 & 1) != c->tested) {
        return true;
    }
    for (unsigned i = 0; i < 4; i++) {
        uint64_t size = UINT64_MAX;

        if (c->stage1) {
            size &= smmu3_mask(stage1[i & 1]) & smmu3_mask(oracle_oa_bits(c));
        }
        if (oracle_nested) {
            size &= smmu3_mask(stage2[i >> 1]);
        }
        if (c->va + grant->len == (c->va | size) + 1) {
            return true;
        }
    }
    return false;
}

/* ATS grants what the CPU lets through, and nothing else. */
static const char *compare_grant(const OracleCase *c, const OracleAnswer *read,
                                 const OracleAnswer *write,
                                 const OracleGrant *grant)
{
    uint64_t flags = (read->fault ? 0 : SVA_TESTDEV_ANS_READ) |
                     (write->fault ? 0 : SVA_TESTDEV_ANS_WRITE);

    if (grant->flags != flags) {
        return "other rights by ATS";
    }
    if (!flags) {
        return NULL;
    }
    if (page_of(grant->pa) != page_of((read->fault ? write : read)->pa)) {
        return "another address by ATS";
    }
    return is_size_right(c, grant) ? NULL : "another size by ATS";
}

static const char *compare(const OracleCase *c, const OracleAnswer *cpu,
                           const OracleSmmu *smmu)
{
    const char *words = NULL;

    for (unsigned i = oracle_first_access(c); i < ORACLE_ACCESSES; i++) {
        if (!same(&cpu[i], &smmu->gatos[i]) ||
            (!cpu[i].fault && !oracle_nested &&
             cpu[i].device != smmu->gatos[i].device)) {
            return "GATOS says something else";
        }
        if (!same(&cpu[i], &smmu->access[i])) {
            return "an access meets something else";
        }
    }
    if (c->stage1) {
        words = compare_grant(c, &cpu[ORACLE_PRIV_READ],
                              &cpu[ORACLE_PRIV_WRITE], &smmu->ats[0]);
    }
    return words ? words
                 : compare_grant(c, &cpu[ORACLE_USER_READ],
                                 &cpu[ORACLE_USER_WRITE], &smmu->ats[1]);
}

/* What one ATS grant covers, the CPU maps so as well, at its far end too. */
static bool far_end_agrees(const OracleCase *c, const OracleAnswer *cpu,
                           const OracleGrant *grant)
{
    uint64_t offset = page_of(grant->len - 1);
    OracleAnswer far[ORACLE_ACCESSES];

    oracle_ask_cpu(c, page_of(c->va) + offset, far);
    for (unsigned i = oracle_first_access(c); i < ORACLE_ACCESSES; i++) {
        if (far[i].fault != cpu[i].fault ||
            (!far[i].fault && far[i].pa != cpu[i].pa + offset)) {
            return false;
        }
    }
    return true;
}

static const char *judge(const OracleCase *c, const OracleAnswer *cpu,
                         const OracleSmmu *smmu)
{
    const char *words = compare(c, cpu, smmu);

    if (!words && smmu->ats[1].flags && oracle_one_in(4) &&
        !far_end_agrees(c, cpu, &smmu->ats[1])) {
        words = "the far end of an ATS grant is mapped in another way";
    }
    return words;
}

static bool all_fault(const OracleCase *c, const OracleAnswer *cpu)
{
    for (unsigned i = oracle_first_access(c); i < ORACLE_ACCESSES; i++) {
        if (!cpu[i].fault) {
            return false;
        }
    }
    return true;
}

/* ---- The program -------------------------------------------------------- */

static void test_walks(void)
{
    uint64_t differences = 0, faults = 0;

    oracle_smmu_init();
    oracle_cpu_init();
    oracle_tables_init(oracle_cds());
    for (uint64_t n = first; n < first + case_count; n++) {
        static OracleCase c;
        OracleAnswer cpu[ORACLE_ACCESSES];
        OracleSmmu smmu;
        const char *words;

        oracle_make(&c, seed, n);
        oracle_ask_cpu(&c, c.va, cpu);
        oracle_restore();
        oracle_set_smmu(&c);
        oracle_ask_smmu(&c, &smmu);
        faults += all_fault(&c, cpu);
        words = judge(&c, cpu, &smmu);
        if (words && !is_excused(&c) && differences++ < MOST_SHOWN) {
            show_case(&c, cpu, &smmu, words);
        }
    }
    print("# of them %lu let no access through\n", faults);
    for (unsigned i = 0; i < sizeof(excuses) / sizeof(excuses[0]); i++) {
        print("# may differ, %lu times: %s\n", excuses[i].count,
              excuses[i].words);
    }
    print("walk-oracle: %lu cases, %lu differences\n", case_count,
          differences);
    CHECK_EQ(differences, 0);
}

static const TestCase cases[] = {
    { oracle_path, test_walks },
};

int main(void)
{
    irq_init();
    guest_number("--cases", &case_count);
    guest_number("--seed", &seed);
    guest_number("--first", &first);
    guest_exit(TAP_RUN(cases));
}
