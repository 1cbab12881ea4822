# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of guests of a guest: KVM, vfio and two stages.

More entries of scenarios.py, which reads this file. The guest is Linux with
KVM at EL2; its VMs are made by Debian's QEMU (tools/vmm-disk) and run the same
kernel and initramfs. Their cases are named after them: /guest/vm-sva/a/ops.
"""

from scenario import (Scenario, Vm, contexts_refused, two_stages, two_stages_unmapped,
                      vm_has_16_pasids, vms_item)
from scenarios_hisi import life_item, zip_item

# What a VM's SMMU terminates, its Linux reports.
EVENTS = [r'event(:| 0x)']
TRANSLATION = r'event: F_TRANSLATION client'
# Nobody can serve page faults of a device in a VM today, so its memory is there.
POPULATED = 'sva.populate'
# Linux 7.3 gives a device that may stall S2S=1, which makes an STE with ATS illegal
# (IHI 0070 5.2, arm_smmu_make_s2_domain_ste()); nothing stalls in a VM anyhow.
DEVICE = ['-device', 'pasid-dev,addr=4,can-stall=off']
PHYSICAL = [f'physical/{case}' for case in ('own-memory', 'outside', 'marks')]


def scenario(name, what, vms, at_once=False, behind=(), append='', **more):
    """The VMs at once or one after the other; and what this guest runs behind them."""
    more.setdefault('timeout', 120)
    items = [vms_item(*vms)] if at_once else [vms_item(vm) for vm in vms]
    return Scenario('vm-' + name, what, items + list(behind), vms=vms,
                    # QEMU's vSMMU has addresses of 48 bits at most: no -cpu max.
                    machine='virt-sva,virtualization=on,gic-version=3',
                    cpu='neoverse-n1', memory='2G', append='sva.driver=vfio-pci ' + append,
                    **more)


VM_SCENARIOS = [
    scenario(
        'demo', 'what `make demo-vm` shows',
        [Vm('a', ['demo-vm'], devices='04.0', append=POPULATED, allowed=EVENTS,
            expected=[TRANSLATION])],
        devices=DEVICE, timeout=100, check=two_stages),
    scenario(
        'sva', "a VM's processes and a device, by the VM's accelerated SMMU",
        [Vm('a', ['ops', 'reboot_once', 'pinned', 'refused', 'remap',
                  ('killed:working:8', ['kill-working']), 'flr:4', ('vmm_dies', [])],
            devices='04.0', append=POPULATED, smp=2, timeout=140, reboots=True, dies=True,
            allowed=EVENTS, expected=[TRANSLATION + r'.* ssid: 0x[1-9a-f]'])],
        # The device that the VM left in mid-job, here: ten jobs, for the file is there.
        behind=[('take_back:04.0', []), 'load:/init'], append=POPULATED,
        devices=DEVICE, timeout=180, check=two_stages_unmapped),
    scenario(
        'zip', "a VM's processes and kernel with hisi-zip; and with a device without ATS",
        # The kernel's self-tests have queues for a while. pasid-dev can stall here, and a
        # VM's process has yet to see it: on that day pinned/untouched fails
        # (docs/sva-in-a-vm.rst).
        [Vm('a', [('modprobe:hisi_zip:uacce_mode=1', []), life_item('crypto'),
                  zip_item('probe'), zip_item('sizes:small', 'raw', 'zlib', 'gzip'),
                  zip_item('many', 'look', 'poll'), life_item('processes:16:2'),
                  'ops', 'pinned'],
            devices='04.0,05.0', append=POPULATED, timeout=100, allowed=EVENTS)],
        devices=['-device', 'pasid-dev,addr=4,ats=off',
                 '-device', 'hisi-zip,addr=5,kernel-crypto=on'], modules=True,
        check=vm_has_16_pasids),
    scenario(
        'pass-through', 'two VMs with a device each, and no IOMMU of theirs',
        [Vm('a', [('physical:a:b', ['physical'] + PHYSICAL)], devices='04.0',
            iommu='container', append='sva.driver=none', memory='256M'),
         Vm('b', [('physical:b:a', ['physical'] + PHYSICAL)], devices='05.0',
            iommu='iommufd', append='sva.driver=none', memory='256M')],
        at_once=True, allowed=EVENTS,
        devices=['-device', 'pasid-dev,addr=4', '-device', 'pasid-dev,addr=5']),
    scenario(
        'virtio-iommu', "a VM's own user-space driver, by virtio-iommu",
        [Vm('a', [('vfio:type1:no-msi', ['vfio-type1']), ('vfio:cdev', ['vfio-cdev'])],
            devices='04.0', iommu='virtio-iommu', append='sva.driver=vfio-pci')],
        # It is this guest that is told of a fault, and not the VM.
        allowed=EVENTS, expected=EVENTS,
        devices=['-device', 'pasid-dev,addr=4']),
    scenario(
        'hostile', 'a VM does wrong what it can; another one has the device after it',
        [Vm('a', ['hostile:120'], devices='04.0', append=POPULATED, timeout=60, allowed=['.']),
         Vm('b', ['pinned'], devices='04.0', append=POPULATED, allowed=EVENTS)],
        allowed=EVENTS, devices=DEVICE, timeout=150, check=contexts_refused),
    scenario(
        'migration', 'the machine with its VM goes on in another QEMU, in mid-job; and '
        'from an earlier state of it',
        [Vm('a', [('move', ['load', 'move']), ('go_back', ['load', 'go_back']), 'ops'],
            devices='04.0', append=POPULATED, allowed=EVENTS)],
        moves=True, devices=DEVICE, check=two_stages),
]
