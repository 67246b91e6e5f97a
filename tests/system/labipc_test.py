#!/usr/bin/env python3
"""lab-ipc: the same items through each means, on one and four CPUs: who copies, and who calls."""
import json
import subprocess
import sys

ITEMS = 300
bad = []


def guest(command, *options):
    return subprocess.run(["./scripts/run", "--timeout", "100", *options, "--exec", command],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)


def check(what, holds):
    if not holds:
        bad.append(what)


def look(options):
    run = guest(f"lab-ipc --json --items {ITEMS} --bytes 2000; lab-ipc --items 50 --bytes 8192;"
                " lab-ipc pipe --bytes 6; echo $?; ls -l /proc/sysvipc | wc -l; cat /proc/sysvipc/*", *options)
    first, _, rest = run.stdout.partition("\n")
    try:
        rows = {row["means"]: row for row in json.loads(first)["rows"]}
    except ValueError:
        rows = {}
    check(f"eight means{options}", len(rows) == 8)
    for name, row in rows.items():
        copies = 0 if name in ("alone", "shared", "mapped") else 2
        check(f"{name}{options}: nothing wrong", row["wrong"] == 0)
        if name == "direct":
            check(f"direct{options}: two calls for a word, and credit",
                  2.05 < row["system_calls"] / (row["items"] * 500) < 2.07)
            continue
        check(f"{name}{options}: {copies} copies", abs(row["copies"] - copies) < 0.1)
        check(f"{name}{options}: blocks are switches", row["blocks"] <= row["switches"])
        if name in ("pipe", "mailbox", "socket", "stream"):
            check(f"{name}{options}: two calls for an item, more if in parts",
                  2 * ITEMS <= row["system_calls"] <= 4 * ITEMS)
    if rows:
        check(f"alone{options}", rows["alone"]["system_calls"] == rows["alone"]["switches"] == 0)
        check(f"shared{options}: two P and two V", rows["shared"]["system_calls"] == 4 * ITEMS)
        if not options:
            check("mapped: calls only to sleep and to wake", rows["mapped"]["system_calls"] < ITEMS)
            check("one CPU: they do block", all(row["blocks"] > 0 for row in rows.values() if row is not rows["alone"]))
    check(f"items of 8 KiB{options}", "50 items of 8192 bytes" in rest and "WRONG" not in rest)
    check(f"a size that isn't of whole words{options}", "\n2\n" in rest)
    check(f"nothing is left of System V's objects{options}",
          all("id" in line for line in rest.partition("\n2\n")[2].splitlines()[1:]))
    if bad:
        print(run.stdout, run.stderr)


for options in (), ("--smp", "4"):
    look(options)
print("\n".join("FAIL " + line for line in bad) or "ok")
sys.exit(bool(bad))
