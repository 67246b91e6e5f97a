#!/usr/bin/env python3
"""The course note's replacement runs by a real process on the MMU: same faults, same victims in the
same order; Belady's anomaly; and every policy loses nothing and agrees with a second run."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOTE = "7 0 1 2 0 3 0 4 2 3 0 3 2 1 2 0 1 7 0 1"
BELADY = "1 2 3 4 1 2 5 1 2 3 4 5"
# policy, frames, string: (page, victim) of each fault; "-" for none
RUNS = [
    ("fifo", 3, NOTE,
     "7- 0- 1- 27 30 01 42 23 30 04 12 23 70 01 12"),
    ("lru", 3, NOTE,
     "7- 0- 1- 27 31 42 23 30 04 10 03 72"),
    ("opt", 3, NOTE,
     "7- 0- 1- 27 31 40 04 13 72"),
    ("clock", 3, NOTE,
     "7- 0- 1- 27 31 42 20 03 34 12 20 03 71 12"),
    ("fifo", 3, BELADY,
     "1- 2- 3- 41 12 23 54 31 42"),
    ("lru", 3, BELADY,
     "1- 2- 3- 41 12 23 54 35 41 52"),
    ("opt", 3, BELADY,
     "1- 2- 3- 43 54 31 42"),
    ("clock", 3, BELADY,
     "1- 2- 3- 41 12 23 54 31 42"),
    ("fifo", 4, BELADY,
     "1- 2- 3- 4- 51 12 23 34 45 51"),
    ("lru", 4, BELADY,
     "1- 2- 3- 4- 53 34 45 51"),
    ("opt", 4, BELADY,
     "1- 2- 3- 4- 54 41"),
    ("clock", 4, BELADY,
     "1- 2- 3- 4- 51 12 23 34 45 51"),
]
OTHERS = [
    ("lfu", 3, "1 1 1 2 2 3 4 1 2", "1- 2- 3- 43"),
    ("ageing", 3, "1 2 3 1 2 4 1 2", "1- 2- 3- 41 13"),
    ("improved-clock", 3, "1w 2 3w 4 5w 6", "1- 2- 3- 42 53 61"),
    ("working-set", 4, "1 2 2 2 2 2 2 2 2 1", "1- 2- 1-"),
]


def main():
    runs = RUNS + OTHERS
    script = "; ".join(f"lab-paging --policy {p} --frames {n} --json {s}" for p, n, s, _ in runs)
    script += f"; lab-paging --policy fifo --frames 3 {BELADY}; lab-paging --policy nope --frames 3 1"
    run = subprocess.run([ROOT / "scripts/run", "--icount", "--exec", script], text=True,
                         capture_output=True, timeout=100, stdin=subprocess.DEVNULL)
    lines = run.stdout.splitlines()
    bad = 0
    for (policy, frames, string, wanted), line in zip(runs, lines):
        got = json.loads(line)
        pairs = [f"{page}{'-' if victim is None else victim}" for page, victim in got["load_evict"]]
        if pairs != wanted.split() or got["faults"] != len(pairs):
            bad += 1
            print(f"{policy} {frames} frames {string}:\n  wanted {wanted}\n  got    {' '.join(pairs)}")
    faults = {n: json.loads(line)["faults"] for (p, n, s, _), line in zip(runs, lines)
              if p == "fifo" and s == BELADY}
    if faults != {3: 9, 4: 10}:
        bad += 1
        print("no anomaly:", faults)
    table = "\n".join(lines[len(runs):])
    if "fifo: 9 faults in 12 accesses with 3 frames" not in table or \
            "fault      F   F   F   F   F   F   F           F   F" not in table:
        bad += 1
        print(table)
    if run.returncode != 2 or "unknown policy 'nope'" not in run.stderr:
        bad += 1
        print(f"status {run.returncode}: {run.stderr}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
