# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU with a pasid-dev and no guest software: tables, queues and doorbells are this
program's, by the qtest protocol.

Times nothing itself. Used by machine-bench, jobs-bench and spread.py.
"""

import array
import struct
import tempfile
import time

from qtest import Qtest

MIB = 1 << 20
PAGE = 4096

# ---- The machine `virt` ---------------------------------------------------

RAM = 0x4000_0000
ECAM = 0x40_1000_0000
BAR0 = 0x1000_0000
SMMU = 0x0905_0000
DEVFN = 4 << 3

# ---- Where things are in RAM; firmware's part stays free -------------------

STRTAB = RAM + 16 * MIB
CDS = RAM + 17 * MIB
CMDQ = RAM + 18 * MIB
EVENTQ = RAM + 19 * MIB
RING = RAM + 20 * MIB
RECORDS = RAM + 21 * MIB
TABLES = RAM + 24 * MIB
SOURCE = RAM + 32 * MIB
TARGET = RAM + 48 * MIB
WINDOW = RAM + 64 * MIB

# ---- pasid-dev: hw/pci/pasid-dev/pasid-dev-abi.h ---------------------------

QUEUE_PASID = 0x400
PASID_VALID = 1 << 31
PORTAL = 0x1000
Q_RING, Q_RECORDS, Q_SIZE_LOG2, Q_CTRL = 0x00, 0x08, 0x10, 0x14
Q_STATUS, Q_ERROR, Q_TAIL, Q_HEAD = 0x18, 0x1c, 0x20, 0x24
OP_NOP, OP_COPY, OP_SUM = 0, 1, 5
DONE_OK = 1
RING_LOG2 = 12
SLOTS = 1 << RING_LOG2
PASID = 1


def descriptor(op, src=0, dst=0, length=0):
    return struct.pack("<BBHIQQQQQQQ", op, 0, 0, 0, src, dst, length, 0, 0,
                       0, 0)


def idle_kernel():
    """A file with what a CPU executes that sleeps; it is removed when closed."""
    file = tempfile.NamedTemporaryFile(prefix="sva-bench-")
    file.write(struct.pack("<II", 0xd503207f, 0x17ffffff))  # wfi; b .-4
    file.flush()
    return file


class Machine:
    """
    A QEMU with one pasid-dev, its queue 0 enabled. @options: more of the device's;
    @pasids: each has a context descriptor and an ASID of its own, all the same tables;
    @patience: seconds in which QEMU must be there; @prealloc: touch its RAM first, so
    that the host does not give it away page by page in what is timed.
    """

    def __init__(self, qemu, kind, window, accel, idle, options=(), device="", pasids=1,
                 patience=30, prealloc=True):
        machine = {
            "none": "virt",
            "arm-smmuv3": "virt,iommu=smmuv3",
            "ours": "virt-sva",
            "ours, PASID": "virt-sva",
        }[kind]
        self.kind = kind
        self.tail = 0
        self.ring = None
        self.pasids = pasids
        arguments = ["-M", machine, "-cpu", "max", "-m",
                     str((window + WINDOW - RAM) // MIB + 16),
                     *(["-mem-prealloc"] if prealloc else []), *options,
                     "-device", f"pasid-dev,addr={DEVFN >> 3:x}{device}"]
        if accel == "qtest":
            arguments += ["-accel", "qtest"]
        else:
            # The machine runs, with a CPU that sleeps
            arguments += ["-accel", "tcg", "-kernel", idle]
        self.q = Qtest(qemu, arguments, timeout=patience)
        try:
            if kind != "none":
                self.start_smmu(kind.endswith("PASID"), window)
            self.start_device(kind.endswith("PASID"))
        except BaseException:
            self.q.close()
            raise

    def start_smmu(self, pasid, window):
        q = self.q
        q.write_words(TABLES, identity_tables(TABLES, window))
        q.write_words(CDS, [word for asid in (PASID, *range(1, self.pasids + 1))
                            for word in context(asid)])
        # STE: stage 1; with PASIDs, room for them and CD 0 without one
        q.write_words(STRTAB + 64 * DEVFN,
                      [1 | 5 << 1 | CDS |
                       (self.pasids.bit_length() << 59 if pasid else 0),
                       2 if pasid else 0, 0, 0, 0, 0, 0, 0])
        q.writel(SMMU + 0x20, 0)                    # CR0
        q.writel(SMMU + 0x28, 0xd75)                # CR1
        q.writeq(SMMU + 0x80, STRTAB)               # STRTAB_BASE
        q.writel(SMMU + 0x88, 8)                    # _CFG: linear, 256
        q.writeq(SMMU + 0x90, CMDQ | 6)             # CMDQ_BASE
        q.writel(SMMU + 0x98, 0)
        q.writel(SMMU + 0x9c, 0)
        q.writeq(SMMU + 0xa0, EVENTQ | 6)           # EVENTQ_BASE
        q.writel(SMMU + 0x100a8, 0)
        q.writel(SMMU + 0x100ac, 0)
        q.writel(SMMU + 0x20, 1 << 3 | 1 << 2)      # CMDQEN, EVENTQEN
        # CFGI_ALL, TLBI_NSNH_ALL, SYNC
        q.write_words(CMDQ, [0x04, 31, 0x30, 0, 0x46, 0])
        q.writel(SMMU + 0x98, 3)
        self.wait(lambda: q.readl(SMMU + 0x9c) == 3, "the command queue")
        q.writel(SMMU + 0x20, 1 << 3 | 1 << 2 | 1)  # and SMMUEN
        self.wait(lambda: q.readl(SMMU + 0x24) == 0xd, "SMMUEN")

    def start_device(self, pasid):
        q = self.q
        config = ECAM + (DEVFN << 12)
        if q.readl(config) & 0xffff == 0xffff:
            raise RuntimeError("no pasid-dev in this machine")
        q.writel(config + 0x10, BAR0)
        q.writel(config + 0x04, 1 << 2 | 1 << 1)    # bus master, memory
        if pasid:
            self.enable_pasid(config)
        q.writel(BAR0 + QUEUE_PASID, PASID_VALID | PASID if pasid else 0)
        portal = BAR0 + PORTAL
        q.writeq(portal + Q_RING, RING)
        q.writeq(portal + Q_RECORDS, RECORDS)
        q.writel(portal + Q_SIZE_LOG2, RING_LOG2)
        q.writel(portal + Q_CTRL, 1)
        if q.readl(portal + Q_STATUS) & 9 != 1:
            raise RuntimeError("the queue is refused: error "
                               f"{q.readl(portal + Q_ERROR)}")

    def enable_pasid(self, config):
        offset = 0x100
        while offset:
            header = self.q.readl(config + offset)
            if header & 0xffff == 0x1b:
                word = self.q.readl(config + offset + 4)
                self.q.writel(config + offset + 4, word | 1 << 16)
                return
            offset = header >> 20
        raise RuntimeError("no PASID capability")

    def wait(self, condition, what):
        end = time.monotonic() + 60
        while not condition():
            if time.monotonic() > end:
                raise RuntimeError(f"{self.kind}: no answer from {what}: "
                                   f"{self.trouble()}")

    def trouble(self):
        portal = BAR0 + PORTAL
        q = self.q
        text = (f"queue status {q.readl(portal + Q_STATUS)}, "
                f"error {q.readl(portal + Q_ERROR)}")
        if self.kind != "none":
            event = q.read(EVENTQ, 32).hex()
            text += f", GERROR {q.readl(SMMU + 0x60)}, first event {event}"
        return text

    def load(self, ring):
        """Put 4096 descriptors in the ring, if they are not there already."""
        if ring is not self.ring:
            self.q.write(RING, ring)
            self.ring = ring

    def run(self, jobs):
        """Run the next @jobs slots, at most 4096; seconds they took."""
        portal = BAR0 + PORTAL
        q = self.q
        self.tail = (self.tail + jobs) & 0xffff
        tail, head = b"writel 0x%x 0x%x" % (portal + Q_TAIL, self.tail), \
            b"readl 0x%x" % (portal + Q_HEAD)
        deadline = time.monotonic() + 60
        start = time.perf_counter()
        q.ask(tail)
        while int(q.ask(head), 0) != self.tail:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.kind}: the queue hangs: "
                                   f"{self.trouble()}")
        return time.perf_counter() - start

    def clear_records(self):
        self.q.write(RECORDS, bytes(32 * SLOTS))

    def check_records(self, jobs):
        """All of the last @jobs, from slot 0 on, must have succeeded."""
        records = self.q.read(RECORDS, 32 * jobs)
        for slot in range(jobs):
            status = struct.unpack_from("<I", records, 32 * slot)[0]
            if status != DONE_OK:
                raise RuntimeError(f"{self.kind}: job {slot} ended with "
                                   f"status {status}: {self.trouble()}")


def context(asid):
    """CD: valid, AArch64, 48-bit VA, 4K, EPD1, 44-bit output, R, A, ASET"""
    return [16 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 30 | 1 << 31 |
            4 << 32 | 1 << 41 | 1 << 45 | 1 << 46 | 1 << 47 | asid << 48,
            TABLES, 0, 0xff, 0, 0, 0, 0]


def identity_tables(base, window):
    """Words of tables at @base that map RAM up to the window's end, VA = PA.

    The first page is level 0, the second level 1, then all of level 2 and
    level 3; the root entry of each level is in use only where RAM is.
    """
    end = WINDOW + window
    leaves = (end - RAM + 2 * MIB - 1) // (2 * MIB)
    middles = (leaves + 511) // 512
    words = array.array("Q", bytes(PAGE * (2 + middles + leaves)))
    level1, level2 = base + PAGE, base + 2 * PAGE
    level3 = level2 + PAGE * middles
    if level3 + PAGE * leaves > SOURCE:
        raise ValueError("the window needs too many tables")
    words[0] = level1 | 3
    for i in range(middles):
        words[512 + (RAM >> 30) + i] = level2 + PAGE * i | 3
    for i in range(leaves):
        words[1024 + i] = level3 + PAGE * i | 3
    first = 1024 + 512 * middles
    # Normal memory, user read and write, AF, nG
    for i in range(512 * leaves):
        words[first + i] = RAM + PAGE * i | 1 << 6 | 3 << 8 | 1 << 10 | \
            1 << 11 | 3
    return words
