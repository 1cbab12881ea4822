# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of devices in the hands of user space, and of SVA without faults.

More entries of scenarios.py, which reads this file.
"""

from scenario import ACCELERATOR, Scenario, flags_updated, stalls_none, stalls_served, translated

# What the SMMU terminates, Linux reports.
EVENTS = [r'event(:| 0x)']
TRANSLATION = r'event: F_TRANSLATION client'
NO_STALLS = ['-global', 'smmuv3-sva.stall-model=1']
NO_HTTU = ['-global', 'smmuv3-sva.httu=0']

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
    Scenario(
        'iommufd', 'vfio-pci and iommufd: PASIDs, page faults, two stages',
        [(f'iommufd:{part}', [f'iommufd-{part}'])
         for part in ('pasids', 'many', 'faults', 'nested', 'shared')],
        devices=ACCELERATOR, append='sva.driver=vfio-pci', check=stalls_served,
        # What neither a fault queue nor the guest of the test takes.
        allowed=EVENTS,
        expected=[TRANSLATION, r'event: F_PERMISSION client',
                  r'event: C_BAD_CD client']),
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
]
