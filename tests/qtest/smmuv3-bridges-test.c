/*
 * A switch that is unplugged with what is below it: the StreamIDs it had lead
 * to who has them next, and nowhere until then. Not the ways of accesses,
 * which the other tests have.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "../unit/conformance.h"
#include "standard-headers/linux/pci_regs.h"
#include "sva-testdev-rig.h"

#define PORT        (2 << 3)
enum { PORT_BUS = 1, SWITCH_BUS = 2, DEVICE_BUS = 3 };
#define SWITCH_ARGS \
    "-device pcie-root-port,id=rp,addr=2.0,chassis=1 " \
    "-device x3130-upstream,id=up,bus=rp " \
    "-device xio3130-downstream,id=down,bus=up,chassis=2 " \
    "-device sva-testdev,bus=down"

static void set_slot(SvaQtest *t, uint16_t control)
{
    unsigned cap = sva_find_cap(t, 0, PORT, PCI_CAP_ID_EXP);

    sva_config_write(t, 0, PORT, cap + PCI_EXP_SLTCTL, 2, control);
}

/* @first is the bus below the root port. */
static void number_buses(SvaQtest *t, unsigned first)
{
    sva_enable_bridge(t, 0, PORT, first);
    sva_config_write(t, 0, PORT, PCI_SUBORDINATE_BUS, 1, DEVICE_BUS);
}

static void unplug_switch(SvaQtest *t)
{
    qtest_qmp_assert_success(t->qts, "{'execute': 'device_del', "
                             "'arguments': {'id': 'up'}}");
    set_slot(t, PCI_EXP_SLTCTL_PWR_IND_OFF | PCI_EXP_SLTCTL_PCC);
    WAIT_FOR(sva_config_read(t, PORT_BUS, 0, PCI_VENDOR_ID, 2) == 0xffff);
}

static void plug_device(SvaQtest *t)
{
    qtest_qmp_assert_success(t->qts, "{'execute': 'device_add', 'arguments': "
                             "{'driver': 'sva-testdev', 'bus': 'rp'}}");
    set_slot(t, PCI_EXP_SLTCTL_PWR_IND_ON);
}

/* It is on DEVICE_BUS, and so its StreamID is what it was before. */
static void expect_it_works(Rig *r)
{
    r->bar = sva_enable_bar(r->t, DEVICE_BUS, 0, SVA_TESTDEV_BAR);
    expect_grant(r, READ, NO_PASID, VA, r->page, PAGE, R | W | X);
    atc_inv(r, NO_PASID, false, VA, 0);
    sva_sync(r->t);
    g_assert_cmpuint(fifo_count(r, SVA_TESTDEV_INVALIDATIONS), ==, 1);
    fifo_take(r, SVA_TESTDEV_INVALIDATIONS);
}

static void test_switch_is_unplugged(void)
{
    Rig r = { .t = sva_start(SWITCH_ARGS), .bus = DEVICE_BUS };

    sva_smmu_enable(r.t);
    number_buses(r.t, PORT_BUS);
    sva_enable_bridge(r.t, PORT_BUS, 0, SWITCH_BUS);
    sva_config_write(r.t, PORT_BUS, 0, PCI_SUBORDINATE_BUS, 1, DEVICE_BUS);
    sva_enable_bridge(r.t, SWITCH_BUS, 0, DEVICE_BUS);
    rig_set_up_stream(&r, false);
    expect_it_works(&r);

    unplug_switch(r.t);
    /* Of nobody: these are done at once, and disturb nothing that has gone. */
    sva_command(r.t, CMD_TLBI_NSNH_ALL, 0);
    pri_resp(&r, NO_PASID, 1, CMD_PRI_RESP_SUCCESS);
    sva_sync(r.t);

    plug_device(r.t);
    number_buses(r.t, DEVICE_BUS);
    expect_it_works(&r);
    g_assert_cmpuint(fifo_count(&r, SVA_TESTDEV_RESPONSES), ==, 0);
    done(&r);
}

int main(int argc, char **argv)
{
    conformance_init(&argc, &argv);
    conformance_test("/smmuv3-sva/bridges/switch-is-unplugged",
                     test_switch_is_unplugged, "");
    return conformance_run();
}
