# SPDX-License-Identifier: GPL-2.0-or-later
"""What has QEMU write the life of each fault to its log, and what tests look at in it.

Not the reading of it: that is tools/sva-trace. Called by the runners of guests and by
the tests of traces.
"""

import bisect
import itertools
import json
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# A trace event, in QEMU's log among what else it says
TRACED = re.compile(r'\d+@\d+\.\d+:')


def trace_options(directory):
    """QEMU's; a file in @directory says which events."""
    events = f'{directory}/events'
    os.makedirs(directory, exist_ok=True)
    with open(events, 'w', encoding='utf-8') as f:
        subprocess.run([f'{TOP}/tools/sva-trace', '--events'], stdout=f, check=True)
    return ['-msg', 'timestamp=on', '-trace', f'events={events}']


def sva_trace(log, *arguments):
    """Its words on @log, its complaints, its status."""
    done = subprocess.run([f'{TOP}/tools/sva-trace', log, *arguments], capture_output=True,
                          text=True, check=False)
    return done.stdout, done.stderr, done.returncode


def json_of(log, *arguments):
    """The events of its JSON; AssertionError with its complaint if there is none."""
    out = log + '.json'
    _, complaint, status = sva_trace(log, '--json', out, *arguments)
    assert status == 0, complaint
    with open(out, encoding='utf-8') as f:
        return json.load(f)['traceEvents']


def what_is_wrong_with(events):
    """Boxes that overlap without one being in the other; arrows that end in no box."""
    tracks = {}
    for e in events:
        if e['ph'] == 'X':
            tracks.setdefault((e['pid'], e['tid']), []).append((e['ts'], e['ts'] + e['dur']))
    for track, spans in tracks.items():
        under_way = []
        for begin, end in sorted(spans, key=lambda s: (s[0], -s[1])):
            while under_way and under_way[-1] <= begin:
                under_way.pop()
            if under_way and end > under_way[-1]:
                return f'{begin} to {end} overlaps, on track {track}'
            under_way.append(end)
    starts = {track: sorted(spans) for track, spans in tracks.items()}
    ends = {track: list(itertools.accumulate((end for _, end in spans), max))
            for track, spans in starts.items()}
    for e in events:
        if e['ph'] in 'stf':
            track = (e['pid'], e['tid'])
            before = bisect.bisect_right(starts.get(track, []), (e['ts'], float('inf')))
            if not before or ends[track][before - 1] < e['ts']:
                return f'no box for {e}'
    return ''
