#!/usr/bin/env python3
"""Each kind of operation, fsynced, one after the other, and the disk as a cut of power leaves it at each single
write: e2fsck -p asks nothing, all steps that were through are there, and of the one that was not each name
is as before or as after it. Which step is through the guest notes in a second partition. The same commands
run here tell what the tree should be. With a journal, in each mode, nothing is excepted: e2fsck plays the journal
back, and each name and each folder that moves is as before or as after.

    fs_orders_test.py [--cuts N | --every] [--block SIZE] [--lost N] [--mode MODE]     more than the suite does

timeout: 600
"""
import argparse
import hashlib
import itertools
import os
import pathlib
import random
import shutil
import stat
import struct
import sys
import tempfile

from write_log import SECTOR, call, disks_after, logged_disk, writes_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUSYBOX = ROOT / 'build/busybox/busybox'
PLACE, NOTES = 64, 64  # the partition's first sector, the sectors of the notes behind it
MODES = ('none', 'ordered', 'writeback', 'journal')
LONG = 'n' * 200
# What to do, what to fsync, and: `contents` of files may be anything until the fsync; a file that goes `over`
# another may leave that one under another name; a folder that `moves` from one block of a folder to another
# may make e2fsck ask (docs/disk.md), but nothing is lost.
STEPS = [
    ('mkdir a b', '. a b', ''),
    ('echo one >a/new', 'a/new a', 'contents'),
    ('seq 5000 >a/large', 'a/large a', 'contents'),
    ('seq 80000 >a/huge', 'a/huge a', 'contents'),
    ('echo more >>a/new', 'a/new', 'contents'),
    ('truncate -s 3000 a/large', 'a/large', 'contents'),
    ('truncate -s 100000 a/large', 'a/large', 'contents'),
    ('echo far | dd of=a/large bs=1000 seek=900 conv=notrunc 2>/dev/null', 'a/large', 'contents'),
    ('ln a/new b/second', 'a/new b', ''),
    ('ln -s short b/fast', 'b', ''),
    (f'ln -s {LONG} b/slow', 'b', ''),
    ('chmod 640 a/new', 'a/new', ''),
    ('mv a/new a/renamed', 'a', ''),
    ('mv a/renamed b/moved', 'a b', ''),
    ('echo old >b/target', 'b/target b', 'contents'),
    ('mv b/moved b/target', 'b', 'over'),
    ('echo over >a/over', 'a/over a', 'contents'),
    ('mv a/over b/target', 'a b', 'over'),
    ('echo again >b/again; mv b/again b/target', 'b', 'over'),  # its contents come along
    ('rm b/second', 'b', ''),
    ('mkdir a/sub', 'a', ''),
    ('rmdir a/sub', 'a', ''),
    ('mkdir -p a/p/q/r; echo deep >a/p/q/r/file', 'a/p/q/r/file a/p/q/r a/p/q a/p a', 'contents'),
    ('rm -r a/p', 'a', ''),
    ('mv b/fast b/faster', 'b', ''),
    ('mv b/slow a/slow', 'a b', ''),
    ('rm a/slow', 'a', ''),
    ('rm a/huge', 'a', ''),
    ('exec 9>a/nameless; rm a/nameless; seq 900 >&9; sync .; seq 900 >&9; sync .; exec 9>&-', 'a', ''),
    ('mkdir e; mv e f', '. f', ''),
    ('i=0; while [ $i -lt 70 ]; do i=$((i+1)); echo $i >a/file-with-a-longer-name-$i; done', 'a/file* a', 'contents'),
    (f'mv a/file-with-a-longer-name-3 a/{LONG}', 'a', ''),
    ('rm a/file-with-a-longer-name-*', 'a', ''),
    ('mkdir f/inner; echo kept >f/inner/file', 'f/inner/file f/inner f', 'contents'),
    ('mv f/inner b/inner', 'f b', 'moves'),
    ('mkdir b/empty', 'b', ''),
    ('mv -T b/inner b/empty', 'b', ''),
    ('mv b/empty f/', 'b f', 'moves'),
    (': >b/target', 'b/target', 'contents'),
]
seen = {'states': 0, 'clean': 0, 'repaired': 0, 'asked, of a folder that moved': 0}


def listing(folder):
    found = {}
    for place, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(place, name)
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                value = 'link to ' + os.readlink(path)
            elif stat.S_ISDIR(mode):
                value = f'folder {mode & 0o777:o}'
            else:
                with open(path, 'rb') as file:
                    value = f'file {mode & 0o777:o} ' + hashlib.sha1(file.read()).hexdigest()
            found[os.path.relpath(path, folder)] = value
    found.pop('lost+found', None)
    return found


def expected(work):
    """The tree before the first step, and after each."""
    host = work / 'host'
    host.mkdir()
    trees = [{}]
    for command, _, _ in STEPS:
        done = call(BUSYBOX, 'sh', '-c', f'umask 022; {command.replace("sync .;", "")}', cwd=host)
        if done.returncode or done.stdout:
            sys.exit(f'FAIL: here: {command}: {done.stdout}')
        trees.append(listing(host))
    return trees


def sectors_of(block, mode):
    """Of the partition: a journal has 1,024 blocks."""
    return 8192 if mode == 'none' else 8192 + 2 * block


def make_disk(path, block, mode):
    size = sectors_of(block, mode)
    entry = lambda first, count: struct.pack('<BBHBBHII', 0, 0, 0, 0x83, 0, 0, first, count)
    table = bytes(446) + entry(PLACE, size) + entry(PLACE + size, NOTES) + bytes(32) + b'\x55\xaa'
    made = call('mke2fs', '-q', '-F', '-t', 'ext2' if mode == 'none' else 'ext3', '-O', '^resize_inode', '-b', block,
                '-N', 256, f'{path}.part', f'{size // 2}k')
    if made.returncode:
        sys.exit(f'FAIL: mke2fs: {made.stdout}')
    part = pathlib.Path(f'{path}.part').read_bytes()
    path.write_bytes(table.ljust(PLACE * SECTOR, b'\0') + part + bytes(NOTES * SECTOR))


def guest_commands(mode):
    how = '-t ext2' if mode == 'none' else f'-t ext3 -o data={mode}'
    text = f'mount {how} /dev/hdb1 /mnt && cd /mnt && umask 022\n'
    for number, (command, synced, _) in enumerate(STEPS, 1):
        text += (f'{command} || echo step {number}\nsync {synced}\n'
                 f'echo {number} | dd of=/dev/hdb2 conv=fsync 2>/tmp/e || cat /tmp/e\n')
    return text


def kind_of(through, mode):
    kind = STEPS[through][2] if through < len(STEPS) else ''
    return kind if mode == 'none' or kind == 'contents' else ''


def compare(actual, through, trees, mode):
    """What is wrong with the tree that is there after so many steps, or None."""
    before, after = trees[through], trees[min(through + 1, len(STEPS))]
    kind = kind_of(through, mode)
    for path in {*actual, *before, *after}:
        now, was, will = actual.get(path), before.get(path), after.get(path)
        # While several commands of one step run, a name may come and go.
        if (now in (was, will) or (kind == 'contents' and (now is None or now.startswith('file')) and was != will)
                or (kind == 'over' and was != will and now in before.values())
                or (kind == 'over' and now in before.values() and '.replaced-' in path)
                or (through < len(STEPS) and ';' in STEPS[through][0] and path not in {**before, **after})):
            continue
        return f'{path}: is {now}, was {was}, becomes {will}'
    lost = (set(before.values()) & set(after.values())) - set(actual.values())
    return f'lost: {lost}' if lost else None


def verify(part, through, trees, work, mode):
    scratch, dump = work / 'cut', work / 'dump'
    scratch.write_bytes(part)
    seen['states'] += 1
    kind = kind_of(through, mode)
    fsck = call('e2fsck', '-p', scratch)
    if fsck.returncode > 1 and kind == 'moves':
        seen['asked, of a folder that moved'] += 1
        call('e2fsck', '-fy', scratch)
    elif fsck.returncode > 1:
        return f'e2fsck -p: status {fsck.returncode}: {fsck.stdout}'
    else:
        seen['repaired' if fsck.returncode else 'clean'] += 1
    again = call('e2fsck', '-fn', scratch)
    if again.returncode:
        return f'e2fsck -fn after e2fsck -p: {again.stdout}'
    shutil.rmtree(dump, ignore_errors=True)
    dump.mkdir()
    call('debugfs', '-R', f'rdump / {dump}', scratch)
    actual = listing(dump)
    if fsck.returncode > 1:
        lost = set(trees[through].values()) & set(trees[through + 1].values()) - set(actual.values())
        return f'lost: {lost}' if lost else None
    return compare(actual, through, trees, mode)


def one_run(block, mode, options, work, trees):
    image, log = work / 'image', work / 'writes'
    make_disk(image, block, mode)
    size = sectors_of(block, mode)
    base = image.read_bytes()
    done = call(ROOT / 'scripts/run', '--timeout', 100, '--log', work / 'log', '--exec', guest_commands(mode), '--',
                *logged_disk(image, log))
    if done.returncode or done.stdout:
        return f'status {done.returncode}: {done.stdout[-2000:]}'
    writes = list(writes_of(log))
    through, steps = 0, [0]
    for sector, data, _ in writes:
        if sector == PLACE + size and data:
            through = int(data.split(b'\n')[0])
        steps.append(through)
    if through != len(STEPS):
        return f'{through} of {len(STEPS)} steps are noted'
    chance = random.Random(options.seed)
    every = range(1, len(writes) + 1)
    count = options.cuts or (40 if mode == 'none' else 12)
    cuts = set(every if options.every else chance.sample(every, min(count, len(writes))))
    print(f'blocks of {block}, journal: {mode}: {len(writes)} writes, {len(cuts)} cuts', flush=True)
    for number, what, disk in disks_after(base, writes, cuts, chance, options.lost):
        part = disk[PLACE * SECTOR:(PLACE + size) * SECTOR]
        fault = verify(part, steps[number], trees, work, mode)
        if fault:
            (ROOT / 'build/order-cut.img').write_bytes(part)
            step = STEPS[min(steps[number], len(STEPS) - 1)][0]
            return f'cut after write {number} of {len(writes)}{what}, while "{step}": {fault}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--cuts', type=int, help='40, with a journal 12')
    parser.add_argument('--every', action='store_true')
    parser.add_argument('--lost', type=int, default=2, help='disks a cut where some of the last writes are lost')
    parser.add_argument('--block', type=int, action='append')
    parser.add_argument('--mode', choices=MODES, action='append')
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='orrery') as work:
        trees = expected(pathlib.Path(work))
    for block, mode in itertools.product(options.block or (1024, 4096), options.mode or MODES):
        with tempfile.TemporaryDirectory(prefix='orrery') as work:
            fault = one_run(block, mode, options, pathlib.Path(work), trees)
        if fault:
            sys.exit(f'FAIL: blocks of {block}, journal: {mode}: {fault}')
    print('all as expected; ' + ', '.join(f'{count} {what}' for what, count in seen.items()))


main()
