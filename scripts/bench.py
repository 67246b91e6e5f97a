"""scripts/bench: user/bench in a repeatable guest (--icount 0: a tick of the TSC is an instruction), its
figures beside the references; and where the host time of a shortest run goes."""
import argparse
import json
import os
import re
import subprocess
import sys
import time

import bench_disk
import linux_guest

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
RUN = os.path.join(ROOT, 'scripts', 'run')


def guest(command, *options):
    done = subprocess.run([RUN, *options, '--exec', command], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f'bench: the guest ended with status {done.returncode}')
    return done.stdout


def references(name='references.txt'):
    with open(os.path.join(ROOT, 'scripts', name)) as file:
        rows = (line.split() for line in file if line.strip() and not line.startswith('#'))
        return {row[0]: [None if cell == '-' else int(cell) for cell in row[1:]] for row in rows}


def table(rows, measured):
    known = references() | references('references_more.txt')
    number = lambda value: '-' if value is None else f'{value:,}'
    print(f'{"instructions per operation":44} {"Orrery":>10} {"Linux":>10} {"xv6":>11} '
          f'{"aim":>9}  of Linux')
    for row in rows:
        cost = row.get('instructions')
        linux, xv6, aim = known.get(row['name'], (None, None, None))
        linux = measured.get(row['name'], linux)
        note = row.get('skipped', '')
        if cost is not None and linux:
            note = f'{100 * cost / linux:.0f} %' + (', over the aim' if aim and cost > aim else '')
        print(f'{row["operation"]:44} {number(cost):>10} {number(linux):>10} {number(xv6):>11} '
              f'{number(aim):>9}  {note}')


def power_on():
    """Least of three, for the host does other things too."""
    log = os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build'), 'bench.log')
    best = None
    for _ in range(3):
        started = time.monotonic()
        guest('true', '--log', log)
        seconds = time.monotonic() - started
        best = min(best or seconds, seconds)
    with open(log) as file:
        stamps = re.findall(r'^\[ *(\d+\.\d+)\]', file.read(), re.M)
    print(f'\nscripts/run --exec true: {best:.2f} s of host time (xv6 0.74-0.83 s and Linux 2.8-3.9 s '
          'to a prompt)')
    if stamps:
        print(f'of it {float(stamps[-1]):.2f} s from the kernel\'s first line of log to its last; the '
              'rest is the build check, QEMU, its firmware, and the shell')


def main():
    parser = argparse.ArgumentParser(
        prog='scripts/bench', description='Instructions per operation, beside those of Linux and xv6 '
        '(scripts/references.txt), and the time from power-on to power-off.')
    parser.add_argument('--json', action='store_true', help="the guest's figures only")
    parser.add_argument('--linux', metavar='VMLINUZ',
                        help='measure Linux too, with this kernel for i386; the rows above where no disk is '
                        'needed, with --disk those')
    parser.add_argument('--more', action='store_true', help='instead, a hundred more calls, on files in memory (ROW: one '
                        'of user/bench-calls)')
    parser.add_argument('--disk', action='store_true', help='instead, what ext2 on an IDE disk costs: large '
                        'files, many files, trees (ROW: one of user/bench-disk; takes minutes)')
    parser.add_argument('--journal', action='store_true', help='with --disk: ext3, with ext2 beside it')
    parser.add_argument('--linux-modules', metavar='FOLDER', help='with --disk: where its modules lie (default '
                        '../lib/modules beside VMLINUZ)')
    parser.add_argument('--append', metavar='STR', help='with --disk: more kernel command line (ide=irq)')
    parser.add_argument('rows', metavar='ROW', nargs='*',
                        help='only these: ' + ' '.join(references()))
    options = parser.parse_args()
    if options.disk:
        return bench_disk.run(options)
    # Room for the 64 MB process beside the image, which is a RAM disk.
    name = 'bench-calls' if options.more else 'bench'
    output = guest(f'{name} --json ' + ' '.join(options.rows), '--icount', '0', '--mem', '256')
    if options.json:
        sys.stdout.write(output)
        return
    rows = json.loads(output)['rows']
    names = [row['name'] for row in rows]
    program = os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build'), 'stripped', 'bin', name)
    table(rows, linux_guest.measure(options.linux, program, options.rows if options.more else names) if options.linux else {})
    if not options.more:
        power_on()


main()
