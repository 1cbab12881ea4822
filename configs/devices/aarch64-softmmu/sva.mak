# SPDX-License-Identifier: GPL-2.0-or-later
#
# The devices of our qemu-system-aarch64. QEMU is configured with
# --without-default-devices: a "default y" of a Kconfig file counts for
# nothing, and what is wanted has its line here.

# Ours
CONFIG_VIRT_SVA=y
CONFIG_ARM_SMMUV3_SVA=y
CONFIG_PASID_DEV=y
CONFIG_HISI_ZIP=y
CONFIG_SVA_TESTDEV=y

# The machine it stands on, with QEMU's own arm-smmuv3
CONFIG_ARM_VIRT=y
CONFIG_PCIE_PORT=y
CONFIG_XIO3130=y

# Ordinary devices that do DMA through the SMMU
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_BLK=y
CONFIG_VIRTIO_NET=y
CONFIG_VIRTIO_RNG=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_9P=y
CONFIG_NVME_PCI=y
CONFIG_E1000E_PCI_EXPRESS=y
CONFIG_IGB_PCI_EXPRESS=y
CONFIG_PCI_TESTDEV=y
CONFIG_EDU=y

# Wanted by the linker: ACPI_CXL, which ARM_VIRT selects, needs CXL (and that
# PXB and its memory device) from QEMU 10.2 on; nvme needs the SPDM socket.
CONFIG_CXL=y
CONFIG_CXL_MEM_DEVICE=y
CONFIG_PXB=y
CONFIG_SPDM_SOCKET=y
