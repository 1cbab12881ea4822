# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux guests that time what they are told to, one of them at a time.

Measures and judges nothing itself. Used by guests-bench and sva-bench. A guest runs
bench of tests/guest/programs, which takes orders from its console. All guests of a
benchmark are there at once, stopped but for the one whose turn it is: a slow moment
of the host meets all of them, and one that waits costs the others nothing.
"""

import os
import re
import select
import subprocess
import sys
import tempfile
import time
import typing
from types import SimpleNamespace

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.dont_write_bytecode = True
sys.path.append(os.path.join(TOP, "tests/guest"))
sys.path.append(os.path.join(TOP, "tests"))
# pylint: disable=wrong-import-position
from boot import SILENCE, Boot, connect, level_and_text  # noqa: E402
from scenario import Scenario  # noqa: E402

PATIENCE = 120          # seconds, for whatever is waited for
ANSWER = re.compile(r"guest: bench: (\d+) (\d+)$")
DOMAIN = re.compile(r"guest: domain [0-9a-f]+:\S+ (\S+)$")
STARTED = re.compile(r"\[ *(\d+\.\d+)\].* Run /init as init process")


class Answer(typing.NamedTuple):
    """What became of an order."""

    ns: int             # by the guest's clock, which is the host's while it runs
    done: int           # so many of what was ordered
    processor_ns: int   # of all QEMU's threads, from the order to the answer


def files_of(qemu, kernel=None):
    """What a guest is made of, as the build has it."""
    build = os.path.dirname(os.path.dirname(os.path.abspath(qemu)))
    if not kernel:
        guest = os.path.join(build, "guest")
        names = [name for name in (os.listdir(guest) if os.path.isdir(guest) else [])
                 if os.path.exists(f"{guest}/{name}/Image")]
        if not names:
            raise RuntimeError(f"there is no guest kernel in {guest}: make all makes it")
        newest = max(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
        kernel = f"{guest}/{newest}/Image"
    return SimpleNamespace(qemu=qemu, kernel=kernel, firmware=None, trace=None, x86=False,
                           audit=False, patience=1,
                           initramfs=f"{build}/sva/tests/guest/initramfs.cpio.gz")


class Guest:
    """One of them, stopped. @items: for its init; @machine: as in Scenario."""

    def __init__(self, files, name, items, **machine):
        self.name = name
        self.qemu = self.qmp = None
        self.text = b""
        self.lines = []
        self.folder = tempfile.TemporaryDirectory(prefix="sva-bench-")
        self.boot = Boot(Scenario(name, "", items, **machine), items, files,
                         self.folder.name)
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        with open(f"{self.folder.name}/stderr", "wb") as errors:
            self.qemu = subprocess.Popen(self.boot.command, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=errors)
        try:
            self.qmp = connect(f"{self.folder.name}/qmp", time.monotonic() + PATIENCE,
                               lambda: self.qemu.poll() is None)
        except OSError as error:
            raise self.trouble(f"QEMU does not start: {error}") from None
        self.wait_for(re.compile("guest: bench: ready$"))
        self.qmp.command("stop")

    def close(self):
        if self.qemu:
            self.qemu.kill()
            self.qemu.wait()
            self.qemu.stdin.close()
            self.qemu.stdout.close()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def trouble(self, what):
        with open(f"{self.folder.name}/stderr", encoding="utf-8",
                  errors="replace") as errors:
            said = errors.read()
        return RuntimeError(f"{self.name}: {what}\n" +
                            "\n".join(self.lines[-20:]) + said)

    def wait_for(self, pattern):
        """The match of the next line that does."""
        deadline = time.monotonic() + PATIENCE
        while True:
            while b"\n" in self.text:
                line, self.text = self.text.split(b"\n", 1)
                line = line.decode(errors="replace").rstrip("\r")
                self.lines.append(line)
                said = level_and_text(line)[1]
                if "guest: verdict: FAIL" in said:
                    raise self.trouble("the guest gives up")
                found = pattern.search(said)
                if found:
                    return found
            if time.monotonic() > deadline:
                raise self.trouble(f"nothing like {pattern.pattern!r} was said in "
                                   f"{PATIENCE} s")
            if not select.select([self.qemu.stdout], [], [], SILENCE)[0]:
                self.qmp.command("query-status")    # boot.py says why
                continue
            data = os.read(self.qemu.stdout.fileno(), 65536)
            if not data:
                raise self.trouble("QEMU has ended")
            self.text += data

    def order(self, *words):
        """Have it done, alone: an Answer."""
        self.qmp.command("cont")
        before = self.processor_ns()
        self.qemu.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        self.qemu.stdin.flush()
        ns, done = self.wait_for(ANSWER).groups()
        spent = self.processor_ns() - before
        self.qmp.command("stop")
        return Answer(int(ns), int(done), spent)

    def processor_ns(self):
        """Of all its threads. The first number of schedstat: sched(5), on the CPU."""
        total = 0
        tasks = f"/proc/{self.qemu.pid}/task"
        for thread in os.listdir(tasks):
            with open(f"{tasks}/{thread}/schedstat", encoding="utf-8") as file:
                total += int(file.read().split()[0])
        return total

    def counters(self):
        """Our SMMU's."""
        return self.qmp.command("qom-get", path="/machine/smmu", property="counters")

    def domains(self):
        """The types of the devices' domains, if init's "domains" was among the items."""
        found = (DOMAIN.search(line) for line in self.lines)
        return {one[1] for one in found if one}

    def boot_seconds(self):
        """From the kernel's start to init's, by the kernel's clock."""
        for line in self.lines:
            found = STARTED.search(line)
            if found:
                return float(found[1])
        raise self.trouble("the kernel does not say when it runs init")
