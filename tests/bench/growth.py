# SPDX-License-Identifier: GPL-2.0-or-later
"""The curves of growth-bench: which there are, their points, their exponents.

Not a measurement and not a picture. Used by targets.py, figures and plots.
"""

import math

# What grows, by the word that its rows are at, and how that is called
CURVES = {
    "translations": "translations cached",
    "contexts": "contexts in use",
    "stalls": "stalls outstanding",
    "queue entries": "entries of the queue",
}

# What visits one of all that are there, and so waits for the host's memory where
# these are more than its caches hold. The rest touches the same whatever is there.
SCATTERED = {("translations", "hit, scattered"), ("contexts", "hit, any context"),
             ("contexts", "CD fetched"), ("contexts", "CFGI_CD")}


def picture_of(word):
    """The name of the file that plots draws."""
    return f"benchmarks-growth-{word.replace(' ', '-')}.svg"


def curves(bench, word):
    """{operation: [(n, ns), ...]} by n, of the rows that are at that word."""
    found = {}
    for one in bench.of("growth"):
        if word in one["at"]:
            found.setdefault(one["name"], []).append((one["at"][word], one["median"]))
    return {name: sorted(points) for name, points in found.items()}


def exponent(points):
    """k of the power law n^k that is nearest to the points: least squares of the
    logarithms. None of fewer than three points."""
    if len(points) < 3:
        return None
    x = [math.log(n) for n, _ in points]
    y = [math.log(ns) for _, ns in points]
    x_mean, y_mean = sum(x) / len(x), sum(y) / len(y)
    return sum((a - x_mean) * (b - y_mean) for a, b in zip(x, y)) / \
        sum((a - x_mean) ** 2 for a in x)
