#!/usr/bin/env python3
"""What operations cost, in instructions: nothing costs more than it does on Linux 6.1, by its figures with the same program on
the same emulated machine; and docs/costs.md tells what is measured, so that no row gets worse unnoticed. How long a run takes
is only printed. --write puts what is measured into the pages.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUN = ROOT / "scripts/run"
PAGES = [ROOT / "docs" / name for name in ("costs.md", "costs.zh.md")]
COMPILER = "12"  # of the pages' figures; another one makes other code
WORSE, BETTER = 1.03, 0.9  # a page's figure may be off by so much,
WORSE_ON_DISK = 1.1  # and where the image's free space counts
DEARER = {"time", "clock-real", "clock-mono", "gettimeofday", "fault-read", "proc-status", "poll-1000"}  # than on Linux
LINUX = {"null": 351, "read-zero": 738, "write-null": 643, "read-cached": 1717, "open-close": 6630,
         "yield": 1007, "fork": 105800, "fork-64m": 5961700,
         "exec": 281700, "execve": 444400, "ping-pong": 14930, "pipe-4k": 11560,
         "futex": 8290, "semaphore": 2630, "semaphores": 12400, "message": 3150, "messages": 12860, "thread": 51470,
         "unix-ping-pong": 24170, "unix-4k": 16810,
         "pty": 29140, "traced": 26090, "inotify": 4660,
         "fault-zero": 3869, "fault-cow": 4667, "mmap": 11620, "mmap-1m": 1247700, "signal": 4712, "create": 82900,
         "unlink": 28490, "write-64k": 233800, "read-64k": 24250, "read-64k-disk": 88650}
MAY_SKIP = {"create", "unlink", "write-64k", "read-64k-disk"}  # while the disk is read-only


def run(*options):
    started = time.monotonic()
    done = subprocess.run([RUN, "--timeout", "100", *options], stdin=subprocess.DEVNULL,
                          capture_output=True)
    if done.returncode or done.stderr:
        sys.exit(f"FAIL: {options}: status {done.returncode}\n{done.stderr.decode()}")
    return done.stdout, time.monotonic() - started


version = subprocess.run(["i686-linux-gnu-g++", "-dumpversion"], capture_output=True, text=True).stdout.strip()


def is_dearer(name, cost, limit):
    """Than on Linux. Most of what execve takes is the C library's start, which is another one beside another compiler."""
    return cost >= limit and not ("exec" in name and version != COMPILER)


faults = []
output, _ = run("--icount", "0", "--mem", "256", "--exec", "bench --json")
rows = {row["name"]: row for row in json.loads(output)["rows"]}
for name, limit in LINUX.items():
    row = rows.get(name, {"skipped": "no such row"})
    if "skipped" in row:
        if name not in MAY_SKIP:
            faults.append(f"{name}: {row['skipped']}")
        continue
    cost = row["instructions"]
    print(f"{name:14} {cost:8} of {limit:8}  {cost / limit:4.0%}")
    if is_dearer(name, cost, limit):
        faults.append(f"{name}: {cost} instructions, Linux takes {limit}")


output, _ = run("--icount", "0", "--mem", "256", "--exec", "bench-calls --json")
more = {row["name"]: row for row in json.loads(output)["rows"]}
linux_more = dict(line.split()[:2] for line in (ROOT / "scripts/references_more.txt").read_text().splitlines() if line[0] != "#")
for name, row in more.items():
    if "skipped" in row:
        faults.append(f"{name}: {row['skipped']}")
    elif is_dearer(name, row["instructions"], int(linux_more[name])) and name not in DEARER:
        faults.append(f"{name}: {row['instructions']} instructions, Linux takes {linux_more[name]}")


def told(page, head):
    """A table's figures, in the order of the rows: [(number, start, end in the text)]."""
    text = page.read_text()
    table = re.search(rf"^\| {head} \|\n((?:\|.*\n)+)", text, re.M)
    return text, [(int(found[1].replace(",", "")), *found.span(1))
                  for found in (re.compile(r"\|[^|]*\| \D*?([\d,]+) \|").match(text, line.start() + table.start(1))
                                for line in re.finditer(r"^.+$", table[1], re.M))]


if version != COMPILER:
    print(f"the figures of the pages are not compared: they are of GCC {COMPILER}, this is {version}")
for page, head, measured, most in [(page, *table) for page in PAGES if version == COMPILER
                                   for table in ((r"--- \| --- \| ---", rows, WORSE), (r"--- \| ---: \| ---: \| ---:", more, WORSE_ON_DISK))]:
    text, figures = told(page, head)
    if len(figures) != len(measured):
        faults.append(f"{page.name} has {len(figures)} rows, bench {len(measured)}")
        continue
    for row, (figure, start, end) in reversed([*zip(measured.values(), figures)]):
        cost = row.get("instructions", figure)
        worse = WORSE_ON_DISK if row["name"] in MAY_SKIP else most
        if not BETTER < cost / figure < worse:
            faults.append(f'{row["name"]}: {cost} instructions, {page.name} says {figure}: find out why, or write the new figure '
                          "there (tests/system/costs_test.py --write)")
        text = f"{text[:start]}{cost:,}{text[end:]}"
    if sys.argv[1:] == ["--write"]:
        page.write_text(text)

times = sorted(run("--exec", "true")[1] for _ in range(3))
print(f"a run of `true`: {times[0]:.2f} s, load {os.getloadavg()[0]:.1f}")
if times[0] > 10:
    faults.append(f"a run takes {times[0]:.1f} s")
print("\n".join(f"FAIL {fault}" for fault in faults) or "all as expected")
sys.exit(bool(faults))
