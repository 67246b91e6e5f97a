#!/usr/bin/env python3
"""The ISO boots from UEFI of 64 and 32 bits, with all processors, and powers off; the console is drawn on the
framebuffer, with the characters, colours and cursor that the text mode would show: in 24 bits a pixel as
UEFI has it, and in 32, twice as large, as a BIOS can be asked for.

timeout: 400
"""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from screenshot import Screenshot
from terminal import BUILD, PATIENCE, PROMPT, ROOT, Terminal, check, fail

PARTS = (r"A='\033[2J\033[H\033[31mred\033[0m '", r"B='\033[1;44mbold\033[0m \033[7mreverse\033[0m'",
         r"C='\342\224\214\342\224\200\342\224\220'", r"D='\316\243\317\200\342\211\244'")  # in UTF-8: ┌─┐, Σπ≤
PICTURE = r'seq 500; printf "$A$B\r\n$C $D\r\n"'


def run(*options, **more):
    done = subprocess.run([ROOT / "scripts/run", "--timeout", "120", *options], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False, **more)
    log = (BUILD / "run.log").read_text(errors="replace")
    if done.returncode or done.stderr:
        fail(f"{options}: status {done.returncode}, {done.stdout} {done.stderr}", log)
    return done.stdout, log


def shown(terminal, text):
    """The first picture in which the text is."""
    file = BUILD / f"screen.{os.getpid()}.ppm"
    until = time.monotonic() + PATIENCE
    while True:
        terminal.monitor(f'screendump "{file}"')
        picture = Screenshot(file)
        file.unlink()
        if picture.find(text):
            return picture
        if time.monotonic() > until:
            fail(f"waited for {text!r} on the screen, which shows:\n" + "\n".join(picture.lines()), terminal.all)


def check_screen(size, bits, *options):
    with Terminal(*options) as t:
        t.expect(PROMPT, "the prompt")
        t.command("dmesg | grep framebuffer:", f"framebuffer: {size}, {bits} bits")
        # Scrolls, then clears: what was drawn before must be gone.
        for part in PARTS:
            t.command(part, "")
        t.command(PICTURE, "reverse")
        t.type("\x01c")
        # The shell's question for the cursor (ESC [ 6 n) may be cut in two by the monitor's prompt.
        t.expect(r"\(qemu\) n?$", "the monitor")
        picture = shown(t, "root@orrery:~#")
        lines = picture.lines()
        check(f"the first line is not as it should be: {lines}", lines[0] == "red bold reverse", t)
        check(f"frames and Greek letters: {lines}", lines[1] == "┌─┐ Σπ≤", t)
        check(f"the rest is the prompt: {lines}", lines[2].startswith("root@orrery:") and not any(lines[3:]), t)
        check("each cell is a character of the font", not any("\ufffd" in line for line in lines), t)
        colours = [picture.cells[0][column][1:3] for column in (0, 4, 9)]
        check(f"red on black, bright on blue, black on grey: {colours}", colours == [(4, 0), (15, 1), (0, 7)], t)
        check(f"one cursor, behind the prompt: {picture.cursor}", picture.cursor == [(2, len(lines[2]) + 1)], t)
        t.type("quit\n")


def iso_in_colours(work, mode):
    """An ISO whose GRUB asks the BIOS for pixels."""
    shutil.copytree(BUILD / "iso", work / "iso")
    config = work / "iso/boot/grub/grub.cfg"
    text = config.read_text()
    assert "gfxpayload=text" in text
    config.write_text(text.replace("set gfxpayload=text", f"insmod all_video; set gfxpayload={mode}"))
    subprocess.run([ROOT / "scripts/mkiso", work / "pixels.iso", work / "iso"], check=True)
    return work / "pixels.iso"


answer, log = run("--uefi", "--smp", "2", "--exec", "nproc; wc -l </etc/passwd; dmesg | grep -c framebuffer:")
if answer.split()[0] != "2" or "apic: 2 processors, 1 I/O APICs" not in log or "looking" in log:
    fail(f"two processors from UEFI: {answer}", log)
if "incomplete" in log or "stays on" in log:
    fail("the loader's information, or power-off", log)
if os.path.exists("/usr/share/OVMF/OVMF32_VARS_4M.fd") and os.path.isdir("/usr/lib/grub/i386-efi"):
    answer, log = run("--uefi", "32", "--exec", "grep -c hda /proc/partitions")
    if answer != "1\n" or "by GRUB" not in log:
        fail(f"UEFI of 32 bits: {answer}", log)
check_screen("800x600", 24, "--uefi")
with tempfile.TemporaryDirectory(prefix="orrery") as folder:
    os.environ["ORRERY_ISO"] = str(iso_in_colours(pathlib.Path(folder), "1280x1024x32"))
    check_screen("1280x1024", 32, "--iso")
print("all as expected")
