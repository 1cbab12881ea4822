# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of QEMU's control protocol: commands, and the events that came meanwhile.

Not the questions, nor words for who asks. Called by tools/sva-tables and by tests/guest.
"""

import json
import socket


class QmpError(OSError):
    """QEMU answers, with an error: its own words."""


class Qmp:
    """One connection. OSError: nobody is there, or nobody who answers, or QmpError."""

    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.data = b''
        self.events = []
        try:
            self.socket.connect(path)
            while 'QMP' not in (message := self._message()):
                # An event may come before the greeting
                if 'event' not in message:
                    raise OSError('who answers is no QEMU')
            self.command('qmp_capabilities')
        except OSError:
            self.socket.close()
            raise

    def _message(self):
        while b'\n' not in self.data:
            more = self.socket.recv(65536)
            if not more:
                raise OSError('QEMU closed its control socket')
            self.data += more
        line, self.data = self.data.split(b'\n', 1)
        try:
            message = json.loads(line)
        except ValueError as error:
            raise OSError(f'what it says is no JSON: {error}') from error
        if not isinstance(message, dict):
            raise OSError('who answers is no QEMU')
        return message

    def command(self, name, **arguments):
        """The command's result."""
        self.socket.sendall(json.dumps(
            {'execute': name, 'arguments': arguments}).encode() + b'\n')
        while True:
            message = self._message()
            if 'event' in message:
                self.events.append(message['event'])
            elif 'error' in message:
                raise QmpError(message['error'].get('desc', 'QMP error'))
            elif 'return' in message:
                return message['return']

    def read_events(self):
        """Take what is there."""
        more = self.socket.recv(65536)
        if not more:
            self.events.append('GONE')
        self.data += more

    def all_events(self):
        """So far, those too that came behind the answer to a command."""
        while b'\n' in self.data:
            message = self._message()
            if 'event' in message:
                self.events.append(message['event'])
        return self.events
