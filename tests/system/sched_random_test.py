#!/usr/bin/env python3
"""Two hundred random workloads, run by real processes, against a reference that follows the rules
of the course note and shares no code with the kernel.
timeout: 400"""
import json
import random
import sys

import sched_tables

POLICIES = ["fcfs", "sjf", "srtn", "hrrn", "rr", "priority", "priority --preemptive", "mlfq"]
QUANTA = [1, 2, 4]


class Job:
    def __init__(self, index, arrival, burst, priority):
        self.index, self.arrival, self.burst, self.priority = index, arrival, burst, priority
        self.left, self.level, self.used, self.ready = burst, 0, 0, arrival


def better(policy, a, now):
    """What orders the queue; equal ones go in queue order."""
    if policy == "sjf" or policy == "srtn":
        return a.left
    if policy == "hrrn":
        return -(now - a.ready) / a.left
    if policy.startswith("priority"):
        return -a.priority
    return a.level if policy == "mlfq" else 0


def reference(policy, jobs, quantum):
    """The chart; None if it hangs on which of two things that happen at one instant is first: a job
    that ends just when another arrives may be pushed aside with nothing left to do."""
    def length(job):
        return QUANTA[job.level] if policy == "mlfq" else quantum if policy == "rr" else 10**9

    queue, chart, running, start, now = [], [], None, 0, 0
    waiting = sorted(jobs, key=lambda job: (job.arrival, job.index))
    while queue or waiting or running:
        arrived = [job for job in waiting if job.arrival == now]
        waiting = waiting[len(arrived):]
        if running and running.left == 0:
            if arrived and policy in ("mlfq", "priority --preemptive"):
                return None
            chart.append([running.index, start, now])
            running = None
        queue += arrived
        if running:
            over = running.used == length(running)
            pushed = policy == "srtn" and any(job.left < running.left for job in arrived) or \
                policy == "priority --preemptive" and any(job.priority > running.priority for job in arrived) or \
                policy == "mlfq" and any(job.level < running.level for job in arrived)
            if over or pushed:
                chart.append([running.index, start, now])
                if over and policy == "mlfq":
                    running.level = min(running.level + 1, len(QUANTA) - 1)
                running.used, running.ready = 0, now
                queue.append(running)
                running = None
        if not running and queue:
            running = min(queue, key=lambda job: better(policy, job, now))
            queue.remove(running)
            start = now
        now += 1
        if running:
            running.left -= 1
            running.used += 1
    return chart


def workload(policy):
    while True:
        count = random.randint(2, 6)
        figures = [(random.randint(0, 9), random.randint(1, 7), random.randint(0, 4))
                   for _ in range(count)]
        quantum = random.randint(1, 4)
        chart = reference(policy, [Job(i, *f) for i, f in enumerate(figures)], quantum)
        if chart:
            break
    names = " ".join(f"J{i}:{a}:{b}:{p}" for i, (a, b, p) in enumerate(figures))
    option = f"--quantum {quantum}" if policy == "rr" else "--quanta 1,2,4" if policy == "mlfq" else ""
    return f"lab-sched --policy {policy} {option} --unit 5 --json {names}", \
        [[f"J{i}", start, end] for i, start, end in chart]


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
