#!/usr/bin/env python3
"""Random operations on ext2 do what the host's file system does: the same program runs in the guest, on
a disk of its own, and here; what every call returned and the trees are compared, e2fsck finds nothing,
debugfs reads the tree that the guest wrote, and after another mount it is still the same.

    fs_random_test.py [--operations N] [--seed S] [--runs N]      more than the suite does
"""
# programs: fsops
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get('ORRERY_BUILD', 'build'))
BUILD = BUILD if BUILD.is_absolute() else ROOT / BUILD
PROGRAM = BUILD / 'programs/usr/lib/orrery/tests/fsops'
GUEST_PROGRAM = '/usr/lib/orrery/tests/fsops'
TOOLS = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'LC_ALL': 'C'}
WORKERS = 4
MARK = '-- tree --\n'


def call(*command, **more):
    return subprocess.run([str(word) for word in command], env=TOOLS, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', **more)


def first_difference(ours, theirs):
    for number, (a, b) in enumerate(zip(ours.split('\n'), theirs.split('\n'))):
        if a != b:
            return f'line {number}: here {a[:160]!r}, on the host {b[:160]!r}'
    return f'{len(ours)} bytes here, {len(theirs)} on the host'


def one_run(seed, operations, block, cpus, work):
    what = f'seed {seed}, {operations} operations, blocks of {block}, {cpus} CPUs'
    print(what, flush=True)
    image, host = work / 'image', work / 'host'
    with open(image, 'wb') as file:
        file.truncate(96 << 20)
    made = call('mke2fs', '-q', '-F', '-t', 'ext2', '-b', block, '-N', 8192, image)
    if made.returncode:
        return f'{what}: mke2fs: {made.stdout}'
    each = operations // WORKERS
    order = f'run {seed} {each} {WORKERS}'
    command = (f'mount -t ext2 /dev/hdb /mnt && {GUEST_PROGRAM} {order} /mnt/t && echo "{MARK[:-1]}" && '
               f'umount /mnt && mount -t ext2 /dev/hdb /mnt && {GUEST_PROGRAM} tree /mnt/t')
    guest = call(ROOT / 'scripts/run', '--timeout', 60 + operations // 20, '--smp', cpus,
                 '--log', work / 'log', '--exec', command, '--', '-drive',
                 f'file={image},format=raw,if=ide,index=1,media=disk,cache=unsafe',
                 stdin=subprocess.DEVNULL)
    if guest.returncode:
        return f'{what}: status {guest.returncode}\n{guest.stdout[-3000:]}'
    transcript, _, tree = guest.stdout.partition(MARK)
    wanted = call(PROGRAM, *order.split(), host).stdout
    if transcript != wanted:
        return f'{what}: {first_difference(transcript, wanted)}'
    wanted = call(PROGRAM, 'tree', host).stdout
    if tree != wanted:
        return f'{what}: the tree: {first_difference(tree, wanted)}'
    fsck = call('e2fsck', '-fn', image)
    if fsck.returncode:
        return f'{what}: e2fsck: {fsck.stdout}'
    # What debugfs reads: modes of links and owners are not its business.
    (work / 'dump').mkdir()
    call('debugfs', '-R', f'rdump /t {work}/dump', image)
    dumped = call(PROGRAM, 'tree', work / 'dump/t').stdout
    files = lambda text: sorted((line.split()[0], tuple(line.split()[4:])) for line in text.split('\n')
                                if line and line.split()[1].startswith('100'))
    if files(dumped) != files(wanted):
        return f'{what}: debugfs reads another tree: {list(set(files(dumped)) ^ set(files(wanted)))}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--operations', type=int, default=2000)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--runs', type=int, default=1, help='of three block sizes each')
    options = parser.parse_args()
    for run in range(options.runs):
        for number, (block, cpus) in enumerate(((1024, 4), (2048, 1), (4096, 4))):
            with tempfile.TemporaryDirectory(prefix='orrery') as work:
                fault = one_run(options.seed + 3 * run + number, options.operations, block, cpus,
                                pathlib.Path(work))
            if fault:
                sys.exit('FAIL: ' + fault)
    print('all as expected')


main()
