#!/usr/bin/env python3
"""Damaged ext2, FAT and ISO 9660 in the kernel itself: each image in turn is spoilt at random, mounted, walked
and changed by two processes, and unmounted, on two CPUs; the kernel neither panics nor hangs, nothing stays
busy, and no memory is lost (tests/guest/damage.cpp).

    fs_damage_test.py [--rounds N] [--seed S] [--smp N]      2,000 rounds take some minutes
"""
# programs: damage
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'LC_ALL': 'C'}
COMMAND = '''free_now() {{ echo 3 >/proc/sys/vm/drop_caches; sed -n 's/^MemFree: *\\([0-9]*\\).*/\\1/p' /proc/meminfo; }}
damage="/usr/lib/orrery/tests/damage /dev/hdb"
$damage {seed} 8 {images} || exit 1
before=$(free_now); $damage {seed} {rounds} {images} || exit 1
after=$(free_now); echo "$before KiB were free, then $after"; [ $((before - after)) -lt {lost} ]'''


def call(*command, **more):
    done = subprocess.run([str(word) for word in command], env=TOOLS, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', **more)
    if done.returncode:
        sys.exit(f'FAIL: {" ".join(map(str, command))}: {done.stdout}')


def fill(folder):
    (folder / 'a/b/c').mkdir(parents=True)
    (folder / 'many').mkdir()
    for i in range(8):
        (folder / f'a/b/f{i}').write_bytes(bytes([97 + i]) * (i * 9000))
    for i in range(30):
        (folder / f'many/{i}{"n" * 60}').write_text(str(i))


def images(work):
    tree = work / 'tree'
    fill(tree)
    call('mformat', '-C', '-i', work / 'fat', '-f', '720', '::')
    call('mcopy', '-s', '-i', work / 'fat', tree / 'a', tree / 'many', '::')
    call('xorriso', '-as', 'mkisofs', '-quiet', '-R', '-o', work / 'iso', tree)
    (tree / 'link').symlink_to('a/b')
    (tree / 'slow').symlink_to('/' * 100 + 'a/b')
    for block in (1024, 4096):
        call('mke2fs', '-q', '-F', '-t', 'ext2', '-b', block, '-N', 64, '-d', tree, work / f'ext{block}', '1500k')
    # ext2 is what may be written, so it comes twice as often.
    return [('ext2', 'ext1024'), ('vfat', 'fat'), ('ext2', 'ext4096'), ('ext2', 'ext1024'), ('iso9660', 'iso'),
            ('ext2', 'ext4096')]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=40)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--smp', type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='orrery') as work:
        work = pathlib.Path(work)
        used = images(work)
        with open(work / 'disk', 'wb') as disk:
            disk.truncate(4 << 20)
        added = [f'--add={work / name}:/srv/{name}' for name in sorted({name for _, name in used})]
        command = COMMAND.format(seed=options.seed, rounds=options.rounds, lost=400,
                                 images=' '.join(f'{kind}:/srv/{name}' for kind, name in used))
        done = subprocess.run(
            [ROOT / 'scripts/run', '--smp', str(options.smp), '--timeout', str(60 + options.rounds), '--log',
             work / 'log', *added, '--exec', command, '--', '-drive',
             f'file={work}/disk,format=raw,if=ide,index=1,media=disk'],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')
        if done.returncode:
            sys.exit(f'FAIL: seed {options.seed}: status {done.returncode}:\n{done.stdout[-3000:]}\n'
                     f'log: {(work / "log").read_text(errors="replace")[-2000:]}')
        print(done.stdout.strip().splitlines()[-1])
    print('all as expected')


main()
