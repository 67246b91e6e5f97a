"""A person at the guest's serial terminal, for the tests: scripts/run in a pseudo-terminal, what it
prints waited for, and keys typed. Nothing here waits for a time; a time-out is a failure."""
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("ORRERY_BUILD", "build")
PATIENCE = 60  # seconds for any one answer
PROMPT = r"^root@orrery:[^\n]*[#$] $"
ESCAPES = r"\x1b\[[0-9;?]*[A-Za-z]"


class Terminal:
    def __init__(self, *options, columns=91, lines=27):
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(ours, (lines, columns))
        self.descriptor = ours
        self.text = ""  # printed, and not yet matched
        self.all = ""
        command = [ROOT / "scripts" / "run", *options]
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs,
                                        env={**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": ""},
                                        start_new_session=True)
        os.close(theirs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait()
        os.close(self.descriptor)

    def read(self, until):
        """Takes what comes next. False if nothing will come any more."""
        ready, _, _ = select.select([self.descriptor], [], [], max(0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.descriptor, 65536)
        except OSError:  # the other side is closed
            data = b""
        text = data.decode(errors="replace").replace("\r", "")
        self.text = re.sub(ESCAPES, "", self.text + text)
        self.all += text
        return bool(data)

    def expect(self, pattern, what=None):
        """Waits until the pattern has been printed; returns the match, and forgets up to its end."""
        until = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern, self.text, re.M)
            if found:
                self.text = self.text[found.end():]
                return found
            if not self.read(until):
                fail(f"waited for {what or pattern!r}", self.all)

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def command(self, line, pattern):
        """Types the line, expects the pattern after its echo, and then the prompt."""
        self.type(line + "\n")
        self.expect(re.escape(line) + "\n", "the echo of " + line)
        found = self.expect(pattern)
        self.expect(PROMPT, "the prompt")
        return found

    def monitor(self, line):
        """A command for QEMU's monitor; C-a c has been typed."""
        self.type(line + "\n")
        self.expect(r"\(qemu\) $", "the monitor's prompt")

    def screen(self):
        """What the card shows, read from its memory through QEMU's monitor."""
        file = BUILD / f"screen.{os.getpid()}"
        self.monitor(f'pmemsave 0xb8000 4000 "{file}"')
        cells = file.read_bytes()
        file.unlink()
        return cells[::2].decode("cp437")

    def expect_screen(self, text):
        until = time.monotonic() + PATIENCE
        while text not in (shown := self.screen()):
            if time.monotonic() > until:
                fail(f"waited for {text!r} on the screen, which shows:\n{shown}", self.all)

    def end(self):
        """Waits for the machine's end; the status of scripts/run."""
        until = time.monotonic() + PATIENCE
        while self.read(until):
            pass
        try:
            return self.process.wait(max(1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            fail("the machine does not end", self.all)


def fail(what, text=""):
    print(f"FAIL: {what}\nthe terminal so far:\n{text[-3000:]}")
    sys.exit(1)


def check(what, condition, terminal):
    if not condition:
        fail(what, terminal.all)
