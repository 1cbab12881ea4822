# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU under the qtest protocol: start it, read and write its memory.

Not a test framework: tests/qtest has that, in C. Used by the benchmarks in QEMU.
"""

import base64
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile


class Qtest:
    """One QEMU process whose guest is this program."""

    def __init__(self, binary, arguments, timeout=30):
        self.folder = tempfile.mkdtemp(prefix="sva-bench-")
        path = os.path.join(self.folder, "qtest")
        self.log = os.path.join(self.folder, "log")
        self.process = self.connection = None
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(1)
        listener.settimeout(timeout)
        self.qmp_path = os.path.join(self.folder, "qmp")
        command = [binary, "-qtest", f"unix:{path}", "-qtest-log",
                   "/dev/null", "-display", "none", "-nodefaults",
                   "-qmp", f"unix:{self.qmp_path},server=on,wait=off"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command + arguments, stdout=log,
                                            stderr=log,
                                            stdin=subprocess.DEVNULL)
        try:
            self.connection, _ = listener.accept()
        except socket.timeout:
            self.close()
            raise RuntimeError(self.complaint(command + arguments)) from None
        finally:
            listener.close()
        self.connection.settimeout(120)
        self.input = self.connection.makefile("rb")

    def complaint(self, command):
        """What QEMU said before it did not do as asked."""
        try:
            with open(self.log, encoding="utf-8", errors="replace") as log:
                text = log.read().strip()
        except OSError:
            text = ""
        return f"QEMU does not run: {' '.join(command)}\n{text}"

    def close(self):
        """End QEMU and remove what was made for it."""
        if self.connection:
            self.connection.close()
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()     # its main loop does not come by
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, line):
        """One command; its answer without the OK."""
        return self.ask_all([line])[0]

    def ask_all(self, lines):
        """Commands in one piece; their answers. Some thousand at most, for the sockets
        have to hold them."""
        try:
            self.connection.sendall(b"".join(line + b"\n" for line in lines))
        except OSError:
            pass
        return [self.answer(line) for line in lines]

    def answer(self, line):
        """The next one, to @line."""
        while True:
            try:
                answer = self.input.readline()
            except ConnectionError:
                answer = b""
            if not answer:
                raise RuntimeError("QEMU went away: " +
                                   self.complaint([line[:60].decode()]))
            if answer.startswith(b"IRQ "):
                continue
            if not answer.startswith(b"OK"):
                raise RuntimeError(f"qtest: {answer!r} to {line[:60]!r}")
            return answer[3:].strip()

    def qmp(self, command):
        """Have a command without arguments carried out; events are left out."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as monitor:
            monitor.settimeout(30)
            monitor.connect(self.qmp_path)
            answers = monitor.makefile("rb")
            answers.readline()      # the greeting
            for execute in ("qmp_capabilities", command):
                monitor.sendall(json.dumps({"execute": execute}).encode())
                answer = {}
                while "return" not in answer:
                    answer = json.loads(answers.readline())
                    if "error" in answer:
                        raise RuntimeError(f"QMP: {answer} to {execute}")

    def readl(self, addr):
        return int(self.ask(b"readl 0x%x" % addr), 0)

    def readq(self, addr):
        return int(self.ask(b"readq 0x%x" % addr), 0)

    def writel(self, addr, value):
        self.ask(b"writel 0x%x 0x%x" % (addr, value))

    def writeq(self, addr, value):
        self.ask(b"writeq 0x%x 0x%x" % (addr, value))

    def write(self, addr, data):
        """@data is a bytes-like object of any length."""
        view = memoryview(data)
        for start in range(0, len(view), 1 << 18):
            part = view[start:start + (1 << 18)]
            self.ask(b"b64write 0x%x 0x%x %s" %
                     (addr + start, len(part), base64.b64encode(part)))

    def read(self, addr, size):
        return base64.b64decode(self.ask(b"b64read 0x%x 0x%x" % (addr, size)))

    def write_words(self, addr, words):
        """64-bit little-endian words."""
        self.write(addr, struct.pack(f"<{len(words)}Q", *words))
