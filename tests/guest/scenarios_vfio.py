# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of devices in the hands of user space, and of SVA without faults.

More entries of scenarios.py, which reads this file.
"""

from scenario import (ACCELERATOR, VIRTUAL_FUNCTIONS, Scenario, ats_used, flags_updated,
                      stale_found, stalls_none, stalls_served, translated, without_ats)

# What the SMMU terminates, Linux reports.
EVENTS = [r'event(:| 0x)']
TRANSLATION = r'event: F_TRANSLATION client'
NO_STALLS = ['-global', 'smmuv3-sva.stall-model=1']
NO_HTTU = ['-global', 'smmuv3-sva.httu=0']
IGB = ['-netdev', 'hubport,hubid=0,id=n0', '-device', 'igb,netdev=n0']

# Linux's own tests of vfio, the device, and what to call the verdict.
PASID_DEV_ID, IGB_ID = '0x1234-0x5afa', '0x8086-0x10c9'


def selftests(device, prefix, *names):
    return [(f'selftest:vfio_{name}_test:{device}:{prefix}-{name}', [f'{prefix}-{name}'])
            for name in names]


VFIO_SCENARIOS = [
    Scenario(
        'vfio-type1', 'vfio-pci and a container: one address space, no PASID',
        [('vfio:type1', ['vfio-type1'])], devices=ACCELERATOR,
        append='sva.driver=vfio-pci', kernel=(6, 1), allowed=EVENTS,
        expected=EVENTS, check=translated),
    Scenario(
        'vfio-cdev', 'vfio-pci and iommufd: one address space, no PASID',
        [('vfio:cdev', ['vfio-cdev'])], devices=ACCELERATOR,
        append='sva.driver=vfio-pci', kernel=(6, 12), allowed=EVENTS,
        expected=EVENTS, check=translated),
    Scenario(
        'dirty-tracking', 'vfio-pci and iommufd: an account of the written pages',
        [('iommufd:dirty', ['iommufd-dirty'])], devices=ACCELERATOR,
        append='sva.driver=vfio-pci', kernel=(6, 12), check=flags_updated),
    # Once a Linux has this mended, this is for those before it (docs/audit.rst).
    Scenario(
        'audit-dirty', 'the auditor finds that the dirty state is cleared, and not invalidated',
        [('iommufd:dirty', ['iommufd-dirty'])], devices=ACCELERATOR,
        append='sva.driver=vfio-pci', kernel=(6, 12), forgets=True, check=stale_found,
        arguments=['-global', 'smmuv3-sva.audit=on', '-global', 'smmuv3-sva.audit-syncs=1',
                   '-global', 'smmuv3-sva.audit-grace-ms=20']),
    *[Scenario(
        name, f'vfio-pci and iommufd: PASIDs, page faults, two stages; {words}',
        [(f'iommufd:{part}', [f'iommufd-{part}'])
         for part in ('pasids', 'many', 'faults', 'nested', 'shared')],
        devices=devices, append='sva.driver=vfio-pci', check=check,
        # What neither a fault queue nor the guest of the test takes.
        allowed=EVENTS, expected=[TRANSLATION] + more)
      for name, words, devices, check, more in (
          ('iommufd', 'without ATS', without_ats(ACCELERATOR), stalls_served,
           [r'event: F_PERMISSION client', r'event: C_BAD_CD client']),
          ('iommufd-ats', 'with ATS', ACCELERATOR, ats_used, []),
          ('iommufd-thread', 'with ATS, in a thread of its own',
           ['-object', 'iothread,id=io0', '-device', 'pasid-dev,iothread=io0'],
           ats_used, []))],
    Scenario(
        'vfs', 'virtual functions in the hands of user space', ['vfs'],
        devices=VIRTUAL_FUNCTIONS, timeout=120,
        append='sva.driver=vfio-pci vfio_pci.enable_sriov=1',
        # What is mapped for another function is refused.
        allowed=EVENTS, expected=[TRANSLATION]),
    Scenario(
        'vfs-sva', "virtual functions in processes' address spaces",
        [('virtual_functions:uio_pci_sva', []), 'quick', 'isolation'],
        devices=VIRTUAL_FUNCTIONS, timeout=150,
        append='sva.driver=vfio-pci vfio_pci.enable_sriov=1',
        check=stalls_served),
    Scenario(
        'no-stall', 'a device whose accesses must not stall', ['no-stall', 'pinned:clean'],
        devices=['-device', 'pasid-dev,can-stall=off'],
        allowed=EVENTS, expected=[TRANSLATION], check=stalls_none),
    Scenario(
        'no-page-faults', 'an SMMU without stalls: memory is locked or touched',
        ['pinned:clean'], arguments=NO_STALLS, devices=ACCELERATOR,
        allowed=EVENTS, expected=[TRANSLATION], check=stalls_none),
    Scenario(
        'no-page-faults-no-httu', 'nor does it update descriptors: memory is written',
        ['pinned'], arguments=NO_STALLS + NO_HTTU, devices=ACCELERATOR,
        allowed=EVENTS, expected=[TRANSLATION, r'event: F_PERMISSION client'],
        check=stalls_none),
    Scenario(
        'vfio-selftests', "Linux's own tests of vfio, with pasid-dev and a VF of it",
        selftests(PASID_DEV_ID, 'pasid-dev', 'dma_mapping', 'dma_mapping_mmio',
                  'iommufd_setup', 'pci_device', 'pci_driver', 'pci_sriov_uapi'),
        devices=['-device', 'pasid-dev,vfs=8'],
        append='sva.driver=vfio-pci vfio_pci.enable_sriov=1', memory='2G',
        selftests=True, timeout=300, allowed=EVENTS,
        expected=[TRANSLATION], check=translated),
    Scenario(
        'vfio-selftests-igb', "Linux's own tests of vfio, with QEMU's igb",
        selftests(IGB_ID, 'igb', 'pci_device', 'pci_driver', 'pci_sriov_uapi'),
        devices=IGB, append='vfio_pci.enable_sriov=1', sva=None,
        memory='2G', selftests=True, timeout=300, allowed=EVENTS,
        expected=[TRANSLATION], check=translated),
]
