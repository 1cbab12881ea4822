/*
 * What QEMU's IORT leaves out about an SMMU: under ACPI, Linux takes ATS and
 * HTTU from there and from nowhere else. Not the table, which is virt's.
 * Layout: DEN0049, IO Remapping Table, issue E. Called by virt-sva-acpi.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "virt-sva-iort.h"

/* Offsets in an ACPI table, in the IORT and in its nodes */
enum {
    TABLE_LENGTH = 4,
    TABLE_HEADER_BYTES = 36,
    IORT_NODE_COUNT = 36,
    IORT_FIRST_NODE = 40,
    IORT_HEADER_BYTES = 48,
    NODE_TYPE = 0,
    NODE_LENGTH = 1,
    NODE_HEADER_BYTES = 16,
    SMMUV3_BASE = 16,
    SMMUV3_FLAGS = 24,
    ROOT_COMPLEX_ATS = 24,
    AMENDED_BYTES = 28,         /* a node must have as many to be amended */
};

enum { NODE_ROOT_COMPLEX = 2, NODE_SMMUV3 = 4 };

/* SMMUv3 flags and the root complex's ATS attribute */
#define FLAG_COHACC         0, 0, 1
#define FLAG_HTTU           0, 1, 2
#define ATS_SUPPORTED       0, 0, 1

static uint8_t *find_table(uint8_t *tables, size_t bytes, const char *name,
                           uint32_t *length)
{
    size_t at = 0;

    while (at + TABLE_HEADER_BYTES <= bytes) {
        *length = ldl_le_p(tables + at + TABLE_LENGTH);
        if (*length < TABLE_HEADER_BYTES || *length > bytes - at) {
            return NULL;
        }
        if (!memcmp(tables + at, name, 4)) {
            return tables + at;
        }
        at += *length;
    }
    return NULL;
}

static void amend_smmu(uint8_t *node, const Smmu3Features *f)
{
    uint64_t flags = ldl_le_p(node + SMMUV3_FLAGS);

    smmu3_set(&flags, FLAG_COHACC, f->cohacc);
    smmu3_set(&flags, FLAG_HTTU, f->httu);
    stl_le_p(node + SMMUV3_FLAGS, flags);
}

static void amend_root_complex(uint8_t *node, const Smmu3Features *f)
{
    uint64_t ats = ldl_le_p(node + ROOT_COMPLEX_ATS);

    smmu3_set(&ats, ATS_SUPPORTED, f->ats);
    stl_le_p(node + ROOT_COMPLEX_ATS, ats);
}

/* Amends the node if it is one to be amended; true: it is the SMMU's. */
static bool amend_node(uint8_t *node, uint32_t bytes, uint64_t smmu,
                       const Smmu3Features *f)
{
    if (bytes < AMENDED_BYTES) {
        return false;
    }
    if (node[NODE_TYPE] == NODE_ROOT_COMPLEX) {
        amend_root_complex(node, f);
    } else if (node[NODE_TYPE] == NODE_SMMUV3 &&
               ldq_le_p(node + SMMUV3_BASE) == smmu) {
        amend_smmu(node, f);
        return true;
    }
    return false;
}

bool virt_sva_iort_amend(uint8_t *tables, size_t bytes, uint64_t smmu,
                         const Smmu3Features *f)
{
    uint32_t length, at, count;
    uint8_t *iort = find_table(tables, bytes, "IORT", &length);
    bool found = false;

    if (!iort || length < IORT_HEADER_BYTES) {
        return false;
    }
    at = ldl_le_p(iort + IORT_FIRST_NODE);
    count = ldl_le_p(iort + IORT_NODE_COUNT);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t node_bytes;

        if (at > length || length - at < NODE_HEADER_BYTES) {
            return false;
        }
        node_bytes = lduw_le_p(iort + at + NODE_LENGTH);
        if (node_bytes < NODE_HEADER_BYTES || node_bytes > length - at) {
            return false;
        }
        found |= amend_node(iort + at, node_bytes, smmu, f);
        at += node_bytes;
    }
    return found;
}
