#!/usr/bin/env python3
"""A switch costs the same with 10 ready threads and with 2,000 under every policy that is O(1), within
10 %; under those with a tree it grows with the logarithm of their number. Instructions, by --icount 0."""
import json
import math
import sys

import sched_tables

CONSTANT = ["fcfs", "rr", "mlfq"]
GROWING = ["sjf", "srtn", "hrrn_fast", "priority_fast", "stride"]
COUNTS = (10, 100, 2000)


def main():
    # Coarse grains: all are equal and take turns, where a policy would prefer the one that has run most.
    settings = "cd /proc/sys/kernel/sched; echo 1000000000 > service_grain_us; "
    loop = "for p in %s; do echo $p > policy; lab-switch --json %s; done" % (
        " ".join(CONSTANT + GROWING), " ".join(map(str, COUNTS)))
    run = sched_tables.guest(settings + loop, "--mem", "768")
    lines = run.stdout.splitlines()
    if run.returncode or len(lines) != len(CONSTANT + GROWING):
        print(run.stdout, run.stderr, f"status {run.returncode}")
        return 1
    faults = []
    for policy, line in zip(CONSTANT + GROWING, lines):
        rows = {row["threads"]: row for row in json.loads(line)["rows"]}
        few, some, many = (rows[count]["ticks"] for count in COUNTS)
        print(f"{policy:9} {few:8.1f} {some:8.1f} {many:8.1f}")
        if any(row["switches"] < 0.9 for row in rows.values()):
            faults.append(f"{policy}: not every yield was a switch: {line}")
        if policy in CONSTANT and abs(many - few) > 0.1 * few:
            faults.append(f"{policy}: {few} with 10, {many} with 2,000")
        # From 100 to 2,000 no more for each doubling than from 10 to 100, with half as much again.
        steps = math.log(2000 / 100) / math.log(100 / 10)
        if policy in GROWING and many - some > 1.5 * steps * max(some - few, 0.03 * few):
            faults.append(f"{policy}: {few}, {some}, {many}: more than logarithmic")
    print("\n".join(faults) or "all as expected")
    return bool(faults)


sys.exit(main())
