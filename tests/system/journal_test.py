#!/usr/bin/env python3
"""ext3 images with a log, as debugfs writes it, mounted in the guest: the names and contents are those that
e2fsck makes of a copy, and the disk is clean then. Damaged logs are mounted or refused, with a line. What a
mount reads depends on the journal's size, not on the disk's.

    journal_test.py [--rounds N] [--seed S]      more random damage than the suite has
"""
import argparse
import os
import pathlib
import random
import re
import struct
import sys
import tempfile

from write_log import SECTOR, call

ROOT = pathlib.Path(__file__).resolve().parents[2]
KIB, FIRST = 12288, 64  # of a partition; the first one's first sector
CHANGES = 'mkdir made\nmkdir made/deep\nsymlink made/link /etc/passwd\nrm old\ncd made\nwrite {text} text\n'


def fail(text):
    sys.exit(f'FAIL: {text}')


def debugfs(image, script):
    return call('debugfs', '-w', '-f', '/dev/stdin', image, input=script).stdout


def block_size(image):
    with open(image, 'rb') as file:
        file.seek(1024 + 24)
        return 1024 << struct.unpack('<I', file.read(4))[0]


def make_image(path, work, block, kib=KIB, checksums=False, more=()):
    """An image on which all that CHANGES does is in the log only."""
    text, after, contents = work / 'text', work / 'after', work / 'contents'
    text.write_text(''.join(f'{i}\n' for i in range(2000)))
    with open(path, 'wb') as file:
        file.truncate(kib << 10)
    made = call('mke2fs', '-q', '-F', '-t', 'ext3', '-b', block, '-O', '^resize_inode', '-N', 512, *more, path)
    if made.returncode:
        fail(f'mke2fs: {made.stdout}')
    debugfs(path, f'write {text} old\n')
    call('cp', '--sparse=always', path, after)
    debugfs(after, CHANGES.format(text=text))
    changed = []
    with open(path, 'rb') as old, open(after, 'rb') as new, open(contents, 'wb') as log:
        for number in range(min(kib << 10, KIB << 10) // block):
            was, will = old.read(block), new.read(block)
            if was != will:
                changed.append(number)
                log.write(will)
    debugfs(path, f'jo{" -c" if checksums else ""}\njw -b {",".join(map(str, changed))} {contents}\njc\n')
    if 'needs_recovery' not in call('dumpe2fs', '-h', path).stdout:
        fail('debugfs wrote no log')


def make_disk(path, parts):
    entry = lambda i: struct.pack('<BBHBBHII', 0, 0, 0, 0x83, 0, 0, FIRST + i * KIB * 2, KIB * 2)
    table = bytes(446) + b''.join(map(entry, range(len(parts))))
    path.write_bytes(table.ljust(510, b'\0') + b'\x55\xaa' + bytes((FIRST - 1) * SECTOR) +
                     b''.join(part.read_bytes() for part in parts))


def part_of(disk, index, to):
    start = (FIRST + index * KIB * 2) * SECTOR
    to.write_bytes(disk.read_bytes()[start:start + (KIB << 10)])
    return to


def guest(commands, log, *disks, options=()):
    drives = [word for index, disk in enumerate(disks, 1) for word in
              ('-drive', f'file={disk},format=raw,if=ide,index={index}')]
    done = call(ROOT / 'scripts/run', '--timeout', 150, '--log', log, *options, '--exec', commands, '--', *drives)
    if done.returncode:
        fail(f'the guest: status {done.returncode}: {done.stdout[-2000:]}')
    return done.stdout


def tree_of(image, work):
    dump = pathlib.Path(tempfile.mkdtemp(dir=work))
    call('debugfs', '-R', f'rdump / {dump}', image)
    found = {}
    for place, folders, files in os.walk(dump):
        for name in folders + files:
            path = pathlib.Path(place, name)
            found[str(path.relative_to(dump))] = (os.readlink(path) if path.is_symlink() else
                                                  '' if path.is_dir() else path.read_bytes())
    return found


def test_replay(work):
    kinds = [(1024, False), (1024, True), (2048, False), (4096, True)]
    parts = []
    for index, (block, checksums) in enumerate(kinds):
        parts.append(work / f'part{index}')
        make_image(parts[-1], work, block, checksums=checksums)
    disk = work / 'disk'
    make_disk(disk, parts)
    guest('for i in 1 3 4; do mount -t ext3 /dev/hdb$i /mnt && echo new >/mnt/made/new && umount /mnt; done\n'
          'mount -t ext3 -o ro /dev/hdb2 /mnt && ls /mnt/made >/dev/null && umount /mnt', work / 'log', disk)
    for index, part in enumerate(parts):
        ours = part_of(disk, index, work / 'ours')
        if call('e2fsck', '-p', part).returncode > 1:
            fail(f'{kinds[index]}: e2fsck asks')
        clean = call('e2fsck', '-fn', ours)
        theirs, mine = tree_of(part, work), tree_of(ours, work)
        if clean.returncode or 'needs_recovery' in call('dumpe2fs', '-h', ours).stdout:
            fail(f'{kinds[index]}: not clean: {clean.stdout}')
        if index != 1 and mine.pop('made/new', None) != b'new\n':
            fail(f'{kinds[index]}: what was written then is not there')
        if 'made/deep' not in theirs or mine != theirs:
            fail(f'{kinds[index]}: {mine.keys()} instead of {theirs.keys()}')
    print('ok four logs are replayed as e2fsck does')


def test_damage(work, options):
    chance = random.Random(options.seed)
    parts = []
    for block in (1024, 4096):
        parts.append(work / f'good{block}')
        make_image(parts[-1], work, block, checksums=block == 4096)
    for round_ in range(options.rounds):
        copies = []
        for index in range(4):
            good = parts[chance.randrange(2)]
            block = block_size(good)
            data = bytearray(good.read_bytes())
            first = int(call('debugfs', '-R', 'bmap <8> 0', good).stdout.split()[-1])
            for _ in range(chance.randrange(1, 5)):
                at = first * block + chance.randrange(12) * block + chance.randrange(chance.choice((48, block)))
                data[at] = chance.randrange(256)
            copies.append(work / f'bad{index}')
            copies[-1].write_bytes(data)
        make_disk(work / 'disk', copies)
        (work / 'log').unlink(missing_ok=True)
        output = guest('for i in 1 2 3 4; do if mount -t ext3 /dev/hdb$i /mnt 2>/dev/null; then ls -R /mnt >/dev/null; '
                       'echo x >/mnt/x; umount /mnt; else echo refused; fi; done 2>&1', work / 'log', work / 'disk')
        log = (work / 'log').read_text(errors='replace')
        told = len(re.findall(r'transactions of the journal were replayed|stays read-only: ', log))
        if told + output.count('refused') < 4:
            fail(f'round {round_}, seed {options.seed}: {told} of 4 tell what became of them:\n{output}\n{log}')
    print(f'ok {options.rounds * 4} damaged logs')


def sectors_read(image, work):
    output = guest('a=$(grep " hdb " /proc/diskstats); mount -t ext3 /dev/hdb /mnt && ls /mnt/made >/dev/null; '
                   'b=$(grep " hdb " /proc/diskstats); set -- $a; x=$6; set -- $b; echo read $(($6 - x))',
                   work / 'log', image)
    return int(re.search(r'read (\d+)', output)[1])


def test_cost(work):
    read = {}
    for size, journal in ((32, 4), (512, 4), (512, 16)):
        image = work / f'cost{size}-{journal}'
        make_image(image, work, 4096, size << 10, more=('-J', f'size={journal}'))
        read[size, journal] = sectors_read(image, work)
    print('ok sectors that a mount reads: ' + ', '.join(
        f'{size} MiB with a journal of {journal}: {count}' for (size, journal), count in read.items()))
    if read[512, 4] > 1.1 * read[32, 4] + 64 or not 3 * read[512, 4] < read[512, 16] < 5 * read[512, 4]:
        fail('not in proportion to the journal')


def test_fsync(work):
    """Of a small file that is new: its contents, the transaction, its commit block; twice in a log."""
    image = work / 'fsync'
    for mode, most in (('ordered', 4), ('writeback', 4), ('journal', 3)):
        image.unlink(missing_ok=True)
        make_image(image, work, 4096)
        output = guest(f'mount -t ext3 -o data={mode} /dev/hdb /mnt; for i in 1 2 3; do echo $i >/mnt/$i; set -- $i $(grep " hdb " '
                       '/proc/diskstats); sync /mnt/$1; echo $1 $9 $(grep " hdb " /proc/diskstats); done', work / 'log', image)
        counts = [int(words[9]) - int(words[1]) for words in map(str.split, output.splitlines())]
        print(f'ok data={mode}: an fsync is {counts} writes of the disk')
        if len(counts) != 3 or not 2 <= min(counts) <= max(counts) <= most:
            fail(f'data={mode}: fsync of a small file: {output}')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    for test in (test_replay, test_cost, test_fsync, lambda work: test_damage(work, options)):
        with tempfile.TemporaryDirectory(prefix='orrery') as work:
            test(pathlib.Path(work))


main()
