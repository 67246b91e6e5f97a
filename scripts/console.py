"""A terminal for one of the guest's serial ports, behind a socket or FIFOs of QEMU's. The guest is told
of our window's size as a terminal answers when it is asked (drivers/size_report.hpp)."""
import os
import select
import signal
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


def size_report():
    size = os.get_terminal_size(0)
    return b'\x1b[8;%d;%dt' % (size.lines, size.columns)


def watch_window():
    """A descriptor that becomes readable when our window's size has changed."""
    changed, told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGWINCH, lambda *_: None)
    signal.set_wakeup_fd(told)
    return changed


def attach(source, sink, careful=False, leave=LEAVE, announce=True):
    """Until the guest is gone, or `leave` is typed: our terminal (or pipe) is the guest's, whose output
    comes from the descriptor `source` and whose input goes to `sink`. Careful: some bytes at a time;
    and if we are fed from a file, only when the guest, once it said something, has gone quiet.
    `announce`: tell the size of our window now, too."""
    saved = window = None
    burst = 8 if careful else 4096
    pause, ready_at = 0.04, 0.0
    sources, pending = [0, source], b''
    if os.isatty(0):
        import termios
        import tty
        saved = termios.tcgetattr(0)
        tty.setraw(0, termios.TCSADRAIN)  # what was typed already counts
        if not careful:
            window = watch_window()
            sources.append(window)
            pending = size_report() if announce else b''
    elif careful:
        pause, ready_at = 0.4, float('inf')
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
                if saved is not None and leave and leave in data:
                    break
                if not data:
                    sources.remove(0)
                pending += data
            if window in ready:
                os.read(window, 4096)
                pending += size_report()
            if pending and time.monotonic() >= ready_at:
                pending = pending[os.write(sink, pending[:burst]):]
                ready_at = time.monotonic() + pause
    except (ConnectionResetError, BrokenPipeError):
        pass
    finally:
        if saved is not None:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)
            sys.stdout.write('\r\n')
