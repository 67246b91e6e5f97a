"""user/bench on a Linux kernel, as scripts/bench --linux runs it: the same binary on the same emulated
machine. It is the first program, out of an initial file system in memory that holds little else."""
import gzip
import json
import os
import subprocess
import sys
import tempfile

DEVICES = {'dev/console': (5, 1), 'dev/null': (1, 3), 'dev/zero': (1, 5), 'dev/ptmx': (5, 2)}
ON_DISK = {'create', 'unlink', 'write-64k', 'read-64k', 'read-64k-disk'}  # not comparable there


def cpio(folders, devices, files):
    """An archive, "newc": Documentation/driver-api/early-userspace/buffer-format of Linux. Devices: name to
    (major, minor), files: (name, path) of programs."""
    def entry(name, mode, data=b'', device=(0, 0)):
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        head = b'070701' + b''.join(b'%08x' % field for field in fields) + name.encode() + b'\0'
        return head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4)
    parts = [entry(name, 0o040755) for name in folders]
    parts += [entry(name, 0o020666, device=device) for name, device in devices.items()]
    for name, path in files:
        with open(path, 'rb') as file:
            parts.append(entry(name, 0o100755, file.read()))
    return b''.join(parts) + entry('TRAILER!!!', 0)


def measure(kernel, program, rows):
    """{row: instructions} of those that need no disk. rows: none is all; at most 30, for Linux gives its first program
    no more words."""
    rows = [row for row in rows if row not in ON_DISK]
    with tempfile.NamedTemporaryFile(suffix='.gz') as image:
        image.write(gzip.compress(cpio(('dev', 'root'), DEVICES, [('init', program)]), 1))
        image.flush()
        words = f'console=ttyS0 mitigations=off quiet panic=-1 rdinit=/init -- --json {" ".join(rows)}'
        done = subprocess.run(
            ['qemu-system-i386', '-m', '256', '-display', 'none', '-serial', 'stdio', '-no-reboot', '-icount',
             'shift=0', '-kernel', kernel, '-initrd', image.name, '-append', words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=600)
    start, end = done.stdout.find('{"unit"'), done.stdout.rfind(']}')
    if start < 0 or end < 0:
        sys.exit(f'bench: {os.path.basename(kernel)} did not get to the end:\n{done.stdout[-2000:]}')
    found = json.loads(done.stdout[start:end + 2])['rows']
    return {row['name']: row.get('instructions') for row in found}
