# SPDX-License-Identifier: GPL-2.0-or-later
"""The life of the faults of a log in figures, as text. Called by tools/sva-trace."""

import textwrap
from collections import Counter

from .life import NO_PASID, SPANS, STAGES, WHOLE

OPEN_SHOWN = 10
COLUMNS = 90
KINDS = {'stall': 'Stalls', 'page': 'Page requests'}


def percentile(values, percent):
    """The nearest rank, of a list that is not empty."""
    ordered = sorted(values)
    return ordered[max(0, -(-percent * len(ordered) // 100) - 1)]


def duration(us):
    if us < 10000:
        return f'{us} us'
    return f'{us / 1000:.1f} ms' if us < 10000000 else f'{us / 1e6:.2f} s'


def pasid_name(pasid):
    return 'none' if pasid == NO_PASID else str(pasid)


def durations(faults, kind):
    """{stage: [microseconds]}, finer and coarser ones and the whole."""
    found = {}
    for fault in faults:
        for name, begin, end in fault.stages():
            found.setdefault(name, []).append(end - begin)
        for name, begin, end in SPANS[kind]:
            a, b = getattr(fault, begin), getattr(fault, end)
            if a is not None and b is not None and name not in STAGES[kind]:
                found.setdefault(name, []).append(max(0, b - a))
        if fault.retried is not None:
            found.setdefault(WHOLE, []).append(fault.retried - fault.fault)
    return found


def row(name, values, total):
    """@total: of the wholes, or None: no share is given."""
    share = f'{100 * sum(values) / total:5.1f} %' if total else ''
    return (f'  {name:<24}{len(values):>8}{duration(percentile(values, 50)):>12}'
            f'{duration(percentile(values, 99)):>12}{duration(max(values)):>12}{share:>9}')


def stage_rows(faults, kind):
    """Coarse stages, each with the finer ones that it is made of."""
    found = durations(faults, kind)
    total = sum(found.get(WHOLE, []))
    first = 0
    for name, _, end in SPANS[kind]:
        parts = STAGES[kind][first:{'recorded': 1, 'answered': 3, 'retried': 5}[end]]
        first += len(parts)
        for stage in [name] + ([] if len(parts) == 1 else ['  ' + part for part in parts]):
            if found.get(stage.strip()):
                yield row(stage, found[stage.strip()], total)
    if found.get(WHOLE):
        yield row(WHOLE, found[WHOLE], None)


def ends(faults):
    """'4133 made again and done, 2 refused'"""
    count = Counter()
    for fault in faults:
        if fault.given_up is not None:
            count['given up by the endpoint'] += 1
        elif fault.retried is None:
            count['still open'] += 1
        elif fault.result == 'done':
            count['made again and done'] += 1
        else:
            count[fault.result] += 1
    return ', '.join(f'{n} {what}' for what, n in count.most_common())


def kind_lines(life, kind):
    faults = [fault for fault in life.faults if fault.kind == kind]
    if not faults:
        return
    yield f'{KINDS[kind]}: {len(faults)}; {ends(faults)}'
    yield f"  {'stage':<24}{'n':>8}{'p50':>12}{'p99':>12}{'max':>12}{'share':>9}"
    yield from stage_rows(faults, kind)
    groups = sorted({(fault.device, fault.pasid) for fault in faults})
    if len(groups) > 1:
        yield '  whole, by endpoint and PASID'
        for device, pasid in groups:
            wholes = durations([f for f in faults if (f.device, f.pasid) == (device, pasid)],
                               kind).get(WHOLE)
            if wholes:
                yield row(f'  {device}, {pasid_name(pasid)}', wholes, None)
    yield ''


def invalidation_lines(life):
    count = Counter()
    for sync in life.syncs:
        count.update(sync.invalidations)
    if count:
        yield 'Invalidations: ' + ', '.join(f'{n} {name}' for name, n in count.most_common())
    waits = [sync.end - sync.begin for sync in life.syncs if sync.waits]
    if life.counts['SYNCs']:
        yield (f"CMD_SYNC: {life.counts['SYNCs']}" +
               (f'; {len(waits)} asked or waited, p50 {duration(percentile(waits, 50))}, '
                f'p99 {duration(percentile(waits, 99))}, max {duration(max(waits))}'
                if waits else '; none asked or waited'))


def job_lines(life):
    """For each endpoint."""
    for device in sorted({job.device for job in life.jobs}):
        jobs = [job for job in life.jobs if job.device == device]
        took = [job.end - job.taken for job in jobs if job.end is not None]
        waited = sum(fault.end - fault.fault for job in jobs for fault in job.faults
                     if fault.end is not None)
        text = f'Jobs of {device}: {len(jobs)}'
        if took:
            text += (f', p50 {duration(percentile(took, 50))}, max {duration(max(took))}; '
                     f'of {duration(sum(took))} in all they waited {duration(waited)} '
                     'for software')
        yield text


def open_lines(life):
    faults, jobs = life.open_faults(), life.open_jobs()
    if faults or jobs:
        yield f'Open at the end: {len(faults)} faults, {len(jobs)} jobs'
    for fault in faults[:OPEN_SHOWN]:
        last, us = list(fault.moments())[-1]
        yield (f'  {fault.device}, PASID {pasid_name(fault.pasid)}, {fault.addr:#x}: '
               f'{last} at {(us - life.begin) / 1000:.3f} ms, and no more')
    if len(faults) > OPEN_SHOWN:
        yield f'  ... and {len(faults) - OPEN_SHOWN} more'


def lines(life):
    """The summary's, the longest ones broken."""
    for line in unbroken_lines(life):
        yield from textwrap.wrap(line, COLUMNS, subsequent_indent='  ') or ['']


def unbroken_lines(life):
    span = life.end - life.begin
    yield f"{duration(span)} of the host's time" + (
        f"; the guest's clock went from {life.anchors[0][2] / 1e9:.3f} s to "
        f'{life.guest_us(life.end) / 1e6:.3f} s'
        if life.guest_clock_is_known() else "; the guest's clock is not known from this log")
    yield ''
    if not life.faults:
        yield 'No fault that waits for software.'
        yield ''
    for kind in KINDS:
        yield from kind_lines(life, kind)
    yield from invalidation_lines(life)
    yield from job_lines(life)
    others = [f'{n} {what}' for what, n in sorted(life.counts.items())
              if n and what not in ('SYNCs', 'commands')]
    if others:
        yield 'Besides: ' + ', '.join(others)
    yield from open_lines(life)
