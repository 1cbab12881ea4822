# SPDX-License-Identifier: GPL-2.0-or-later
"""A map as an SVG picture: what is close together is drawn to scale, in a line of its
own; what is between is left out. Called by tools/sva-tables.
"""

import sva_svg

from .words import joined, memory, size, span

WIDTH = 960
MARGIN = 16
LINE = 44           # from one island to the next
BAR = 16
GAP = 1 << 26       # what is further apart is drawn in lines of their own
NAMES = 200         # for the address before each line

COLOURS = {'r--': '#9ecae1', 'rw-': '#3182bd', 'r-x': '#74c476', 'rwx': '#e6550d',
           '--x': '#a1d99b', '---': '#d9d9d9'}
OTHER = '#756bb1'
STYLE = '''<style>text { font: 13px sans-serif } text.a { font-family: monospace }
text.s { font-size: 10px; fill: #666 }</style>'''
WORDS = {'r--': 'read', 'rw-': 'read and write', 'r-x': 'read and execute',
         'rwx': 'read, write and execute', '--x': 'execute', '---': 'privileged only'}


def islands(ranges):
    """The ranges in groups that are close together."""
    groups = []
    for entry in ranges:
        first, last = span(entry)
        if groups and first - groups[-1][1] <= GAP:
            groups[-1][1] = last
            groups[-1][2].append(entry)
        else:
            groups.append([first, last, [entry]])
    return groups


def bar(entry, x, y, width):
    first, last = span(entry)
    rights = entry['rights'].split('/')[0]
    told = (f"{entry['first']} to {entry['last']}, {size(last - first + 1)}: "
            f"{entry['rights']}, {memory(entry)}, entries of {size(entry['entry'])}, "
            f"to {entry['output']}")
    return sva_svg.box(x, y, max(width, 1.0), BAR, COLOURS.get(rights, OTHER), told)


def island(group, y):
    first, last, entries = group
    left, room = MARGIN + NAMES, WIDTH - 2 * MARGIN - NAMES
    scale = room / (last - first + 1)
    parts = [sva_svg.words(MARGIN, y + 13, f'{first:#x}', 'a'),
             sva_svg.box(left, y, room, BAR, '#f4f4f4')]
    for entry in entries:
        begin, end = span(entry)
        parts.append(bar(entry, left + (begin - first) * scale, y,
                         (end - begin + 1) * scale))
    parts.append(sva_svg.words(left, y + BAR + 12, f'{len(entries)} ranges in '
                               f'{size(last - first + 1)}', 's'))
    return parts


def legend(ranges, y):
    parts, x = [], MARGIN
    for rights in sorted({entry['rights'].split('/')[0] for entry in ranges}):
        words = WORDS.get(rights, rights)
        parts += [sva_svg.box(x, y, 12, 12, COLOURS.get(rights, OTHER)),
                  sva_svg.words(x + 18, y + 11, words)]
        x += 40 + 8 * len(words)
    return parts


def draw(answer, title):
    """An SVG document for the answer to "map"."""
    ranges = joined(answer['ranges'])
    groups = islands(ranges)
    height = 76 + LINE * len(groups) + MARGIN
    total = size(int(answer['mapped-bytes'], 16))
    more = f", and more from {answer['from']} on" if answer['truncated'] else ''
    parts = [sva_svg.words(MARGIN, 24, f'{title}: {len(ranges)} ranges, {total}{more}')]
    parts += legend(ranges, 38)
    for n, group in enumerate(groups):
        parts += island(group, 68 + LINE * n)
    return '\n'.join([*sva_svg.document(WIDTH, height, STYLE, parts), ''])
