# SPDX-License-Identifier: GPL-2.0-or-later
"""The rows that benchmarks write: what they are, how they are made and found.

Not a benchmark. Used by the programs of this folder and by their test.

A benchmark, called with --output FILE and perhaps --quick, writes {"rows": [...]}
to the file. A row is one figure:

  name         what was done: "copy 4 KiB", "hit", "NVMe read, strict"
  at           under which circumstances, as words and numbers, by name:
               {"iommu": "none"}, {"cached": 1024, "threads": 2}; may be empty
  unit         "ns", "us", "s" for a time of one operation; "ops/s", "MiB/s",
               "faults/s" for a rate; "bytes"; "" for a count or a ratio.
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


def show(one):
    """A row as a line for whoever waits for it."""
    done = finished(one)
    at = ", ".join(f"{name} {value}" for name, value in one["at"].items())
    print(f"  {one['name']:36} {at:32} {done['median']:12.5g} {one['unit']}"
          f" ({done['min']:.5g} - {done['max']:.5g})", flush=True)


def finished(one):
    """A row with median, min, max and repetitions."""
    samples = one.get("samples")
    if samples is None:
        return one
    return {**one, "median": statistics.median(samples), "min": min(samples),
            "max": max(samples), "repetitions": len(samples)}


def more_is_better(one):
    return one["unit"].endswith("/s")


def key(one):
    """What a row is known by among all."""
    return (one["part"], one["name"], *sorted(
        f"{name}={value}" for name, value in one["at"].items()))


class Malformed(Exception):
    """A file that is none of these; says why."""


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


def read(path):
    """What run wrote, its rows by key."""
    try:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
    except (OSError, ValueError) as error:
        raise Malformed(f"{path}: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise Malformed(f"{path}: not a bench.json of format {FORMAT}")
    try:
        for one in data["rows"]:
            check(one)
        data["rows"] = {key(one): one for one in data["rows"]}
    except (KeyError, TypeError, Malformed) as error:
        raise Malformed(f"{path}: {error}") from error
    return data
