"""The course note's scheduling tables, run by real processes under --icount: the same order, and
each start and end within 2 % of a unit. Used by the sched_POLICY tests of this folder."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOLERANCE = 0.02

SHORT = "P1:0:7 P2:2:4 P3:4:1 P4:5:4"
TURNS = "P1:0:5 P2:2:4 P3:4:1 P4:5:6"
RANKED = "P1:0:7:1 P2:2:4:2 P3:4:1:3 P4:5:4:2"
# options, workload, chart, weighted turnaround
TABLES = {
    "fcfs": [("", SHORT, "P1 0-7 P2 7-11 P3 11-12 P4 12-16", "1 9/4 8 11/4")],
    "sjf": [("", SHORT, "P1 0-7 P3 7-8 P2 8-12 P4 12-16", "1 5/2 4 11/4")],
    "srtn": [("", SHORT, "P1 0-2 P2 2-4 P3 4-5 P2 5-7 P4 7-11 P1 11-16", "16/7 5/4 1 3/2")],
    "hrrn": [("", SHORT, "P1 0-7 P3 7-8 P2 8-12 P4 12-16", "1 5/2 4 11/4")],
    "rr": [("--quantum 2", TURNS,
            "P1 0-2 P2 2-4 P1 4-6 P3 6-7 P2 7-9 P4 9-11 P1 11-12 P4 12-14 P4 14-16",
            "12/5 7/4 3 11/6"),
           ("--quantum 5", TURNS, "P1 0-5 P2 5-9 P3 9-10 P4 10-15 P4 15-16", "1 7/4 6 11/6")],
    "priority": [("", RANKED, "P1 0-7 P3 7-8 P2 8-12 P4 12-16", "1 5/2 4 11/4"),
                 ("--preemptive", RANKED, "P1 0-2 P2 2-4 P3 4-5 P2 5-7 P4 7-11 P1 11-16",
                  "16/7 5/4 1 3/2")],
    "mlfq": [("--quanta 1,2,4", "P1:0:8 P2:2:4 P3:5:1",
              "P1 0-1 P1 1-2 P2 2-3 P1 3-5 P3 5-6 P2 6-8 P1 8-12 P2 12-13", "3/2 11/4 1"),
             ("--quanta 1,2,4", "P1:0:8 P2:1:4 P3:5:1",
              "P1 0-1 P2 1-2 P1 2-4 P2 4-5 P3 5-6 P2 6-8 P1 8-12 P1 12-13", "13/8 7/4 1")],
}


def guest(command, *options, shift="0", timeout=150):
    run = [ROOT / "scripts/run", "--icount", shift, "--timeout", str(timeout), *options,
           "--exec", command]
    return subprocess.run(run, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT)


def faults_of(result, workload, chart, weighted):
    wanted = [[name, *map(int, span.split("-"))]
              for name, span in zip(chart.split()[::2], chart.split()[1::2])]
    if result["gantt"] != wanted:
        yield f"chart: {result['gantt']}"
        return
    for (name, start, end), (_, *times) in zip(wanted, result["measured"]):
        for exact, measured in zip((start, end), times):
            if abs(measured - exact) > TOLERANCE:
                yield f"{name} {start}-{end}: measured {times}"
    jobs = [job.split(":") for job in workload.split()]
    for job, fraction in zip(jobs, weighted.split()):
        name, arrival, burst = job[0], int(job[1]), int(job[2])
        turnaround = max(end for other, _, end in wanted if other == name) - arrival
        measures = [result[key][name] for key in ("turnaround", "waiting", "weighted_turnaround")]
        if measures != [turnaround, turnaround - burst, fraction]:
            yield f"{name}: turnaround, waiting, weighted are {measures}"


def main(policy):
    commands = [f"lab-sched --policy {policy} {options} --unit 20 --json {workload}; echo ,"
                for options, workload, _, _ in TABLES[policy]]
    run = guest("; ".join(commands))
    try:
        results = json.loads("[" + run.stdout.rstrip().rstrip(",") + "]")
    except ValueError:
        print(run.stdout, run.stderr, f"status {run.returncode}")
        return 1
    faults = [fault for result, (_, workload, chart, weighted) in zip(results, TABLES[policy])
              for fault in faults_of(result, workload, chart, weighted)]
    print("\n".join(faults) or f"ok: {len(results)} runs")
    return 1 if faults or len(results) != len(TABLES[policy]) else 0


def run_as_test(file):
    sys.exit(main(pathlib.Path(file).stem.split("_")[1]))
