# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of hisi-zip: Linux's own user of SVA, from 6.1 on.

More entries of scenarios.py, which reads this file.
"""

from scenario import SLOW_DISK, Scenario, stalls_served

MODPROBE = ('modprobe:hisi_zip:uacce_mode=1', [])
ZIP = ['-device', 'hisi-zip,id=zip0']


def zip_item(arguments, *cases):
    """An item of the program zip, with its verdict and those of its cases."""
    name = 'zip-' + arguments.split(':')[0]
    return (f'zip:{arguments}', [name] + [f'{name}/{case}' for case in cases])


def life_item(arguments, name=None):
    return (f'zip-life:{arguments}', [name or 'zip-' + arguments.split(':')[0]])


SIZES = zip_item('sizes:small', 'raw', 'zlib', 'gzip')
ERRORS = zip_item('errors', 'no-room', 'corrupt', 'illegal', 'not-mapped')


def every_page_stalled(counters):
    """4 turns, 8 MiB in and out: each page of both was a stall of its own."""
    pages = 4 * 2 * (8 << 20) // counters['guest_page_bytes']
    if counters['stalls'] < pages:
        yield f"{counters['stalls']} stalls, there must be {pages}"
    yield from stalls_served(counters)


def scenario(name, what, items, **more):
    """All have the device, and the driver with the kernel's modules."""
    more.setdefault('devices', ZIP)
    more.setdefault('kernel', (6, 1))
    more.setdefault('check', stalls_served)
    return Scenario('zip-' + name, 'hisi-zip: ' + what, [MODPROBE] + items,
                    modules=True, **more)


HISI_SCENARIOS = [
    scenario('demo', 'what `make demo` shows on kernels before 7.0',
             [zip_item('demo')]),
    scenario('quick', 'probe, errors, lists, many small jobs, buffers that go',
             [zip_item('probe'), ERRORS, zip_item('lists', 'bad'),
              zip_item('many', 'look', 'poll'), zip_item('unmap'),
              life_item('fork')], timeout=90,
             expected=[r'hisi_zip \S+: enabling device']),
    scenario('sizes', 'formats, windows, 1 byte to 8 MiB, looking and poll(2)',
             [zip_item('sizes', 'raw', 'zlib', 'gzip')], timeout=200),
    scenario('streams', 'data that comes in pieces, with contexts in memory',
             [zip_item('stream')], timeout=90),
    scenario('faults', '8 MiB jobs whose every page faults',
             [zip_item('faults:4')], timeout=90, check=every_page_stalled),
    scenario('processes', '64 processes with two queues each, at once',
             [life_item('processes:64:5')],
             devices=['-device', 'hisi-zip,queues=128'], timeout=120,
             append='hisi_zip.pf_q_num=128'),
    scenario('1024-queues', 'as many queues as there can be',
             [life_item('queues:1024'), life_item('processes:150:1')],
             devices=['-device', 'hisi-zip,queues=1024'], memory='2G',
             append='hisi_zip.pf_q_num=1024', timeout=120),
    scenario('killed', 'processes are killed in mid-job and in mid-stall',
             [life_item('kill:working:100', 'zip-kill-working'),
              life_item('kill:stalled:250:@slow', 'zip-kill-stalled')],
             devices=ZIP + SLOW_DISK, latency_ns=10_000_000, timeout=200),
    scenario('drivers', 'module and driver go and come back',
             [life_item('reload:20'), life_item('rebind:20')], timeout=90),
    scenario('migration', 'saved and loaded three times, jobs in flight and stalled',
             [life_item('move:8', 'zip-load')], timeout=120, moves=True),
    scenario('crypto', "the kernel's self-tests, without PASID, and SVA beside",
             [life_item('crypto'), zip_item('probe'), SIZES],
             devices=['-device', 'hisi-zip,kernel-crypto=on'], timeout=90),
    scenario('version-2', 'the older hardware',
             [zip_item('probe:2'), SIZES, ERRORS, life_item('rebind:3')],
             devices=['-device', 'hisi-zip,version=2'], timeout=90),
    # Older drivers give a mailbox command 1 ms.
    scenario('stop-queue', 'queues drained by mailbox commands',
             [zip_item('probe'), life_item('kill:working:50', 'zip-kill-working'),
              life_item('rebind:3')],
             devices=['-device', 'hisi-zip,stop-queue=on,flush=on'],
             kernel=(7, 0), timeout=60),
    scenario('acpi', 'UEFI firmware and ACPI',
             [zip_item('probe'), SIZES], firmware=True, append='acpi=force',
             timeout=120, expected=[r'ACPI: IORT']),
]
