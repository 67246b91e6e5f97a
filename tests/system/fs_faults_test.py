#!/usr/bin/env python3
"""Disks that fail (QEMU's blkdebug): a sector that can't be read or written is EIO for the one who asked,
in data and in metadata; other files are unharmed; a fault that passes is not noticed; a write error
reaches fsync, once; nothing hangs. In each of the IDE driver's modes, and behind AHCI.

    fs_faults_test.py [--rounds N] [--seed S]    N times random faults under random operations
"""
# programs: writeerrors fsops
import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOLS = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'LC_ALL': 'C'}
MODES = ('poll', 'irq', 'dma', 'ahci')
BLOCK = 4096
PER_BLOCK = BLOCK // 512  # sectors


def call(*command, **more):
    return subprocess.run([str(word) for word in command], env=TOOLS, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', **more)


def make_image(path, folder):
    with open(path, 'wb') as file:
        file.truncate(16 << 20)
    made = call('mke2fs', '-q', '-F', '-t', 'ext2', '-b', BLOCK, '-N', 1024, '-d', folder, path)
    if made.returncode:
        sys.exit(f'FAIL: mke2fs: {made.stdout}')


def blocks(image, path):
    answer = call('debugfs', '-R', f'blocks {path}', image).stdout
    return [int(word) for word in answer.split('\n', 1)[1].split()]


def inode_block(image, path):
    return int(re.search(r'located at block (\d+)', call('debugfs', '-R', f'imap {path}', image).stdout)[1])


def disk(mode, image, index, faults):
    """QEMU's arguments for a drive with these faults: (iotype, block or None, once)."""
    words = [f'driver=raw,node-name=d{index},file.driver=blkdebug,file.image.driver=file,'
             f'file.image.filename={image}']
    for i, (kind, block, once) in enumerate(faults):
        rule = f'file.inject-error.{i}.'
        # A rule is for one sector: for each of the block's, as a request may begin at any.
        words += [f'{rule}event=none', f'{rule}iotype={kind}', f'{rule}errno=5',
                  f'{rule}once={"on" if once else "off"}']
        if block is not None:
            words.append(f'{rule}sector={block * PER_BLOCK + 3}')
    return ['-blockdev', ','.join(words), '-device',
            f'ide-hd,drive=d{index},werror=report,rerror=report,'
            + (f'bus=ide.{index}' if mode == 'ahci' else f'bus=ide.{index // 2},unit={index % 2}')]


def guest(command, work, mode, *extra):
    machine = ['--machine', 'q35'] if mode == 'ahci' else ['--append', f'ide={mode}']
    return call(ROOT / 'scripts/run', '--timeout', 100, '--log', work / 'log', *machine, '--exec', command,
                '--', *extra, stdin=subprocess.DEVNULL)


COMMANDS = '''mkdir /r /w /f; mount -t ext2 -o ro /dev/hdb /r; mount -t ext2 /dev/hdc /w
try() { what=$1; shift; "$@" >/tmp/o 2>/tmp/e && echo "$what: ok" ||
    echo "$what: $(grep -o 'Input/output error' /tmp/e | head -1)"; }
try 'bad sector' cat /r/a
try 'before it' dd if=/r/a of=/dev/null bs=4096 count=4
try 'behind it' dd if=/r/a of=/dev/null bs=4096 skip=6
try 'neighbour' cmp /r/b /r/copy
try 'fault that passes' cmp /r/c /r/copy
try 'folder' cat /r/bad/x
try 'inodes' cat /r/t/40
try 'other inodes' cat /r/t/300
try 'write' dd if=/r/b of=/w/a bs=4096 conv=notrunc
try 'sync' sync /w/a
try 'overwritten' dd if=/r/b of=/w/a bs=4096 conv=notrunc,fsync
try 'another file' dd if=/r/b of=/w/new bs=4096 conv=fsync
try 'write that passes' dd if=/r/b of=/w/c bs=4096 conv=notrunc,fsync
/usr/lib/orrery/tests/writeerrors /w/told >/tmp/o && echo 'who is told: ok' || grep FAIL /tmp/o
try 'mount without flush' mount -t ext2 /dev/hdd /f
try 'read without flush' mount -t ext2 -o ro /dev/hdd /f
try 'its file' cmp /f/b /f/copy
umount /w; umount /r; echo end'''
WANTED = '''bad sector: Input/output error
before it: ok
behind it: ok
neighbour: ok
fault that passes: ok
folder: Input/output error
inodes: Input/output error
other inodes: ok
write: ok
sync: Input/output error
overwritten: Input/output error
another file: ok
write that passes: ok
who is told: ok
mount without flush: Input/output error
read without flush: ok
its file: ok
end
'''


def known_faults(mode, good, work):
    paths = [work / f'disk{i}' for i in range(3)]
    for path in paths:
        path.write_bytes(good.read_bytes())
    read, write, flush = paths
    a, c = blocks(good, '/a'), blocks(good, '/c')
    done = guest(COMMANDS, work, mode,
                 *disk(mode, read, 1, [('read', a[4], False), ('read', blocks(good, '/bad')[0], False),
                                 ('read', inode_block(good, '/t/40'), False), ('read', c[7], True)]),
                 *disk(mode, write, 2, [('write', a[3], False), ('write', c[3], True),
                                  ('write', blocks(good, '/told')[3], False)]),
                 *disk(mode, flush, 3, [('flush', None, False)]))
    if done.returncode or done.stdout != WANTED:
        return f'{mode}: status {done.returncode}:\n{done.stdout}\nlog: {(work / "log").read_text()[-1500:]}'
    fsck = call('e2fsck', '-fn', write)
    return f'{mode}: e2fsck: {fsck.stdout}' if fsck.returncode else None


def random_faults(seed, good, work):
    chance = random.Random(seed)
    mode = MODES[seed % len(MODES)]
    print(f'seed {seed}, {mode}', flush=True)
    image = work / 'image'
    image.write_bytes(good.read_bytes())
    # Half of them where the metadata of the first group lies.
    faults = [(chance.choice(['read', 'write', 'write']), chance.randrange(1, chance.choice([80, 4096])),
               chance.random() < 0.3) for _ in range(chance.randrange(1, 25))]
    if chance.random() < 0.3:
        faults.append(('flush', None, True))
    done = guest(f'mount -t ext2 /dev/hdb /mnt; /usr/lib/orrery/tests/fsops run {seed} 300 2 /mnt/x >/dev/null;'
                 'sync; cat /mnt/a /mnt/t/* >/dev/null; umount /mnt; mount -t ext2 /dev/hdb /mnt;'
                 'rm -r /mnt/x; ls -lR /mnt >/dev/null; umount /mnt; true', work, mode,
                 *disk(mode, image, 1, faults))
    if done.returncode:
        return f'seed {seed}: status {done.returncode}: {done.stdout[-2500:]}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=2)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='orrery') as work:
        work = pathlib.Path(work)
        tree = work / 'tree'
        for folder in ('bad', 't'):
            (tree / folder).mkdir(parents=True)
        text = random.Random(1).randbytes(150000)
        for name in ('a', 'b', 'c', 'copy', 'told', 'bad/x'):
            (tree / name).write_bytes(text)
        for i in range(400):
            (tree / f't/{i}').write_text(str(i))
        good = work / 'good'
        make_image(good, tree)
        for mode in MODES:
            fault = known_faults(mode, good, work)
            if fault:
                sys.exit('FAIL: ' + fault)
        for seed in range(options.seed, options.seed + options.rounds):
            fault = random_faults(seed, good, work)
            if fault:
                sys.exit('FAIL: ' + fault)
    print('all as expected')


main()
