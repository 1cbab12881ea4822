/*
 * virt's ACPI tables with an IORT that says all about the SMMU, however often
 * virt builds them. Not the tables, which are virt's, nor what is changed in
 * them (virt-sva-iort.c). Called by virt-sva.c and, by a symbol that the
 * linker wraps, by virt's code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "hw/acpi/aml-build.h"
#include "hw/acpi/utils.h"
#include "hw/pci/sva-compat.h"
#include "virt-sva-acpi.h"
#include "virt-sva-iort.h"

/*
 * virt builds its tables when the machine is complete, and again when firmware
 * selects one of their fw_cfg files for the first time after a reset: only
 * then do bridges have bus numbers, and memory that was plugged is there.
 * It hands file and builder to acpi_add_rom_blob(). The link option
 * --wrap=acpi_add_rom_blob (meson.build) makes that call end here, where an
 * amending builder takes the place of virt's. So the tables stay in virt's own
 * memory, with virt's own order, length and migration.
 */
MemoryRegion *__real_acpi_add_rom_blob(FWCfgCallback update, void *opaque,
                                       GArray *blob, const char *name);
MemoryRegion *__wrap_acpi_add_rom_blob(FWCfgCallback update, void *opaque,
                                       GArray *blob, const char *name);

/* There is one machine. No features: it is not virt-sva. */
static struct {
    const Smmu3Features *features;
    uint64_t smmu;              /* its address */
    FWCfgCallback build;        /* virt's, and its argument */
    void *build_opaque;
    MemoryRegion *tables;
} acpi;

void virt_sva_acpi_amend(const Smmu3Features *features, uint64_t smmu)
{
    acpi.features = features;
    acpi.smmu = smmu;
}

static bool amend(void *tables, size_t bytes)
{
    return virt_sva_iort_amend(tables, bytes, acpi.smmu, acpi.features);
}

/* Firmware selects one of the files: virt may build all of them again. */
static void build_and_amend(void *opaque)
{
    uint64_t bytes;

    acpi.build(acpi.build_opaque);
    bytes = memory_region_size(acpi.tables);
    if (!amend(memory_region_get_ram_ptr(acpi.tables), bytes)) {
        warn_report_once("virt-sva: the IORT no longer describes the SMMU");
    }
    memory_region_set_dirty(acpi.tables, 0, bytes);
}

MemoryRegion *__wrap_acpi_add_rom_blob(FWCfgCallback update, void *opaque,
                                       GArray *blob, const char *name)
{
    bool is_tables = !strcmp(name, ACPI_BUILD_TABLE_FILE);
    MemoryRegion *mr;

    if (!acpi.features) {
        return __real_acpi_add_rom_blob(update, opaque, blob, name);
    }
    if (is_tables && !amend(blob->data, acpi_data_len(blob))) {
        error_report("virt-sva: this QEMU's IORT does not describe the SMMU "
                     "at 0x%" PRIx64, acpi.smmu);
        error_printf("Use another version of QEMU, or add acpi=off to -M "
                     "virt-sva.\n");
        exit(1);
    }
    /* One builder for all files, or it would not be known which to call. */
    g_assert(!acpi.build || acpi.build == update);
    acpi.build = update;
    acpi.build_opaque = opaque;
    mr = __real_acpi_add_rom_blob(build_and_amend, NULL, blob, name);
    if (is_tables) {
        acpi.tables = mr;
    }
    return mr;
}
