"""The host's end of `scripts/run --exec`: frames between the guest and our standard streams.

Guest to host: type (1 byte), length (2, little endian), payload.
    O, E  bytes for standard output, standard error
    R     wants at most so many bytes of standard input (u32)
    X     the command's exit status (1 byte); the guest powers off
    P     a panic's report, for standard error
    T     a piece of the trace, from when the guest is about to stop (kernel/trace/reader.hpp)
Host to guest, only in answer to R: length n (2; 0 at the end of input), n bytes.

The same protocol runs over two channels, and an answer takes the one its question came by: COM2,
which any kernel can drive (4 us a byte), and a virtio console, for bulk (64 KiB in 64 us).
"""
import os
import select
import stat
import time

from qemu import FAILED, Failure

CHUNK = 4096  # POLLOUT promises that much room in a pipe (PIPE_BUF)
HIGH_WATER = 1 << 20
PIPE_CAPACITY = 1 << 20
F_SETPIPE_SZ = 1031


class BrokenOutput(Exception):
    """Nobody reads our output any more."""


def frames(data):
    """The complete frames in it: (type, payload)."""
    at = 0
    while len(data) - at >= 3:
        length = data[at + 1] | data[at + 2] << 8
        if len(data) - at - 3 < length:
            break
        yield bytes(data[at:at + 1]), bytes(data[at + 3:at + 3 + length])
        at += 3 + length


class Channel:
    """A pair of FIFOs that QEMU's chardev `pipe` opens, and the frames on their way."""

    def __init__(self, scratch, name, sees_end=False):
        import fcntl
        self.path = scratch.file(name)
        for end in ('.in', '.out'):
            os.mkfifo(self.path + end)
        # Opened for both directions, so that neither side's opening or closing blocks the other. With
        # sees_end, what we read ends when QEMU does.
        self.input = os.open(self.path + '.out', (os.O_RDONLY if sees_end else os.O_RDWR) | os.O_NONBLOCK)
        self.output = os.open(self.path + '.in', os.O_RDWR | os.O_NONBLOCK)
        for end in (self.input, self.output):
            try:
                fcntl.fcntl(end, F_SETPIPE_SZ, PIPE_CAPACITY)
            except OSError:
                pass  # the user's share of pipe memory is used up; smaller works too
        self.pending = bytearray()

    def chardev(self, name):
        return ['-chardev', f'pipe,id={name},path={self.path.replace(",", ",,")}']

    def receive(self):
        """Takes what has come. True if something had."""
        try:
            data = os.read(self.input, 1 << 16)
        except BlockingIOError:
            return False
        self.pending += data
        return bool(data)

    def frames(self):
        """The complete frames received so far: (type, payload)."""
        at = 0
        for kind, payload in frames(self.pending):
            at += 3 + len(payload)
            yield kind, payload
        del self.pending[:at]

    def answer(self, data):
        os.write(self.output, len(data).to_bytes(2, 'little') + data)


class HostLink:
    """Serves the channels until the guest is done. `endless`: never let slow output hold up the
    guest, for a repeatable run must not feel the host."""

    def __init__(self, channels, endless, source=0):
        self.channels = channels
        self.source = source  # the descriptor of standard input
        self.endless = endless
        self.queue = []  # (descriptor, bytearray), in the order the guest wrote them
        self.queued = 0
        self.reader = None  # (channel, wanted) that waits for standard input
        self.status = None
        self.panicked = False
        self.trace = bytearray()
        self.dead_by = None  # once the guest is done: when to stop waiting for its power-off

    def serve(self, process, deadline):
        """Returns when QEMU has ended and all output is written."""
        ended = os.pidfd_open(process.pid)
        try:
            running = True
            while running or self.queue:
                running = self._turn(ended if running else None, deadline) and running
        finally:
            os.close(ended)
        while any([channel.receive() for channel in self.channels]):
            pass
        self._dispatch()
        while self.queue:
            self._turn(None, deadline)

    def _turn(self, ended, deadline):
        """Waits for one round of events. False once QEMU has ended."""
        poll = select.poll()
        if ended is not None:
            poll.register(ended, select.POLLIN)
            if self.endless or self.queued < HIGH_WATER:
                for channel in self.channels:
                    poll.register(channel.input, select.POLLIN)
            if self.reader and self.status is None:
                poll.register(self.source, select.POLLIN)
        if self.queue:
            poll.register(self.queue[0][0], select.POLLOUT)
        ends = [deadline, self.dead_by if ended is not None else None]
        until = min((t for t in ends if t is not None), default=None)
        left = None if until is None else max(0, until - time.monotonic())
        events = dict(poll.poll(None if left is None else left * 1000 + 1))
        if until is not None and time.monotonic() >= until:
            if until == deadline:
                raise TimeoutError
            return False  # the guest is done but doesn't power off
        if self.queue and self.queue[0][0] in events:
            self._write()
        if self.source in events and self.reader:
            self._read()
        received = [channel for channel in self.channels
                    if channel.input in events and channel.receive()]
        if received:
            self._dispatch()
        # What QEMU wrote before it ended is still in the FIFOs: serve() takes it.
        return ended not in events

    def _write(self):
        descriptor, data = self.queue[0]
        try:
            written = os.write(descriptor, data[:CHUNK])
        except BlockingIOError:
            return
        except OSError:
            raise BrokenOutput from None
        self.queued -= written
        if written == len(data):
            self.queue.pop(0)
        else:
            self.queue[0] = (descriptor, data[written:])

    def _read(self):
        channel, wanted = self.reader
        try:
            data = os.read(self.source, min(wanted, CHUNK))
        except BlockingIOError:
            return
        except OSError:
            data = b''  # a closed standard input has nothing more
        self.reader = None
        channel.answer(data)

    def _dispatch(self):
        for channel in self.channels:
            for kind, payload in channel.frames():
                self._frame(channel, kind, payload)

    def _put(self, descriptor, payload):
        """Small pieces for one descriptor are written together."""
        self.queued += len(payload)
        if self.queue and self.queue[-1][0] == descriptor and len(self.queue[-1][1]) < CHUNK:
            self.queue[-1][1].extend(payload)
        else:
            self.queue.append((descriptor, bytearray(payload)))

    def _frame(self, channel, kind, payload):
        if kind in (b'O', b'E', b'P'):
            self._put(1 if kind == b'O' else 2, payload)
        if kind == b'P':
            self.panicked = True
            self.dead_by = time.monotonic() + 2
        elif kind == b'R' and len(payload) == 4:
            self.reader = (channel, int.from_bytes(payload, 'little'))
        elif kind == b'X' and len(payload) == 1:
            self.status = payload[0]
            self.dead_by = time.monotonic() + 10
        elif kind == b'T':
            self.trace += payload
            self.dead_by = time.monotonic() + 10
        elif kind not in (b'O', b'E'):
            raise Failure(f'the guest sent a frame {bytes(kind)!r} of {len(payload)} bytes', FAILED)


def standard_input_kind():
    """'file' for a regular file with something left to read, 'null' for one without (or /dev/null,
    or none at all), else 'stream'."""
    try:
        info = os.fstat(0)
    except OSError:
        return 'null'
    if stat.S_ISREG(info.st_mode):
        return 'file' if os.lseek(0, 0, os.SEEK_CUR) < info.st_size else 'null'
    null = os.stat('/dev/null')
    return 'null' if info.st_rdev == null.st_rdev and stat.S_ISCHR(info.st_mode) else 'stream'
