/*
 * What the tests of pasid-dev's ATS and page requests share; see
 * pasid-dev-ats-rig.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "standard-headers/linux/pci_regs.h"
#include "pasid-dev-ats-rig.h"

/* ---- Configuration space ------------------------------------------------ */

unsigned ats_cap(Dev *d)
{
    return sva_find_ecap(d->t, d->bus, d->devfn, PCI_EXT_CAP_ID_ATS);
}

unsigned pri_cap(Dev *d)
{
    return sva_find_ecap(d->t, d->bus, d->devfn, PCI_EXT_CAP_ID_PRI);
}

uint32_t pri_status(Dev *d)
{
    return sva_config_read(d->t, d->bus, d->devfn, pri_cap(d) + PCI_PRI_STATUS,
                           2);
}

void ats_control(Dev *d, bool enable)
{
    sva_config_write(d->t, d->bus, d->devfn, ats_cap(d) + PCI_ATS_CTRL, 2,
                     enable ? PCI_ATS_CTRL_ENABLE : 0);
}

void pri_control(Dev *d, uint32_t bits)
{
    sva_config_write(d->t, d->bus, d->devfn, pri_cap(d) + PCI_PRI_CTRL, 2,
                     bits);
}

void pri_enable(Dev *d, uint32_t allocation)
{
    sva_config_write(d->t, d->bus, d->devfn, pri_cap(d) + PCI_PRI_ALLOC_REQ, 4,
                     allocation);
    pri_control(d, PCI_PRI_CTRL_ENABLE);
}

Dev *ats_start(const char *properties)
{
    Dev *d = process_start_with(properties);

    g_assert_cmphex(ats_cap(d), !=, 0);
    ats_control(d, true);
    return d;
}

Dev *pri_start(const char *properties)
{
    Dev *d = ats_start(properties);

    pri_enable(d, 32);
    return d;
}

/* ---- Commands ----------------------------------------------------------- */

static uint32_t sid_of(Dev *d)
{
    return d->bus << 8 | d->devfn;
}

void atc_invalidate(Dev *d, int pasid, bool global, uint64_t addr,
                    unsigned size)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_ATC_INV, size };

    smmu3_set(command, CMD_STREAMID, sid_of(d));
    smmu3_set(command, CMD_SSV, pasid >= 0);
    smmu3_set(command, CMD_SUBSTREAMID, pasid >= 0 ? pasid : 0);
    smmu3_set(command, CMD_ATC_GLOBAL, global);
    smmu3_set_addr(command, CMD_ADDR, addr);
    sva_command(d->t, command[0], command[1]);
}

void ats_unmap(Dev *d, uint64_t pa, uint64_t bytes)
{
    unmap(d, pa, bytes);
    for (uint64_t done = 0; done < bytes; done += PAGE) {
        atc_invalidate(d, THE_PASID, false, va(d, pa) + done, 0);
    }
    sva_sync(d->t);
}

void pri_respond(Dev *d, int pasid, uint16_t index, unsigned response)
{
    uint64_t command[SMMU3_CMD_WORDS] = { CMD_PRI_RESPONSE, 0 };

    smmu3_set(command, CMD_STREAMID, sid_of(d));
    smmu3_set(command, CMD_SSV, pasid >= 0);
    smmu3_set(command, CMD_SUBSTREAMID, pasid >= 0 ? pasid : 0);
    smmu3_set(command, CMD_PRI_PRGINDEX, index);
    smmu3_set(command, CMD_PRI_RESP, response);
    sva_command(d->t, command[0], command[1]);
    sva_sync(d->t);
}

static bool take_page_request(Dev *d, PageRequest *r)
{
    uint64_t entry[SMMU3_PRI_WORDS];

    if (!sva_page_request(d->t, entry)) {
        return false;
    }
    g_assert_cmphex(smmu3_get(entry, PRI_STREAMID), ==, sid_of(d));
    *r = (PageRequest) {
        .ssv = smmu3_get(entry, PRI_SSV),
        .pasid = smmu3_get(entry, PRI_SUBSTREAMID),
        .read = smmu3_get(entry, PRI_READ),
        .write = smmu3_get(entry, PRI_WRITE),
        .exec = smmu3_get(entry, PRI_EXEC),
        .priv = smmu3_get(entry, PRI_PRIV),
        .last = smmu3_get(entry, PRI_LAST),
        .index = smmu3_get(entry, PRI_PRGINDEX),
        .addr = smmu3_get_addr(entry, PRI_ADDR),
    };
    return true;
}

PageRequest next_page_request(Dev *d)
{
    PageRequest r;

    WAIT_FOR(take_page_request(d, &r));
    return r;
}

/* The device has had its turns: a register read goes through the main loop. */
void expect_no_page_request(Dev *d)
{
    PageRequest r;

    for (unsigned i = 0; i < 20; i++) {
        admin32(d, PASID_DEV_STATUS);
        g_assert_false(take_page_request(d, &r));
    }
}

uint16_t expect_page_request(Dev *d, uint64_t addr, bool read, bool write)
{
    PageRequest r = next_page_request(d);

    g_assert_true(r.ssv);
    g_assert_cmpuint(r.pasid, ==, THE_PASID);
    g_assert_cmphex(r.addr, ==, addr);
    g_assert_cmpint(r.read, ==, read);
    g_assert_cmpint(r.write, ==, write);
    g_assert_true(r.last);
    g_assert_false(r.exec);
    g_assert_false(r.priv);
    return r.index;
}

/* ---- Counters ----------------------------------------------------------- */

AtsCounts ats_counts(Dev *d)
{
    return (AtsCounts) {
        .hits = admin64(d, PASID_DEV_COUNT_ATC_HITS),
        .requests = admin64(d, PASID_DEV_COUNT_ATS_REQUESTS),
        .page_requests = admin64(d, PASID_DEV_COUNT_PAGE_REQUESTS),
        .invalidations = admin64(d, PASID_DEV_COUNT_INVALIDATIONS),
    };
}
