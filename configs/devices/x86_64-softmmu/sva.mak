# SPDX-License-Identifier: GPL-2.0-or-later
#
# The devices of our qemu-system-x86_64 (./configure --with-x86): an endpoint of
# ours behind QEMU's own intel-iommu. As for aarch64, no default counts.

# Ours
CONFIG_PASID_DEV=y

# The machine, with its IOMMU
CONFIG_Q35=y
CONFIG_VTD=y
CONFIG_PCIE_PORT=y

# Wanted by the linker: ACPI_CXL, which ACPI_X86 selects, needs CXL (and that PXB and
# its memory device); CXL and PCI's DOE need the SPDM socket.
CONFIG_CXL=y
CONFIG_CXL_MEM_DEVICE=y
CONFIG_PXB=y
CONFIG_SPDM_SOCKET=y
