/*
 * The capabilities of an endpoint's function, see capability.h. No state beside
 * the configuration space. Called by the endpoints, in realize and reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_sriov.h"
#include "hw/pci/sva-compat.h"
#include "standard-headers/linux/pci_regs.h"
#include "capability.h"

/* Of each capability of ours; PCIe asks for 4. */
#define EXT_CAP_ALIGN               16
/* Of buses that a serial number tells apart, a byte each behind QEMU's three */
#define SERIAL_LEVELS               5
/* The bit that Linux's header has no name for */
#define ATS_CAP_GLOBAL_INVALIDATE   0x0040

/* ---- What the function may do ------------------------------------------- */

/* In a state other than D0 a function sends no request (PCIe 5.3.1.4). */
static bool is_powered(PCIDevice *pdev)
{
    return !pdev->pm_cap ||
           !(pci_get_word(pdev->config + pdev->pm_cap + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

/* No virtual function is in a higher state than its physical one (9.6). */
bool sva_may_master(PCIDevice *pdev)
{
    return (pci_get_word(pdev->config + PCI_COMMAND) & PCI_COMMAND_MASTER) &&
           is_powered(pdev) &&
           (!pci_is_vf(pdev) || is_powered(pcie_sriov_get_pf(pdev)));
}

/* A virtual function's is its physical one's (PCIe 7.8.8). */
uint16_t sva_pasid_control(PCIDevice *pdev, uint16_t offset)
{
    if (pci_is_vf(pdev)) {
        pdev = pcie_sriov_get_pf(pdev);
    }
    return offset ? pci_get_word(pdev->config + offset + PCI_PASID_CTRL) : 0;
}

/* ---- Capabilities ------------------------------------------------------- */

/* PCIe 7.8.8 */
void sva_pasid_cap_init(PCIDevice *pdev, uint16_t offset, unsigned bits,
                        bool exec, bool priv)
{
    uint16_t features = (exec ? PCI_PASID_CAP_EXEC : 0) |
                        (priv ? PCI_PASID_CAP_PRIV : 0);

    g_assert(bits >= 1 && bits <= 20);
#ifdef SVA_HAVE_PCIE_PASID_INIT
    pcie_pasid_init(pdev, offset, bits, exec, priv);
#else
    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PASID, 1, offset,
                        PCI_EXT_CAP_PASID_SIZEOF);
    pci_set_word(pdev->config + offset + PCI_PASID_CAP, features | bits << 8);
#endif
    /* The enables of what is not there stay 0. */
    pci_set_word(pdev->wmask + offset + PCI_PASID_CTRL,
                 features | PCI_PASID_CTRL_ENABLE);
}

void sva_pasid_cap_reset(PCIDevice *pdev, uint16_t offset)
{
    if (pci_is_vf(pdev)) {
        return;     /* It is its physical function's. */
    }
    pci_set_word(pdev->config + offset + PCI_PASID_CTRL, 0);
}

/* PCIe 5.10.1 and 7.5.2; QEMU keeps the state, which only D0 and D3hot are. */
bool sva_pm_cap_init(PCIDevice *pdev, Error **errp)
{
    int offset = pci_pm_init(pdev, 0, errp);

    if (offset < 0) {
        return false;
    }
    pci_set_word(pdev->config + offset + PCI_PM_PMC, 3);    /* the version */
    pci_set_word(pdev->config + offset + PCI_PM_CTRL,
                 PCI_PM_CTRL_NO_SOFT_RESET);
    pci_set_word(pdev->wmask + offset + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
    return true;
}

/*
 * Of QEMU's vendor number and of where the function is: its own devfn, and above
 * it that of each bridge on the way to the root, whose bus numbers software may
 * change. The functions of a device have one number, those that are integrated
 * into the root complex each their own.
 */
static uint64_t serial_number(PCIDevice *pdev)
{
    bool is_integrated = pcie_cap_get_type(pdev) == PCI_EXP_TYPE_RC_END;
    uint8_t first = PCI_DEVFN(PCI_SLOT(pdev->devfn), 0);
    uint64_t place = is_integrated ? pdev->devfn : first;
    PCIDevice *bridge = pdev;

    for (unsigned level = 1;
         (bridge = pci_bridge_get_device(pci_get_bus(bridge))); level++) {
        place ^= (uint64_t)bridge->devfn << (8 * (level % SERIAL_LEVELS));
    }
    return UINT64_C(0x525400) << 40 | place;
}

/* PCIe 7.9.3: an EUI-64. It stays over a migration. */
void sva_serial_cap_init(PCIDevice *pdev, uint16_t offset)
{
    pcie_dev_ser_num_init(pdev, offset, serial_number(pdev));
}

/*
 * PCIe 7.7.11. No access goes from one function to another within the device,
 * so there is nothing to control.
 */
void sva_acs_cap_init(PCIDevice *pdev, uint16_t offset)
{
    pcie_add_capability(pdev, PCI_EXT_CAP_ID_ACS, PCI_ACS_VER, offset,
                        PCI_ACS_SIZEOF);
}

bool sva_has_siblings(const PCIDevice *pdev)
{
    return pdev->cap_present & QEMU_PCI_CAP_MULTIFUNCTION ||
           PCI_FUNC(pdev->devfn);
}

/* An integrated endpoint has no link, and its registers read 0 (PCIe 7.5.3). */
void sva_link_init(PCIDevice *pdev)
{
    static const struct {
        uint8_t first, end;
    } link[] = {
        { PCI_EXP_LNKCAP, PCI_EXP_SLTCAP },
        { PCI_EXP_LNKCAP2, PCI_EXP_SLTCAP2 },
    };

    if (pcie_cap_get_type(pdev) != PCI_EXP_TYPE_RC_END) {
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(link); i++) {
        unsigned at = pdev->exp.exp_cap + link[i].first;
        unsigned bytes = link[i].end - link[i].first;

        memset(pdev->config + at, 0, bytes);
        memset(pdev->wmask + at, 0, bytes);
        memset(pdev->w1cmask + at, 0, bytes);
    }
}

/*
 * QEMU has no list of what of extended configuration space is taken, but what is
 * checked at migration is what a capability has.
 */
uint16_t sva_ext_cap_next(PCIDevice *pdev)
{
    unsigned end = PCIE_CONFIG_SPACE_SIZE;

    while (end > PCI_CONFIG_SPACE_SIZE && !pdev->cmask[end - 1]) {
        end--;
    }
    return ROUND_UP(end, EXT_CAP_ALIGN);
}

/* PCIe 10.5.1. Requests are for pages, and PASIDs are invalidated all at once. */
void sva_ats_cap_init(PCIDevice *pdev, uint16_t offset)
{
    pcie_ats_init(pdev, offset, true);
    pci_word_test_and_set_mask(pdev->config + offset + PCI_ATS_CAP,
                               ATS_CAP_GLOBAL_INVALIDATE);
    /* A virtual function's STU is its physical function's (PCIe 10.5.1.3). */
    pci_set_word(pdev->wmask + offset + PCI_ATS_CTRL, PCI_ATS_CTRL_ENABLE |
                 (pci_is_vf(pdev) ? 0 : PCI_ATS_CTRL_STU(~0)));
}

bool sva_ats_is_enabled(PCIDevice *pdev, uint16_t offset)
{
    return offset && (pci_get_word(pdev->config + offset + PCI_ATS_CTRL) &
                      PCI_ATS_CTRL_ENABLE);
}

/*
 * PCIe 10.5.2. "Stopped" changes by itself, so it is not what a migration has to
 * find as it is here.
 */
void sva_pri_cap_init(PCIDevice *pdev, uint16_t offset, uint32_t capacity,
                      bool response_pasid)
{
    uint8_t *cap = pdev->config + offset;

    pcie_add_capability(pdev, PCI_EXT_CAP_ID_PRI, 1, offset,
                        PCI_EXT_CAP_PRI_SIZEOF);
    pci_set_word(cap + PCI_PRI_STATUS,
                 PCI_PRI_STATUS_STOPPED |
                 (response_pasid ? PCI_PRI_STATUS_PASID : 0));
    pci_set_long(cap + PCI_PRI_MAX_REQ, capacity);
    pci_set_word(pdev->wmask + offset + PCI_PRI_CTRL,
                 PCI_PRI_CTRL_ENABLE | PCI_PRI_CTRL_RESET);
    pci_set_word(pdev->w1cmask + offset + PCI_PRI_STATUS,
                 PCI_PRI_STATUS_RF | PCI_PRI_STATUS_UPRGI);
    pci_set_word(pdev->cmask + offset + PCI_PRI_STATUS, PCI_PRI_STATUS_PASID);
    pci_set_long(pdev->wmask + offset + PCI_PRI_ALLOC_REQ, UINT32_MAX);
}
