# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of pasid-dev behind QEMU's own intel-iommu (./configure --with-x86).

Not entries of scenarios.py: another machine, kernel and QEMU; the runner takes
these with --x86.
"""

from scenario import Scenario

# An IOMMU without interrupt remapping is none for vfio.
IOMMU = 'intel-iommu,x-scalable-mode=on,x-flts=on,aw-bits=48,intremap=on'
# Linux has SVA on CPUs with five levels only if the IOMMU has them too.
CPU = 'max,la57=off'
FAULT = r'DMAR: \[DMA (Read|Write) PASID 0x'


def intel(name, what, iommu, items, **more):
    return Scenario(
        name, what, items, machine='q35', cpu=CPU, sva=None, counters=False,
        devices=['-device', f'{IOMMU},{iommu}', '-device', 'pasid-dev,id=accel0'],
        append='intel_iommu=on,sm_on ' + more.pop('append', ''), **more)


X86_SCENARIOS = [
    intel('x86-iommufd', 'private address spaces behind intel-iommu, by PASID',
          'x-pasid-mode=on', [('iommufd:pasids:function', ['iommufd-pasids'])],
          append='sva.driver=vfio-pci', expected=[FAULT]),
    # What is missing in QEMU 10.2 for it: docs/limits.rst
    intel('x86-sva-refused', 'an intel-iommu that Linux does not take for SVA: no ATS',
          'x-pasid-mode=on', ['sva-refused']),
    intel('x86-sva-refused-ats', '... no PASIDs',
          'device-iotlb=on', ['sva-refused']),
]
