# SPDX-License-Identifier: GPL-2.0-or-later
"""Jobs of pasid-dev that are spread over queues and PASIDs, against such that are not.

No guest software. Used by sva-bench. Every job reads its descriptor, 64 bytes, and
writes its record: three translations. All cases have as many jobs, and as many pages
of descriptors; a PASID has a context descriptor and an ASID, and the same tables.
"""

import array
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools"))
# pylint: disable=wrong-import-position
import rows  # noqa: E402
from machine import (BAR0, DONE_OK, MIB, OP_SUM, PAGE, PASID_VALID, PORTAL,  # noqa: E402
                     Q_CTRL, Q_RECORDS, Q_RING, Q_SIZE_LOG2, Q_STATUS, Q_TAIL,
                     QUEUE_PASID, WINDOW, Machine, descriptor, idle_kernel)
from sva_tables.qmp import Qmp  # noqa: E402

STATUS, BUSY = 0x24, 1      # of pasid-dev's administration page

QUEUES = 256
PASIDS = 4096
JOBS_LOG2 = 14              # in work at once, of all queues together
JOBS = 1 << JOBS_LOG2
# (queues, PASIDs)
CASES = [(1, 1), (QUEUES, 1), (QUEUES, QUEUES), (QUEUES, PASIDS)]

RINGS = WINDOW
RECORDS = WINDOW + 64 * JOBS
DATA = RECORDS + 32 * JOBS  # a page for each queue


class Spread:
    """
    The machine. The engine has a thread of its own, and begins with all queues at
    once: they are filled while the machine stands still.
    """

    def __init__(self, qemu, idle):
        self.machine = Machine(qemu, "ours, PASID", 16 * MIB, "tcg", idle,
                               options=["-object", "iothread,id=io0"],
                               device=f",queues={QUEUES},iothread=io0", pasids=PASIDS)
        self.q = self.machine.q
        self.qmp = Qmp(self.q.qmp_path, 60)

    def close(self):
        self.q.close()

    def translations(self):
        return self.qmp.command("qom-get", path="/machine/smmu",
                                property="counters")["translations"]

    def write_rings(self, queues):
        """A queue's descriptors are one piece of all there are."""
        for queue in range(queues):
            count = JOBS // queues
            job = descriptor(OP_SUM, src=DATA + queue * PAGE, length=64)
            self.q.write(RINGS + 64 * queue * count, job * count)

    def set_up(self, queues, pasid_of):
        """Each queue with its PASID, its memory and no jobs."""
        count = JOBS // queues
        for queue in range(queues):
            portal = portal_of(queue)
            *_, status = self.q.ask_all([
                b"writel 0x%x 0" % (portal + Q_CTRL),
                b"writel 0x%x 0x%x" % (BAR0 + QUEUE_PASID + 8 * queue,
                                       PASID_VALID | pasid_of(queue)),
                b"writeq 0x%x 0x%x" % (portal + Q_RING, RINGS + 64 * queue * count),
                b"writeq 0x%x 0x%x" % (portal + Q_RECORDS, RECORDS + 32 * queue * count),
                b"writel 0x%x 0x%x" % (portal + Q_SIZE_LOG2, count.bit_length() - 1),
                b"writel 0x%x 1" % (portal + Q_CTRL),
                b"readl 0x%x" % (portal + Q_STATUS)])
            if int(status, 0) & 9 != 1:
                raise RuntimeError(f"queue {queue} is refused")
        self.q.write(RECORDS, bytes(32 * JOBS))

    def work(self, queues):
        """All jobs of all queues; seconds."""
        count = JOBS // queues
        self.qmp.command("stop")
        self.q.ask_all([b"writel 0x%x 0x%x" % (portal_of(queue) + Q_TAIL, count)
                        for queue in range(queues)])
        began = time.perf_counter()
        self.qmp.command("cont")
        # Each look keeps the engine from its work for a moment.
        while self.q.readl(BAR0 + STATUS) & BUSY:
            time.sleep(0.0002)
            if time.perf_counter() > began + 60:
                raise RuntimeError(f"a queue hangs: {self.machine.trouble()}")
        return time.perf_counter() - began

    def check_records(self):
        words = array.array("I", self.q.read(RECORDS, 32 * JOBS))
        if set(words[::8]) != {DONE_OK}:
            raise RuntimeError(f"jobs ended with the statuses {set(words[::8])}: "
                               f"{self.machine.trouble()}")

    def sample(self, queues, pasids, groups):
        """
        Translations in a second. A group is JOBS; its queues have as many PASIDs as
        there are of either, and the next group's the next, if there are so many.
        """
        before, seconds = self.translations(), 0
        self.write_rings(queues)
        for group in range(groups):
            self.set_up(queues, lambda queue: 1 + (group * QUEUES + queue) % pasids)
            seconds += self.work(queues)
            self.check_records()
        done = self.translations() - before
        if done < 3 * groups * JOBS:
            raise RuntimeError(f"{done} translations for {groups * JOBS} jobs")
        return done / seconds


def portal_of(queue):
    return BAR0 + PORTAL + queue * PAGE


def all_rows(qemu, rounds, groups=PASIDS // QUEUES):
    """With fewer groups there are fewer PASIDs than the rows say: for a short run."""
    with idle_kernel() as idle:
        machine = Spread(qemu, idle.name)
        try:
            rates = {case: [] for case in CASES}
            for turn in range(rounds + 1):
                for (queues, pasids), samples in rates.items():
                    rate = machine.sample(queues, pasids, groups)
                    if turn:            # the first warms up
                        samples.append(rate)
        finally:
            machine.close()
    for (queues, pasids), samples in rates.items():
        yield rows.row("translations of jobs of 64 B", "ops/s", samples, queues=queues,
                       PASIDs=pasids)
