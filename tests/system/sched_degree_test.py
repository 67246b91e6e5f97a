#!/usr/bin/env python3
"""lab-batch: random jobs, and the note's case of equal ones, as batch, multiprogramming and time
sharing: every figure of each line is what the textbook's rules give, worked out here."""
import json
import pathlib
import sys

import sched_tables

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "concepts"))
import scheduling_checks  # noqa: E402
from row import Wrong  # noqa: E402

SEED = int(sys.argv[1]) if len(sys.argv) > 1 else 5
RUNS = ["", "--degree 2", "1:60:10 3:8:30 3:8:30"] + [f"--random 6 --seed {SEED + i}" for i in range(4)]


def main():
    run = sched_tables.guest("; ".join(f"lab-batch --json {words}" for words in RUNS), shift="3")
    results = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode or len(results) != len(RUNS):
        print(run.stdout, run.stderr, f"status {run.returncode}")
        return 1
    bad = 0
    for words, result in zip(RUNS, results):
        try:
            scheduling_checks.three_systems(result)
        except Wrong as wrong:
            bad += 1
            print(f"lab-batch {words}: {wrong}\n  {result}")
    print(f"{len(RUNS)} runs, {bad} wrong")
    return bad != 0


sys.exit(main())
