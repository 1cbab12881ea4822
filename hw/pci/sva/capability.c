/*
 * The capabilities of an endpoint's function, see capability.h. No state beside
 * the configuration space. Called by the endpoints, in realize and reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/pcie.h"
#include "hw/pci/sva-compat.h"
#include "standard-headers/linux/pci_regs.h"
#include "capability.h"

/* ---- What the function may do ------------------------------------------- */

/* In a state other than D0 a function sends no request (PCIe 5.3.1.4). */
static bool is_powered(PCIDevice *pdev)
{
    return !pdev->pm_cap ||
           !(pci_get_word(pdev->config + pdev->pm_cap + PCI_PM_CTRL) &
             PCI_PM_CTRL_STATE_MASK);
}

bool sva_may_master(PCIDevice *pdev)
{
    return (pci_get_word(pdev->config + PCI_COMMAND) & PCI_COMMAND_MASTER) &&
           is_powered(pdev);
}

uint16_t sva_pasid_control(PCIDevice *pdev, uint16_t offset)
{
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
