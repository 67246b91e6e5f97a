"""The memory of a guest as QEMU's dump-guest-memory -p writes it: an ELF core, which scripts/run --core FILE leaves of a
machine that panicked or stood still, and scripts/debug --core FILE opens. ELF: System V ABI, chapters 4 and 5."""
import mmap
import os
import struct
import threading

import qemu
from monitor import Monitor
from qemu import Failure

CORE, I386, LOAD, WRITABLE = 4, 3, 1, 2


def headers(data):
    """(type, machine, [(flags, physical address, offset, size) of what is loaded]) of an ELF file of either class; None: it
    is not one. QEMU's cores of 32-bit PCs are of the class for 64 bits, because the firmware's memory ends at 4 GiB."""
    if data[:4] != b'\x7fELF' or len(data) < 64:
        return None
    kind, machine = struct.unpack_from('<HH', data, 16)
    wide = data[4] == 2
    start = struct.unpack_from('<Q' if wide else '<I', data, 32 if wide else 28)[0]
    size, count = struct.unpack_from('<HH', data, 54 if wide else 42)
    loads = []
    for at in range(start, start + size * count, size):
        if at + size > len(data):
            return None
        if wide:
            what, flags, offset, _, physical, length = struct.unpack_from('<IIQQQQ', data, at)
        else:
            what, offset, _, physical, length, _, flags = struct.unpack_from('<IIIIIII', data, at)
        if what == LOAD:
            loads.append((flags, physical, offset, length))
    return kind, machine, loads


def memory(data, loads, physical, size):
    for _, start, offset, length in loads:
        if start <= physical and physical + size <= start + length:
            at = offset + physical - start
            return data[at:at + size]
    return None


def check(path, kernel):
    """A Failure unless `path` is the memory of a machine that runs exactly this kernel: its constant parts are there."""
    try:
        with open(path, 'rb') as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise Failure(f'--core {path}: {getattr(error, "strerror", None) or "it is empty"}') from None
    found = headers(data)
    if not found or found[:2] != (CORE, I386) or not found[2]:
        raise Failure(f'--core {path}: no core of a 32-bit PC; ./scripts/run --core FILE makes one')
    if any(offset + size > len(data) for _, _, offset, size in found[2]):
        raise Failure(f'--core {path}: it is cut: its headers tell of more than its {len(data)} bytes')
    with open(kernel, 'rb') as file:
        ours = file.read()
    stays = False  # what is before the kernel's first variables is for the boot: its memory is used again
    for flags, physical, offset, size in headers(ours)[2]:
        stays = stays or flags & WRITABLE
        if stays and not flags & WRITABLE and memory(data, found[2], physical, size) != ours[offset:offset + size]:
            raise Failure(f'--core {path}: of another build of the kernel than {os.path.relpath(kernel)}, '
                          'whose names would lie about it')


class Keeper:
    """Of a run of a command: writes the guest's memory into a file when the kernel has panicked, or the time is up."""

    def __init__(self, path, scratch, link):
        self.path, self.link = os.path.abspath(path), link
        self.socket = scratch.file('monitor')
        # At its end the machine pauses, and is asked whether it ended well.
        self.arguments = ['-no-shutdown', '-monitor', f'unix:{qemu.option_value(self.socket)},server=on,wait=off']
        self.turn, self.over = threading.Lock(), threading.Event()
        self.monitor = self.failure = None

    def serve(self, process, deadline):
        """The link, as ever."""
        watcher = threading.Thread(target=self._watch, args=(process,), daemon=True)
        watcher.start()
        try:
            self.link.serve(process, deadline)
        except TimeoutError:
            with self.turn:
                if self.monitor:  # else QEMU has hardly begun
                    self._keep()
            raise
        finally:
            self.over.set()
            watcher.join()
        if self.failure:
            raise self.failure

    def _watch(self, process):
        try:
            while not os.path.exists(self.socket) and process.poll() is None:
                self.over.wait(0.05)
            self.monitor = Monitor(self.socket)
            while not self.over.wait(0.1):
                with self.turn:
                    if 'shutdown' not in self.monitor.tell('info status'):
                        continue
                    self.over.wait(0.5)  # what it said last is on its way to us
                    if self.link.status is None:
                        self._keep()
                    self.monitor.tell('quit')
        except Failure as failure:
            self.failure = failure
            process.terminate()
        except OSError:
            pass  # QEMU has ended

    def _keep(self):
        name = self.path.replace('\\', '\\\\').replace('"', '\\"')
        if os.path.exists(self.path):
            os.remove(self.path)  # it leaves files that only their owner reads, and writes over none
        said = self.monitor.tell(f'dump-guest-memory -p "{name}"').strip().splitlines()
        if not os.path.exists(self.path):
            raise Failure(f'--core: QEMU cannot write {self.path}: {said[-2].strip()}')
        os.chmod(self.path, 0o644)
