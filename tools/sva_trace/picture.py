# SPDX-License-Identifier: GPL-2.0-or-later
"""An interval of a log as a picture: SVG, written by hand (sva_svg.py).

Boxes, lines and arrows on rows are all that it has. Called by tools/sva-trace.
"""

import sva_svg

from .life import STAGES
from .log import TraceError
from .perfetto import Lanes
from .summary import duration, pasid_name

WIDTH, LEFT, RIGHT, TOP = 1000, 150, 36, 66
ROW, BOX, GAP = 26, 16, 10
MOST_BOXES = 3000
COLOURS = ('#b8b8b8', '#e8a33d', '#3d7fc4', '#8e6bbf', '#4f9d69')
JOB, RECORD, SERVED, ANSWER, SYNC, WAIT = (
    '#dfe7ef', '#f3d3a2', '#a9c8e8', '#1d4f85', '#d9d9d9', '#9a9a9a')
STYLE = '''<style>text { font: 11px sans-serif; fill: #222 } .row { font-weight: bold }
.t { font-size: 10px; fill: #555 } .a { fill: none; stroke: #c0392b; stroke-width: 1 }
.g { stroke: #e4e4e4 } </style>
<defs><marker id="head" viewBox="0 0 6 6" refX="6" refY="3" markerWidth="5"
markerHeight="5" orient="auto"><path d="M0,0 L6,3 L0,6 z" fill="#c0392b"/></marker></defs>'''


def whole_of(fault):
    return fault.retried - fault.fault


def typical(life, number=None):
    """The interval about fault @number, or about one that took as long as half do."""
    faults = [f for f in life.faults if f.retried is not None]
    if number is not None:
        chosen = [f for f in faults if f.number == number]
        if not chosen:
            raise TraceError(f'there is no fault {number} that came to its end',
                             f'there are {len(life.faults)} faults, of which {len(faults)} did')
        chosen = chosen[0]
    elif faults:
        chosen = sorted(faults, key=whole_of)[(len(faults) - 1) // 2]
    else:
        raise TraceError('no fault came to its end, so there is none to show',
                         'choose what to show: --interval FROM-TO')
    margin = max(20, whole_of(chosen))
    return chosen.fault - margin, chosen.retried + margin


class Picture:
    """Rows from the top: endpoints' queues, the SMMU's, who serves them, the answers."""

    def __init__(self, life, begin, end):
        self.life, self.begin, self.end = life, begin, end
        self.scale = (WIDTH - LEFT - RIGHT) / (end - begin)
        self.rows = {}          # (row, lane): its middle
        self.parts, self.arrows, self.labels = [], [], []
        self.boxes = 0
        self.y = TOP

    def shows(self, begin, end):
        return begin <= self.end and end >= self.begin

    def x(self, us):
        return LEFT + (min(max(us, self.begin), self.end) - self.begin) * self.scale

    def row(self, name, spans):
        """Rows for @spans, (begin, end, thing); yields (middle, thing)."""
        lanes, placed = Lanes(), []
        for begin, end, thing in sorted(spans, key=lambda s: s[:2]):
            # A box is two pixels wide at least, and these are not to be drawn over others
            placed.append((lanes.place(begin, max(end, begin + 2 / self.scale)), thing))
        if placed:
            self.labels.append(sva_svg.words(8, self.y + 17, name, 'row'))
        for lane, thing in placed:
            yield self.y + lane * ROW + ROW // 2, thing
        self.y += len(lanes.until) * ROW + (GAP if placed else 0)

    def box(self, y, begin, end, colour, title, height=BOX):
        if not self.shows(begin, end):
            return
        self.boxes += 1
        if self.boxes > MOST_BOXES:
            raise TraceError(f'more than {MOST_BOXES} boxes are in that interval',
                             'choose a shorter one: --interval FROM-TO, or --fault N')
        a, b = self.x(begin), self.x(end)
        self.parts.append(sva_svg.box(a, y - height / 2, float(max(2, b - a)), height,
                                      colour, title))

    def words(self, begin, end, y, text):
        """Where there is room for it."""
        a, b = self.x(begin), self.x(end)
        if b - a > 5.6 * len(text):
            self.parts.append(sva_svg.words(a + 3, y + 4, text))

    def arrow(self, us, y, to_us, to_y):
        if self.begin <= us and to_us <= self.end:
            a, b = self.x(us), self.x(to_us)
            bend = (to_y - y) / 2
            self.arrows.append(f'<path class="a" marker-end="url(#head)" d="M{a:.1f},{y:.1f} '
                               f'C{a:.1f},{y + bend:.1f} {b:.1f},{to_y - bend:.1f} '
                               f'{b:.1f},{to_y:.1f}"/>')

    # ---- Rows ---------------------------------------------------------------

    def until(self, us):
        return self.life.end if us is None else us

    def endpoints(self):
        """{fault's number: the middle of its row}"""
        found, queues = {}, {}
        for job in self.life.jobs:
            if self.shows(job.taken, self.until(job.end)):
                queues.setdefault((job.device, job.queue), []).append(
                    (job.taken, self.until(job.end), job))
        for (device, queue), jobs in sorted(queues.items()):
            for y, job in self.row(f'{device} queue {queue}', jobs):
                self.box(y, job.taken, self.until(job.end), JOB,
                         f'{job.op} {job.index}, PASID {pasid_name(job.pasid)}', ROW - 4)
                for fault in job.faults:
                    self.fault(y, fault, found)
        lonely = [(f.fault, self.until(f.end), f) for f in self.life.faults
                  if not f.job and self.shows(f.fault, self.until(f.end))]
        for y, fault in self.row('other accesses', lonely):
            self.fault(y, fault, found)
        return found

    def fault(self, y, fault, found):
        if not self.shows(fault.fault, self.until(fault.end)):
            return
        found[fault.number] = y
        for name, begin, end in fault.stages():
            self.box(y, begin, end, COLOURS[STAGES[fault.kind].index(name)],
                     f'{fault.addr:#x}: {name}, {duration(end - begin)}')

    def smmu(self, rows):
        """The records; then who serves them, and the answers. Arrows between them."""
        at = dict(rows)
        steps = {}              # fault's number: [(time, middle of the row)]

        def note(fault, us, y):
            if fault:
                steps.setdefault(fault.number, []).append((us, y))

        for queue, name in (('eventq', 'event queue'), ('priq', 'PRI queue')):
            spans = [(r.written, self.until(r.read), r) for r in self.life.records
                     if r.queue == queue and self.shows(r.written, self.until(r.read))]
            for y, record in self.row(name, spans):
                self.box(y, record.written, self.until(record.read), RECORD, record.name)
                self.words(record.written, self.until(record.read), y, record.name)
                note(record.fault, record.written, y)
        cpus = {}
        for fault in self.life.faults:
            if fault.read is not None and self.shows(fault.read, self.until(fault.answered)):
                cpus.setdefault(fault.cpu, []).append(
                    (fault.read, self.until(fault.answered), fault))
        for cpu, spans in sorted(cpus.items()):
            for y, fault in self.row('main loop' if cpu < 0 else f'vCPU {cpu} serves', spans):
                self.box(y, fault.read, self.until(fault.answered), SERVED,
                         f'{fault.addr:#x}, PASID {pasid_name(fault.pasid)}')
                self.words(fault.read, self.until(fault.answered), y, f'{fault.addr:#x}')
                note(fault, fault.read, y)
        self.commands(note)
        for fault in self.life.faults:
            if fault.number in at and fault.number in steps:
                self.flow(fault, at[fault.number], sorted(steps[fault.number]))

    def commands(self, note):
        spans = [(c.us, c.us, c) for c in self.life.commands if self.shows(c.us, c.us)]
        for y, command in self.row('RESUME, PRI_RESP', spans):
            self.box(y, command.us, command.us, ANSWER, command.name)
            note(command.fault, command.us, y)
        spans = [(s.start, s.end, s) for s in self.life.syncs if self.shows(s.start, s.end)]
        for y, sync in self.row('invalidations', spans):
            self.box(y, sync.start, sync.end, SYNC, ', '.join(
                f'{n} {name}' for name, n in sync.invalidations.items()) or 'CMD_SYNC')
            if sync.waits:
                self.box(y, sync.begin, sync.end, WAIT, 'CMD_SYNC waits', BOX // 2)

    def flow(self, fault, y, steps):
        here_us, here_y = fault.fault, y
        for us, step_y in steps:
            self.arrow(here_us, here_y + BOX / 2, us, step_y - BOX / 2)
            here_us, here_y = us, step_y
        if fault.told is not None:
            self.arrow(here_us, here_y - BOX / 2, fault.told, y + BOX / 2)

    # ---- The whole ----------------------------------------------------------

    def legend(self):
        kinds = {f.kind for f in self.life.faults
                 if self.shows(f.fault, self.until(f.end))} or {'stall'}
        x, y = LEFT, 16
        for name, colour in zip(STAGES['stall' if 'stall' in kinds else 'page'], COLOURS):
            yield sva_svg.box(x, y - 9, 12, 11, colour)
            yield sva_svg.words(x + 16, y, name)
            x += 30 + int(6.4 * len(name))

    def axis(self):
        """A line for each step of 1, 2 or 5 times a power of ten."""
        step = 1
        while (self.end - self.begin) / step > 10:
            step = step * 5 // 2 if str(step)[0] == '2' else step * 2
        yield sva_svg.words(
            8, TOP - 12, f'from {(self.begin - self.life.begin) / 1000:.3f} ms on', 't')
        for us in range(0, self.end - self.begin + 1, step):
            x = self.x(self.begin + us)
            yield f'<line class="g" x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{self.y}"/>'
            yield sva_svg.words(x - 8, TOP - 12, duration(us), 't')

    def text(self):
        self.smmu(self.endpoints())
        yield ('<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n'
               '<!-- Written by tools/sva-trace: change that, not this. -->')
        yield from sva_svg.document(WIDTH, self.y + 8, STYLE, [
            *self.legend(), *self.axis(), *self.labels, *self.parts, *self.arrows])


def write(life, out, begin, end):
    """What is between two times, of the host's clock, to the file @out."""
    for line in Picture(life, begin, end).text():
        out.write(line + '\n')
