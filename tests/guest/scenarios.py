# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests, one boot each: a list of Scenario (see scenario.py).

Those of hisi-zip are in scenarios_hisi.py, those of ACPI with PCI bridges in
scenarios_acpi.py, those of vfio and of SVA without page faults in
scenarios_vfio.py, those of endpoints with threads in scenarios_threads.py, those of
faults on request in scenarios_inject.py, those of guests of a guest in
scenarios_vm.py. Read by run.
"""

from scenario import (ACCELERATOR, ACCELERATORS, SLOW_DISK, PLAIN_DEVICES, PLAIN_VERDICTS,
                      VIRTIO_AND_E1000E, Scenario, ats_invalidated, ats_used, audited,
                      both_ways, flags_not_updated, flags_updated, stalls_none,
                      stalls_served, translated, without_ats)
from scenarios_acpi import ACPI_SCENARIOS
from scenarios_hisi import HISI_SCENARIOS
from scenarios_inject import INJECT_SCENARIOS
from scenarios_threads import THREAD_SCENARIOS
from scenarios_vfio import VFIO_SCENARIOS
from scenarios_vm import VM_SCENARIOS

SCENARIOS = [
    Scenario(
        'demo', 'what `make demo` shows',
        ['demo', 'demo-spaces', ('modprobe:hisi_zip:uacce_mode=1', []),
         ('zip:demo', ['zip-demo'])],
        devices=ACCELERATORS + ['-device', 'hisi-zip'], modules=True,
        append='sva.driver=uio_pci_sva,vfio-pci', timeout=60, check=stalls_served,
        # Of the address space that is taken away, without ATS.
        allowed=[r'event(:| 0x)']),
    *both_ways(Scenario(
        'memory', 'every kind of memory, size and alignment',
        ['example', 'ops', 'buffers', 'sizes', 'alignments', 'list', 'interrupt'],
        devices=ACCELERATORS, timeout=150)),
    *both_ways(Scenario(
        'changes', 'the address space changes under the device',
        ['remap', 'refused', 'stress:100'],
        devices=ACCELERATORS, timeout=100)),
    Scenario(
        'processes', 'processes, devices and queues keep apart',
        ['isolation', 'queues:@slow'],
        devices=ACCELERATORS + SLOW_DISK, latency_ns=60_000_000,
        timeout=60, check=stalls_served),
    *both_ways(Scenario(
        'tables', 'a process and its device see the same memory',
        [('tables:2', ['tables', 'compare-sleeps', 'compare-runs'])],
        devices=ACCELERATORS + ['-device', 'virtio-serial-pci,id=compared'],
        timeout=60)),
    Scenario(
        'tables-el2', 'a process and its device see the same memory; the kernel is at EL2',
        [('tables:2', ['tables', 'compare-sleeps', 'compare-runs'])],
        machine='virt-sva,virtualization=on',
        devices=ACCELERATORS + ['-device', 'virtio-serial-pci,id=compared'],
        timeout=90, check=stalls_served, expected=[r'CPU: All CPU\(s\) started at EL2']),
    Scenario(
        'foreign-pasid', 'a PASID of somebody else is refused',
        ['foreign'], devices=without_ats(ACCELERATORS),
        # C_BAD_SUBSTREAMID or C_BAD_CD, and Linux says so.
        allowed=[r'event(:| 0x)'], expected=[r'event: C_BAD_(CD|SUBSTREAMID) client']),
    Scenario(
        'foreign-pasid-ats', 'also by ATS, which tells the device and nobody else',
        ['foreign'], devices=ACCELERATORS, check=ats_used),
    Scenario(
        'killed', 'processes are killed while the device works or is stalled',
        [('killed:working:200', ['kill-working']),
         ('killed:stalled:200:@slow', ['kill-stalled'])],
        devices=ACCELERATOR + SLOW_DISK, latency_ns=10_000_000,
        timeout=150, check=stalls_served),
    *[Scenario(
        f'plain-dma-{mode}', f'ordinary devices and SVA at once, {words}',
        ['domains', ('plain_dma', PLAIN_VERDICTS + ['load'])],
        devices=ACCELERATOR + PLAIN_DEVICES, append=append, timeout=90,
        expected=[rf'guest: domain \S+ {domain}$'], check=stalls_served)
      for mode, words, append, domain in (
          ('strict', 'invalidated at once', 'iommu.passthrough=0 iommu.strict=1', 'DMA'),
          ('lazy', 'invalidated later', 'iommu.passthrough=0 iommu.strict=0', 'DMA-FQ'),
          ('passthrough', 'not translated', 'iommu.passthrough=1', 'identity'))],
    *[Scenario(
        f'cpu-{cpu}', f'SVA with this CPU', ['quick'], cpu=cpu,
        devices=ACCELERATOR, check=stalls_served, timeout=40)
      for cpu in ('max', 'neoverse-n1', 'neoverse-v1', 'neoverse-n2',
                  'cortex-a57', 'cortex-a72', 'cortex-a76')],
    Scenario(
        'el2', 'the kernel runs at EL2', ['quick', 'remap'],
        machine='virt-sva,virtualization=on', devices=ACCELERATOR,
        timeout=90, check=stalls_served, expected=[r'CPU: All CPU\(s\) started at EL2']),
    Scenario(
        'misbehave', 'a device that leaves an ATC invalidation unanswered', ['misbehave'],
        devices=['-device', 'pasid-dev,x-misbehave=none'],
        arguments=['-global', 'smmuv3-sva.atc-timeout-ms=100'], atc_timeouts=4,
        # The interrupt comes late to a CPU that waits for the CMD_SYNC itself.
        allowed=[r'CMD_SYNC timeout at 0x\w+ \[hwprod 0x\w+, hwcons 0x03\w{6}\]$',
                 r'CMDQ error \(cons 0x03\w{6}\): ATC invalidate timeout$',
                 r'unexpected global error reported \(0x00000001\), this could be serious$'],
        expected=[r'CMDQ error \(cons 0x03\w{6}\): ATC invalidate timeout$',
                  r'unexpected global error reported \(0x00000001\), this could be serious$']),
    *both_ways(Scenario(
        'root-port', 'the device is behind a PCIe root port', ['quick'],
        devices=['-device', 'pcie-root-port,id=rp0,chassis=1',
                 '-device', 'pasid-dev,bus=rp0'])),
    Scenario(
        'atc-sizes', 'translation caches of different sizes that Linux keeps up to date',
        ['remap', 'refused', 'isolation', 'stress:100'],
        devices=['-device', 'pasid-dev,id=accel0,atc-entries=64',
                 '-device', 'pasid-dev,id=accel1,atc-entries=8192,atc-ways=1'],
        timeout=120, check=ats_used),
    Scenario(
        'forced-stall', 'an SMMU that stalls every fault',
        ['quick', ('plain_dma:4:200', PLAIN_VERDICTS + ['load'])],
        arguments=['-global', 'smmuv3-sva.stall-model=2'],
        devices=ACCELERATOR + PLAIN_DEVICES, check=stalls_served),
    Scenario(
        'httu', 'an SMMU that updates access flag and dirty state',
        ['flags:hardware'], devices=ACCELERATOR, check=flags_updated),
    Scenario(
        'no-httu', 'an SMMU that does not', ['flags:faults', 'remap'],
        arguments=['-global', 'smmuv3-sva.httu=0'],
        devices=ACCELERATOR, timeout=90, check=flags_not_updated),
    Scenario(
        'small-smmu', 'an SMMU with as little as Linux needs',
        ['quick', 'remap', ('plain_dma:4:200', PLAIN_VERDICTS + ['load'])],
        arguments=[argument for field, value in (
            ('s2p', 0), ('httu', 0), ('hyp', 0), ('ats', 0),
            ('atsrecerr', 0), ('pri', 0),
            ('msi', 0), ('sev', 0), ('ril', 0), ('cd2l', 0), ('st-level', 0),
            ('ssidsize', 6), ('cmdqs', 7), ('eventqs', 5), ('bbml', 0),
            ('attr-types-ovr', 0), ('attr-perms-ovr', 0), ('sidsize', 6))
            for argument in ('-global', f'smmuv3-sva.{field}={value}')],
        devices=ACCELERATOR + PLAIN_DEVICES, timeout=90, check=stalls_served),
    Scenario(
        'reset', 'the function is reset under a job; the machine, too',
        ['flr:8:@slow', 'reboot_once', 'quick'],
        # With ATS, Linux 7.3 takes longer to give the PASID up, and what it does
        # wrong when a fault is being served meanwhile (see the user guide) shows.
        devices=without_ats(ACCELERATOR) + SLOW_DISK + PLAIN_DEVICES, reboots=True,
        latency_ns=5_000_000),
    Scenario(
        'iothread', 'DMA translated in threads of its own',
        ['quick', ('plain_dma:48:1000', PLAIN_VERDICTS + ['load'])],
        arguments=['-object', 'iothread,id=io0'],
        devices=ACCELERATOR + [argument.replace('serial=virtio', 'serial=virtio,iothread=io0')
                               for argument in PLAIN_DEVICES],
        append='iommu.passthrough=0 iommu.strict=1', timeout=90, check=stalls_served),
    Scenario(
        'migration', 'saved and loaded in the middle of jobs and page faults',
        ['quick', ('move', ['load', 'move']),
         ('plain_dma:4:200', ['disk-virtio', 'net'])],
        # QEMU's nvme cannot be saved.
        devices=ACCELERATOR + VIRTIO_AND_E1000E, moves=True, check=stalls_served),
    Scenario(
        'ordinary-dma', 'ordinary devices alone',
        ['domains', ('plain_dma', PLAIN_VERDICTS)],
        devices=PLAIN_DEVICES, append='iommu.passthrough=0', kernel=(6, 1),
        expected=[r'guest: domain \S+ DMA'], check=translated),
    Scenario(
        'ats', 'ordinary devices with ATS', ['domains', ('plain_dma:8:500', PLAIN_VERDICTS)],
        # virtio has the capability only where it is a PCIe endpoint.
        devices=['-device', 'pcie-root-port,id=rp0,chassis=1',
                 '-device', 'pcie-root-port,id=rp1,chassis=2'] +
                [argument.replace('drive=d1', 'drive=d1,bus=rp0,ats=on')
                         .replace('netdev=n0', 'netdev=n0,bus=rp1,ats=on')
                 for argument in PLAIN_DEVICES],
        # 6.1 does not know "ats-supported" of the device tree.
        append='iommu.passthrough=0 iommu.strict=1', kernel=(6, 12),
        expected=[r'guest: domain \S+ DMA'], check=ats_invalidated),
    Scenario(
        'tiny-caches', 'caches that are always full', ['quick', 'remap', 'list'],
        arguments=['-global', 'smmuv3-sva.tlb-entries=16',
                   '-global', 'smmuv3-sva.config-entries=4'],
        devices=ACCELERATOR, timeout=90, check=stalls_served),
    Scenario(
        'sva-refused', 'an SMMU that Linux does not take for SVA', ['sva-refused'],
        arguments=['-global', 'smmuv3-sva.oas=4'],
        devices=ACCELERATOR, sva=False, check=stalls_none),
    Scenario(
        'acpi', 'UEFI firmware and ACPI: ordinary devices behind the SMMU',
        ['domains', ('plain_dma:8:500', PLAIN_VERDICTS)],
        firmware=True, append='acpi=force iommu.passthrough=0', kernel=(6, 1),
        devices=PLAIN_DEVICES, timeout=120, sva=None,
        expected=[r'guest: domain \S+ DMA', r'ACPI: IORT'], check=translated),
    # The runner notices what is wrong.
    Scenario(
        'runner-silence', 'a program without a verdict fails', ['be_silent'],
        kernel=(6, 1), sva=None, must_fail=[r'be_silent: no verdict']),
    Scenario(
        'runner-failure', 'verdicts of failure, crashes and bad lines are noticed',
        ['say_fail', 'crash_program', 'bad_log'],
        kernel=(6, 1), sva=None,
        must_fail=[r'say_fail: as asked', r'crash_program: ended with status 139',
                   r'kernel-log: .*CMD_SYNC timeout']),
    Scenario(
        'runner-hang', 'a guest that hangs is killed', ['hang'],
        kernel=(6, 1), sva=None, timeout=6,
        must_fail=[r'hang: no verdict', r'boot: the guest did not power off within']),
] + (ACPI_SCENARIOS + HISI_SCENARIOS + INJECT_SCENARIOS + THREAD_SCENARIOS + VFIO_SCENARIOS +
     VM_SCENARIOS)

# A slice of `make check-audit`: processes, by stalls; ordinary devices; uacce.
SCENARIOS += [audited(s) for s in SCENARIOS
              if s.name in ('changes-no-ats', 'ordinary-dma', 'zip-processes')]
