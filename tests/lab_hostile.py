#!/usr/bin/env python3
"""Thirty hand-ins of lab 5, ten of them hostile, through grade-all: right points, in bounded time.
Takes minutes, so it is a command and no test of the suite: python3 tests/lab_hostile.py [COUNT]"""
import gzip
import io
import os
import pathlib
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / 'scripts' / 'labkit'), str(ROOT / 'scripts')]
import check  # noqa: E402
import handin  # noqa: E402
import spec  # noqa: E402

MOST_CPU = 40  # seconds for an archive, on average: a hundred in a night
POLICIES = 'kernel/sched/policies/'
# What stands in place of a function's first line; the file; the cases that it may cost.
PORT = 'asm volatile("outb %0, %w1" ::"a"(static_cast<uint8_t>({byte})), "Nd"(static_cast<uint16_t>({port})));'
FORGED = '''static const char kSaid[] = "O\\x10\\x00[[\\"P1\\", 0, 7]]   \\nX\\x01\\x00\\x00";
        for (const char byte : kSaid) ''' + PORT.format(byte='byte', port='0x2f8')
HOSTILE = {
    'hang': ('sjf.hpp', 'entity.key =', 'for (;;) asm volatile("");\n        entity.key =', '5.2'),
    'panic': ('srtn.hpp', 'return woken.key <', '__builtin_trap();\n        return woken.key <', '5.3'),
    'reset': ('hrrn.hpp', 'SchedEntity* best = nullptr;',
              'struct [[gnu::packed]] { uint16_t limit; uint32_t base; } none{0, 0};\n'
              '        asm volatile("lidt %0; int3" ::"m"(none));\n        SchedEntity* best = nullptr;', '5.4'),
    'prints': ('sjf.hpp', 'entity.key =', 'for (;;) ' + PORT.format(byte="'x'", port='0x3f8') + '\n        entity.key =', '5.2'),
    'floods': ('sjf.hpp', 'entity.key =', 'for (;;) for (char byte : {\'O\', \'\\1\', \'\\0\', \'x\'}) '
               + PORT.format(byte='byte', port='0x2f8') + '\n        entity.key =', '5.2'),
    'forges': ('hrrn.hpp', 'SchedEntity* best = nullptr;', FORGED + '\n        SchedEntity* best = nullptr;', '5.4'),
    'boots-not': ('rr.hpp', 'entity.turn_used = 0;', '__builtin_trap();\n        entity.turn_used = 0;', '5'),
    'broken': ('fcfs.hpp', 'queue_.push_back(entity);', 'queue_.push_back(entity) this is no C++;', '5'),
    'includes': ('fcfs.hpp', '#pragma once', '#pragma once\n#include "/dev/zero"', '5'),
    'recurses': ('fcfs.hpp', '#pragma once', '#pragma once\ntemplate <int n> struct Deep { Deep<n + 1> deep; };\n'
                 'inline Deep<0> deep;', '5'),
}


def pack(path, files, lab=5):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w') as tar:
        for name, data in {'lab.json': b'{"lab": %d, "seed": 1}' % lab, **files}.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))


def main():
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    lab = spec.find(5)
    solution = check.solution_of(lab)
    wanted = {}  # name: (points at least, prefix of the cases that may fail, a case that has to fail)
    place = ROOT / 'build' / 'lab' / 'hostile'
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        folder = pathlib.Path(folder)
        for name, (file, before, after, costs) in HOSTILE.items():
            text = solution[POLICIES + file].decode()
            assert before in text, name
            pack(folder / name, {**solution, POLICIES + file: text.replace(before, after, 1).encode()})
            wanted[name] = (costs, None)
        pack(folder / 'right', solution)
        wanted['right'] = ('none', None)
        for mistake in check.mistakes_of(lab)[:most - len(wanted)]:
            pack(folder / mistake.name, mistake.applied(solution))
            wanted[mistake.name] = (mistake.task.id, mistake.caught)
        began, before = time.monotonic(), handin.cpu_seconds()
        results = handin.grade_all(lab, str(folder), 7, os.cpu_count() or 1, str(place))
        cpu, took = handin.cpu_seconds() - before, time.monotonic() - began
    bad = 0
    for name, (costs, caught) in wanted.items():
        failed = check.failed(results[name])
        others = [case for case in failed if not case.startswith(costs)]
        misses = [caught] if caught and caught not in failed else []
        if costs != 'none' and not failed:
            misses = ['anything']
        if others or misses:
            bad += 1
            print(f'BAD  {name}: also failed: {others}; did not fail: {misses}')
    if cpu / len(wanted) > MOST_CPU:
        bad += 1
        print(f'BAD  more than {MOST_CPU} s of CPU each')
    print(f'{len(wanted)} archives, {bad} wrong; {cpu / len(wanted):.0f} s of CPU each, {took:.0f} s in all')
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
