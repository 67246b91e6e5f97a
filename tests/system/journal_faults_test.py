#!/usr/bin/env python3
"""Disks that fail (QEMU's blkdebug) where the journal is: in its blocks, in its superblock, in a block on its way
home, and at a flush. In each mode the file system is read-only from then on, with one line; what is written next is an error; what
had been fsynced is there after e2fsck -p, which asks nothing; the next mount of the disk, whole again, writes.

    journal_faults_test.py [--mode MODE] [--block SIZE]
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from write_log import SECTOR, call

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODES = ('ordered', 'writeback', 'journal')
MOST, SKIPPED = 250, 40  # files; writes before a fault begins: those of the mount
LOAD = '''D=hdLETTER; P=/hdLETTER; mkdir $P; mount -t ext3 -o data=MODE /dev/$D $P || echo $D not mounted
k=0; while [ $k -lt MOST ]; do k=$((k+1))
    seq $k $((k + 900)) | dd of=$P/$k conv=fsync 2>/tmp/e || break; echo $D $k; done
grep -o 'Input/output error' /tmp/e | sed "s/^/$D /"
echo x 2>/tmp/e >$P/more; sed "s/.*: /$D /" /tmp/e
seq 1 901 | cmp - $P/1 && umount $P && echo $D gone
'''


def blocks_of(image, path):
    return [int(word) for word in call('debugfs', '-R', f'blocks {path}', image).stdout.split('\n', 1)[1].split()]


def table_of(image):
    """The block of the inode table that new files are in."""
    return int(re.search(r'located at block (\d+)', call('debugfs', '-R', 'imap <20>', image).stdout)[1])


def drive(image, index, kind, block, size):
    """QEMU's arguments for a disk on which, after SKIPPED writes, this block, or every flush, is an error."""
    words = [f'driver=raw,node-name=d{index},file.driver=blkdebug,file.image.driver=file,'
             f'file.image.filename={image}']
    for i in range(SKIPPED):
        words.append(f'file.set-state.{i}.event=write_aio,file.set-state.{i}.state={i + 1},'
                     f'file.set-state.{i}.new_state={i + 2}')
    rule = 'file.inject-error.0.'
    words += [f'{rule}event=write_aio,{rule}state={SKIPPED + 1},{rule}iotype={kind},{rule}errno=5']
    if block is not None:
        words.append(f'{rule}sector={block * (size // SECTOR)}')
    return ['-blockdev', ','.join(words), '-device',
            f'ide-hd,drive=d{index},werror=report,rerror=report,bus=ide.{index // 2},unit={index % 2}']


def make_image(path, size):
    with open(path, 'wb') as file:
        file.truncate((6 << 20) + 1024 * size)
    made = call('mke2fs', '-q', '-F', '-t', 'ext3', '-J', f'size={1024 * size >> 20}', '-b', size, '-N', 512, path)
    if made.returncode:
        sys.exit(f'FAIL: mke2fs: {made.stdout}')


def run(commands, log, *extra):
    log.unlink(missing_ok=True)
    done = subprocess.run([ROOT / 'scripts/run', '--timeout', '60', '--log', log, '--exec', commands, '--', *extra],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout, log.read_text(errors='replace')


def verify(what, image, text, log, work):
    """`text`: what the guest said of this disk."""
    kept = [int(word) for word in text if word.isdigit()]
    if not 5 < len(kept) < MOST:
        return f'{len(kept)} files were fsynced'
    if text[len(kept):] != ['Input/output error', 'Read-only file system', 'gone']:
        return f'{text[len(kept):]}'
    if log != ['the journal cannot be written: read-only from now on']:
        return f'the log: {log}'
    fsck = call('e2fsck', '-p', image)
    if fsck.returncode > 1 or call('e2fsck', '-fn', image).returncode:
        return f'e2fsck -p: {fsck.returncode}: {fsck.stdout}'
    call('debugfs', '-R', f'rdump / {work}', image)
    for k in kept:
        path = work / str(k)
        if not path.exists() or path.read_text() != ''.join(f'{i}\n' for i in range(k, k + 901)):
            return f'{k} was fsynced, and is ' + ('different' if path.exists() else 'gone')
    print(f'ok {what}: {len(kept)} files fsynced before', flush=True)
    return None


def one_run(mode, size, work):
    first = work / 'hdb'
    make_image(first, size)
    places = blocks_of(first, '<8>')
    faults = {'hdb': ('a block of the journal', 'write', places[300]),
              'hdc': ('its superblock', 'write', places[0]),
              'hdd': ('a block on its way home', 'write', table_of(first))}
    if size == 4096:
        faults['hdd'] = ('flush', 'flush', None)
    extra = []
    for index, (name, (_, kind, block)) in enumerate(faults.items(), 1):
        (work / name).write_bytes(first.read_bytes())
        extra += drive(work / name, index, kind, block, size)
    load = LOAD.replace('MODE', mode).replace('MOST', str(MOST))
    status, output, log = run(''.join(load.replace('LETTER', name[2]) for name in faults), work / 'log', *extra)
    if status:
        return f'status {status}: {output[-2000:]}'
    for name, (what, _, _) in faults.items():
        (work / f'tree-{name}').mkdir()
        said = [line[4:] for line in output.splitlines() if line.startswith(name)]
        told = [line.split(f'{name}: ')[1] for line in log.splitlines() if re.search(f'ext[23]: {name}: ', line)]
        fault = verify(f'{mode}, blocks of {size}: {what}', work / name, said, told, work / f'tree-{name}')
        if fault:
            return f'{what}: {fault}'
    disks = [word for index, name in enumerate(faults, 1)
             for word in ('-drive', f'file={work / name},format=raw,if=ide,index={index}')]
    status, output, _ = run('for d in hdb hdc hdd; do mount -t ext3 /dev/$d /mnt && echo x >/mnt/more && umount /mnt || '
                            'echo $d; done', work / 'log', *disks)
    for name in faults:
        clean = call('e2fsck', '-fn', work / name)
        if status or output or clean.returncode:
            return f'{name} once more: {status}: {output}{clean.stdout}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--mode', choices=MODES, action='append')
    parser.add_argument('--block', type=int, action='append')
    options = parser.parse_args()
    for mode in options.mode or MODES:
        for size in options.block or (1024, 4096):
            with tempfile.TemporaryDirectory(prefix='orrery') as work:
                fault = one_run(mode, size, pathlib.Path(work))
            if fault:
                sys.exit(f'FAIL: {mode}, blocks of {size}: {fault}')
    print('all as expected')


main()
