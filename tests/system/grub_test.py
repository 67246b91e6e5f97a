#!/usr/bin/env python3
"""GRUB boots the ISO: to the shell on the serial line, with the disk; and to one command."""
import subprocess

from terminal import PROMPT, ROOT, Terminal, check

with Terminal("--iso") as t:
    t.expect(PROMPT, "the prompt")
    t.command("echo $((6*7)) $(uname -s)", "^42 Linux\n")
    t.command("dmesg | grep 'boot: by'", "boot: by GRUB 2.*root=/dev/hda")
    t.command("mount | head -1", "^/dev/(hda|root) on / type ext2")
    t.type("poweroff\n")
    check("the status after poweroff is 0", t.end() == 0, t)

done = subprocess.run([ROOT / "scripts/run", "--timeout", "60", "--iso", "--icount", "--exec",
                       "wc -c; head -c 4 /dev/ram0 | wc -c; exit 5"],
                      input=b"12345", capture_output=True)
print(done)
assert done.returncode == 5 and done.stdout == b"5\n4\n" and done.stderr == b""
