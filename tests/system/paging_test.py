#!/usr/bin/env python3
"""The course note's replacement runs by a real process on the MMU: same faults, same victims in the
same order; Belady's anomaly; and two hundred random strings, each against a reference that is as
plain as the textbook's words."""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

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


def reference(policy, frames, string):
    """(page, victim) of each fault. `held` is in the order that the policy looks at: of loading, or
    of last use; the clock's hand is at the front."""
    held, used, pairs = [], set(), []
    for now, page in enumerate(string):
        if page in held:
            used.add(page)
            if policy == "lru":
                held.remove(page)
                held.append(page)
            continue
        victim = None
        if len(held) == frames:
            if policy == "opt":
                rest = string[now + 1:]
                # The farthest next use; of those without one, the one that came first.
                victim = max(held, key=lambda p: rest.index(p) if p in rest else len(string))
            else:
                while policy == "clock" and held[0] in used:
                    used.discard(held[0])
                    held.append(held.pop(0))
                victim = held[0]
            held.remove(victim)
        held.append(page)
        used.add(page)
        pairs.append([page, victim])
    return pairs


def random_strings():
    seed = 20240607
    chance = random.Random(seed)
    runs = []
    for i in range(200):
        pages = chance.randint(2, 12)
        string = [chance.randrange(pages) for _ in range(chance.randint(1, 40))]
        runs.append((("fifo", "lru", "opt", "clock")[i % 4], chance.randint(1, 8), string))
    with tempfile.TemporaryDirectory() as folder:
        script = pathlib.Path(folder) / "strings"
        script.write_text("".join(f"lab-paging --policy {p} --frames {n} --json {' '.join(map(str, s))}\n"
                                  for p, n, s in runs))
        run = subprocess.run([ROOT / "scripts/run", "--icount", "--add", f"{script}:/strings", "--exec",
                              "sh /strings"], text=True, capture_output=True, timeout=100,
                             stdin=subprocess.DEVNULL)
    lines, bad = run.stdout.splitlines(), 0
    for (policy, frames, string), line in zip(runs, lines):
        got, wanted = json.loads(line), reference(policy, frames, string)
        if (got["faults"], got["load_evict"]) != (len(wanted), wanted):
            bad += 1
            print(f"seed {seed}: {policy} {frames} frames {string}:\n  wanted {wanted}\n  got    {got}")
    if len(lines) != len(runs) or run.returncode:
        bad += 1
        print(f"{len(lines)} lines, status {run.returncode}: {run.stderr}")
    return bad


def main():
    runs = RUNS + OTHERS
    script = "; ".join(f"lab-paging --policy {p} --frames {n} --json {s}" for p, n, s, _ in runs)
    script += f"; lab-paging --policy fifo --frames 3 {BELADY}; lab-paging --patterns"
    script += "; lab-paging --policy nope --frames 3 1"
    run = subprocess.run([ROOT / "scripts/run", "--icount", "--exec", script], text=True,
                         capture_output=True, timeout=100, stdin=subprocess.DEVNULL)
    lines = run.stdout.splitlines()
    bad = random_strings()
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
    counts = {words[0]: list(map(int, words[1:])) for words in map(str.split, lines[-11:])
              if len(words) == 5 and words[1].isdigit()}
    best = counts.get("opt")
    if len(counts) != 8 or any(n < least for row in counts.values() for n, least in zip(row, best)):
        bad += 1
        print("OPT isn't the best under every pattern:", counts)
    table = "\n".join(lines[len(runs):])
    if "fifo: 9 faults in 12 accesses with 3 frames" not in table or \
            "fault      F   F   F   F   F   F   F           F   F" not in table:
        bad += 1
        print(table)
    if run.returncode != 2 or "--policy wants one of: opt fifo" not in run.stderr:
        bad += 1
        print(f"status {run.returncode}: {run.stderr}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
