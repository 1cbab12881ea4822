# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows that benchmarks write: what they are, how they are made and found.

Not a benchmark. Used by the programs of this folder and by their test.

A benchmark, called with --output FILE and perhaps --quick, writes {"rows": [...]}
to the file. A row is one figure:

  name         what was done: "copy 4 KiB", "hit", "NVMe read, strict"
  at           under which circumstances, as words and numbers, by name:
               {"iommu": "none"}, {"cached": 1024, "threads": 2}; may be empty
  unit         "ns", "us", "s" for a time of one operation; "ops/s", "MiB/s",
               "faults/s" for a rate; "bytes"; "instructions", which are the same
               each time; "" for a count or a ratio.
               Of a rate more is better, of anything else less.
  samples      all that were taken, in the order in which they were. Rows of one
               name with as many samples were taken in turns, the first of each,
               then the second of each, and are compared turn by turn.
  median, min, max, repetitions   instead of samples where these are too many

The name and what it is at are one row's alone within its part. run, which calls
the benchmarks, adds "part" and what the samples come to, and puts all rows into
bench.json: {"format", "quick", "seconds", "parts": {NAME: {"host", "seconds"}},
"rows"}.
"""

import json
import statistics

FORMAT = 1


def row(name, unit, samples, **at):
    """One figure, of all its samples."""
    return {"name": name, "at": at, "unit": unit, "samples": list(samples)}


def summary(name, unit, figures, **at):
    """The same of samples that are too many to be kept: figures has median, min, max
    and repetitions."""
    return {"name": name, "at": at, "unit": unit, **figures}


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"rows": rows}, file, indent=1)
        file.write("\n")


def text(value, unit):
    """A figure as its reader wants it: three digits tell all that one can."""
    for times, name in ((1e9, "s"), (1e6, "ms"), (1e4, "us")):
        if unit == "ns" and value >= times:
            return f"{value / (1e3 if name == 'us' else times):.3g} {name}"
    digits = f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{digits} {unit}".rstrip()


def spread(one):
    """Median (least - greatest)."""
    if one["repetitions"] == 1:
        return text(one["median"], one["unit"])
    return (f"{text(one['median'], one['unit'])} ({text(one['min'], one['unit'])} - "
            f"{text(one['max'], one['unit'])})")


def place(one):
    """What a row is at, as words."""
    return ", ".join(f"{name} {value}" for name, value in one["at"].items())


def show(one):
    """A row as a line for whoever waits for it."""
    print(f"  {one['name']:38} {place(one):34} {spread(finished(one))}", flush=True)


def finished(one):
    """A row with median, min, max and repetitions."""
    samples = one.get("samples")
    if samples is None:
        return one
    return {**one, "median": statistics.median(samples), "min": min(samples),
            "max": max(samples), "repetitions": len(samples)}


def more_is_better(one):
    return one["unit"].endswith("/s")


def key(part, name, at):
    """What a row is known by among all."""
    return (part, name, *sorted(f"{word}={value}" for word, value in at.items()))


def key_of(one):
    return key(one["part"], one["name"], one["at"])


class Malformed(Exception):
    """A file or a row that is none; says why."""


def check(one):
    """Complain of a row that is none."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str) \
            or not isinstance(one.get("unit"), str) \
            or not isinstance(one.get("at"), dict):
        raise Malformed("a row has no name, no unit or no circumstances")
    figures = one.get("samples", [one.get(name) for name in
                                  ("median", "min", "max", "repetitions")])
    if not isinstance(figures, list) or not figures or not all(
            isinstance(figure, (int, float)) for figure in figures):
        raise Malformed(f"{one['name']}: samples that are no numbers")


class Bench:
    """What run wrote: data, and the rows by key."""

    def __init__(self, data):
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise Malformed(f"not a bench.json of format {FORMAT}")
        try:
            self.quick, self.parts = data["quick"], data["parts"]
            for one in data["rows"]:
                check(one)
            self.rows = {key_of(one): one for one in data["rows"]}
            if len(self.rows) != len(data["rows"]):
                raise Malformed("two rows of one name")
        except (KeyError, TypeError) as error:
            raise Malformed(f"a bench.json that lacks {error}") from error

    def of(self, part):
        return [one for one in self.rows.values() if one["part"] == part]

    def find(self, part, name, **at):
        """That row, or None."""
        return self.rows.get(key(part, name, at))

    def median(self, part, name, **at):
        one = self.find(part, name, **at)
        return None if one is None else one["median"]


def read(path):
    """The file that run wrote."""
    try:
        with open(path, encoding="utf-8") as file:
            return Bench(json.load(file))
    except (OSError, ValueError, Malformed) as error:
        raise Malformed(f"{path}: {error}") from error


def turn_by_turn(one, other):
    """Ratios of two rows that were taken in turns; else of their medians."""
    if one is None or other is None:
        return None
    a, b = one.get("samples"), other.get("samples")
    if not a or not b or len(a) != len(b):
        return [one["median"] / other["median"]] if other["median"] else None
    return [x / y for x, y in zip(a, b) if y] or None
