# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of QEMU with a guest: starts it, watches its console, asks for counters.

Judges nothing: that is verdicts.py. Called by run.
"""

import json
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import time

from tracing import TRACED, trace_options

# Who imports this need not know what it needs.
sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tools'))
# pylint: disable=wrong-import-position
from sva_tables.qmp import Qmp      # noqa: E402

# Seconds. QEMU's main loop may sleep on though a timer is due, and with it a guest
# that waits for the timer, until somebody speaks to QEMU (docs/limits.rst, "A main
# loop that sleeps on"). So a guest that was silent for so long is asked after; one
# that goes on at once is counted.
SILENCE = 5
AT_ONCE = 0.2

# What Linux, and init after it, put before a line.
STAMP = re.compile(r'^\[ *\d+\.\d+\](\[[ TC\d]+\])? ?')
# What the guest puts before a line of a guest of its own; a name is in it.
LEVEL = re.compile(r'^vm (\w+)\| ?')


def level_and_text(line):
    """Whose line it is (a VM's name; the guest's own: '') and what it says."""
    text = STAMP.sub('', line)
    level = LEVEL.match(text)
    if not level:
        return '', text
    return level[1], STAMP.sub('', text[level.end():])


def connect(path, deadline, alive):
    """QEMU's control protocol, which it may not serve yet."""
    while True:
        try:
            return Qmp(path, 20)
        except OSError:
            if time.monotonic() > deadline or not alive():
                raise
            time.sleep(0.02)


def modules_of(kernel):
    """The archive with a kernel's modules; the user's own kernel has none."""
    return f'{os.path.dirname(kernel)}/modules.cpio.gz'


def selftests_of(kernel):
    """The archive with the tests of vfio from a kernel's source, if it has them."""
    return f'{os.path.dirname(kernel)}/selftests.cpio.gz'


def vmm_disk_of(kernel):
    """The disk with what a guest needs to have guests; it is for any kernel."""
    return f'{os.path.dirname(os.path.dirname(kernel))}/vmm.ext4'


def read_only_disk(name, path):
    return ['-blockdev', f'driver=file,node-name={name},filename={path},read-only=on',
            '-device', f'virtio-blk-pci,drive={name},serial={name}']


def has_kvm(kernel):
    """Whether its Image has what KVM says of a processor without EL2."""
    with open(kernel, 'rb') as f:
        return b'HYP mode not available' in f.read()


def page_bytes_of(kernel):
    """The size of a kernel's pages, from its header (Linux Documentation/arch/arm64/booting.rst)."""
    with open(kernel, 'rb') as f:
        header = f.read(64)
    if header[56:60] != b'ARM\x64':
        return 4096
    code = int.from_bytes(header[24:32], 'little') >> 1 & 3
    return {2: 16384, 3: 65536}.get(code, 4096)


def options_for(page_bytes):
    """
    What a kernel with such pages needs of the machine: with those of 64 KiB its
    processes may have addresses of 52 bits, and Linux then offers SVA only where
    the SMMU has them too.
    """
    return ['-global', 'smmuv3-sva.vax=1'] if page_bytes == 65536 else []


class Boot:
    """One run of QEMU: its console's lines, its counters, how it ended."""

    def __init__(self, scenario, items, options, directory):
        self.scenario = scenario
        self.options = options
        self.directory = directory
        self.lines = []             # (host seconds since the start, text)
        self.counters = None
        self.reports = []           # of the SMMU's auditor
        self.ended = None           # None: by itself; otherwise what happened
        self.qemu_errors = ''
        self.start = self.deadline = self.seconds = 0
        self.console = 'ttyS0' if options.x86 else 'ttyAMA0'
        self.page_bytes = page_bytes_of(options.kernel)
        self.wakings = 0            # went on when QEMU was spoken to
        self.rest = b''             # of a line: the next QEMU may have its end
        self.heard = 0              # of the lines, for what they ask
        self.kept = None            # a state to go back to, as a URI
        self.went_back = False
        self.on_line = None         # called with each line, less its time
        self.command = self._command(items)

    def _fill_in(self, text):
        return text.replace('{dir}', self.directory).replace(
            '{latency_ns}', str(self.scenario.latency_ns))

    def _command(self, items):
        s = self.scenario
        append = ' '.join(filter(None, [
            f'console={self.console} loglevel=7 printk.devkmsg=on panic=-1',
            s.append, *(word for vm in s.vms for word in vm.words(self.options.patience)),
            'sva.run=' + ','.join(items)]))
        initrd = self._initrd()
        command = [
            self.options.qemu, '-M', s.machine, '-cpu', s.cpu,
            '-smp', str(s.smp), '-m', s.memory,
            '-nodefaults', '-display', 'none', '-nic', 'none',
            '-serial', 'stdio',
            '-qmp', f'unix:{self.directory}/qmp,server=on,wait=off',
            # The machine stays after the guest's power-off: its counters
            # are wanted.
            '-action', 'shutdown=pause' if s.reboots
            else 'reboot=shutdown,shutdown=pause',
            '-d', 'guest_errors', '-D', f'{self.directory}/qemu.log',
            '-kernel', self.options.kernel, '-initrd', initrd,
            '-append', append]
        if self.options.trace:
            command += trace_options(self.directory)
        if self.options.x86:
            command += ['-L', self.options.firmware]
        elif s.firmware:
            command += ['-bios', self.options.firmware]
        disks = []
        if s.vms:
            for name, path in (('vmm', vmm_disk_of(self.options.kernel)),
                               ('kernel', self.options.kernel), ('initrd', initrd)):
                disks += read_only_disk(name, path)
        # Disks last: what the scenario's devices are called does not depend on them.
        audit = ['-global', 'smmuv3-sva.audit=on'] if self.options.audit and s.counters else []
        for argument in options_for(self.page_bytes) + audit + s.arguments + s.devices + disks:
            command.append(self._fill_in(argument))
        return command

    def _initrd(self):
        """The initramfs, with what else of the kernel's is wanted after it."""
        more = [archive(self.options.kernel) for archive, wanted in (
            (modules_of, self.scenario.modules),
            (selftests_of, self.scenario.selftests)) if wanted]
        more = [name for name in more if os.path.exists(name)]
        if not more:
            return self.options.initramfs
        initrd = f'{self.directory}/initrd'
        with open(initrd, 'wb') as out:
            for name in [self.options.initramfs] + more:
                with open(name, 'rb') as archive:
                    shutil.copyfileobj(archive, out)
        return initrd

    def run(self):
        """Returns when the guest has powered off, or has been ended."""
        for argument in self.command:
            image = re.search(r'filename=(\S+\.img)', argument)
            if image:
                with open(image[1], 'wb') as f:
                    f.truncate(64 << 20)
        self.start = time.monotonic()
        self.deadline = self.start + self.scenario.timeout * self.options.patience
        with open(f'{self.directory}/stderr', 'w+b') as errors:
            moved = self._run_qemu(self.command, errors)
            while moved:
                moved = self._run_qemu(self.command + ['-incoming', moved], errors)
            errors.seek(0)
            self.qemu_errors = errors.read().decode(errors='replace')
        self.seconds = time.monotonic() - self.start

    def _run_qemu(self, command, errors):
        """One QEMU process; where the guest's state is if it is to move on."""
        moved = None
        try:
            qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=errors)
        except OSError as error:
            self.ended = f'QEMU cannot be run: {error}'
            return None
        with qemu:
            try:
                moved = self._watch(qemu)
            except OSError as error:
                self.ended = self.ended or f'QEMU: {error}'
            finally:
                if qemu.poll() is None:
                    qemu.kill()
                status = qemu.wait()
        if status and self.ended is None:
            self.ended = f'QEMU ended with status {status}'
        elif status not in (0, -signal.SIGKILL):
            self.ended += f' (QEMU ended with status {status})'
        return moved

    def _line(self, text):
        self.lines.append((time.monotonic() - self.start, text))
        if self.on_line:
            self.on_line(STAMP.sub('', text))
        if self.options.verbose:
            print('# ' + text, flush=True)

    def _watch(self, qemu):
        """
        Until the guest's end; or until it asks to be moved to another QEMU, or
        back to where it was: returns where to load it from.
        """
        selector = selectors.DefaultSelector()
        selector.register(qemu.stdout, selectors.EVENT_READ)

        def read_console():
            data = os.read(qemu.stdout.fileno(), 65536)
            *lines, self.rest = (self.rest + data).split(b'\n')
            for line in lines:
                self._line(line.decode(errors='replace').rstrip('\r'))
            return bool(data)

        def drain_console():
            while any(key.fileobj is qemu.stdout and read_console()
                      for key, _ in selector.select(0.05)):
                pass

        def end_console():
            drain_console()
            if self.rest:
                self._line(self.rest.decode(errors='replace'))
                self.rest = b''

        try:
            qmp = connect(f'{self.directory}/qmp', min(self.deadline, time.monotonic() + 20),
                          lambda: qemu.poll() is None)
        except OSError as error:
            self.ended = f'QEMU did not start: {error}'
            return None
        selector.register(qmp.socket, selectors.EVENT_READ)
        self._go_on(qmp)
        while True:
            asked = self._asked()
            if 'guest: keep me' in asked and not self.kept:
                qmp.command('stop')     # or it goes on while it is written
                self.kept = self._save(qmp)
                qmp.command('cont')
            back = 'guest: go back' in asked and not self.went_back
            if back or 'guest: move me' in asked:
                moved = self.kept if back else self._save(qmp)
                # While it is written it goes on, and may ask for more: of the next QEMU.
                drain_console()
                if back:
                    self.went_back = True
                    end_console()
                    self.heard = len(self.lines)
                self._quit(qmp, qemu)
                return moved
            if 'guest: plug' in asked:
                for device in self.scenario.plugs:
                    qmp.command('device_add', **device)
            for line in asked:
                if line.startswith('guest: compare '):
                    self._compare(qmp, *line.split()[2:])
            left = self.deadline - time.monotonic()
            if left <= 0:
                self.ended = (f'the guest did not power off within '
                              f'{self.scenario.timeout * self.options.patience:g} s')
                break
            ready = selector.select(min(left, SILENCE))
            if not ready:
                qmp.command('query-status')
                ready = selector.select(AT_ONCE)
                self.wakings += bool(ready)
            for key, _ in ready:
                if key.fileobj is not qemu.stdout:
                    qmp.read_events()
                elif not read_console():
                    self.ended = self.ended or 'QEMU ended'
                    return None
            if {'SHUTDOWN', 'GONE'} & set(qmp.all_events()):
                break
        end_console()
        if self.scenario.counters:
            self._ask_for_counters(qmp)
        self._quit(qmp, qemu)
        return None

    def _compare(self, qmp, name, sid, ssid):
        """
        A process asks whether its device sees what it sees. The verdict is of the
        process's name; a port that is plugged tells it that it is given. One that
        runs is to be found on a vCPU; a moment in which it is in none is not its.
        """
        answer = self._answer(qmp, sid, ssid)
        while name == 'runs' and not answer.get('current') and \
                time.monotonic() < self.deadline:
            time.sleep(0.02)
            answer = self._answer(qmp, sid, ssid)
        with open(f'{self.directory}/compare-{name}.json', 'w', encoding='utf-8') as out:
            json.dump(answer, out, indent=1)
        # All its memory: what the program has made present, and more.
        ok = answer['identical'] and int(answer['mapped-bytes'], 16) > 8 << 20 and \
            (name != 'runs' or answer['current'])
        self._line(f'guest: verdict: {"PASS" if ok else "FAIL"} compare-{name} '
                   f'{answer["mapped-bytes"]} bytes of vCPU {answer.get("vcpu")}, '
                   f'current {answer.get("current")}: '
                   f'{answer.get("error") or answer["ranges"][:2]}')
        qmp.command('device_add', driver='virtserialport', bus='compared.0', id=f'c-{name}')

    @staticmethod
    def _answer(qmp, sid, ssid):
        """What smmuv3-sva-compare says, of one moment."""
        qmp.command('stop')
        qmp.command('device_add', driver='smmuv3-sva-compare', id='compare', sid=sid,
                    ssid=int(ssid, 16))
        try:
            return qmp.command('qom-get', path='/machine/peripheral/compare',
                               property='answer')
        except OSError as error:
            return {'identical': False, 'mapped-bytes': '0', 'error': str(error)}
        finally:
            qmp.command('device_del', id='compare')
            qmp.command('cont')

    def _asked(self):
        """What was said since this was last called, by a guest of the guest, too."""
        new = self.lines[self.heard:]
        self.heard = len(self.lines)
        return [level_and_text(text)[1] for _, text in new]

    @staticmethod
    def _go_on(qmp):
        """A state that was kept is one of a machine that stood still."""
        while (status := qmp.command('query-status')['status']) == 'inmigrate':
            time.sleep(0.02)
        if status == 'paused':
            qmp.command('cont')

    def _ask_for_counters(self, qmp):
        try:
            self.counters = qmp.command('qom-get', path='/machine/smmu',
                                        property='counters')
            self.counters['inject_counts'] = qmp.command(
                'qom-get', path='/machine/smmu', property='inject-counts')
            self.counters['inject_drops'] = qmp.command(
                'qom-get', path='/machine/smmu', property='inject-drops')
            self.reports = qmp.command('qom-get', path='/machine/smmu',
                                       property='audit-reports')
        except OSError as error:
            self.counters = {}
            if not self.ended:
                self.ended = f'no counters of the SMMU: {error}'

    def _save(self, qmp):
        """Write the guest's state to a file, which stops it; its URI."""
        uri = f'file:{self.directory}/state-{len(self.lines)}'
        qmp.command('migrate', uri=uri)
        while True:
            info = qmp.command('query-migrate')
            if info['status'] == 'completed':
                return uri
            if info['status'] in ('failed', 'cancelled'):
                raise OSError('migration: ' + info.get('error-desc', info['status']))
            time.sleep(0.02)

    def _quit(self, qmp, qemu):
        qmp.command('quit')
        try:
            qemu.wait(10)
        except subprocess.TimeoutExpired:
            self.ended = self.ended or 'QEMU does not quit'

    def qemu_log(self):
        """What QEMU said, but for trace events."""
        try:
            with open(f'{self.directory}/qemu.log', encoding='utf-8',
                      errors='replace') as f:
                return [line for line in f.read().splitlines() if not TRACED.match(line)]
        except FileNotFoundError:
            return []
