/*
 * See testdev.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "pci.h"
#include "tap.h"
#include "testdev.h"

static int devfn = -1;
static uint64_t registers;

void testdev_start(void)
{
    devfn = pci_find(SVA_TESTDEV_VENDOR_ID, SVA_TESTDEV_DEVICE_ID);
    CHECK(devfn >= 0);
    pci_enable(devfn);
    pci_reset(devfn);
    registers = pci_bar(devfn, SVA_TESTDEV_BAR);
    CHECK_EQ(testdev_read(SVA_TESTDEV_MAGIC), SVA_TESTDEV_MAGIC_VALUE);
}

uint32_t testdev_sid(void)
{
    return devfn;
}

uint64_t testdev_read(unsigned reg)
{
    return read64(registers + reg);
}

void testdev_write(unsigned reg, uint64_t value)
{
    write64(registers + reg, value);
}

static uint64_t pasid_register(int pasid)
{
    return pasid < 0 ? 0 : SVA_TESTDEV_PASID_VALID | pasid;
}

unsigned testdev_submit(uint64_t flags, int pasid, uint64_t addr)
{
    uint64_t state;

    testdev_write(SVA_TESTDEV_REQ_ADDR, addr);
    testdev_write(SVA_TESTDEV_REQ_PASID, pasid_register(pasid));
    testdev_write(SVA_TESTDEV_REQ_FLAGS, flags);
    testdev_write(SVA_TESTDEV_REQ_CTRL, SVA_TESTDEV_CTRL_SUBMIT);
    state = testdev_read(SVA_TESTDEV_ANS_STATE);
    CHECK(state & SVA_TESTDEV_STATE_VALID);
    return state & SVA_TESTDEV_STATE_OUTCOME;
}

uint64_t testdev_ask(int pasid, uint64_t addr)
{
    CHECK_EQ(testdev_submit(SVA_TESTDEV_REQ_ATS | SVA_TESTDEV_REQ_READ |
                            SVA_TESTDEV_REQ_WRITE, pasid, addr),
             SVA_TESTDEV_OK);
    return testdev_read(SVA_TESTDEV_ANS_FLAGS);
}

uint64_t testdev_pa(void)
{
    return testdev_read(SVA_TESTDEV_ANS_PA);
}

unsigned testdev_resolution(void)
{
    WAIT_FOR(!(testdev_read(SVA_TESTDEV_ANS_STATE) &
               SVA_TESTDEV_STATE_STALLED));
    return testdev_read(SVA_TESTDEV_ANS_STATE) >>
           SVA_TESTDEV_STATE_RESOLUTION_SHIFT & 0xf;
}

void testdev_page_request(int pasid, uint64_t addr, uint64_t what)
{
    testdev_write(SVA_TESTDEV_PRG_ADDR, addr);
    testdev_write(SVA_TESTDEV_PRG_PASID, pasid_register(pasid));
    testdev_write(SVA_TESTDEV_PRG_SEND, what);
}

unsigned testdev_responses(void)
{
    return testdev_read(SVA_TESTDEV_FIFO(SVA_TESTDEV_RESPONSES) +
                        SVA_TESTDEV_FIFO_COUNT);
}

void testdev_expect_response(int pasid, unsigned index, unsigned code)
{
    WAIT_FOR(testdev_responses());
    CHECK_EQ(testdev_read(SVA_TESTDEV_FIFO(SVA_TESTDEV_RESPONSES) +
                          SVA_TESTDEV_FIFO_TAKE),
             SVA_TESTDEV_INFO_VALID |
             (pasid < 0 ? 0 : SVA_TESTDEV_INFO_HAS_PASID | pasid) |
             (uint64_t)index << SVA_TESTDEV_INFO_INDEX_SHIFT |
             (uint64_t)code << SVA_TESTDEV_INFO_CODE_SHIFT);
}
