# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts the events of a log together: jobs, faults, invalidations, SYNCs.

Says nothing and draws nothing: summary.py, perfetto.py and picture.py do. Called by
tools/sva-trace. What holds one event to the next is in docs/life-of-a-fault.rst.
"""

import inspect
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field

NO_PASID = 0xffffffff

# A fault's moments, in order, and what lies between them; by kind.
MOMENTS = ('fault', 'recorded', 'read', 'answered', 'told', 'retried')
STAGES = {
    'stall': ('fault to event', 'event to read', 'read to RESUME', 'RESUME to endpoint',
              'endpoint to retry'),
    'page': ('fault to request', 'request to read', 'read to response',
             'response to endpoint', 'endpoint to retry'),
}
# The same, coarser: (name, from, to)
SPANS = {
    'stall': (('fault to event', 'fault', 'recorded'), ('event to RESUME', 'recorded', 'answered'),
              ('RESUME to retry', 'answered', 'retried')),
    'page': (('fault to request', 'fault', 'recorded'),
             ('request to response', 'recorded', 'answered'),
             ('response to retry', 'answered', 'retried')),
}
WHOLE = 'whole'


@dataclass
class Record:
    """An entry of the event queue or the PRI queue."""
    queue: str
    name: str
    written: int
    read: int = None
    cpu: int = None         # that read it
    fault: object = None
    # Of a stall
    answered: int = None
    answered_by: int = None     # a thread
    how: str = ''


@dataclass
class Fault:
    """An access that waits for software."""
    kind: str               # of STAGES
    device: str
    channel: int
    pasid: int
    addr: int
    access: str
    fault: int
    number: int = 0         # from 1 on, in the order of the log
    job: object = None
    record: Record = None
    recorded: int = None
    answered: int = None
    answered_by: int = None
    told: int = None
    retried: int = None
    given_up: int = None
    how: str = ''           # software's decision
    result: str = ''        # of the access that was made again

    @property
    def read(self):
        return self.record.read if self.record else None

    @property
    def cpu(self):
        return self.record.cpu if self.record else None

    @property
    def end(self):
        return self.retried if self.retried is not None else self.given_up

    def moments(self):
        """(name, time) of those that are known and in order, from the first on."""
        last = self.fault
        for name in MOMENTS:
            us = getattr(self, name)
            if us is not None and us >= last:
                yield name, us
                last = us

    def stages(self):
        """(name, from, to): each with both its ends, before the endpoint gave it up."""
        for name, begin, end in zip(STAGES[self.kind], MOMENTS, MOMENTS[1:]):
            a, b = getattr(self, begin), getattr(self, end)
            if a is not None and b is not None and \
                    (self.given_up is None or max(a, b) <= self.given_up):
                yield name, a, max(a, b)


@dataclass
class Job:
    """A descriptor of an endpoint's queue in work."""
    device: str
    queue: int
    index: int
    channel: int
    pasid: int
    taken: int
    op: str = 'job'
    end: int = None
    how: str = ''
    faults: list = field(default_factory=list)


@dataclass
class Sync:
    """A CMD_SYNC that waited, or has invalidations before it."""
    begin: int              # of the wait; its execution if there was none
    end: int = None
    waits: list = field(default_factory=list)
    first: int = None       # of the invalidations before it
    invalidations: Counter = field(default_factory=Counter)

    @property
    def start(self):
        """Of all that it stands for."""
        return self.begin if self.first is None else min(self.first, self.begin)


@dataclass
class Command:
    """One of those with which software decides about faults."""
    name: str
    us: int
    thread: int
    fault: object = None


class Life:
    """What the log tells. feed() each event in order, then finish()."""

    def __init__(self):
        self.begin = self.end = None
        self.jobs, self.faults, self.syncs, self.commands = [], [], [], []
        self.records = []
        self.marks = []                     # (time, words): of the SMMU
        self.counts = Counter()
        self.cpu_of = {}                    # thread: virtual CPU
        self.anchors = []                   # (host us, running, guest ns)
        self.drift_us = 0                   # of the guest's clock, between two anchors
        self.handlers = handlers(self)
        # What is under way
        self.job_of = {}                    # channel
        self.waiting, self.retrying = {}, {}        # channel: fault
        self.unread = {'eventq': deque(), 'priq': deque()}
        self.by_stag, self.last_record = {}, {}     # the latter by thread
        self.unclaimed = defaultdict(deque)     # (sid, ssid, addr): records
        self.unrecorded = defaultdict(deque)    # ... faults
        self.asking = {}                    # thread: fault whose page requests are sent
        self.groups = {}                    # (device, index) and (sid, index): fault
        self.sync = None
        self.batch = (None, Counter())      # invalidations since the last SYNC
        self.zip_jobs = Counter()

    def feed(self, event):
        if self.begin is None:
            self.begin = event.us
        self.end = event.us
        self.handlers[event.name](event, **event.values)

    # ---- The machine's time -------------------------------------------------

    def on_smmuv3_sva_clock(self, e, running, guest_ns):
        if self.anchors:
            self.drift_us = max(self.drift_us, abs(self.guest_us(e.us) - guest_ns / 1000))
        self.anchors.append((e.us, running, guest_ns))

    def guest_us(self, us):
        """The guest's time, or None where the log does not tell."""
        before = [a for a in self.anchors if a[0] <= us]
        if not before:
            return None
        host_us, running, guest_ns = before[-1]
        return guest_ns / 1000 + (us - host_us if running else 0)

    def guest_clock_is_known(self):
        """Not with -icount, say, where it does not run as the host's does."""
        return bool(self.anchors) and \
            self.drift_us <= 1000 + (self.end - self.begin) / 1000

    # ---- Jobs ---------------------------------------------------------------

    def begin_job(self, job):
        self.end_jobs([self.job_of.get(job.channel)], job.taken, 'its end is not in the log')
        self.job_of[job.channel] = job
        self.jobs.append(job)

    def end_jobs(self, jobs, us, how):
        for job in jobs:
            if job and job.end is None:
                job.end, job.how = us, how
                self.job_of.pop(job.channel, None)

    def jobs_of(self, device, queue=None, index=None):
        return [job for job in self.job_of.values() if job.device == device and
                queue in (None, job.queue) and index in (None, job.index)]

    def on_pasid_dev_job_take(self, e, name, queue, index, channel, pasid):
        self.begin_job(Job(name, queue, index, channel, pasid, e.us))

    def on_pasid_dev_job_start(self, _, name, queue, index, op, **_more):
        for job in self.jobs_of(name, queue, index):
            job.op = op

    def on_pasid_dev_job_done(self, e, name, queue, index, status, **_more):
        self.end_jobs(self.jobs_of(name, queue, index), e.us, status)

    def on_pasid_dev_queue_error(self, e, name, queue, error, **_more):
        self.end_jobs(self.jobs_of(name, queue), e.us, error)

    def on_pasid_dev_queue_disable(self, e, name, queue, **_more):
        self.end_jobs(self.jobs_of(name, queue), e.us, 'abandoned')

    def on_pasid_dev_reset(self, e, name):
        self.end_jobs(self.jobs_of(name), e.us, 'reset')

    def on_hisi_zip_job_start(self, e, name, queue, channel, data_pasid, **_more):
        self.zip_jobs[name, queue] += 1
        self.begin_job(Job(name, queue, self.zip_jobs[name, queue], channel, data_pasid, e.us))

    def on_hisi_zip_job_done(self, e, name, queue, status, **_more):
        self.end_jobs(self.jobs_of(name, queue), e.us, f'status {status:#x}')

    def on_hisi_zip_job_abandoned(self, e, name, queue):
        self.end_jobs(self.jobs_of(name, queue), e.us, 'abandoned')

    # ---- Faults, as the endpoint sees them ----------------------------------

    def on_sva_requester_stall(self, e, name, channel, rid, pasid, addr, access, by):
        fault = Fault('stall' if by == 'stall' else 'page', name, channel, pasid, addr,
                      access, e.us, len(self.faults) + 1, self.job_of.get(channel))
        if fault.job:
            fault.job.faults.append(fault)
        self.faults.append(fault)
        if channel in self.waiting:     # which was made again, and waits again
            self.retrying[channel] = self.waiting.pop(channel)
        self.waiting[channel] = fault
        if fault.kind == 'stall':
            self.claim((rid, 0 if pasid == NO_PASID else pasid, addr), fault)

    def claim(self, key, fault):
        """The record of a stall is mostly written before the endpoint hears of it."""
        record = take(self.unclaimed, key)
        if record:
            self.recorded(fault, record)
        else:
            self.unrecorded[key].append(fault)

    @staticmethod
    def recorded(fault, record):
        fault.record, record.fault = record, fault
        fault.recorded = record.written
        fault.fault = min(fault.fault, record.written)
        fault.answered, fault.answered_by = record.answered, record.answered_by

    def on_sva_requester_resolved(self, e, channel, how, **_more):
        fault = self.waiting.get(channel)
        if fault:
            fault.told, fault.how = e.us, how
            self.forget_unrecorded(fault)

    def on_sva_requester_retry(self, e, channel, result, **_more):
        fault = self.retrying.pop(channel, None)
        if fault:       # another wait has begun: that was the end of this one
            again = self.waiting.get(channel)
            fault.retried, fault.result = again.fault if again else e.us, result
            return
        fault = self.waiting.pop(channel, None)
        if fault:
            fault.retried, fault.result = e.us, result

    def on_sva_requester_cancel(self, e, channel, **_more):
        fault = self.waiting.pop(channel, None)
        if fault:
            fault.given_up, fault.how = e.us, 'given up'
            self.forget_unrecorded(fault)

    def forget_unrecorded(self, fault):
        if fault.kind == 'stall' and not fault.record:
            for key, faults in list(self.unrecorded.items()):
                if fault in faults:
                    faults.remove(fault)
                    if not faults:
                        del self.unrecorded[key]

    def on_sva_requester_refused(self, *_, **_more):
        self.counts['accesses refused'] += 1

    # ---- ... and the SMMU ---------------------------------------------------

    def written(self, e, record):
        self.records.append(record)
        self.unread[record.queue].append(record)
        self.last_record[e.thread] = record
        return record

    def on_smmuv3_sva_event(self, e, name, **_more):
        self.written(e, Record('eventq', name, e.us))

    def on_smmuv3_sva_event_lost(self, e, name, **_more):
        self.counts['events lost'] += 1
        self.marks.append((e.us, f'{name} lost'))

    def on_smmuv3_sva_stall(self, e, sid, ssid, stag, addr):
        record = self.last_record.get(e.thread)
        if not record or record.queue != 'eventq':
            record = self.written(e, Record('eventq', 'stall', e.us))
        self.by_stag[stag] = record
        key = (sid, ssid, addr)
        fault = take(self.unrecorded, key)
        if fault:
            self.recorded(fault, record)
        else:
            self.unclaimed[key].append(record)

    def on_smmuv3_sva_resolve(self, e, stag, recorded, how, **_more):
        record = self.by_stag.pop(stag, None) if recorded else None
        if record:
            record.answered, record.answered_by, record.how = e.us, e.thread, how
            if record.fault:
                record.fault.answered, record.fault.answered_by = e.us, e.thread
        self.commands.append(Command('RESUME' if how == 'retry' else f'RESUME, {how}',
                                     e.us, e.thread, record.fault if record else None))
        if record and not record.fault:
            self.commands[-1].fault = record    # claimed later: finish() looks

    def on_smmuv3_sva_queue_read(self, e, queue, unread, cpu):
        if cpu >= 0:
            self.cpu_of[e.thread] = cpu
        records = self.unread[queue]
        while len(records) > unread:
            record = records.popleft()
            record.read, record.cpu = e.us, cpu

    def on_smmuv3_sva_irq(self, e, line):
        self.counts[f'{line} interrupts'] += 1
        self.marks.append((e.us, f'interrupt {line}'))

    def on_smmuv3_sva_msi(self, e, pa, data, **_more):
        self.counts['MSIs'] += 1
        self.marks.append((e.us, f'MSI {data:#x} to {pa:#x}'))

    def on_smmuv3_sva_gerror(self, e, gerror, gerrorn):
        self.counts['GERROR'] += gerror != gerrorn
        self.marks.append((e.us, f'GERROR {gerror:#x}, acknowledged {gerrorn:#x}'))

    # ---- Page requests ------------------------------------------------------

    def on_sva_page_request(self, e, name, channel, index, **_more):
        fault = self.waiting.get(channel)
        self.asking[e.thread] = fault
        if fault:
            self.groups[name, index] = fault

    def on_smmuv3_sva_page_request(self, e, sid, index, last, queued, **_more):
        fault = self.asking.pop(e.thread, None)
        record = Record('priq', f'group {index}', e.us, fault=fault)
        if queued:
            self.written(e, record)
        else:
            self.counts['page requests without room'] += 1
        if fault and last:
            fault.record = record if queued else None
            fault.recorded = e.us if queued else None
            self.groups[sid, index] = fault

    def on_smmuv3_sva_prg_response(self, e, sid, index, code):
        fault = self.groups.pop((sid, index), None)
        if fault:
            fault.answered, fault.answered_by = e.us, e.thread
        self.commands.append(Command(f'response, {code}', e.us, e.thread, fault))

    def on_sva_page_response(self, e, name, index, how, **_more):
        fault = self.groups.pop((name, index), None)
        if fault and fault.given_up is None:
            fault.told, fault.how = e.us, how

    # ---- Invalidations ------------------------------------------------------

    def invalidated(self, e, kind):
        first, kinds = self.batch
        kinds[kind] += 1
        self.batch = (e.us if first is None else first, kinds)

    def on_smmuv3_sva_tlb_invalidate(self, e, name, **_more):
        self.invalidated(e, name)

    def on_smmuv3_sva_atc_invalidate(self, e, **_more):
        self.invalidated(e, 'CMD_ATC_INV')

    def on_smmuv3_sva_command_waits(self, e, what):
        if not self.sync:
            self.sync = Sync(e.us)
        self.sync.waits.append(what)

    def on_smmuv3_sva_command(self, e, name, cpu, **_more):
        if cpu >= 0:
            self.cpu_of[e.thread] = cpu
        self.counts['commands'] += 1
        if name.startswith('CMD_CFGI'):
            self.invalidated(e, name)
        if name != 'CMD_SYNC':
            self.sync = None        # what waited was this
            return
        self.counts['SYNCs'] += 1
        sync = self.sync or Sync(e.us)
        sync.end = e.us
        sync.first, sync.invalidations = self.batch
        if sync.waits or sync.first is not None:
            self.syncs.append(sync)
        self.sync, self.batch = None, (None, Counter())

    # ---- The end ------------------------------------------------------------

    def finish(self):
        """After the last event."""
        for command in self.commands:
            if isinstance(command.fault, Record):
                command.fault = command.fault.fault
        self.counts['stalls of others'] = sum(map(len, self.unclaimed.values()))

    def open_faults(self):
        return [fault for fault in self.faults if fault.end is None]

    def open_jobs(self):
        return [job for job in self.jobs if job.end is None]


def take(table, key):
    """The oldest of table[key], a deque, or nothing; an empty one is not kept."""
    if key not in table:
        return None
    thing = table[key].popleft()
    if not table[key]:
        del table[key]
    return thing


def handlers(life):
    """{event: method}"""
    return {name[3:]: method for name, method in inspect.getmembers(life, inspect.ismethod)
            if name.startswith('on_')}


def event_names():
    """The events that sva-trace uses."""
    return sorted(name[3:] for name, _ in inspect.getmembers(Life, inspect.isfunction)
                  if name.startswith('on_'))
