#!/usr/bin/env python3
"""The page tables of a running system against the kernel's sections: code, constants and symbols are
read-only wherever they are mapped at their own addresses, data can be written, and nothing of the
kernel is open to programs (the guest's part)."""
# programs: badptr faults filemap signals pagetables
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def newest_processor():
    """With SMEP and SMAP on, programs and their bad pointers fare as ever, faults in copies included;
    what is wrong, line by line."""
    tests = '/usr/lib/orrery/tests'
    run = subprocess.run([ROOT / 'scripts/run', '--smp', '2', '--exec',
                          f'dmesg | grep cpu:; for t in badptr faults filemap signals; do {tests}/$t >/tmp/out || tail /tmp/out; done;'
                          ' grep -c "smep smap" /proc/cpuinfo', '--', '-cpu', 'max'], text=True, capture_output=True,
                         timeout=100, stdin=subprocess.DEVNULL)
    lines = run.stdout.splitlines()
    if len(lines) == 2 and 'SMEP on, SMAP on' in lines[0] and lines[1] == '2':
        return []
    return ['with -cpu max:', run.stdout[-2000:], run.stderr]


def main():
    build = ROOT / os.environ.get('ORRERY_BUILD', 'build')
    names = {}
    for line in subprocess.run(['nm', build / 'kernel.elf'], text=True, capture_output=True,
                               check=True).stdout.splitlines():
        value, _, name = line.split(maxsplit=2)
        if name.startswith('__'):
            names[name] = int(value, 16) >> 12
    run = subprocess.run([ROOT / 'scripts/run', '--exec', '/usr/lib/orrery/tests/pagetables'], text=True,
                         capture_output=True, timeout=100, stdin=subprocess.DEVNULL)
    rights = {}
    for line in run.stdout.splitlines():
        words = line.split()
        if words[-1] in ('r', 'rw') and words[0] != 'ok':
            rights.update(dict.fromkeys(range(int(words[0], 16), int(words[1], 16)), words[2]))
    bad = []
    for section, wanted in (('text', 'r'), ('rodata', 'r'), ('symbols', 'r'), ('data', 'rw'), ('bss', 'rw')):
        end = names.get(f'__{section}_end', names['__bss_start'])
        pages = range(names[f'__{section}_start'], end)
        bad += [f'{section}: page {page:05x} is {rights.get(page)}' for page in pages
                if rights.get(page) != wanted]
        if not pages:
            bad.append(f'{section} has no pages')
    bad += newest_processor()
    if run.returncode or bad:
        print(run.stdout[-2000:], run.stderr, *bad[:20], sep='\n')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
