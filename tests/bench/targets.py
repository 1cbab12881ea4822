#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the figures of a benchmark run are wanted to be, and whether they are.

Not a measurement, and no verdict on a run: a target that is not met is a fact, no
error. Called by run, figures, and by hand:

  tests/bench/targets.py build/bench/bench.json

TARGETS is the whole of it: a name, a bound, in what the bound is, and the figure,
a function of all rows. A figure whose rows are not there is None: not measured.
"""

import math
import os
import statistics
import sys
import typing

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import growth   # noqa: E402
import rows     # noqa: E402


class Target(typing.NamedTuple):
    name: str
    bound: float
    words: str              # what a figure of 1 would mean, or its unit
    figure: typing.Callable[[rows.Bench], float | None]
    at_least: bool = False

    def is_met(self, figure):
        figure = round(figure, 9)       # 2 / (10 / 9) is 1.8
        return figure >= self.bound if self.at_least else figure <= self.bound


# ---- Figures ----------------------------------------------------------------

def ratio(part, name, one, other):
    """The median of the ratios turn by turn; one and other are what the rows are at."""
    def figure(bench):
        ratios = rows.turn_by_turn(bench.find(part, name, **one),
                                   bench.find(part, name, **other))
        return statistics.median(ratios) if ratios else None
    return figure


def gain(part, name, two, one):
    """What two do of one's work. Of a rate a ratio; of a time, which is each one's,
    twice the inverse."""
    def figure(bench):
        found = bench.find(part, name, **one)
        value = ratio(part, name, two, one)(bench)
        if not value:
            return None
        return value if rows.more_is_better(found) else 2 / value
    return figure


def share(part, name, word, none, theirs, ours):
    """How many times smaller is what ours adds to none than what theirs does."""
    def figure(bench):
        base, large, small = (bench.median(part, name, **{word: kind})
                              for kind in (none, theirs, ours))
        if None in (base, large, small):
            return None
        return (large - base) / (small - base) if small > base else math.inf
    return figure


def over(choose, part, word, values, make):
    """The worst of one figure at several values of a circumstance. None unless there
    are all."""
    def figure(bench):
        found = [make(value)(bench) for value in values]
        return None if None in found else choose(found)
    return figure


def median(part, name, **at):
    return lambda bench: bench.median(part, name, **at)


# ---- The core ---------------------------------------------------------------

CACHED = (1 << 10, 1 << 16, 1 << 20)
BESIDE = "1, one translates"


def core(choose, make):
    """The worst at any number of other entries."""
    return over(choose, "core", "cached", CACHED, make)


def core_time(name):
    return core(max, lambda n: median("core", name, cached=n, threads=1))


def core_gain(name):
    return core(min, lambda n: gain("core", name, {"cached": n, "threads": 2},
                                    {"cached": n, "threads": 1}))


def flat(name):
    """How much dearer at its dearest than at its cheapest."""
    return core(lambda found: max(found) / min(found),
                lambda n: median("core", name, cached=n, threads=1))


def beside(name):
    return core(max, lambda n: ratio("core", name, {"cached": n, "threads": BESIDE},
                                     {"cached": n, "threads": 1}))


def miss_by_load(bench):
    """Where the load is of the host's memory: with most entries."""
    at = {"cached": CACHED[-1], "threads": 1}
    ratios = rows.turn_by_turn(
        bench.find("core", "miss, scattered over all entries", **at),
        bench.find("core", "the load that such a miss cannot save", **at))
    return statistics.median(ratios) if ratios else None


INVALIDATIONS = [
    "TLBI_NH_VA", "TLBI_NH_VA, 32 pages", "TLBI_NH_VAA", "TLBI_NH_VAA, 32 pages",
    "TLBI_NH_ASID", "TLBI_NH_ALL", "TLBI_S2_IPA", "TLBI_S2_IPA, 32 pages",
    "TLBI_S12_VMALL", "TLBI_EL2_VA", "TLBI_EL2_VAA", "TLBI_EL2_ASID", "TLBI_EL2_ALL",
    "TLBI_NSNH_ALL", "CFGI_CD", "CFGI_CD_ALL", "CFGI_STE",
    "CFGI_STE_RANGE, 32 streams", "CFGI_ALL",
]


def longest(part, figure_name, which):
    """Of all cases of a hostile guest the longest, each at its best."""
    def figure(bench):
        found = [one[which] for one in bench.of(part)
                 if one["at"].get("figure") == figure_name]
        return max(found) / 1e6 if found else None
    return figure


# ---- In QEMU ----------------------------------------------------------------

HITS = {"no-op": "no-op", "64 B": "copy 64 B", "4 KiB": "copy 4 KiB",
        "2 MiB": "copy 2 MiB"}
RANDOM = "read 64 B, random in "


def of_none(name):
    return ratio("machine", name, {"iommu": "ours"}, {"iommu": "none"})


def machine_share(name):
    return share("machine", name, "iommu", "none", "arm-smmuv3", "ours")


def engines(name):
    return gain("threads", name, {"engines": 2, "place": "IOThreads"},
                {"engines": 1, "place": "IOThread"})


# ---- Growth -----------------------------------------------------------------

# One of n a thousand times as many waits for memory at most some 30 times as long;
# work that depended on n would have an exponent of 1.
HOSTS_MEMORY, NOTHING = 0.5, 0.1
GROWING = [
    ("translations", ("hit, scattered", "miss", "TLBI_NH_VA", "TLBI_NH_ASID")),
    ("contexts", ("hit, any context", "CD fetched", "CFGI_CD")),
    ("stalls", ("a stall comes", "RESUME", "given up by the endpoint")),
    ("queue entries", ("a command", "a fault's event")),
]


def exponent(word, name):
    return lambda bench: growth.exponent(growth.curves(bench, word).get(name, []))


# ---- In Linux ---------------------------------------------------------------

# Of each request what is wanted of no IOMMU's rate, strict; lazy it is LAZY.
REQUESTS = {"NVMe": ("NVMe read 4 KiB", 0.97),
            "virtio-blk": ("virtio-blk read 4 KiB", 0.95),
            "virtio-net": ("virtio-net frame 1514 B", 0.95)}
LAZY = 0.98


def of_iommu(name, iommu, mode):
    """Ours by that one's; without an IOMMU there is no mode."""
    return ratio("guests", name, {"iommu": "ours", "mode": mode},
                 {"iommu": iommu, **({"mode": mode} if iommu != "none" else {})})


def by(name, place, other):
    return ratio("sva", name, {"by": place}, {"by": other})


PLACES = ("main loop", "IOThread")

TARGETS = [
    *(Target(f"hits/{short}", 1.15, "of no IOMMU", of_none(name))
      for short, name in HITS.items()),
    *(Target(f"hits/{short}/share", 8, "times smaller than arm-smmuv3's",
             machine_share(name), at_least=True) for short, name in HITS.items()),
    Target("hits/core/same pages", 10, "ns", core_time("hit")),
    Target("hits/core/other pages", 25, "ns", core_time("hit, by the TLB")),
    Target("hits/core/two threads", 1.8, "of one thread's work", core_gain("hit"),
           at_least=True),

    Target("misses/64 MiB", 1.3, "of no IOMMU", of_none(RANDOM + "64 MiB")),
    Target("misses/1 GiB", 1.6, "of no IOMMU", of_none(RANDOM + "1 GiB")),
    *(Target(f"misses/{size}/share", 3, "times smaller than arm-smmuv3's",
             machine_share(RANDOM + size), at_least=True)
      for size in ("64 MiB", "1 GiB")),
    Target("misses/core", 1.5, "of the load that is left", miss_by_load),
    Target("misses/core/two threads", 1.7, "of one thread's work", core_gain("miss"),
           at_least=True),

    *(Target(f"invalidation/{name}/flat", 1.5, "of the cheapest, 1k to 1M others cached",
             flat(name)) for name in INVALIDATIONS),
    *(Target(f"invalidation/{name}/beside a thread", 2, "of alone", beside(name))
      for name in INVALIDATIONS),
    Target("invalidation/hostile batch, core", 1, "ms in one piece",
           longest("hostile", "longest call", "min")),
    Target("invalidation/hostile batch, QEMU", 1, "ms in one piece",
           longest("devices", "longest at best", "min")),

    *(Target(f"guests/{short}/{mode}", bound if mode == "strict" else LAZY, "of no IOMMU",
             of_iommu(name, "none", mode), at_least=True)
      for short, (name, bound) in REQUESTS.items() for mode in ("strict", "lazy")),
    *(Target(f"guests/{short}/{mode}/theirs", 1, "of arm-smmuv3",
             of_iommu(name, "arm-smmuv3", mode), at_least=True)
      for short, (name, _) in REQUESTS.items() for mode in ("strict", "lazy")),
    *(Target(f"guests/dma_map_benchmark/{mode}/theirs", 1, "of arm-smmuv3",
             of_iommu("dma_map_benchmark, map and unmap", "arm-smmuv3", mode))
      for mode in ("strict", "lazy")),
    Target("guests/boot", 1.03, "of no IOMMU", of_iommu("boot to init", "none", "strict")),
    Target("guests/idle", 1.03, "of no IOMMU",
           of_iommu("an idle guest, 5 s", "none", "strict")),

    *(Target(f"sva/copy/{place}", 0.8, "of the host's memcpy",
             by("copy 64 MiB, warm", place, "host's memcpy"), at_least=True)
      for place in PLACES),
    *(Target(f"sva/fault/{place}", 0.05, "of its time are the model's",
             median("sva", "a fault, the model's share", by=place)) for place in PLACES),
    Target("sva/vCPU beside an engine", 0.95, "of alone",
           ratio("sva", "a vCPU's steps", {"beside": "an engine that copies"},
                 {"beside": "nothing"}), at_least=True),

    *(Target(f"engines/{name}/two", 1.7, "of one engine's work", engines(name),
             at_least=True)
      for name in ("pasid-dev: copy", "hisi-zip: deflate, level 9")),

    *(Target(f"growth/{word}/{name}",
             HOSTS_MEMORY if (word, name) in growth.SCATTERED else NOTHING,
             "as the exponent", exponent(word, name))
      for word, names in GROWING for name in names),

    *(Target(f"auditor/off/{name}", 1.02, "of the instructions without one",
             ratio("counts", name, {"auditor": "off"}, {"auditor": "not there"}))
      for name in ("hit", "hit, by the TLB", "miss", "TLBI_NH_VA")),
    Target("auditor/on", 3, "of the demo with it off",
           ratio("audit", "all of the demo", {"auditor": "on"}, {"auditor": "off"})),
]


# ---- Verdicts ---------------------------------------------------------------

class Verdict(typing.NamedTuple):
    target: Target
    figure: float | None
    is_quick: bool = False  # it has rows, but they are of a quick run

    @property
    def is_met(self):
        return self.figure is not None and self.target.is_met(self.figure)

    @property
    def word(self):
        if self.figure is None:
            return "not measured, quick" if self.is_quick else "not measured"
        return "met" if self.is_met else "not met"

    def bound(self):
        return f"{'at least' if self.target.at_least else 'at most'} {self.target.bound:g}"

    def line(self):
        what = f"target {self.target.name}:"
        if self.figure is None:
            return f"{what} {self.bound()} {self.target.words}: {self.word}"
        return f"{what} {self.figure:.4g} {self.target.words}, {self.bound()}: {self.word}"


def judge(bench):
    """All targets. Of a quick run none is measured, for its figures are none."""
    figures = [(target, target.figure(bench)) for target in TARGETS]
    if bench.quick:
        return [Verdict(target, None, figure is not None) for target, figure in figures]
    return [Verdict(target, figure) for target, figure in figures]


def show(bench):
    verdicts = judge(bench)
    for verdict in verdicts:
        print(verdict.line())
    print(f"bench: {sum(verdict.is_met for verdict in verdicts)} of {len(verdicts)} "
          "targets met")


if __name__ == "__main__":
    try:
        show(rows.read(sys.argv[1] if len(sys.argv) == 2 else "build/bench/bench.json"))
    except rows.Malformed as error:
        sys.exit(f"targets: {error}")
