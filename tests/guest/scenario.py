# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest test says: one boot's machine, programs and expectations.

Not the tests themselves: those are in scenarios*.py, which use the devices and
checks below. The runner (run) checks in addition, in every scenario: that each
program gave its verdict; that the kernel's log has no line of BAD_LINES, and
QEMU's none about our devices; that the SMMU lost no event, met no illegal
command and has no stall left, and that each stall was resumed, terminated or
cancelled.
"""

from dataclasses import dataclass, field, replace
from typing import Callable

# What Linux prints when an SMMU, or anything else, does not work. Regular
# expressions, searched in each line of the kernel's log.
BAD_LINES = [
    # arm-smmu-v3, at probe
    r'unknown/unsupported TT endianness',
    r'no translation support',
    r'AArch64 table format not supported',
    r'embedded implementation not supported',
    r'command queue size <=',
    r'MMIO region too small',
    r'GBPA not responding to update',
    r'failed to clear cr0',
    r'failed to enable (command queue|event queue|PRI queue|ATS check|SMMU interface)',
    r'failed to disable irqs',
    r'no (evtq|gerr|priq) irq',
    r'overridden by FW configuration',
    r'SMMU currently enabled! Resetting',
    r'2-level strtab only covers',
    r'failed to set DMA mask for table walker',
    r'unknown output address size',
    # arm-smmu-v3, in use
    r'CMD_SYNC timeout',
    r'CMDQ timeout',
    r'CMDQ error',
    r'skipping command in error state',
    r'unexpected global error reported',
    r'Service Failure Mode',
    r'(EVTQ|PRIQ) write aborted',
    r'MSI write aborted',
    r'(EVTQ|PRIQ) overflow detected',
    r'event 0x[0-9a-f]+ received',
    r'event: [A-Z_]+ client',
    r'unexpected PRI request received',
    r'Failed to enable (ATS|PASID)',
    r"SMMU doesn't support ATS",
    r'Aliasing StreamID',
    r'stream \S+ already in tree',
    r'iopf with pasid \d+ aborted',
    r'no pending PRQ',
    r'failed to enable (IOPF|SVA) feature',
    r'cannot attach to',
    # The kernel at large
    r'\bWARNING: ',
    r'\bBUG\b',
    r'\bOops\b',
    r'Internal error',
    r'Unable to handle kernel',
    r'Kernel panic',
    r'Call trace',
    r'blocked for more than',
    r'rcu: INFO: ',
    r'soft lockup',
    r'nobody cared',
    r'I/O error',
    r'nvme.*(timeout|controller is down|probe failed)',
    r'NETDEV WATCHDOG',
    r'virtio.*(fail|error)',
    r'Out of memory',
    r'segfault|unhandled (level|exception|signal)',
]

# The machine every scenario begins with.
ACCELERATOR = ['-device', 'pasid-dev,id=accel0']
VIRTUAL_FUNCTIONS = ['-device', 'pasid-dev,id=accel0,vfs=8,vf-queues=2']
ACCELERATORS = ACCELERATOR + ['-device', 'pasid-dev,id=accel1']


def without_ats(devices):
    """The same, but what an accelerator is refused comes to Linux as an event."""
    return [d.replace('pasid-dev', 'pasid-dev,ats=off', 1) if d.startswith('pasid-dev')
            else d for d in devices]


# A disk each of whose requests takes its time: a page fault there is a stall
# that lasts. All zeroes, 1 GiB.
SLOW_DISK = [
    '-blockdev', 'driver=null-co,node-name=slow,size=1073741824,latency-ns={latency_ns},read-zeroes=on',
    '-device', 'virtio-blk-pci,drive=slow,serial=slow,packed=on,iommu_platform=on,disable-legacy=on',
]
# Ordinary devices behind the SMMU; {dir} is the scenario's own directory.
NVME = [
    '-blockdev', 'driver=file,node-name=d0,filename={dir}/nvme.img',
    '-device', 'nvme,drive=d0,serial=nvme',
]
# Packed virtqueues: an element of a split one's used ring may cross a page, and
# there QEMU goes on behind the first page's physical address, whatever the
# IOMMU says (address_space_write_cached() in 10.0).
VIRTIO_AND_E1000E = [
    '-blockdev', 'driver=file,node-name=d1,filename={dir}/virtio.img',
    '-device', 'virtio-blk-pci,drive=d1,serial=virtio,packed=on,iommu_platform=on,disable-legacy=on',
    '-netdev', 'hubport,hubid=0,id=n0', '-netdev', 'hubport,hubid=0,id=n1',
    '-device', 'virtio-net-pci,netdev=n0,packed=on,iommu_platform=on,disable-legacy=on,mac=52:54:00:00:00:01',
    '-device', 'e1000e,netdev=n1,mac=52:54:00:00:00:02',
]
# vCPUs take turns in one thread: while a driver enables its function, and so
# its BARs appear, QEMU 10.0 may take an access of a vCPU in another thread to a
# wrong device (docs/limits.rst), and Linux probes these devices in parallel.
TURNS = ['-accel', 'tcg,thread=single']
PLAIN_DEVICES = NVME + VIRTIO_AND_E1000E + TURNS
PLAIN_VERDICTS = ['disk-nvme', 'disk-virtio', 'net']

# The verdicts that the runner gives itself on each boot.
BOOT_CASES = ('boot', 'kernel-log', 'qemu-log', 'smmu-counters')
# And on each boot of a guest of the guest, which has no such QEMU and SMMU.
VM_CASES = ('boot', 'kernel-log')


@dataclass
class Vm:
    """
    A guest of the guest, by the same kernel and initramfs, in which the guest's
    "vm:NAME" starts it (see tests/guest/vm). Its cases are named NAME/CASE.
    """
    name: str
    # As in Scenario
    items: list
    append: str = ''
    allowed: list = field(default_factory=list)
    expected: list = field(default_factory=list)
    # The guest's devices that it gets, "04.0,05.0"
    devices: str = ''
    # What is in front of them: "smmu" (needs firmware), "virtio-iommu", or
    # nothing: "container" and "iommufd" say how vfio is asked.
    iommu: str = 'smmu'
    # Seconds, from the start of its QEMU
    timeout: int = 60
    smp: int = 1
    memory: str = '512M'
    # It resets itself; otherwise that is its end.
    reboots: bool = False
    # Its last item has its VMM killed, so it does not come to its own end.
    dies: bool = False

    def __post_init__(self):
        self.items = with_verdicts(self.items)

    def cases(self):
        """Of it alone, without its name."""
        return verdicts_of(self.items) + list(VM_CASES)

    def words(self, patience):
        """Of the command line, for the guest; what is behind a + is for the VM's own."""
        own = [f'{key}={value}' for key, value in (
            ('iommu', self.iommu), ('devices', self.devices), ('smp', self.smp),
            ('memory', self.memory), ('timeout', round(self.timeout * patience)),
            ('reboots', int(self.reboots)))]
        passed_on = self.append.split()
        passed_on.append('sva.run=' + ','.join(item for item, _ in self.items))
        return [f'vm.{self.name}.{word}' for word in own] + \
            [f'vm.{self.name}+{word}' for word in passed_on]


def vms_item(*vms):
    """The item that starts these, at once, and waits for their ends."""
    return ('vm:' + ':'.join(vm.name for vm in vms),
            [f'vm-{vm.name}' for vm in vms] +
            [f'{vm.name}/{case}' for vm in vms for case in vm.cases()])


def with_verdicts(items):
    """Each item with the verdicts that it must give."""
    return [(item, [item.split(':')[0]]) if isinstance(item, str) else item
            for item in items]


def verdicts_of(items):
    return list(dict.fromkeys(v for _, verdicts in items for v in verdicts))


@dataclass
class Scenario:
    """One boot: a machine, a kernel command line, programs, expectations."""
    name: str
    what: str
    # What the guest's init runs (see there): an item, or (item, the verdicts
    # that it must give) when they are not one by the item's own name. An item
    # without a verdict prepares the ground for those behind it.
    items: list
    devices: list = field(default_factory=list)
    machine: str = 'virt-sva'
    cpu: str = 'max'
    smp: int = 2
    memory: str = '1G'
    arguments: list = field(default_factory=list)
    append: str = ''
    timeout: int = 60           # seconds
    # The oldest kernel with what it needs; uio_pci_sva is in 7.0.
    kernel: tuple = (7, 0)
    firmware: bool = False
    # Lines of BAD_LINES that are all right here, and lines that must come.
    allowed: list = field(default_factory=list)
    expected: list = field(default_factory=list)
    # The device leaves ATC invalidations unanswered: so many CMD_SYNCs fail.
    atc_timeouts: int = 0
    # Gets the SMMU's counters (a dictionary) and in it "guest_page_bytes"; yields
    # complaints.
    check: Callable = None
    # The SMMU drops invalidations, and its auditor must say so.
    forgets: bool = False
    # The SMMU loses or invents something (inject=), for which Linux has no defence:
    # stalls may be left.
    injects: bool = False
    # SVA must be in the SMMU driver's features, or must not be.
    sva: bool = True
    # A test of the runner itself: it must find exactly these faults, as
    # regular expressions.
    must_fail: list = None
    latency_ns: int = 20_000_000
    # The guest resets the machine; otherwise that is its end.
    reboots: bool = False
    # The guest is saved and goes on in another QEMU, at once or from an earlier
    # state (init's move and go_back).
    moves: bool = False
    # The kernel's modules are in the initramfs.
    modules: bool = False
    # Linux's own selftests of vfio are; without them there is nothing to run.
    selftests: bool = False
    # What is plugged when the guest asks for it: QMP device_add's arguments.
    plugs: list = field(default_factory=list)
    # Guests of the guest, which its items start.
    vms: list = field(default_factory=list)
    # The SMMU is ours; QEMU's own has no counters.
    counters: bool = True

    def __post_init__(self):
        self.items = with_verdicts(self.items)

    def cases(self):
        """The names of its cases, in order."""
        if self.must_fail:
            return ['noticed']
        return self.part().verdicts + [case for case in BOOT_CASES
                                       if self.counters or case != 'smmu-counters']

    def part(self, cases=None):
        """
        What gives these cases (None: all), with what it stands on: the items
        without a verdict before it. A case of the boot itself takes all.
        """
        items = self.items
        if cases is not None and not self.must_fail and not set(cases) & set(BOOT_CASES):
            chosen = [bool(set(verdicts) & set(cases)) for _, verdicts in items]
            items = [item for n, item in enumerate(items)
                     if chosen[n] or (not item[1] and any(chosen[n:]))]
        return Part([run for run, _ in items],
                    verdicts_of(items),
                    items == self.items)


@dataclass
class Part:
    """What one boot runs of a scenario. Only the whole meets all expectations."""
    items: list         # for init
    verdicts: list      # that they must give
    whole: bool = True


def audited(scenario):
    """The same, with the SMMU's auditor on: what it says is a fault of the boot."""
    return replace(scenario, name='audit-' + scenario.name, what=scenario.what + '; audited',
                   arguments=scenario.arguments + ['-global', 'smmuv3-sva.audit=on'])


def injected(counters):
    """Each fault that was asked for came, at least once."""
    for plan in counters['inject_counts']:
        if not plan['done']:
            yield f"{plan['plan']}: {plan['seen']} were seen, and nothing was done"


def drops_found(counters):
    """What the SMMU was told to drop was missed, and the auditor noticed."""
    yield from injected(counters)
    drops = counters['inject_drops']
    if drops['missed']:
        yield f"of the drops that mattered {drops['missed']} were not found"
    if not drops['found']:
        yield 'no drop was found'


def stale_found(counters):
    """One mistake, which is Linux's: of the TLB's entry, and of what ATS granted."""
    if counters['audit_reports'] not in (1, 2):
        yield f"{counters['audit_reports']} stale translations were reported"


def stalls_served(counters):
    """Page faults were taken, and every one was resumed."""
    if not counters['stalls']:
        yield 'no transaction stalled'
    if not counters['resumes_retry']:
        yield 'no stall was retried'


def stalls_none(counters):
    if counters['stalls']:
        yield f"{counters['stalls']} transactions stalled"


def flags_updated(counters):
    # Some 64 pages each of old and of clean ones.
    if counters['httu_updates'] < 100:
        yield f"only {counters['httu_updates']} descriptors were updated"


def flags_not_updated(counters):
    yield from stalls_served(counters)
    if counters['httu_updates']:
        yield f"{counters['httu_updates']} descriptors were updated"
    for kind in ('F_ACCESS', 'F_PERMISSION'):
        if not counters['faults'].get(kind):
            yield f'no {kind}'


def faults_with_ats(counters):
    """Translations are kept in the device, and page faults served all the same."""
    yield from ats_used(counters)
    yield from stalls_served(counters)
    if not counters['atc_invalidations']:
        yield 'no ATC invalidation'


def faults_without_ats(counters):
    yield from stalls_served(counters)
    if counters['ats_translated']:
        yield f"{counters['ats_translated']} translated accesses"


def both_ways(scenario):
    """With ATS, as it is, and another one without; page faults in both."""
    return [replace(scenario, check=faults_with_ats),
            replace(scenario, name=scenario.name + '-no-ats',
                    what=scenario.what + '; without ATS',
                    devices=without_ats(scenario.devices), check=faults_without_ats)]


def ats_used(counters):
    """The accelerator keeps translations of its own."""
    if not counters['ats_translated']:
        yield 'no translated access'


def ats_invalidated(counters):
    """Linux uses ATS: each unmapping is told to the function's cache, too."""
    yield from translated(counters)
    if not counters['atc_invalidations']:
        yield 'no ATC invalidation'


def two_stages(counters):
    """A VM's stage 1 over its guest's stage 2, by the device's own cache, too."""
    yield from ats_used(counters)
    for name in ('nested_walks', 'stage2_lookups_cd', 'stage2_lookups_tt'):
        if not counters[name]:
            yield f'{name} is 0'


def two_stages_unmapped(counters):
    """What a VM unmaps is told to the device's cache, too."""
    yield from two_stages(counters)
    if not counters['atc_invalidations']:
        yield 'no ATC invalidation'


def vm_has_16_pasids(counters):
    """Each has a context descriptor of its own, which is in the VM's memory."""
    if counters['stage2_lookups_cd'] < 16:
        yield f"only {counters['stage2_lookups_cd']} context descriptors were looked up"


def contexts_refused(counters):
    """Of what a VM does wrong its context descriptors come as far as the SMMU."""
    if not counters['faults'].get('C_BAD_CD'):
        yield 'no C_BAD_CD'


def translated(counters):
    if not counters['translations']:
        yield 'no transaction came to the SMMU'
