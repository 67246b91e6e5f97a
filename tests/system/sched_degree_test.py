#!/usr/bin/env python3
"""The same jobs, which do I/O, as batch with degree 1, multiprogrammed, and time-shared: the more of
them are in, the busier the CPU, until it is always busy; and the shorter the whole takes."""
import json
import sys

import sched_tables

RUNS = [("fcfs", 1), ("fcfs", 2), ("fcfs", 3), ("rr", 0)]


def main():
    run = sched_tables.guest("; ".join(f"lab-batch --json --policy {policy} --degree {degree}"
                                       for policy, degree in RUNS))
    results = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode or len(results) != len(RUNS):
        print(run.stdout, run.stderr, f"status {run.returncode}")
        return 1
    for result in results:
        print(result)
    batch, two, three, shared = (result["utilisation"] for result in results)
    faults = []
    # A job computes for 4 ms of 10.
    if not 0.37 <= batch <= 0.41:
        faults.append("batch: not the share that one job computes for")
    if not 1.7 * batch <= two <= 2 * batch + 0.01:
        faults.append("degree 2: not nearly twice as busy")
    if not two < three - 0.05 or not three <= shared + 0.02 or shared < 0.9:
        faults.append("utilisation does not rise with the degree")
    print("\n".join(faults) or "all as expected")
    return bool(faults)


sys.exit(main())
