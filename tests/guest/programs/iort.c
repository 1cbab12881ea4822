/*
 * What firmware handed over as IORT (DEN0049), and whether each PCI function
 * that Linux has found leads to the SMMU in it. Says the ID mappings, so that
 * the host can compare them.
 *
 *   iort ATS HTTU    the values that the table must give
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "libtest.h"

#define FUNCTIONS "/sys/bus/pci/devices"

enum { NODE_ITS = 0, NODE_ROOT_COMPLEX = 2, NODE_SMMUV3 = 4 };

static uint8_t iort[4096];
static uint32_t bytes;

/* Tables are little-endian, as we are; what is not there is 0. */
static uint32_t word(uint32_t at)
{
    uint32_t value = 0;

    if (at <= bytes - sizeof(value)) {
        memcpy(&value, iort + at, sizeof(value));
    }
    return value;
}

static void read_table(void)
{
    FILE *f = fopen("/sys/firmware/acpi/tables/IORT", "r");

    if (!f) {
        test_give_up("there is no IORT");
    }
    bytes = (uint32_t)fread(iort, 1, sizeof(iort), f);
    fclose(f);
    if (bytes < 48 || bytes == sizeof(iort) || word(4) != bytes) {
        test_give_up("the IORT has %u bytes and says %u", bytes, word(4));
    }
}

/* The first node of a type; 0: none. */
static uint32_t find_node(unsigned type)
{
    uint32_t at = word(40);

    for (uint32_t left = word(36); left && at + 16 <= bytes; left--) {
        if (iort[at] == type) {
            return at;
        }
        at += word(at) >> 8 & 0xffff;
    }
    return 0;
}

static void say_mappings(uint32_t root)
{
    uint32_t map = root + word(root + 12);

    for (uint32_t i = 0; i < word(root + 8); i++, map += 20) {
        unsigned type = iort[word(map + 12) % bytes];

        say("iort: %04x-%04x to %s %04x", word(map),
            word(map) + word(map + 4),
            type == NODE_SMMUV3 ? "SMMU" : type == NODE_ITS ? "ITS" : "?",
            word(map + 8));
    }
}

/* Where a requester ID leads: the SMMU's StreamID, or -1. */
static int64_t stream_of(uint32_t root, uint32_t rid)
{
    uint32_t map = root + word(root + 12);

    for (uint32_t i = 0; i < word(root + 8); i++, map += 20) {
        if (rid >= word(map) && rid - word(map) <= word(map + 4) &&
            word(map + 12) == find_node(NODE_SMMUV3)) {
            return word(map + 8) + (rid - word(map));
        }
    }
    return -1;
}

static void check_function(uint32_t root, const char *name)
{
    unsigned bus, slot, function;
    char group[PATH_MAX], target[PATH_MAX];
    int64_t stream;
    uint32_t rid;

    if (sscanf(name, "0000:%x:%x.%u", &bus, &slot, &function) != 3) {
        return;
    }
    rid = bus << 8 | slot << 3 | function;
    stream = stream_of(root, rid);
    CHECK(stream == rid, "%s leads to StreamID %lld", name, (long long)stream);
    snprintf(group, sizeof(group), FUNCTIONS "/%s/iommu_group", name);
    CHECK(readlink(group, target, sizeof(target)) > 0, "%s has no IOMMU",
          name);
}

static void check_functions(uint32_t root)
{
    DIR *dir = opendir(FUNCTIONS);
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        check_function(root, entry->d_name);
    }
    if (dir) {
        closedir(dir);
    }
}

int main(int argc, char **argv)
{
    uint32_t root, smmu, ats, httu;

    test_begin("iort");
    if (argc != 3) {
        test_give_up("usage: iort ATS HTTU");
    }
    read_table();
    root = find_node(NODE_ROOT_COMPLEX);
    smmu = find_node(NODE_SMMUV3);
    if (!root || !smmu) {
        test_give_up("a node is missing");
    }
    ats = word(root + 24) & 1;
    httu = word(smmu + 24) >> 1 & 3;
    CHECK(ats == (uint32_t)atoi(argv[1]), "ATS is %u", ats);
    CHECK(httu == (uint32_t)atoi(argv[2]), "HTTU is %u", httu);
    CHECK(word(smmu + 24) & 1, "not coherent");
    say_mappings(root);
    check_functions(root);
    return test_end();
}
