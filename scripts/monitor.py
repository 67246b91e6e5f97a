"""QEMU's monitor, on a socket of its own beside the debugger's."""
import re
import time

import console

SEEK_SECONDS = 60


class Monitor:
    """QEMU's, in a replay: jumps through the debugger's own connection are not reliable, through this they are."""

    def __init__(self, path):
        self.wire = console.connect(path)
        self.wire.settimeout(60)
        self.answer()

    def answer(self):
        said = b''
        while not said.endswith(b'(qemu) '):
            data = self.wire.recv(4096)
            if not data:
                raise OSError('QEMU has ended')
            said += data
        return said.decode(errors='replace')

    def tell(self, command):
        self.wire.sendall(command.encode() + b'\n')
        return self.answer()

    def seek(self, count):
        """To an instruction of the recorded run. False: it does not get there in time."""
        self.tell(f'replay_seek {count}')
        until = time.monotonic() + SEEK_SECONDS
        while time.monotonic() < until:
            if 'paused' in self.tell('info status'):
                return True
            time.sleep(0.02)
        return False

    def snapshots(self):
        """(instruction, seconds of the machine's clock) of each."""
        found = re.findall(r'(\d+):(\d\d):(\d\d\.\d+)\s+(\d+)\s*$', self.tell('info snapshots'), re.M)
        return sorted((int(count), int(h) * 3600 + int(m) * 60 + float(s)) for h, m, s, count in found)
