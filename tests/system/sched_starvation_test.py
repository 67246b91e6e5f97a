#!/usr/bin/env python3
"""Starvation as the longest wait in one load: a long job of low priority, and short ones of high
priority that arrive as fast as they can be served. Under SJF and static priority it waits until
there are no more of them; under HRRN, ageing and MLFQ for a time that their number has no part in."""
import json
import sys

import sched_tables

STARVE = {"sjf": "", "priority": "", "priority, preemptive": "--preemptive"}
SERVE = {"hrrn": "", "priority, ageing": "--ageing 2", "mlfq": "--quanta 1,2,4 --boost 8"}


def command(name, options, shorts):
    jobs = [f"S{i}:{2 * i}:2:5" for i in range(shorts)]
    jobs.insert(1, "L:0:4:0")
    return f"lab-sched --policy {name.split(',')[0]} {options} --unit 4 --json {' '.join(jobs)}"


def longest_wait(result):
    """The longest time for which some job was ready and did not run."""
    ready, longest = {}, 0
    for name, start, end in result["gantt"]:
        arrival = 0 if name == "L" else 2 * int(name[1:])
        longest = max(longest, start - ready.get(name, arrival))
        ready[name] = end
    return longest


def main():
    policies = {**STARVE, **SERVE}
    loads = (12, 24)
    run = sched_tables.guest("; echo ,; ".join(
        command(name, options, shorts) for name, options in policies.items() for shorts in loads))
    try:
        results = iter(json.loads("[" + run.stdout + "]"))
    except ValueError:
        print(run.stdout, run.stderr, f"status {run.returncode}")
        return 1
    faults = []
    for name in policies:
        few, many = (longest_wait(next(results)) for _ in loads)
        print(f"{name:22} longest wait {few:3} units of 28, {many:3} of 52")
        if name in STARVE and (few < 2 * loads[0] - 1 or many < 2 * loads[1] - 1):
            faults.append(f"{name}: no starvation")
        if name in SERVE and (many > few + 1 or many > 16):
            faults.append(f"{name}: starvation")
    print("\n".join(faults) or "all as expected")
    return bool(faults)


sys.exit(main())
