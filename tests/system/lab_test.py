#!/usr/bin/env python3
"""scripts/lab: what it says to wrong use, and that each of its answers is one line.
timeout: 300"""
import gzip
import io
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
failures = []


def lab(*words, tree=ROOT):
    return subprocess.run([tree / 'scripts/lab', *map(str, words)], capture_output=True, text=True, cwd=tree,
                          stdin=subprocess.DEVNULL)


def check(right, what):
    if not right:
        failures.append(what)
        print('FAIL', what)


def refused(text, *words, tree=ROOT):
    done = lab(*words, tree=tree)
    lines = done.stderr.strip().splitlines()
    check(done.returncode != 0 and len(lines) == 1 and text in lines[0],
          f'{words}: status {done.returncode}, {done.stderr!r} (wanted: {text})')


def archive(path, members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w') as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    path.write_bytes(gzip.compress(packed.getvalue()))


def main():
    number = 5
    task_file = 'kernel/sched/policies/sjf.hpp'
    for command in ('list', 'start', 'grade', 'show', 'debug', 'hand-in', 'grade-all', 'autograder', 'check'):
        check(lab(command, '--help').stdout.startswith('usage: '), f'{command} --help')
    check('not yet' not in ''.join(line for line in lab('list').stdout.splitlines() if line.startswith('  5')), 'list')
    refused('no lab 77; there are: ', 'start', 77, '/nowhere')
    refused('no task 5.99; lab 5 has: 5.1', 'show', '5.99')
    refused('which lab?', 'grade')
    refused('no case begins with 5.99', 'grade', 5, '--only', '5.99')
    refused('hand-in is for a tree', 'hand-in')
    refused('no folder', 'grade-all', 5, '/nowhere', '--csv', '/dev/null')
    with tempfile.TemporaryDirectory(dir=ROOT / 'build') as scratch:
        scratch = pathlib.Path(scratch)
        refused('exists; name a folder that does not', 'start', 5, scratch)
        folder = scratch / 'student'
        check(lab('start', number, folder, '--lang', 'zh').returncode == 0, 'start')
        check('实验 5' in (folder / 'README.md').read_text(), 'the README in the student\'s language')
        secret = [path for path in folder.rglob('*') if re.match(r'(answers|exam|teaching|reference|.*\.patch$)', path.name)]
        check(not [path for path in secret if 'course' in path.parts], f'the student gets {secret}')
        refused("is the teacher's", 'grade-all', 5, scratch, '--csv', '/dev/null', tree=folder)
        refused('这里是实验 5 的目录', 'grade', 7, tree=folder)
        refused('this is the tree of lab 5', 'grade', 7, '--lang', 'en', tree=folder)
        refused('还没有修改任何文件；本实验的文件是：', 'hand-in', tree=folder)
        refused('种子 3：本目录只有这些种子的标准答案：1', 'grade', '--seed', 3, tree=folder)
        (folder / 'kernel/main.cpp').write_text('// mine\n')
        (folder / 'notes.txt').write_text('mine\n')
        refused('这些文件不属于本实验，却被修改了：kernel/main.cpp、notes.txt', 'hand-in', tree=folder)
        subprocess.run(['git', 'checkout', '-q', 'kernel/main.cpp'], cwd=folder, check=True)
        (folder / 'notes.txt').unlink()
        with open(folder / task_file, 'a') as file:
            file.write('// a change\n')
        for _ in range(2):  # the archive of the first is no change of the student's
            check(lab('hand-in', tree=folder).returncode == 0, 'hand-in')
        with tarfile.open(folder / 'lab5.tar.gz') as tar:
            check(sorted(tar.getnames()) == [task_file, 'lab.json'], f'the archive holds {tar.getnames()}')
        hand_ins(scratch, folder)
    print(f'{len(failures)} failures')
    return 1 if failures else 0


def hand_ins(scratch, folder):
    """What is no hand-in gets no points, one line, and no run."""
    archives = scratch / 'archives'
    archives.mkdir()
    about = b'{"lab": 5, "seed": 1}'
    (archives / 'a-text').write_text('this is no archive\n')
    archive(archives / 'b-tests', {'lab.json': about, 'course/05-scheduling/judge.py': b'pass\n'})
    archive(archives / 'c-other', {'lab.json': b'{"lab": 9}'})
    archive(archives / 'd-nameless', {'kernel/sched/policies/sjf.hpp': b''})
    archive(archives / 'e-escapes', {'lab.json': about, '../../escaped': b''})
    (archives / 'f-bomb').write_bytes(gzip.compress(bytes(200 << 20)))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w') as tar:
        link = tarfile.TarInfo('kernel/sched/policies/sjf.hpp')
        link.type, link.linkname = tarfile.SYMTYPE, '/etc/passwd'
        tar.addfile(link)
    (archives / 'g-link').write_bytes(gzip.compress(packed.getvalue()))
    table = scratch / 'points.csv'
    done = lab('grade-all', 5, archives, '--csv', table)
    check(done.returncode == 0, f'grade-all: {done.stderr}')
    wanted = ('no archive', 'not part of the lab: course/05-scheduling/judge.py', 'a hand-in of lab 9',
              'has no lab.json', 'not part of the lab: ../../escaped', 'more than 16 MiB', 'not a plain file')
    rows = table.read_text().splitlines()[1:] if table.exists() else []
    check(len(rows) == len(wanted), f'{len(rows)} rows')
    for row, text in zip(rows, wanted):
        check(',0,100,' in row and text in row, f'{row} (wanted: {text})')
    check(not os.path.exists(scratch.parent / 'escaped'), 'nothing is unpacked outside')


if __name__ == '__main__':
    sys.exit(main())
