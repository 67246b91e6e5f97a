"""A terminal for the guest's first serial port, behind a socket or FIFOs of QEMU's."""
import os
import select
import socket
import sys
import time

LEAVE = b'\x1d'  # ^]


def connect(path, seconds=5.0):
    """QEMU makes the socket a moment after it starts."""
    until = time.monotonic() + seconds
    while True:
        wire = socket.socket(socket.AF_UNIX)
        try:
            wire.connect(path)
            return wire
        except OSError:
            wire.close()
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


def attach(source, sink, careful=False):
    """Until the guest is gone, or ^] is typed: our terminal (or pipe) is the guest's, whose output
    comes from the descriptor `source` and whose input goes to `sink`. Careful: some bytes at a time;
    and if we are fed from a file, only when the guest, once it said something, has gone quiet."""
    saved = None
    burst = 8 if careful else 4096
    pause, ready_at = 0.04, 0.0
    if os.isatty(0):
        import termios
        import tty
        saved = termios.tcgetattr(0)
        tty.setraw(0)
    elif careful:
        pause, ready_at = 0.4, float('inf')
    sources, pending = [0, source], b''
    try:
        while True:
            wait = None
            if pending and ready_at < float('inf'):
                wait = max(0.0, ready_at - time.monotonic())
            ready, _, _ = select.select(sources, [], [], wait)
            if source in ready:
                data = os.read(source, 4096)
                if not data:
                    break
                os.write(1, data)
                if saved is None and careful:
                    ready_at = time.monotonic() + pause
            if 0 in ready:
                data = os.read(0, 4096)
                if saved is not None and LEAVE in data:
                    break
                if not data:
                    sources.remove(0)
                pending += data
            if pending and time.monotonic() >= ready_at:
                pending = pending[os.write(sink, pending[:burst]):]
                ready_at = time.monotonic() + pause
    except (ConnectionResetError, BrokenPipeError):
        pass
    finally:
        if saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
            sys.stdout.write('\r\n')
