#!/usr/bin/env python3
"""Terminals: a changed window reaches the guest's programs, the second serial line has a shell of its own,
and so has each screen of the card, chosen by Alt and a function key."""
import os
import signal
import termios

from terminal import PROMPT, Terminal, check

WATCH = """sh -c 'trap "stty size; exit" WINCH; echo rea""dy; while :; do sleep 0.1; done'"""


def resize(terminal, lines, columns):
    termios.tcsetwinsize(terminal.descriptor, (lines, columns))
    os.kill(terminal.process.pid, signal.SIGWINCH)  # the kernel's part, for a controlling terminal


with Terminal("--terminals", "2") as first:
    first.expect(PROMPT, "the prompt")
    first.command("stty size", "^27 91\n")
    first.type(WATCH + "\n")
    first.expect("^ready\n")
    resize(first, 40, 120)
    first.expect("^40 120\n", "the new size, from a handler of SIGWINCH")
    first.expect(PROMPT)

    with Terminal("--attach", columns=100, lines=30) as second:
        second.expect("Press Enter")
        second.type("\n")
        second.expect(PROMPT, "a shell on the second line")
        second.command("tty; stty size", "^/dev/ttyS1\n30 100\n")
        second.command("echo from the other >/dev/console", "")
        first.expect("^from the other\n")
        second.type("exit\n")
        second.expect("Press Enter")
        # A program that makes the line raw has it for itself: init takes no byte, nor offers a shell.
        first.type("stty -F /dev/ttyS1 raw -echo; echo rea''dy; head -c 8 </dev/ttyS1 | od -An -c\n")
        first.expect("^ready\n")
        second.type("one\n")
        second.type("two\n")
        first.expect(r"^ +o +n +e +\\n +t +w +o +\\n\n", "all that came, by one who reads bytes")
        second.type("\x1d")
        check("^] leaves with status 0", second.end() == 0, second)
    first.command("echo still $((6*7))", "^still 42\n")
    first.type("poweroff\n")
    check("the status after poweroff is 0", first.end() == 0, first)

with Terminal() as machine:
    machine.expect(PROMPT, "the prompt")
    machine.type("\x01c")
    machine.expect(r"\(qemu\) n?$")  # n: the end of the shell's question for the cursor
    machine.expect_screen("root@orrery:~#")
    machine.monitor("sendkey alt-f2")
    machine.expect_screen("Press Enter")
    machine.monitor("sendkey ret")
    machine.expect_screen("root@orrery:~#")
    for key in "t", "t", "y", "ret":
        machine.monitor("sendkey " + key)
    machine.expect_screen("/dev/tty2")
    machine.monitor("sendkey alt-f1")
    machine.expect_screen("C-a x ends QEMU")
    check("the other screen is not shown", "/dev/tty2" not in machine.screen(), machine)
    machine.type("\x01c")
    machine.command("echo still $((6*7))", "^still 42\n")
    machine.type("poweroff\n")
    check("the status after poweroff is 0", machine.end() == 0, machine)
