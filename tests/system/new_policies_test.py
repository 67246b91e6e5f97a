#!/usr/bin/env python3
"""A policy of each kind is added to a scratch copy of the source (new_policies.patch): one new file and one
word in a list for each, nothing else. Then every list has its name, and an object for it; here on the host.
With --boot the copy's kernel is built and booted too, which takes minutes: each new policy is chosen on the
command line, and /proc shows it in brackets.
timeout: 300"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATCH = ROOT / "tests/system/new_policies.patch"
# list, its header, the new name; for --boot: the option and the file in /proc/sys
KINDS = [
    ("Schedulers", "kernel/sched/schedulers.hpp", "lcfs", "sched", "kernel/sched/policy"),
    ("Replacers", "mm/replacers.hpp", "mru", "vm.replacement", "vm/replacement"),
    ("Placements", "mm/heap/placement_list.hpp", "last-fit", "mm.heap", "vm/heap"),
    ("LoadControls", "mm/memory_policies.hpp", "half", "vm.load_control", "vm/load_control"),
    ("FrameAllocations", "mm/memory_policies.hpp", "by-set", "vm.frame_allocation", "vm/frame_allocation"),
    ("Elevators", "drivers/elevator_list.hpp", "lcfs", "elevator", "dev/disk/elevator"),
    ("Strategies", "kernel/deadlock/strategies.hpp", "one-type", "deadlock", "kernel/deadlock/strategy"),
    ("FreeSpaces", "fs/free_spaces.hpp", "stack", None, None),
]


def words(line):
    return re.findall(r"\w+", line)


def check_patch():
    """One file more and one word more for each kind; no other word changes."""
    text = PATCH.read_text()
    added = text.count("\nnew file mode")
    changed = [part for part in text.split("diff --git ")[1:] if "\nnew file mode" not in part]
    before = [w for part in changed for w in words(" ".join(re.findall(r"^-(?!--)(.*)", part, re.M)))]
    after = [w for part in changed for w in words(" ".join(re.findall(r"^\+(?!\+\+)(.*)", part, re.M)))]
    assert added == len(KINDS), f"{added} new files"
    assert len(after) == len(before) + len(KINDS), f"{len(before)} words became {len(after)}"


def scratch_tree(folder):
    files = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True).stdout
    for name in files.decode().rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    subprocess.run(["git", "apply", PATCH], cwd=folder, check=True, env={**os.environ, "GIT_DIR": "/dev/null"})


def on_the_host(tree):
    build = tree / "host"
    build.mkdir()
    (build / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.22)\nproject(lists LANGUAGES NONE)\n"
        f"set(root {tree})\ninclude({tree}/scripts/cmake/policies.cmake)\n")
    subprocess.run(["cmake", "-G", "Ninja", "-S", build, "-B", build], check=True, stdout=subprocess.DEVNULL)
    includes = "".join(f'#include "{header}"\n' for header in dict.fromkeys(kind[1] for kind in KINDS))
    checks = "".join(
        f'    {{ static {name} list; auto* p = list.find("{word}"); '
        f'if (!p || p->name() != "{word}") return puts("{name} has no {word}"), 1; }}\n'
        for name, _, word, *_ in KINDS)
    (build / "lists.cpp").write_text(
        f"#include <cstdio>\n#include <cstdlib>\n{includes}"
        "[[noreturn]] void verify_failed(const char*, const char*, int) { std::abort(); }\n"
        f"int main() {{\n{checks}"
        '    Schedulers all;\n    if (!all.tunable("lcfs_quantum_us")) return puts("no tunable"), 1;\n}\n')
    sources = ["kernel/deadlock/analysis.cpp", "kernel/deadlock/resource_table.cpp"]
    subprocess.run(["g++", "-std=c++20", "-O0", "-I", tree, "-I", build / "policies", build / "lists.cpp",
                    *(tree / source for source in sources), "-o", build / "lists"], check=True)
    subprocess.run([build / "lists"], check=True)


def in_the_kernel(tree):
    shutil.copytree(ROOT / "build/busybox", tree / "build/busybox")
    chosen = [kind for kind in KINDS if kind[3]]
    options = " ".join(f"{kind[3]}={kind[2]}" for kind in chosen)
    files = " ".join(f"/proc/sys/{kind[4]}" for kind in chosen)
    run = subprocess.run([tree / "scripts/run", "--append", options, "--exec", f"cat {files}; lab-fs free"],
                         cwd=tree, check=True, capture_output=True, text=True)
    lines = run.stdout.splitlines()
    for line, kind in zip(lines, chosen):
        assert f"[{kind[2]}]" in line, f"/proc/sys/{kind[4]}: {line}"
    assert any(line.startswith("stack ") for line in lines[len(chosen):]), run.stdout
    print(run.stdout, end="")


def main():
    check_patch()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        scratch_tree(tree)
        on_the_host(tree)
        if "--boot" in sys.argv[1:]:
            in_the_kernel(tree)
    print("one file and one word each")


main()
