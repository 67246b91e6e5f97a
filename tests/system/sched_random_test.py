#!/usr/bin/env python3
"""Two hundred random workloads, run by real processes, against a reference that follows the rules
of the course note and shares no code with the kernel: that of lab 5.
timeout: 400"""
import json
import random
import sys

import sched_tables

sys.path.insert(0, str(sched_tables.ROOT / "course" / "05-scheduling"))
import reference  # noqa: E402

POLICIES = ["fcfs", "sjf", "srtn", "hrrn", "rr", "priority", "priority --preemptive", "mlfq"]
QUANTA = [1, 2, 4]


def workload(policy):
    while True:
        count = random.randint(2, 6)
        figures = [(random.randint(0, 9), random.randint(1, 7), random.randint(0, 4))
                   for _ in range(count)]
        rules = reference.Rules(policy.split()[0], quantum=random.randint(1, 4) if policy == "rr" else None,
                                quanta=QUANTA if policy == "mlfq" else None, preemptive="--preemptive" in policy)
        chart = reference.chart(rules, [reference.Job(f"J{i}", *f) for i, f in enumerate(figures)])
        if chart:
            break
    names = " ".join(f"J{i}:{a}:{b}:{p}" for i, (a, b, p) in enumerate(figures))
    return f"lab-sched {' '.join(rules.options())} --unit 5 --json {names}", chart


def main():
    random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
    runs = [workload(policy) for policy in POLICIES for _ in range(25)]
    bad = done = 0
    for first in range(0, len(runs), 50):
        part = runs[first:first + 50]
        run = sched_tables.guest("; echo ,; ".join(command for command, _ in part), shift="2", timeout=300)
        try:
            results = json.loads("[" + run.stdout + "]")
        except ValueError:
            print(run.stdout[-500:], run.stderr, f"status {run.returncode}")
            return 1
        for result, (command, chart) in zip(results, part):
            done += 1
            if result["gantt"] != chart:
                bad += 1
                print(f"{command}\n  wanted {chart}\n  got    {result['gantt']}")
    print(f"{done} runs, {bad} differ")
    return 1 if bad or done < len(runs) else 0


if __name__ == "__main__":
    sys.exit(main())
