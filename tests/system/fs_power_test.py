#!/usr/bin/env python3
"""Cuts of power. QEMU logs every write to a disk while a busy load changes it; each beginning of that log
is a disk after a cut, and so is one in which of the writes since the last flush only some arrived (the
disk may order them as it likes). e2fsck -p repairs every one without a question, and what had been fsynced
holds its bytes. (Not renamed are folders without a journal: docs/disk.md tells why.)

    fs_power_test.py [--cuts N | --every] [--block SIZE] [--mode MODE] [--seed S]   more than the suite does
    fs_power_test.py --kill N                                     QEMU itself is killed, N times a block size and mode

timeout: 300
"""
# programs: fsops
import argparse
import itertools
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from write_log import call, disks_after, logged_disk, writes_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEPT, LIMIT = 40, 60  # LIMIT: seconds that a guest may take
seen = {'killed': 0, 'clean': 0, 'repaired': 0, 'orphans': 0, 'fsynced files': 0}
# File k + 1 is created after the fsync of file k has returned: when the one is there, the other is whole.
LOAD = f'''mount HOW /dev/hdb /mnt && BEGUN mkdir -p /mnt/kept && cd /mnt/kept && rm -rf * /mnt/r
(while :; do sync; done) &
(i=0; while :; do i=$((i+1)); exec 7>/mnt/o$i 8>/mnt/p$i; rm /mnt/?$i; seq $((i * 30 % 4000)) >&7; sync /mnt/kept
    seq 800 >&8; MOVES mkdir /mnt/q; cd /mnt/q; rmdir /mnt/q; [ $((i % 3)) = 0 ] && exec 8>&-; done) 2>/dev/null &
/usr/lib/orrery/tests/fsops keep SEED 450 2 /mnt/r >/dev/null &
k=0; while [ $k -lt {KEPT} ]; do k=$((k+1)); seq $k $((k * 150)) | dd of=$k conv=fsync 2>/tmp/e || cat /tmp/e; done
wait $!'''


# With a journal only: a folder moves, and a file goes over another.
MOVES = 'mkdir -p /mnt/x /mnt/y/f; mv /mnt/y/f /mnt/x/; seq $i >/mnt/y/n; mv /mnt/y/n /mnt/x/n; mv /mnt/x/f /mnt/y/;'
MODES = ('none', 'ordered', 'writeback', 'journal')


def kept(k):
    return ''.join(f'{i}\n' for i in range(k, k * 150 + 1))


def make_image(path, block, mode):
    with open(path, 'wb') as file:
        file.truncate((6 << 20) + (0 if mode == 'none' else 1024 * block))
    made = call('mke2fs', '-q', '-F', '-t', 'ext2' if mode == 'none' else 'ext3', '-b', block, '-N', 512, path)
    if made.returncode:
        sys.exit(f'FAIL: mke2fs: {made.stdout}')


def verify(image):
    """What is wrong with the disk, or None."""
    fsck = call('e2fsck', '-p', image)
    if fsck.returncode > 1:
        return f'e2fsck -p: status {fsck.returncode}: {fsck.stdout}'
    seen['repaired' if fsck.returncode else 'clean'] += 1
    seen['orphans'] += 'orphaned inode' in fsck.stdout
    again = call('e2fsck', '-fn', image)
    if again.returncode:
        return f'e2fsck -fn after e2fsck -p: {again.stdout}'
    script = ''.join(f'cat /kept/{k}\n' for k in range(1, KEPT + 1))
    parts = call('debugfs', '-f', '/dev/stdin', image, input=script).stdout.split('debugfs: cat /kept/')
    files = {}
    for part in parts[1:]:
        name, _, text = part.partition('\n')
        files[int(name)] = None if 'File not found' in text else text
    there = [k for k, text in files.items() if text is not None]
    for k in range(1, max(there, default=0)):
        if files.get(k) != kept(k):
            return f'/kept/{k} was fsynced, and is ' + ('gone' if files.get(k) is None else 'different')
        seen['fsynced files'] += 1
    return None


def run_load(timeout, log, extra, mode, seed, begun=''):
    load = LOAD.replace('HOW', '-t ext2' if mode == 'none' else f'-t ext3 -o data={mode}')
    load = load.replace('MOVES', '' if mode == 'none' else MOVES).replace('BEGUN', begun).replace('SEED', str(seed))
    return [str(word) for word in (ROOT / 'scripts/run', '--log', log, '--smp', 2, '--timeout', timeout, '--exec', load,
                                   '--', *extra)]


def replay(base, writes, cuts, work, chance):
    """Cuts after so many writes; every second time with some of the unflushed ones lost."""
    scratch = work / 'cut'
    for number, what, disk in disks_after(base, writes, cuts, chance, 1):
        scratch.write_bytes(disk)
        fault = verify(scratch)
        if fault:
            (ROOT / 'build/power-cut.img').write_bytes(disk)
            return f'cut after write {number} of {len(writes)}{what}: {fault}'
    return None


def logged(block, mode, options, work):
    print(f'seed {options.seed}, blocks of {block}, journal: {mode}', flush=True)
    image, log = work / 'image', work / 'writes'
    make_image(image, block, mode)
    base = image.read_bytes()
    done = call(*run_load(LIMIT, work / 'log', logged_disk(image, log), mode, options.seed), stdin=subprocess.DEVNULL)
    if done.returncode or done.stdout:
        return f'status {done.returncode}: {done.stdout[-2000:]}'
    writes = list(writes_of(log))
    chance = random.Random(options.seed)
    count = len(writes) if options.every else min(options.cuts or (25 if mode == 'none' else 8), len(writes))
    cuts = set(chance.sample(range(1, len(writes) + 1), count))
    print(f'{len(writes)} writes, {len(cuts)} cuts', flush=True)
    return replay(base, writes, cuts, work, chance)


def qemu_below(pid):
    """The emulator that this process started, or a child of it; None: it has ended."""
    for child in map(int, pathlib.Path(f'/proc/{pid}/task/{pid}/children').read_text().split()):
        if pathlib.Path(f'/proc/{child}/comm').read_text().startswith('qemu'):
            return child
        if found := qemu_below(child):
            return found
    return None


def killed(block, mode, options, work):
    chance = random.Random(options.seed)
    image = work / 'image'
    make_image(image, block, mode)
    for number in range(options.kill):
        # The clock starts with the load, however long the boot takes.
        load = run_load(LIMIT, work / 'log', ['-drive', f'file={image},format=raw,if=ide,index=1,media=disk'], mode,
                        number, 'echo begun;')
        with subprocess.Popen(load, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              text=True) as guest:
            first = guest.stdout.readline()
            time.sleep(3 * chance.random())
            emulator = qemu_below(guest.pid)
            if emulator:
                os.kill(emulator, signal.SIGKILL)
            guest.communicate()
        seen['killed'] += bool(emulator)
        if first != 'begun\n':
            return f'kill {number}: the guest did not begin: {first}'
        fault = verify(image)
        if fault:
            return f'kill {number}: {fault}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cuts', type=int, help='25, with a journal 8')
    parser.add_argument('--every', action='store_true')
    parser.add_argument('--block', type=int, action='append')
    parser.add_argument('--mode', choices=MODES, action='append')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--kill', type=int, default=0)
    options = parser.parse_args()
    for block, mode in itertools.product(options.block or (1024, 4096), options.mode or MODES):
        with tempfile.TemporaryDirectory(prefix='orrery') as work:
            fault = (killed if options.kill else logged)(block, mode, options, pathlib.Path(work))
        if not fault and not seen['orphans']:
            fault = 'no cut left a file without a name'
        if fault:
            sys.exit(f'FAIL: blocks of {block}, journal: {mode}: {fault}')
    print('all as expected; {killed} runs killed; disks: {clean} clean, {repaired} repaired, {orphans} of them with orphans to '
          'clear; {fsynced files} fsynced files whole'.format_map(seen))


main()
