#!/usr/bin/env python3
"""The trace of a run: repeatable, whole, consistent; what was lost is told; the report and the
picture can be made of it."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
COMMAND = "seq 1 300 | sort -n | tail -1; (exit 3); for i in 1 2 3; do true | cat & done; wait"
LEGAL = {("new", "ready"), ("running", "ready"), ("running", "blocked"), ("running", "terminated"),
         ("blocked", "ready"), ("running", "suspended-blocked"), ("blocked", "suspended-blocked"),
         ("suspended-blocked", "suspended-ready"), ("suspended-ready", "ready")}
failures = []


def check(good, what):
    if not good:
        failures.append(what)
        print("FAIL", what)


def traced(file, command, *options):
    run = subprocess.run([ROOT / "scripts/run", "--icount", "--trace", file, *options, "--exec", command],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=ROOT)
    check(run.returncode == 0, f"status {run.returncode} {run.stderr}")
    return json.loads(pathlib.Path(file).read_text())


def tool(*arguments):
    run = subprocess.run([ROOT / "scripts/trace", *arguments], capture_output=True, text=True, cwd=ROOT)
    check(run.returncode == 0, f"scripts/trace {arguments[0]}: {run.stderr}")
    return run.stdout


def whole_run(folder, cpus):
    first, second = folder / f"a{cpus}.json", folder / f"b{cpus}.json"
    trace = traced(first, COMMAND, "--smp", cpus)
    traced(second, COMMAND, "--smp", cpus)
    check(first.read_bytes() == second.read_bytes(), f"two runs give the same trace on {cpus} CPUs")
    check(trace["otherData"]["lost events"] == 0, "nothing is lost")
    events = trace["traceEvents"]
    rows = {e["args"]["name"] for e in events if e["name"] == "thread_name"}
    check({f"CPU {i}" for i in range(int(cpus))} <= rows, f"a row for each CPU: {rows}")
    begun = {e["id"]: e["ts"] for e in events if e["ph"] == "s"}
    ended = {e["id"]: e["ts"] for e in events if e["ph"] == "f"}
    check(begun and begun.keys() == ended.keys(), "each arrow has both ends")
    check(all(begun[i] <= ended[i] for i in ended), "a thread wakes after its waker")
    check(all(e["dur"] >= 0 for e in events if e["ph"] == "X"), "no negative duration")

    ready, starts = {}, 0
    for line in tool("text", first).splitlines():
        words = line.split()
        fields = dict(word.split("=", 1) for word in words[4:] if "=" in word)
        if words[3] == "state":
            thread, move = fields["thread"], (fields["from"], fields["to"])
            check(move in LEGAL or thread == "0", f"a legal change of state: {line}")
            ready[thread] = fields["to"]
        elif words[3] == "switch" and fields["next"] != "0":
            starts += 1
            check(ready.get(fields["next"], "ready") == "ready", f"only ready threads run: {line}")
            ready[fields["next"]] = "running"
    check(starts > 10, "threads were switched to")
    summary = tool("summary", first)
    check("sort" in summary and "0 LOST" not in summary, "the summary tells of sort")
    check("execve(" in tool("syscalls", first), "system calls are listed")
    return first


def pictures(folder, file):
    page = folder / "page.html"
    tool("report", file, "-o", page)
    text = page.read_text()
    check("http" not in text.replace("http://www.w3.org/", ""), "the page needs no network")
    check("@DATA@" not in text and "sort" in text, "the page has its data")
    if shutil.which("node"):  # its script is several files in one: no name twice
        script = folder / "page.mjs"
        script.write_text(text.partition('<script type="module">')[2].partition("</script>")[0])
        run = subprocess.run(["node", "--check", script], capture_output=True, text=True)
        check(run.returncode == 0, f"the page's script: {run.stderr}")
        run = subprocess.run(["node", ROOT / "tests/system/trace_tips.mjs", page], capture_output=True, text=True)
        lacking, placed = (run.stdout.split("\n") + ["", ""])[:2]
        check(not lacking and {"cpus", "threads", "map"} <= set(placed.split()), f"each event has a place: {run.stdout}{run.stderr}")
    root = xml.etree.ElementTree.fromstring(tool("svg", file))
    check(root.tag.endswith("svg") and len(root) > 20, "the picture is an SVG")


def report_of(file):
    page = file.with_suffix(".html")
    tool("report", file, "-o", page)
    return json.loads(page.read_text().partition('id="data">')[2].partition("</script>")[0])


def memory(folder):
    """A fault tells where its page came from, in which frame, and what had to go for it."""
    file = folder / "memory.json"
    trace = traced(file, "lab-paging --policy fifo --frames 2 1w 2 3 1 >/dev/null", "--append",
                   "trace=process,fault,memory")
    faults = [e["args"] for e in trace["traceEvents"] if e["name"] == "page fault"]
    losers = [f["victims"][0] for f in faults if "victims" in f]
    check([v["dirty"] for v in losers] == [True, False], f"the victims of FIFO, dirty and clean: {losers}")
    check(losers and losers[0]["frame"] in [f["frame"] for f in faults], "a victim's frame had been got")
    check(all((f["source"] != "none") == (f["result"] == "resolved") for f in faults), "where each came from")
    check({"zeroed", "file", "copy"} <= {f["source"] for f in faults}, "of several kinds")
    data = report_of(file)
    told = data["memory"]
    lab = next(p["pid"] for p in data["processes"] if p["name"] == "lab-paging")
    seen = told["processes"][str(lab)]
    names = {told["kinds"][r[4]] for r in seen["ranges"]}
    check({"text", "stack", "heap"} <= names and "unknown" not in names, f"what it had mapped: {names}")
    check(all(any(r[2] <= f[1] < r[2] + r[3] and r[0] <= f[0] <= r[1] for r in seen["ranges"])
              for f in seen["faults"]), "faults are where something is mapped")
    check(len(seen["evictions"]) == 2 and len(seen["faults"]) > 10, "its evictions and faults")
    check(seen["resident"] and seen["resident"][-1][1] == 0, "nothing is left of it")
    check(len({sum(row[1:]) for row in told["frames"]}) == 1, "the owners' frames are all there are")


def measures(folder):
    """The parts of each process's turnaround add up, under any policy and on several CPUs; a job in the
    queue and a suspended process have theirs."""
    file = folder / "measures.json"
    command = ("cd /proc/sys/kernel/sched; echo 1 >jobs_degree; for i in 1 2 3; do echo 20000 >jobs;"
               " sh -c 'for n in 1 2 3 4 5 6 7 8 9; do true; done; sleep 0.02' & done; sleep 0.3 & p=$!; sleep 0.05;"
               " echo $p >suspend; sleep 0.1; echo $p >resume; seq 2000 | sort -n | tail -1; wait")
    for cpus in ("1", "3"):
        traced(file, command, "--smp", cpus, "--append", "trace=process,sched,irq")
        seen = set()
        for process in report_of(file)["processes"]:
            if process["turnaround"] is None:
                continue
            parts = {part: process[part] for part in ("service", "waiting", "blocked", "suspended")}
            check(sum(parts.values()) == process["turnaround"], f"the parts add up: {process}")
            check(process["weighted"] is None or process["weighted"] >= 1, f"weighted: {process}")
            check(0 <= process["queued"] <= process["waiting"], f"the job queue's part: {process}")
            seen |= {part for part, time in parts.items() if time > 50_000_000}
            seen |= {"queued"} if process["queued"] > 15_000_000 else set()
        check(seen >= {"blocked", "suspended", "queued"}, f"parts of all kinds: {seen}")
        busy = report_of(file)
        check(all(b <= busy["duration"] for b in busy["busy"]), "no CPU is busier than always")


def woken_by_the_timer(folder):
    """A sleeper that the timer wakes waited for nobody, though another process was running then."""
    file = folder / "timer.json"
    traced(file, "sleep 0.1 & n=0; while [ $n -lt 20000 ]; do n=$((n+1)); done; wait", "--append",
           "trace=process,sched,irq")
    data = report_of(file)
    sleeper = next(i for i, t in enumerate(data["threads"]) if t["name"] == "sleep")
    states = [data["states"][s[2]] for s in data["threads"][sleeper]["states"]]
    check("blocked" in states, f"it slept: {states}")
    check(all(w[3] == 0 or data["whys"][w[3]] != "sleep" for w in data["whom"][sleeper]),
          f"it waited for nobody: {data['whom'][sleeper]}")


def who_waits_for_whom(folder):
    """The naive philosophers: each waits for the next one, and the kernel knew. Semaphores tell of each
    P and V: below zero the value says how many wait."""
    waiting = set()
    traced(folder / "whom.json", "lab-sync kernel 20; lab-sync naive 10")
    data = report_of(folder / "whom.json")
    edges = {data["threads"][i]["tid"]: {data["threads"][h]["tid"] for *_, holders, _, known in waits if known
                                          for h in holders}
             for i, waits in enumerate(data["whom"]) if any(w[4] for w in waits)}
    check(len(edges) >= 5, f"five wait for a known holder: {edges}")
    first = min(edges)
    check(all(first + i + 1 in edges[first + i] for i in range(4)) and first in edges[first + 4],
          f"in a circle: {edges}")
    for line in tool("text", folder / "whom.json").splitlines():
        fields = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if " semaphore_wait " in line and int(fields["value"]) < 0:
            waiting.add(int(fields["value"]) + int(fields["waiting"]))
    check(waiting == {0}, f"value and queue agree: {waiting}")


def journals(folder):
    """Each transaction of a journal, and which part of it each write was: nothing but contents is written outside
    the log before a checkpoint; what is logged is as many blocks as the commit says."""
    image, file = folder / "ext3", folder / "journal.json"
    with open(image, "wb") as disk:
        disk.truncate(12 << 20)
    tools = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    made = subprocess.run(["mke2fs", "-q", "-F", "-t", "ext3", "-b", "4096", image], env=tools, capture_output=True)
    check(made.returncode == 0, f"mke2fs: {made.stderr}")
    run = subprocess.run(
        [ROOT / "scripts/run", "--trace", file, "--append", "trace=disk,process", "--exec",
         "mount -t ext3 /dev/hdb /mnt; cd /mnt; for i in 1 2 3; do mkdir d$i; seq 2000 >d$i/f; sync d$i/f; done; rm -r d1; sync; "
         "seq 3000 >d2/f; sync; cd /; umount /mnt", "--", "-drive", f"file={image},format=raw,if=ide,index=1"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    check(run.returncode == 0, f"the guest: {run.stderr}")
    told = report_of(file)["journals"]
    check([j["name"] for j in told] == ["hdb"], f"one journal: {told}")
    journal = told[0]
    done = [t for t in journal["transactions"] if t[3] is not None]
    check(len(done) >= 4 and sum(t[5] for t in done) > 8, f"transactions with their operations: {done}")
    check(all(a[0] + 1 == b[0] and a[3] <= b[1] for a, b in zip(done, done[1:])), "one after the other")
    check(all(t[1] <= t[2] <= t[3] <= t[4] for t in done), "each begins, is written, in the log, home")
    check(any(t[7] for t in done), "the folder that went is revoked")
    kib, per_block = {}, 8
    for start, end, _, sectors, part, number in journal["writes"]:
        row = kib.setdefault(number, dict.fromkeys(journal["parts"], 0))
        row[journal["parts"][part]] += sectors / per_block
    for t in done:
        row = kib[t[0]]
        check(row["commit"] == 1 and row["descriptor"] >= 1, f"transaction {t[0]}: {row}")
        check(t[6] - row["block"] <= t[7] and row["block"] <= t[6], f"its blocks, but for those that were freed: {t} {row}")
        check((row["revoke"] > 0) == (t[7] > 0), f"revokes: {t} {row}")
    check(sum(row["data"] for row in kib.values()) >= 3 * 3, f"contents of files: {kib}")
    check(sum(row["home"] for row in kib.values()) > 5, f"blocks went home: {kib}")
    check(kib[None]["superblock"] >= 2 / per_block, f"the log's superblock at the mount and at the end: {kib}")


def small_ring(folder):
    image = ROOT / os.environ.get("ORRERY_IMAGE", "build/disk.img")  # which lies in memory
    memory = image.stat().st_size // 2 ** 20 + 24
    trace = traced(folder / "small.json", "for i in $(seq 600); do ls -l / >/tmp/x; done", "--mem", str(memory))
    lost = trace["otherData"]["lost events"]
    check(lost > 1000, f"the trace tells that it lost events ({lost})")
    check("LOST" in tool("summary", folder / "small.json"), "and so does the summary")


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file = whole_run(folder, "1")
        whole_run(folder, "4")
        pictures(folder, file)
        memory(folder)
        measures(folder)
        woken_by_the_timer(folder)
        who_waits_for_whom(folder)
        journals(folder)
        small_ring(folder)
        (folder / "junk.json").write_text("{")
        run = subprocess.run([ROOT / "scripts/trace", "text", folder / "junk.json"], capture_output=True)
        check(run.returncode == 1 and b"Traceback" not in run.stderr, "junk is refused politely")
    print(f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
