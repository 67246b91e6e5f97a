#!/usr/bin/env python3
"""lab-deadlock: the course note's banker by real processes, and philosophers under each strategy:
only `none` deadlocks, and a killed process leaves nothing behind."""
import json
import subprocess
import sys

BANKER = {
    "available": [3, 3, 2],
    "allocation": [[0, 1, 0], [2, 0, 0], [3, 0, 2], [2, 1, 1], [0, 0, 2]],
    "need": [[7, 4, 3], [1, 2, 2], [6, 0, 0], [0, 1, 1], [4, 3, 2]],
    "max": [[7, 5, 3], [3, 2, 2], [9, 0, 2], [2, 2, 2], [4, 3, 4]],
    "safe_sequence": ["P1", "P3", "P4", "P0", "P2"],
    "rows": [{"process": p, "work": w, "need": n, "allocation": a, "work_after": after}
             for p, w, n, a, after in [
                 ("P1", [3, 3, 2], [1, 2, 2], [2, 0, 0], [5, 3, 2]),
                 ("P3", [5, 3, 2], [0, 1, 1], [2, 1, 1], [7, 4, 3]),
                 ("P4", [7, 4, 3], [4, 3, 2], [0, 0, 2], [7, 4, 5]),
                 ("P0", [7, 4, 5], [7, 4, 3], [0, 1, 0], [7, 5, 5]),
                 ("P2", [7, 5, 5], [6, 0, 0], [3, 0, 2], [10, 5, 7])]],
    "requests_in_order": [["P1", [1, 0, 2], "granted"],
                          ["P4", [3, 3, 0], "waits: more than is available"],
                          ["P0", [0, 2, 0], "denied for now: the state would be unsafe"]],
}

SAFE_STATE = {"units": 12, "max": [10, 4, 9], "held": [5, 2, 2], "free": 3,
              "only_safe_sequence": ["P2", "P1", "P3"],
              "request": ["P3", 1, "denied for now: the state would be unsafe"]}


def main():
    run = subprocess.run(
        ["./scripts/run", "--timeout", "150", "--exec",
         "lab-deadlock banker --json && lab-deadlock safe-state --json &&"
         " lab-deadlock philosophers --meals 300 --think 0 --serve 0 --eat 0 --dot;"
         " echo status $?; echo periodic >/proc/sys/kernel/deadlock/detection;"
         " lab-deadlock philosophers --meals 100 --think 0 --serve 0 --eat 0 --take-away detect; echo status $?; cat /proc/deadlock"],
        capture_output=True, text=True, stdin=subprocess.DEVNULL)
    first, _, rest = run.stdout.partition("\n")
    second, _, rest = rest.partition("\n")
    try:
        got = json.loads(first), json.loads(second)
    except ValueError:
        got = None
    left_over = [line for line in rest.rpartition("status 0\n")[2].splitlines()
                 if line.startswith(("type", "party"))]
    good = got and all(wanted.items() <= one.items() for one, wanted in zip(got, (BANKER, SAFE_STATE))) and rest.count("status 0\n") == 2 and not left_over and "color=red" in rest
    if not good:
        print(run.stdout, run.stderr, "left over:", left_over)
    print("ok" if good else "FAIL")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
