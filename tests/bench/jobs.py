# SPDX-License-Identifier: GPL-2.0-or-later
"""The jobs that a pasid-dev is given behind one IOMMU and another, and a proof that they
are done. Measures nothing. Used by machine-bench and jobs-bench.
"""

import random

from machine import (MIB, OP_COPY, OP_NOP, OP_SUM, SLOTS, SOURCE, TARGET, WINDOW,
                     descriptor)

# The rings, the records and the blocks copied lie on fewer than 256 pages:
# the whole of what QEMU's own SMMU can cache.
BLOCKS = 16


class Case:
    """An operation to time: its rings, and how much of them is a sample."""

    def __init__(self, name, size, rings, jobs, rounds):
        self.name = name
        self.size = size            # bytes each job reads
        self.rings = rings          # taken in turn
        self.jobs = jobs            # slots run per doorbell
        self.rounds = rounds        # doorbells per sample


def copy_ring(size):
    # Consecutive blocks, a pool of them; the largest has one place.
    count = max(1, min(BLOCKS, MIB // size))
    return b"".join(
        descriptor(OP_COPY, SOURCE + i % count * size,
                   TARGET + i % count * size, size) for i in range(SLOTS))


def read_rings(window, count, rng):
    return [b"".join(descriptor(OP_SUM,
                                src=WINDOW + 64 * rng.randrange(window // 64),
                                length=64)
                     for _ in range(SLOTS)) for _ in range(count)]


def make_cases(window, quick):
    rng = random.Random(1)
    rings, rounds = (2, 1) if quick else (64, 8)
    cases = [
        Case("no-op", 0, [descriptor(OP_NOP) * SLOTS], SLOTS, rounds),
        Case("copy 64 B", 64, [copy_ring(64)], SLOTS, rounds),
        Case("copy 4 KiB", 4096, [copy_ring(4096)], SLOTS // 4, rounds),
        Case("copy 2 MiB", 2 * MIB, [copy_ring(2 * MIB)],
             2 if quick else 8, rounds),
    ]
    for size in sorted({min(window, 64 * MIB), window}):
        cases.append(Case(f"read 64 B, random in {size_name(size)}", 64,
                          read_rings(size, rings, rng), SLOTS, rounds))
    return cases


def size_name(size):
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size // MIB} MiB"


def prove(machine, cases, rng):
    """Show that the machine does what is about to be timed."""
    data = rng.randbytes(2 * MIB)
    machine.q.write(SOURCE, data)
    for case in cases:
        machine.load(case.rings[0])
        machine.clear_records()
        # Full turns, so that every case begins at slot 0.
        for start in range(0, SLOTS, case.jobs):
            machine.run(min(case.jobs, SLOTS - start))
            if case.size > MIB and start == 0:
                break
        if machine.tail % SLOTS == 0:
            machine.check_records(SLOTS)
        else:
            machine.check_records(machine.tail % SLOTS)
            machine.run(SLOTS - machine.tail % SLOTS)
    if machine.q.read(TARGET, 2 * MIB) != data:
        raise RuntimeError(f"{machine.kind}: the copy differs")
