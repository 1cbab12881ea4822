# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest tests of endpoints that work in threads of their own.

More entries of scenarios.py, which reads this file. The vCPUs have a thread each
(MTTCG), and the endpoints one each: nobody waits for anybody without need.
"""

from scenario import SLOW_DISK, Scenario, stalls_served
from scenarios_hisi import ERRORS, MODPROBE, SIZES, life_item, zip_item

THREADS = [argument for n in range(3) for argument in ('-object', f'iothread,id=io{n}')]
ENDPOINTS = ['-device', 'pasid-dev,id=accel0,iothread=io0',
             '-device', 'pasid-dev,id=accel1,iothread=io1',
             '-device', 'hisi-zip,id=zip0,iothread=io2']

THREAD_SCENARIOS = [
    Scenario(
        'threads', 'each endpoint in a thread: memory comes and goes, jobs are killed',
        ['ops', 'interrupt', 'remap', 'stress:100',
         ('killed:working:50', ['kill-working']),
         ('killed:stalled:50:@slow', ['kill-stalled']),
         MODPROBE, zip_item('probe'), SIZES, ERRORS, zip_item('unmap'),
         life_item('kill:working:50', 'zip-kill-working'), life_item('rebind:3')],
        arguments=THREADS, devices=ENDPOINTS + SLOW_DISK, modules=True,
        latency_ns=10_000_000, kernel=(7, 0), timeout=200, check=stalls_served),
    Scenario(
        'threads-migration', 'saved and loaded while they work',
        ['quick', ('move', ['load', 'move'])],
        arguments=THREADS, devices=ENDPOINTS[:2], moves=True, kernel=(7, 0),
        check=stalls_served),
]
