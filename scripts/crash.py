"""What a cut of power leaves of one operation. The guest carries it out, with a sync behind it, on a disk whose
every write is logged; each beginning of that log is a disk after a cut, and so is one in which of the writes
since the disk's last flush only some arrived. e2fsck -p judges each of these disks, then its names and contents
are compared with those before and after the operation.

    scripts/crash [OPERATION...] [--do COMMAND] [--mode MODE] [--block SIZE] [--lost N] [--json]

cuts       disks that were judged
clean      e2fsck -p has nothing to do (it replays a journal first);  repaired: it mends without a question
asks       it cannot mend without a question: the machine would not start by itself
before     all is as before the operation;  after: as after it;  between: each name and content is one of both,
           or a file is shorter than it will be
damaged    something is gone that was there before and after, or a file has bytes that nobody wrote to it
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import struct
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests/system'))
from write_log import SECTOR, call, disks_after, logged_disk, writes_of  # noqa: E402

PLACE, SIZE, NOTES = 64, 16384, 64  # the partition's first sector and sectors, those of the notes behind it
PREPARE = ('mkdir old new; seq 300 >log; seq 400 >old/fresh; seq 500 >new/target; '
           'mkdir old/sub; seq 200 >old/sub/inside; seq 100 >open')
OPERATIONS = {
    'create': 'seq 600 >created',
    'append': 'seq 301 600 >>log',
    'rename-over': 'mv old/fresh new/target',
    'move-folder': 'mv old/sub new/sub',
    'unlink-open': 'exec 9>>open; rm open; seq 900 >&9; sync; exec 9>&-',
}
MODES = {'none': ('ext2', []), 'ordered': ('ext3', ['-o', 'data=ordered']),
         'writeback': ('ext3', ['-o', 'data=writeback']), 'journal': ('ext3', ['-o', 'data=journal'])}
JOURNAL_COMMIT = struct.pack('>II', 0xC03B3998, 2)
COLUMNS = ('cuts', 'clean', 'repaired', 'asks', 'before', 'between', 'after', 'damaged')


def fail(text):
    sys.exit(f'crash: {text}')


def make_disk(path, kind, block):
    part = pathlib.Path(f'{path}.part')
    made = call('mke2fs', '-q', '-F', '-t', kind, '-b', block, '-N', 256, part, f'{SIZE // 2}k')
    if made.returncode:
        fail(f'mke2fs: {made.stdout}')
    entry = lambda first, count: struct.pack('<BBHBBHII', 0, 0, 0, 0x83, 0, 0, first, count)
    table = bytes(446) + entry(PLACE, SIZE) + entry(PLACE + SIZE, NOTES) + bytes(32) + b'\x55\xaa'
    path.write_bytes(table.ljust(PLACE * SECTOR, b'\0') + part.read_bytes() + bytes(NOTES * SECTOR))


def guest_commands(mode, operations):
    kind, options = MODES[mode]
    note = 'echo {} | dd of=/dev/hdb2 conv=fsync 2>/tmp/e || cat /tmp/e\n'
    text = f'mount -t {kind} {" ".join(options)} /dev/hdb1 /mnt && cd /mnt && umask 022\n{PREPARE}\nsync\n'
    for number, command in enumerate(operations.values(), 1):
        text += note.format(f'{number} begins') + f'{{ {command}; }} || echo "{command}: status $?"\nsync\n'
        text += note.format(f'{number} ends')
    return text


def tree_of(part, work):
    """(status of e2fsck -p, {path: bytes, or None for a folder}) of a disk; part is repaired whatever it asks."""
    scratch, dump = work / 'cut', work / 'dump'
    scratch.write_bytes(part)
    status = call('e2fsck', '-p', scratch).returncode
    if status > 1:
        call('e2fsck', '-fy', scratch)
    shutil.rmtree(dump, ignore_errors=True)
    dump.mkdir()
    call('debugfs', '-R', f'rdump / {dump}', scratch)
    tree = {}
    for place, folders, files in os.walk(dump):
        for name in folders + files:
            path = pathlib.Path(place, name)
            tree[str(path.relative_to(dump))] = None if path.is_dir() else path.read_bytes()
    tree.pop('lost+found', None)
    return status, tree


def state(now, before, after):
    """'before', 'after', 'between' or 'damaged'."""
    if now == before:
        return 'before'
    if now == after:
        return 'after'
    known = [*before.values(), *after.values()]
    for path in {*now, *before, *after}:
        # A name that neither has (.replaced-N, lost+found's #N) does no harm if its contents are known.
        if path not in before and path not in after:
            if now[path] not in known and not path.startswith('lost+found/'):
                return 'damaged'
        elif path in now:
            was, will = before.get(path, b''), after.get(path, b'')
            if now[path] in (was, will):
                continue
            if now[path] is None or will is None or not will.startswith(now[path]):
                return 'damaged'
        elif path in before and path in after:
            return 'damaged'
    kept = {value for value in before.values() if value and value in after.values()}
    return 'between' if kept <= set(now.values()) else 'damaged'


def spans_of(writes, count):
    """For each operation the numbers of the first and the last write that belong to it."""
    marks = {}
    for number, (sector, data, _) in enumerate(writes, 1):
        if sector == PLACE + SIZE and data:
            marks[data.split(b'\n')[0].decode()] = number
    if len(marks) != 2 * count:
        fail(f'the guest noted {len(marks)} of {2 * count} steps')
    return [(marks[f'{i} begins'], marks[f'{i} ends']) for i in range(1, count + 1)]


def part_of(disk):
    return bytes(disk[PLACE * SECTOR:(PLACE + SIZE) * SECTOR])


def judge(base, writes, span, options, work):
    """How many of the disks are what."""
    first, last = span
    chance = random.Random(options.seed)
    cuts = range(first, last)
    ends = {number: part_of(disk) for number, what, disk in disks_after(base, writes, {first, last}, chance, 0)
            if not what}
    before, after = tree_of(ends[first], work)[1], tree_of(ends[last], work)[1]
    row = dict.fromkeys(COLUMNS, 0)
    row['writes'] = last - first - 1
    for _, _, disk in disks_after(base, writes, set(cuts), chance, options.lost):
        status, tree = tree_of(part_of(disk), work)
        row['cuts'] += 1
        row['clean' if status == 0 else 'repaired' if status == 1 else 'asks'] += 1
        row[state(tree, before, after)] += 1
    return row


def run_mode(mode, operations, options, work):
    image, log = work / 'image', work / 'writes'
    log.unlink(missing_ok=True)
    make_disk(image, MODES[mode][0], options.block)
    base = image.read_bytes()
    done = call(ROOT / 'scripts/run', '--timeout', 200, '--exec', guest_commands(mode, operations), '--',
                *logged_disk(image, log))
    if done.returncode or done.stdout:
        fail(f'the guest, mode {mode}: status {done.returncode}: {done.stdout[-2000:]}')
    writes = list(writes_of(log))
    if mode != 'none' and not any(data.startswith(JOURNAL_COMMIT) for _, data, _ in writes):
        fail(f'mode {mode}: nothing was committed to the journal')
    for name, span in zip(operations, spans_of(writes, len(operations))):
        yield {'operation': name, 'mode': mode, **judge(base, writes, span, options, work)}


def main():
    parser = argparse.ArgumentParser(prog='scripts/crash', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('operation', nargs='*', help=', '.join(OPERATIONS) + ' (default: all)')
    parser.add_argument('--do', metavar='COMMAND', help='an operation of your own, after: ' + PREPARE)
    parser.add_argument('--mode', action='append', choices=MODES, help='how its journal is used (default: each)')
    parser.add_argument('--block', type=int, default=1024, choices=(1024, 2048, 4096), help='bytes')
    parser.add_argument('--lost', type=int, default=2, help='disks a cut where some of the last writes are lost')
    parser.add_argument('--seed', type=int, default=1, help='which of them')
    parser.add_argument('--json', action='store_true', help='for programs')
    options = parser.parse_args()
    unknown = [name for name in options.operation if name not in OPERATIONS]
    if unknown:
        fail(f'no operation {unknown[0]}; there are: {" ".join(OPERATIONS)}')
    operations = {name: OPERATIONS[name] for name in options.operation}
    if options.do:
        operations[options.do] = options.do
    operations = operations or OPERATIONS
    rows, width = [], max(map(len, [*operations, 'operation']))
    if not options.json:
        print(f'{"operation":{width}}  {"journal":9}  writes' + ''.join(f'{name:>9}' for name in COLUMNS))
    for mode in options.mode or MODES:
        with tempfile.TemporaryDirectory(prefix='crash') as work:
            for row in run_mode(mode, operations, options, pathlib.Path(work)):
                rows.append(row)
                if not options.json:
                    print(f'{row["operation"]:{width}}  {mode:9}  {row["writes"]:6}' +
                          ''.join(f'{row[name]:9}' for name in COLUMNS), flush=True)
    if options.json:
        print(json.dumps(rows, indent=1))


if __name__ == '__main__':
    main()
