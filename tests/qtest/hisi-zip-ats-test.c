/*
 * hisi-zip with ATS and page requests, which it has if it is told to: that its
 * jobs get by with them, and that nothing of it is there otherwise. The
 * mechanisms themselves are tested with pasid-dev.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "hisi-zip-rig.h"
#include "sva-qtest-state.h"

#define DEVICE "-device hisi-zip,ats=on"

static unsigned find_ecap(Dev *d, uint16_t id)
{
    return sva_find_ecap(d->t, d->bus, d->devfn, id);
}

/* As an operating system does that serves page requests */
static Dev *ats_start(bool pri)
{
    Dev *d = sva_dev_start(DEVICE);
    unsigned at = find_ecap(d, PCI_EXT_CAP_ID_ATS);

    g_assert_cmphex(at, !=, 0);
    sva_config_write(d->t, d->bus, d->devfn, at + PCI_ATS_CTRL, 2,
                     PCI_ATS_CTRL_ENABLE);
    at = find_ecap(d, PCI_EXT_CAP_ID_PRI);
    g_assert_cmphex(at, !=, 0);
    if (pri) {
        sva_config_write(d->t, d->bus, d->devfn, at + PCI_PRI_ALLOC_REQ, 4, 16);
        sva_config_write(d->t, d->bus, d->devfn, at + PCI_PRI_CTRL, 2,
                         PCI_PRI_CTRL_ENABLE);
    }
    return d;
}

static bool take_page_request(Dev *d, uint64_t *addr, uint16_t *index)
{
    uint64_t entry[SMMU3_PRI_WORDS];

    if (!sva_page_request(d->t, entry)) {
        return false;
    }
    g_assert_cmpuint(smmu3_get(entry, PRI_SUBSTREAMID), ==, PASID);
    g_assert_cmpuint(smmu3_get(entry, PRI_LAST), ==, 1);
    *addr = smmu3_get_addr(entry, PRI_ADDR);
    *index = smmu3_get(entry, PRI_PRGINDEX);
    return true;
}

static void respond(Dev *d, uint16_t index, unsigned response)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE, 0 };

    smmu3_set(command, CMD_STREAMID, d->bus << 8 | d->devfn);
    smmu3_set(command, CMD_SSV, 1);
    smmu3_set(command, CMD_SUBSTREAMID, PASID);
    smmu3_set(command, CMD_PRI_PRGINDEX, index);
    smmu3_set(command, CMD_PRI_RESP, response);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

/* Map what is asked for until the job is done: how many pages it was. */
static unsigned serve(Dev *d, StallJob *j)
{
    unsigned served = 0;
    uint64_t addr;
    uint16_t index;

    while (!is_done(&j->q)) {
        if (take_page_request(d, &addr, &index)) {
            map_page(d, addr - d->offset);
            respond(d, index, CMD_PRI_RESP_SUCCESS);
            served++;
        }
    }
    return served;
}

static void test_off_by_default(void)
{
    Dev *d = sva_dev_start("-device hisi-zip");

    g_assert_cmphex(find_ecap(d, PCI_EXT_CAP_ID_ATS), ==, 0);
    g_assert_cmphex(find_ecap(d, PCI_EXT_CAP_ID_PRI), ==, 0);
    g_assert_cmphex(find_ecap(d, PCI_EXT_CAP_ID_PASID), !=, 0);
    dev_stop(d);
}

/* The pages of the input and the output, each once */
static void test_page_requests(void)
{
    Dev *d = ats_start(true);
    StallJob j = stall_job(d, 1);

    submit(&j.q, j.r);
    g_assert_cmpuint(serve(d, &j), ==, 11);
    stall_job_ends_well(d, &j);
    g_assert_cmpuint(sva_counter(d->t, "stalls"), ==, 0);
    g_assert_cmpuint(sva_counter(d->t, "ats_translated"), >=, 11);
    g_free(j.data);
    dev_stop(d);
}

static void test_denied(void)
{
    Dev *d = ats_start(true);
    StallJob j = stall_job(d, 1);
    uint32_t sqe[HISI_ZIP_SQE_WORDS];
    uint64_t addr;
    uint16_t index;

    submit(&j.q, j.r);
    WAIT_FOR(take_page_request(d, &addr, &index));
    g_assert_cmphex(addr, ==, j.r.src);
    respond(d, index, CMD_PRI_RESP_INVALID);
    take(&j.q, sqe);
    g_assert_cmphex(HISI_ZIP_STATUS(sqe[HISI_ZIP_SQE_STATUS]), ==,
                    HISI_ZIP_READ_REFUSED);
    g_free(j.data);
    dev_stop(d);
}

/* ATS alone: what is missing stalls. An invalidation is answered. */
static void test_stalls_without_page_requests(void)
{
    Dev *d = ats_start(false);
    StallJob j = stall_job(d, 1);
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_ATC_INV, CMD_ATC_SIZE_ALL };
    unsigned stag;

    submit(&j.q, j.r);
    stag = stalled_at(d, j.r.src);
    smmu3_set(command, CMD_STREAMID, d->bus << 8 | d->devfn);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
    sva_map(d->t, d->root, j.r.src, j.src, STALL_BYTES, 0);
    sva_map(d->t, d->root, j.r.dst, j.dst, 2 * STALL_BYTES, 0);
    resume(d, stag, true);
    stall_job_ends_well(d, &j);
    g_assert_cmpuint(sva_counter(d->t, "atc_invalidations"), ==, 1);
    g_free(j.data);
    dev_stop(d);
}

/* What is outstanding is expected there, and what waits asks again. */
static void test_migration(void)
{
    Dev *d = ats_start(true);
    StallJob j = stall_job(d, 1);
    uint64_t addr;
    uint16_t before;

    submit(&j.q, j.r);
    WAIT_FOR(take_page_request(d, &addr, &before));
    d->t = sva_migrate(d->t, "virt-sva", DEVICE);
    respond(d, before, CMD_PRI_RESP_INVALID);
    g_assert_cmpuint(serve(d, &j), ==, 11);
    stall_job_ends_well(d, &j);
    g_free(j.data);
    dev_stop(d);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hisi-zip/ats/off-by-default", test_off_by_default);
    g_test_add_func("/hisi-zip/ats/page-requests", test_page_requests);
    g_test_add_func("/hisi-zip/ats/denied", test_denied);
    g_test_add_func("/hisi-zip/ats/stalls-without-page-requests",
                    test_stalls_without_page_requests);
    g_test_add_func("/hisi-zip/ats/migration", test_migration);
    return g_test_run();
}
