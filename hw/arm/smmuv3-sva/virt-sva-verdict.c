/*
 * Whether Linux will share process address spaces on a machine, and if not,
 * why. The rules are those of Linux 6.1 to 7.3: arm_smmu_device_hw_probe(),
 * arm_smmu_sva_supported() and arm_smmu_enable_pasid().
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "virt-sva-verdict.h"

/* ASID bits of every AArch64 CPU that QEMU has. */
#define CPU_ASID_BITS 16

unsigned virt_sva_oas_for(unsigned pa_bits)
{
    unsigned code = 0;

    while (code < 6 && smmu3_address_bits(code) < pa_bits) {
        code++;
    }
    return code;
}

char *virt_sva_refusal(const VirtSvaFacts *facts)
{
    const Smmu3Features *f = &facts->smmu;

    if (facts->bypassed) {
        return g_strdup("default-bus-bypass-iommu=on keeps the devices of "
                        "pcie.0 away from the SMMU");
    }
    if (!facts->cpu_aarch64) {
        return g_strdup("the CPU is not AArch64; -cpu max is");
    }
    if (!f->s1p) {
        return g_strdup("the SMMU has no stage 1 (IDR0.S1P=0); set "
                        "smmuv3-sva.s1p=1");
    }
    if (!f->ssidsize) {
        return g_strdup("the SMMU has no substreams (IDR1.SSIDSIZE=0); set "
                        "smmuv3-sva.ssidsize=20");
    }
    if (!f->cohacc) {
        return g_strdup("the SMMU's accesses are not coherent "
                        "(IDR0.COHACC=0); set smmuv3-sva.cohacc=1");
    }
    if (f->ttendian == IDR0_TTENDIAN_BE) {
        return g_strdup("the SMMU's tables are big-endian "
                        "(IDR0.TTENDIAN=3); set smmuv3-sva.ttendian=2");
    }
    if (f->cmdqs <= 6) {
        return g_strdup_printf("the SMMU's command queue is too small for "
                               "Linux (IDR1.CMDQS=%u); set "
                               "smmuv3-sva.cmdqs=7 or more", f->cmdqs);
    }
    if (smmu3_oas_bits(f) < facts->cpu_pa_bits) {
        return g_strdup_printf("the CPU has %u-bit physical addresses, the "
                               "SMMU %u-bit ones (IDR5.OAS=%u); set "
                               "smmuv3-sva.oas=%u, or choose another -cpu",
                               facts->cpu_pa_bits, smmu3_oas_bits(f), f->oas,
                               virt_sva_oas_for(facts->cpu_pa_bits));
    }
    if ((f->asid16 ? 16 : 8) < CPU_ASID_BITS) {
        return g_strdup("the CPU has 16-bit ASIDs, the SMMU 8-bit ones "
                        "(IDR0.ASID16=0); set smmuv3-sva.asid16=1");
    }
    if (!f->gran4k && !f->gran16k && !f->gran64k) {
        return g_strdup("the SMMU has no translation granule");
    }
    return NULL;
}

char *virt_sva_loss(const VirtSvaFacts *facts)
{
    if (facts->acpi && facts->stalls_by_fdt && facts->smmu.stall_model != 1) {
        return g_strdup("pasid-dev will have no page faults, for ACPI has no "
                        "word for PCI devices that can stall; boot without "
                        "firmware, or with acpi=off");
    }
    return NULL;
}

static void add_clause(GString *text, const char *clause)
{
    if (text->len) {
        g_string_append(text, "; ");
    }
    g_string_append(text, clause);
}

static void add_page_sizes(GString *text, const Smmu3Features *f)
{
    if (!f->gran4k || !f->gran16k || !f->gran64k) {
        g_autofree char *clause =
            g_strdup_printf("only if its pages are of%s%s%s KiB",
                            f->gran4k ? " 4" : "", f->gran16k ? " 16" : "",
                            f->gran64k ? " 64" : "");

        add_clause(text, clause);
    }
}

/*
 * Where the CPU makes Linux use 52-bit addresses, it shares them with 64 KiB
 * pages only, and asks for IDR5.VAX.
 */
static void add_va_bits(GString *text, const VirtSvaFacts *facts)
{
    if (facts->cpu_va52_4k || (facts->cpu_va52_64k && !facts->smmu.vax)) {
        add_clause(text, "not if it is built for 52-bit virtual addresses "
                   "(CONFIG_ARM64_VA_BITS_48 is right for this CPU");
        g_string_append(text, facts->smmu.vax ? ", or 64 KiB pages)" :
                        ", or 64 KiB pages and smmuv3-sva.vax=1)");
    }
}

char *virt_sva_remarks(const VirtSvaFacts *facts)
{
    const Smmu3Features *f = &facts->smmu;
    GString *text = g_string_new(NULL);

    add_page_sizes(text, f);
    add_va_bits(text, facts);
    if (f->stall_model == 1) {
        add_clause(text, "without page faults: the SMMU does not stall "
                   "(IDR0.STALL_MODEL=1)");
    } else if (facts->acpi) {
        add_clause(text, "with page faults only for devices of which Linux "
                   "knows by itself that they can stall, as hisi-zip");
    }
    return g_string_free(text, FALSE);
}
