#!/usr/bin/env python3
"""docs/syscalls.md and its Chinese name exactly the system calls that the lists of kernel/ implement, and all
give them Linux's numbers (where the cross compiler's headers are there to compare with)."""
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
HEADERS = [pathlib.Path("/usr/i686-linux-gnu/include/asm/unistd_32.h"),
           pathlib.Path("/usr/include/x86_64-linux-gnu/asm/unistd_32.h")]


def main():
    table = "".join(path.read_text() for path in sorted((ROOT / "kernel").rglob("*.cpp")))
    listed = [(int(n), name) for n, name in re.findall(r"CALL\((\d+), (\w+), ", table)]
    implemented = set(listed)
    named = {(int(n), name) for n, name in re.findall(r"NAMED\((\d+), (\w+)\)", table)}
    faults = []
    for page in ("docs/syscalls.md", "docs/syscalls.zh.md"):
        text = (ROOT / page).read_text()
        documented = {(int(n), name) for name, n in re.findall(r"`(\w+)`\s+(\d+)[,.、。]", text)}
        faults += [f"not in {page}: {name} {n}" for n, name in implemented - documented]
        faults += [f"only in {page}: {name} {n}" for n, name in documented - implemented]
    faults += [f"listed twice: {n}" for n, count in
               collections.Counter(n for n, _ in listed + list(named)).items() if count > 1]
    for header in filter(pathlib.Path.exists, HEADERS):
        linux = {(int(n), name)
                 for name, n in re.findall(r"#define __NR_(\w+)\s+(\d+)", header.read_text())}
        known = max(n for n, _ in linux)  # an older header does not know newer calls
        faults += [f"not Linux's: {name} {n}" for n, name in (implemented | named) - linux if n <= known]
        break
    print("\n".join(sorted(faults)) or f"ok: {len(implemented)} system calls documented")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
