# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers of QEMU's questions about tables, as lines of text. Not a picture."""

UNITS = (('TiB', 40), ('GiB', 30), ('MiB', 20), ('KiB', 10))


def size(count):
    """4096 as '4 KiB': in the largest unit of which it is a whole number."""
    for unit, bits in UNITS:
        if count and count % (1 << bits) == 0:
            return f'{count >> bits} {unit}'
    return f'{count} B'


def span(entry):
    return int(entry['first'], 16), int(entry['last'], 16)


def adjoin(a, b):
    return int(a['last'], 16) + 1 == int(b['first'], 16)


def same_but_output(a, b):
    """Whether two ranges of a map say the same, wherever each leads."""
    return all(a.get(key) == b.get(key) for key in (
        'rights', 'memory', 'memory-stage2', 'entry', 'clean', 'global', 'contiguous'))


def goes_on(a, b, count, key):
    """Whether the address @key of @b is that of @a and @count bytes more."""
    if a.get(key) in (None, 'scattered') or b.get(key) is None:
        return False
    return int(a[key], 16) + count == int(b[key], 16)


def led_on(a, b, count):
    """@a, which @b follows after @count bytes: where it leads, if that can be said."""
    if 'output' not in a:
        return a
    return {**a, 'output': a['output'] if goes_on(a, b, count, 'output') else 'scattered',
            'ipa': a.get('ipa') if goes_on(a, b, count, 'ipa') else None}


def length(entry):
    first, last = span(entry)
    return last - first + 1


def joined(ranges):
    """
    Neighbours that differ in their outputs at most are one, which is then scattered;
    unless the second goes on where the first ends, as at the end of an answer.
    """
    result = []
    for entry in ranges:
        last = result[-1] if result else None
        if last and adjoin(last, entry) and same_but_output(last, entry):
            result[-1] = {**led_on(last, entry, length(last)), 'last': entry['last']}
        else:
            result.append(entry)
    return result


def alike(a, b):
    """Whether two sides say the same, wherever each leads."""
    return {**a, 'output': None, 'ipa': None} == {**b, 'output': None, 'ipa': None}


def joined_differences(ranges, left, right):
    """Neighbours that differ in one and the same way are one."""
    result = []
    for entry in ranges:
        last = result[-1] if result else None
        if last and adjoin(last, entry) and last['how'] == entry['how'] and \
                last.get('because') == entry.get('because') and \
                all(alike(last[name], entry[name]) for name in (left, right)):
            result[-1] = {**last, 'last': entry['last'],
                          **{name: led_on(last[name], entry[name], length(last))
                             for name in (left, right)}}
        else:
            result.append(entry)
    return result


def memory(entry):
    """Which memory it is, by stage 1 and by stage 2 if there are both."""
    if 'memory-stage2' in entry:
        return f"{entry['memory']} / {entry['memory-stage2']}"
    return entry['memory']


def flags(entry):
    found = [name for name in ('clean', 'contiguous') if entry[name]]
    return ', '.join([memory(entry)] + found + ([] if entry['global'] else ['nG']))


def table(rows):
    """Columns as wide as they must be."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows]


def side(piece):
    """One side of a difference."""
    if 'refused' in piece:
        return f"refused: {piece['refused']}, stage {piece['stage']}"
    ipa = f" (IPA {piece['ipa']})" if piece.get('ipa') else ''
    both = f" / {piece['attributes-stage2']:#x}" if 'attributes-stage2' in piece else ''
    return (f"{piece['output']}{ipa} in {size(piece['entry'])}, {piece['rights']}, "
            f"{memory(piece)} {piece['attributes']:#x}{both}" +
            (', clean' if piece['clean'] else ''))


def rest(answer):
    """What is said at the end of each list."""
    if answer['truncated']:
        return [f"... and more, from {answer['from']} on (--from {answer['from']})"]
    return []


def of_map(answer, pages):
    if 'refused' in answer:
        return [f"Nothing: every access is refused, {answer['refused']}."]
    ranges = answer['ranges'] if pages else joined(answer['ranges'])
    lines = []
    if ranges:
        nested = any(entry.get('ipa') for entry in ranges)
        rows = [['first', 'last', 'size', 'output'] + (['IPA'] if nested else []) +
                ['entries of', 'EL0/EL1', 'memory']]
        for entry in ranges:
            first, last = span(entry)
            rows.append([entry['first'], entry['last'], size(last - first + 1),
                         entry['output']] + ([entry.get('ipa') or '-'] if nested else []) +
                        [size(entry['entry']), entry['rights'], flags(entry)])
        lines += table(rows)
    total = int(answer['mapped-bytes'], 16)
    lines.append(f"{len(ranges)} ranges, {size(total)} in all; "
                 f"{answer['steps']} entries were looked at.")
    return lines + rest(answer)


def of_differences(answer, left, right):
    lines = []
    for entry in joined_differences(answer['ranges'], left, right):
        first, last = span(entry)
        lines.append(f"{entry['first']} to {entry['last']}, {size(last - first + 1)}: "
                     f"{', '.join(entry['how'])}")
        width = max(len(left), len(right))
        for name in (left, right):
            lines.append(f'  {name.ljust(width)}  {side(entry[name])}')
        if 'because' in entry:
            lines.append(f"  because: {entry['because']}")
    return lines + rest(answer)


def of_compare(answer, _pages):
    whose = 'which runs the process' if answer['current'] else 'which runs something else'
    by = 'as if the process were running' if answer['ttbr0'] == 'cd' and \
        not answer['current'] else 'as it is now'
    lines = [f"vCPU {answer['vcpu']}, {whose}; its tables of EL{answer['el']}, {by}"]
    different = [entry for entry in answer['registers'] if entry['differs']]
    for entry in different:
        lines.append(f"  {entry['field']} is {entry['value']}, {entry['register']} "
                     f"{entry['vcpu']}")
    if 'not-compared' in answer:
        lines.append('not compared: ' + answer['not-compared'])
    unknown = int(answer['rights-not-compared-bytes'], 16)
    if unknown:
        lines.append(f'rights not compared: of {size(unknown)} whose access flag is not set')
    lines += of_differences(answer, 'device', 'vcpu')
    if answer['identical']:
        total = int(answer['mapped-bytes'], 16)
        lines.append(f"identical: {size(total)}, {answer['steps']} entries looked at")
    return lines


def of_what_if(answer, _pages):
    lines = list(answer['changes'])
    for when in ('now', 'then'):
        if f'refused-{when}' in answer:
            lines.append(f"{when} every access is refused: {answer[f'refused-{when}']}")
    lines += [f'not shown: {field}' for field in answer.get('not-shown', [])]
    lines += of_differences(answer, 'now', 'then')
    if answer['identical']:
        lines.append('nothing would be translated otherwise')
    return lines


def of(kind, answer, pages):
    """The lines for an answer to a question of this kind."""
    if kind == 'explain':
        return answer
    return {'map': of_map, 'compare': of_compare, 'what-if': of_what_if}[kind](answer, pages)
