# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of UEFI and ACPI with PCI bridges.

Firmware numbers the buses, and takes the ACPI tables after that: the IORT must
have all of them. What it says is compared with the same machine that has QEMU's
own SMMU. More entries of scenarios.py, which adds these to its own.
"""

from scenario import Scenario, translated


def port(number):
    return ['-device', f'pcie-root-port,id=rp{number},chassis={number},addr={number}']


def nvme(name, bus):
    return ['-blockdev', f'driver=file,node-name={name},filename={{dir}}/{name}.img',
            '-device', f'nvme,drive={name},serial={name},bus={bus}']


SWITCH = [
    '-device', 'x3130-upstream,id=up,bus=rp2',
    '-device', 'xio3130-downstream,id=down0,bus=up,chassis=10,addr=0',
    '-device', 'xio3130-downstream,id=down1,bus=up,chassis=11,addr=1',
]
VIRTIO = [
    '-blockdev', 'driver=file,node-name=d1,filename={dir}/virtio.img',
    '-device', 'virtio-blk-pci,drive=d1,serial=virtio,packed=on,iommu_platform=on,bus=down0',
]
NETWORK = [
    '-netdev', 'hubport,hubid=0,id=n0', '-netdev', 'hubport,hubid=0,id=n1',
    '-device', 'virtio-net-pci,netdev=n0,packed=on,iommu_platform=on,bus=rp3,romfile=,mac=52:54:00:00:00:01',
    '-device', 'e1000e,netdev=n1,bus=down1,romfile=,mac=52:54:00:00:00:02',
]
# Endpoints behind root ports, one by itself, and behind a switch; the last port
# is empty until the guest asks for what is to be plugged.
TREE = (port(1) + port(2) + port(3) + port(4) + SWITCH + nvme('nvme', 'rp1') + VIRTIO +
        NETWORK + ['-blockdev', 'driver=file,node-name=plugged,filename={dir}/plugged.img'])
PLUGGED = {'driver': 'nvme', 'drive': 'plugged', 'serial': 'plugged', 'bus': 'rp4'}
# Buses 0 to 7; those of the switch are 2 (its own), 3, 4 and 5.
TREE_MAPPINGS = [r'guest: iort: 0000-07ff to SMMU 0000$', r'guest: iort: 0800-ffff to ITS 0800$']
# ACPI gives the ports' hot-plug to those kernels only that have ASPM, too.
PORTS = 'pcie_ports=native'
VERDICTS = ['disk-nvme', 'disk-virtio', 'net']


def scenario(name, what, items, **more):
    return Scenario(f'acpi-{name}', what, items, firmware=True, timeout=120, sva=None,
                    append='acpi=force iommu.passthrough=0 ' + PORTS, **more)


def tree(name, what, iort, **more):
    """The same tree before each machine's SMMU."""
    return scenario(name, what, [
        (iort, ['iort']), 'domains', ('plain_dma:4:200', VERDICTS), 'plug',
        (iort, ['iort']), ('disk:plugged:@plugged:4', ['disk-plugged'])],
        devices=TREE, plugs=[PLUGGED],
        expected=TREE_MAPPINGS + [r'guest: domain 0000:0[1-7]:\S+ DMA'], **more)


ACPI_SCENARIOS = [
    scenario('root-port', 'ACPI: a disk behind the only root port',
             [('iort:1:2', ['iort']), 'domains', ('plain_dma:4', ['disk-nvme'])],
             devices=port(1) + nvme('nvme', 'rp1'), check=translated,
             expected=[r'guest: iort: 0000-01ff to SMMU 0000$',
                       r'guest: domain 0000:01:\S+ DMA']),
    tree('bridges', 'ACPI: root ports, a switch, a disk that is plugged', 'iort:1:2',
         check=translated),
    # What the mappings above are compared with.
    tree('bridges-stock', "ACPI: the same before QEMU's own SMMU", 'iort:0:0',
         machine='virt,iommu=smmuv3,gic-version=3', counters=False),
]
