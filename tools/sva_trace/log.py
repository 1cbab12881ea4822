# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads QEMU's log: the lines of trace events, by the formats in trace-events.

Knows no event's meaning, that is life.py's. Called by tools/sva-trace.
"""

import glob
import os
import re
from dataclasses import dataclass

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# QEMU's backend "log" with -msg timestamp=on: thread@seconds.microseconds:event words
LINE = re.compile(r'(\d+)@(\d+)\.(\d{6}):(\w+) ?(.*)')
OURS = re.compile(r'(smmuv3_sva|sva|pasid_dev|hisi)_\w+ ')
DEFINITION = re.compile(r'(\w+)\((.*?)\) (".*)')
PIECE = re.compile(r'"([^"]*)"|PRI(\w)64')
FIELD = re.compile(r'%0?\d*([xuds])')
# The time of a line is taken before its turn to be written, so neighbours may be out of
# order; but a thread's own lines are not, unless somebody set the clock.
CLOCK_SLACK_US = 10000


class TraceError(Exception):
    """What is wrong with the log, and what to do about it."""

    def __init__(self, text, hint=''):
        super().__init__(text)
        self.hint = hint


@dataclass
class Event:
    """A trace event of the log."""
    us: int             # of the host's clock, since 1970
    thread: int
    name: str
    values: dict        # by the names that trace-events gives
    line: int


def without_quotes(text):
    """The string that a C compiler makes of "a 0x%" PRIx64 " b"."""
    return ''.join(m[2] if m[2] else m[1] for m in PIECE.finditer(text))


def arguments_of(text):
    """(name, is it a string?) of each."""
    for argument in [] if text == 'void' else text.split(','):
        words = argument.replace('*', '* ').split()
        yield words[-1], '*' in argument


def pattern_of(arguments, text):
    """An expression with a group for each argument, and who makes a value of it."""
    pattern, makers, at = '', [], 0
    for (name, _), field in zip(arguments, FIELD.finditer(text)):
        words = {'x': '[0-9a-f]+', 'u': r'\d+', 'd': r'-?\d+', 's': '.*?'}[field[1]]
        pattern += f'{re.escape(text[at:field.start()])}(?P<{name}>{words})'
        makers.append((name, {'x': lambda s: int(s, 16), 's': str}.get(field[1], int)))
        at = field.end()
    return re.compile(pattern + re.escape(text[at:])), makers


def formats(names, top=TOP):
    """{event: (expression, makers)} for @names, as the tree's trace-events have them."""
    found = {}
    for path in glob.glob(f'{top}/hw/*/*/trace-events'):
        with open(path, encoding='utf-8') as f:
            for line in f:
                m = DEFINITION.match(line)
                if m and m[1] in names:
                    found[m[1]] = pattern_of(list(arguments_of(m[2])), without_quotes(m[3]))
    missing = set(names) - set(found)
    if missing:
        raise TraceError(f"no trace-events of this tree has {', '.join(sorted(missing))}",
                         'sva-trace belongs to the tree that it is in')
    return found


class Reader:
    """The events of one log, in order of time; what there was besides."""

    def __init__(self, names, top=TOP):
        self.formats = formats(names, top)
        self.warnings = []
        self.others = 0         # lines that are no event of ours
        self.untimed = None     # the first line of an event without a time
        self.last_us = {}       # of each thread
        self.set_back = 0

    def read(self, path):
        """All events of the file; TraceError if it is no log, or not one of this tree's."""
        events = []
        try:
            with open(path, encoding='utf-8', errors='replace') as f:
                for number, text in enumerate(f, 1):
                    if not text.endswith('\n'):
                        self.warnings.append(
                            f'the log ends within line {number}, which is left out')
                        break
                    event = self.event(number, text.rstrip('\r\n'))
                    if event:
                        events.append(event)
        except OSError as error:
            raise TraceError(f'{path}: {error.strerror}') from error
        self.judge(path, events)
        events.sort(key=lambda event: event.us)     # stable
        return events

    def event(self, number, text):
        """The event in a line, or nothing."""
        m = LINE.fullmatch(text)
        if not m:
            if self.untimed is None and OURS.match(text):
                self.untimed = number
            self.others += 1
            return None
        known = self.formats.get(m[4])
        if not known:
            self.others += 1
            return None
        expression, makers = known
        values = expression.fullmatch(m[5])
        if not values:
            raise TraceError(
                f'line {number}: {m[4]} is not as this tree writes it: "{m[5]}"',
                'take the sva-trace of the tree that QEMU was built from, or trace anew')
        thread = int(m[1])
        us = self.in_order(number, thread, int(m[2]) * 1000000 + int(m[3]))
        return Event(us, thread, m[4], {name: make(values[name]) for name, make in makers},
                     number)

    def in_order(self, number, thread, us):
        last = self.last_us.get(thread, us)
        if us < last - CLOCK_SLACK_US:
            raise TraceError(
                f'line {number}: the time goes back by {(last - us) / 1e6:.3f} s in thread '
                f'{thread}', "the host's clock was set, or these are two logs in one: "
                'trace anew, or divide them')
        if us < last:
            self.set_back += 1
            us = last
        self.last_us[thread] = us
        return us

    def judge(self, path, events):
        if self.untimed and not events:
            raise TraceError(f'{path}: line {self.untimed} has no time',
                             'run QEMU with -msg timestamp=on')
        if not events:
            raise TraceError(
                f'{path}: no event that sva-trace uses is in it',
                'write the log by: qemu-system-aarch64 -msg timestamp=on -D LOG '
                '-trace events=EVENTS ..., with EVENTS from: sva-trace --events')
        if self.untimed:
            self.warnings.append(f'line {self.untimed}, and perhaps others, has no time '
                                 'and is left out')
        if self.set_back:
            self.warnings.append(f"the host's clock went back a little at {self.set_back} lines")
