#!/usr/bin/env python3
"""The help of every lab program and of each of its parts: --help prints it on standard output and ends
with status 0; its example, run, prints what the help says, but for the numbers; --json is told where
there is a table; a wrong word ends with status 2 and one line that says what would be right.
timeout: 300"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = sorted(path.stem for path in (ROOT / 'user').glob('lab-*'))
# Each part of each program: of those that have parts, the error message names them.
HELPS = """for program in %s; do
    for part in "" $($program nonsense 2>&1 | sed -n "s/.*there is no .nonsense.; one of:\\(.*\\) (--help.*/\\1/p"); do
        echo "@help $program $part"
        $program $part --help 2>/tmp/errors
        echo "@status $? $(wc -l </tmp/errors)"
        $program $part --nonsense >/tmp/output 2>&1
        echo "@wrong $? $(wc -l </tmp/output) $(cat /tmp/output)"
    done
done"""
failures = []


def check(what, holds):
    if not holds:
        failures.append(what)
        print(what)


def guest(command, *options):
    run = subprocess.run(['./scripts/run', *options, '--timeout', '140', '--exec', command], capture_output=True,
                         text=True, stdin=subprocess.DEVNULL, cwd=ROOT, check=False)
    check(f'scripts/run: {run.stderr[-300:]}', run.returncode == 0)
    return run.stdout


def masked(line):
    """The line with # for each number, hexadecimal ones too, and single blanks."""
    return ' '.join(re.sub(r'(?<![a-z])[0-9a-f]*[0-9][0-9a-f.,/]*', '#', line).split())


def like(wanted, lines):
    """`...` stands for any lines, or for the rest of a line."""
    if not wanted:
        return not lines
    if wanted[0] == '...':
        return any(like(wanted[1:], lines[i:]) for i in range(len(lines) + 1))
    if not lines:
        return False
    head, dots, _ = wanted[0].partition(' ...')
    return (lines[0].startswith(head) if dots else lines[0] == head) and like(wanted[1:], lines[1:])


def main():
    examples = {}
    for section in guest(HELPS % ' '.join(PROGRAMS)).split('@help ')[1:]:
        name, _, rest = section.partition('\n')
        text, _, ends = rest.partition('@status ')
        status, wrong = ends.split('\n', 1)
        check(f'{name}: --help: status and lines of errors {status}', status == '0 0')
        check(f'{name}: no usage', text.startswith('usage: '))
        check(f'{name}: a wrong option: {wrong}', re.match(r'@wrong 2 1 lab-.*(there are:|one of:).*--help', wrong))
        blocks = re.findall(r'^    # (lab-.*)\n((?:    (?!# ).*\n)+)', text, re.M)
        check(f'{name}: no example', blocks)
        whole = '; lab-' in text or ' PART ' in text  # the parts have it
        check(f'{name}: no --json', whole or '--json' in text)
        examples.update(blocks)
    check('few programs', len(examples) > len(PROGRAMS))
    # In simulated time, so that a busy host changes nothing; but what shows the root's own disk needs one.
    real = [command for command in examples if re.match('lab-disk modes|lab-fs bmap', command)]
    ran = ''.join(guest('\n'.join(f"echo '@run {command}'; {command} 2>&1" for command in some), *options)
                  for some, options in (([each for each in examples if each not in real], ('--icount', '2')), (real, ())))
    for section in ran.split('@run ')[1:]:
        command, _, output = section.partition('\n')
        wanted = [masked(line[4:]) for line in examples[command].splitlines()]
        lines = [masked(line) for line in output.splitlines() if line.strip()]
        check(f'# {command}\n{examples[command]}is now\n{output}', like(wanted, lines))
    print('\n'.join(failures and [f'{len(failures)} failures']) or 'all as expected')
    return bool(failures)


sys.exit(main())
