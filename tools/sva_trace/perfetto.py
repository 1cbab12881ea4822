# SPDX-License-Identifier: GPL-2.0-or-later
"""A log as Trace Event JSON, which Perfetto and chrome://tracing show.

Tracks: each queue of each endpoint, each PASID, each queue of the SMMU, each virtual
CPU. What overlaps on a track gets a second line. Called by tools/sva-trace.
"""

import json

from .life import NO_PASID
from .summary import pasid_name

SMMU, CPUS, PASIDS, FIRST_ENDPOINT = 1, 2, 3, 10
# Shown as long as this, so that an arrow finds it: what takes no time.
POINT_US = 1


class Lanes:
    """Lines of a track: what is put on one does not overlap."""

    def __init__(self):
        self.until = []

    def place(self, begin, end):
        """The number of a line that is free."""
        for lane, until in enumerate(self.until):
            if until <= begin:
                self.until[lane] = end
                return lane
        self.until.append(end)
        return len(self.until) - 1


class Tracks:
    """Numbers for (process, name), and for each of its lines."""

    def __init__(self):
        self.lanes = {}
        self.threads = {}       # (process, name, lane): thread

    def place(self, process, name, begin, end):
        lane = self.lanes.setdefault((process, name), Lanes()).place(begin, end)
        key = (process, name, lane)
        if key not in self.threads:
            self.threads[key] = len(self.threads) + 1
        return process, self.threads[key]


class Writer:
    """Events of one Life."""

    def __init__(self, life, guest_clock):
        self.life = life
        self.guest_clock = guest_clock
        self.tracks = Tracks()
        self.events = []
        self.where = {}         # a fault's number: its track
        self.steps = {}         # ... [(time, track)] of what befell it elsewhere
        self.endpoints = {name: FIRST_ENDPOINT + n for n, name in enumerate(sorted(
            {x.device for x in life.jobs} | {x.device for x in life.faults}))}

    def ts(self, us):
        return self.life.guest_us(us) if self.guest_clock else us - self.life.begin

    def slice(self, where, name, begin, end, **args):
        a, b = self.ts(begin), self.ts(max(begin, end))
        if a is None or b is None:
            return
        self.events.append({'ph': 'X', 'pid': where[0], 'tid': where[1], 'name': name,
                            'ts': a, 'dur': b - a, 'args': args})

    def arrow(self, phase, where, us, fault):
        ts = self.ts(us)
        if ts is not None:
            self.events.append({'ph': phase, 'pid': where[0], 'tid': where[1], 'ts': ts,
                                'name': 'fault', 'cat': fault.kind, 'id': fault.number,
                                'bp': 'e'})

    def end_of(self, thing):
        return self.life.end if thing.end is None else thing.end

    def all(self):
        self.jobs_and_faults()
        self.pasids()
        self.queues()
        self.commands()
        self.syncs()
        self.marks()
        self.flows()
        self.names()
        return self.events

    # ---- Endpoints ----------------------------------------------------------

    def jobs_and_faults(self):
        """Leaves the track of each fault in self.where."""
        things = [(job.taken, 0, job) for job in self.life.jobs]
        things += [(fault.fault, 1, fault) for fault in self.life.faults
                   if not self.is_within_its_job(fault)]
        for _, is_fault, thing in sorted(things, key=lambda t: t[:2]):
            process = self.endpoints[thing.device]
            end = self.end_of(thing)
            if is_fault:
                track = self.tracks.place(process, 'accesses of no job', thing.fault, end)
                self.where[thing.number] = track
                self.fault(track, thing)
                continue
            track = self.tracks.place(process, f'queue {thing.queue}', thing.taken, end)
            self.slice(track, f'{thing.op} {thing.index}', thing.taken, end,
                       pasid=pasid_name(thing.pasid), outcome=thing.how or 'open')
            for fault in thing.faults:
                if self.is_within_its_job(fault):
                    self.where[fault.number] = track
                    self.fault(track, fault)

    def is_within_its_job(self, fault):
        return fault.job is not None and fault.fault >= fault.job.taken and \
            self.end_of(fault) <= self.end_of(fault.job)

    def fault_name(self, fault):
        words = 'stall' if fault.kind == 'stall' else 'page request'
        return f'{words} {fault.addr:#x}' + ('' if fault.end is not None else ' (open)')

    def fault(self, track, fault):
        self.slice(track, self.fault_name(fault), fault.fault, self.end_of(fault),
                   number=fault.number, pasid=pasid_name(fault.pasid), access=fault.access,
                   decision=fault.how, result=fault.result,
                   guest_us=self.life.guest_us(fault.fault), host_us=fault.fault)
        for name, begin, end in fault.stages():
            self.slice(track, name, begin, end)

    def pasids(self):
        for fault in self.life.faults:
            name = 'no PASID' if fault.pasid == NO_PASID else f'PASID {fault.pasid}'
            track = self.tracks.place(PASIDS, name, fault.fault, self.end_of(fault))
            self.slice(track, self.fault_name(fault), fault.fault, self.end_of(fault),
                       number=fault.number, endpoint=fault.device)

    # ---- The SMMU and who serves it -----------------------------------------

    def step(self, fault, us, track):
        if fault:
            self.steps.setdefault(fault.number, []).append((us, track))

    def cpu_name(self, cpu):
        return 'main loop' if cpu is None or cpu < 0 else f'vCPU {cpu}'

    def queues(self):
        """A record from its writing until software has read it; then until it is answered."""
        for record in self.life.records:
            end = self.life.end if record.read is None else record.read
            name = {'eventq': 'event queue', 'priq': 'PRI queue'}[record.queue]
            track = self.tracks.place(SMMU, name, record.written, end)
            self.slice(track, record.name, record.written, end)
            self.step(record.fault, record.written, track)
        served = [f for f in self.life.faults if f.read is not None and f.answered is not None]
        for fault in sorted(served, key=lambda f: f.read):
            track = self.tracks.place(CPUS, self.cpu_name(fault.cpu), fault.read, fault.answered)
            self.slice(track, f'serves {fault.addr:#x}', fault.read, fault.answered,
                       number=fault.number, pasid=pasid_name(fault.pasid))
            self.step(fault, fault.read, track)

    def commands(self):
        for command in self.life.commands:
            end = command.us + POINT_US
            track = self.tracks.place(SMMU, 'answers in the command queue', command.us, end)
            self.slice(track, command.name, command.us, end,
                       by=self.cpu_name(self.life.cpu_of.get(command.thread)))
            self.step(command.fault, command.us, track)

    def syncs(self):
        for sync in self.life.syncs:
            end = max(sync.end, sync.start + POINT_US)
            track = self.tracks.place(SMMU, 'invalidations and SYNCs', sync.start, end)
            self.slice(track, 'invalidation' if sync.first is not None else 'CMD_SYNC',
                       sync.start, end, **{name: n for name, n in sync.invalidations.items()})
            if sync.waits:
                self.slice(track, 'CMD_SYNC waits', sync.begin, sync.end,
                           **{'for': ', '.join(sync.waits)})

    def marks(self):
        for us, words in self.life.marks:
            ts = self.ts(us)
            if ts is not None:
                self.events.append({'ph': 'i', 's': 'p', 'pid': SMMU, 'tid': 0, 'ts': ts,
                                    'name': words})

    def flows(self):
        """From a fault to its record, to who read it, to the answer, to the retry."""
        for fault in self.life.faults:
            steps = sorted(self.steps.get(fault.number, []))
            if not steps:
                continue
            where = self.where[fault.number]
            self.arrow('s', where, fault.fault, fault)
            for us, track in steps:
                self.arrow('t', track, us, fault)
            last = fault.told if fault.told is not None else fault.end
            if last is not None:
                self.arrow('f', where, last, fault)

    def names(self):
        processes = {SMMU: 'SMMU', CPUS: 'software', PASIDS: 'PASIDs'}
        processes.update({n: name for name, n in self.endpoints.items()})
        for process, name in processes.items():
            self.events.append({'ph': 'M', 'pid': process, 'name': 'process_name',
                                'args': {'name': name}})
        for (process, name, lane), thread in self.tracks.threads.items():
            words = name if lane == 0 else f'{name} ({lane + 1})'
            self.events.append({'ph': 'M', 'pid': process, 'tid': thread, 'name': 'thread_name',
                                'args': {'name': words}})


def write(life, out, guest_clock=False):
    """The whole of @life to the file @out."""
    out.write('{"displayTimeUnit": "ns", "otherData": ')
    json.dump({'clock': "the guest's" if guest_clock else "the host's",
               'host_begin_us': life.begin}, out)
    out.write(',\n"traceEvents": [\n')
    events = Writer(life, guest_clock).all()
    out.write(',\n'.join(json.dumps(event) for event in events))
    out.write('\n]}\n')
