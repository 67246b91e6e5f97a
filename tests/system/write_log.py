"""A disk's writes as QEMU logs them (blklogwrites), and the disks that a cut of power could leave: each
beginning of the log, and each in which of the writes since the last flush only some arrived (the disk may
order them as it likes)."""
import itertools
import os
import struct
import subprocess

TOOLS = {**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin', 'LC_ALL': 'C'}
MAGIC, SECTOR, FLUSH, DISCARD = 0x6A736677736872, 512, 1, 4  # the log's format: dm-log-writes


def call(*command, **more):
    return subprocess.run([str(word) for word in command], env=TOOLS, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace', **more)


def logged_disk(image, log):
    """QEMU's arguments for /dev/hdb with this image, whose writes go to `log` too."""
    log.touch()
    return ['-blockdev', f'driver=file,filename={image},node-name=data',
            '-blockdev', f'driver=file,filename={log},node-name=log',
            '-blockdev', 'driver=blklogwrites,file.driver=raw,file.file=data,log=log,node-name=disk',
            '-device', 'ide-hd,drive=disk,bus=ide.0,unit=1']


def writes_of(log):
    """(sector, bytes, flags) of each entry."""
    with open(log, 'rb') as file:
        magic, _, entries, size = struct.unpack('<QQQI', file.read(28))
        assert magic == MAGIC and size == SECTOR
        at = SECTOR
        for _ in range(entries):
            file.seek(at)
            sector, count, flags, _ = struct.unpack('<QQQQ', file.read(32))
            file.seek(at + SECTOR)
            data = file.read(count * SECTOR) if not flags & DISCARD else b''
            yield sector, data, flags
            at += SECTOR + len(data)


def apply(image, write):
    image[write[0] * SECTOR:write[0] * SECTOR + len(write[1])] = write[1]


def disks_after(base, writes, cuts, chance, most):
    """(how many writes, what else, the disk): for each cut the beginning, and up to `most` where some are lost;
    all there are if that is no more."""
    image, flushed, since = bytearray(base), bytearray(base), []
    for number, write in enumerate(writes, 1):
        if write[2] & FLUSH:
            for each in since:
                apply(flushed, each)
            since = []
        apply(image, write)
        since.append(write)
        if number not in cuts:
            continue
        yield number, '', image
        if len(since) < 2:
            continue
        if 1 << len(since) <= most + 2:
            choices = list(itertools.product((True, False), repeat=len(since)))[1:-1]
        else:
            choices = [[chance.random() < 0.5 for _ in since] for _ in range(most)]
        for arrived in choices:
            some = bytearray(flushed)
            for each, there in zip(since, arrived):
                if there:
                    apply(some, each)
            yield number, ', some of the last lost', some
