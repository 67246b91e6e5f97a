"""The kernel's table of its own function names and call lines, for backtraces.

make:  reads the first link of the kernel, writes symbols.S (section .symbols, see boot/kernel.ld and
       kernel/lib/symbols.cpp) for the second.
check: fails unless the second link left every address where the first had it.
"""
import argparse
import os
import re
import subprocess
import sys

# What the table's own size moves. Nothing of the kernel's code or data lies behind it.
MOVING = re.compile(r'__(symbols?_|line_table_|kernel_end)')


def run(command, text=''):
    return subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def symbols(cross, kernel):
    """[(address, type, name)], by address."""
    rows = (line.split() for line in run([cross + 'nm', '-n', kernel]).splitlines())
    return [(int(row[0], 16), row[1], row[2]) for row in rows if len(row) == 3]


def function_names(cross, kernel):
    """{address: name}; an empty name where the code ends."""
    functions, ends = {}, {}
    for address, kind, name in symbols(cross, kernel):
        if name in ('__text_end', '__init_end'):
            ends[address] = ''
        elif kind in 'tTwW' and address >= 0xC0000000 and not name.startswith('__'):
            functions.setdefault(address, name)
    # -p leaves out the argument types, which a backtrace has no room for.
    plain = run([cross + 'c++filt', '-p'], '\n'.join(functions.values())).splitlines()
    names = {a: n.split(' [clone')[0] for a, n in zip(functions, plain)}
    return {**{a: n for a, n in ends.items() if a not in names}, **names}


def call_lines(cross, kernel, roots):
    """[(return address, file, line)] of every call instruction; the sources are in the first of the roots, or
    an object came from a build of the other (scripts/seeds.py)."""
    code = run([cross + 'objdump', '-d', '--no-show-raw-insn', kernel])
    returns, after_call = [], False
    for match in re.finditer(r'^([0-9a-f]{8}):\t(\S+)', code, re.M):
        if after_call:
            returns.append(int(match[1], 16))
        after_call = match[2].startswith('call')
    lines = run([cross + 'addr2line', '-e', kernel],
                ''.join(f'{a - 1:#x}\n' for a in returns)).splitlines()
    result = []
    for address, place in zip(returns, lines):
        name, _, line = place.split(' ')[0].rpartition(':')
        if line.isdigit() and int(line):
            name = os.path.normpath(os.path.join(roots[0], name))
            root = next((root for root in roots if name.startswith(root + '/')), None)
            if root:
                result.append((address, name[len(root) + 1:], min(int(line), 65535)))
    return result


def make(options):
    functions = function_names(options.cross, options.kernel)
    lines = call_lines(options.cross, options.kernel, [os.path.normpath(root) for root in options.root])
    # File names come first: their offsets have 16 bits.
    offsets, blob = {'': 0}, ['']
    size = 1
    for name in [file for _, file, _ in lines] + list(functions.values()):
        if name not in offsets:
            offsets[name] = size
            blob.append(name)
            size += len(name.encode()) + 1
    out = ['.section .symbols.table, "a", @progbits']
    out += [f'.long {a:#x}, {offsets[n]}' for a, n in sorted(functions.items())]
    out += ['.section .symbols.lines, "a", @progbits']
    out += [f'.long {a:#x}\n.short {offsets[f]}, {n}' for a, f, n in sorted(lines)]
    out += ['.section .symbols.names, "a", @progbits']
    out += [f'.string "{name}"' for name in blob]
    out += ['.section .note.GNU-stack, "", @progbits', '']
    with open(options.out, 'w') as file:
        file.write('\n'.join(out))


def check(options):
    first, second = (
        {(name, address) for address, _, name in symbols(options.cross, kernel)
         if not MOVING.match(name)} for kernel in (options.kernel, options.out))
    if first != second:
        moved = sorted(name for name, _ in first ^ second)
        sys.exit(f'symbols.py: the second link moved {", ".join(moved[:5])}')


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument('action', choices=['make', 'check'])
parser.add_argument('--cross', required=True)
parser.add_argument('--root', nargs='+', default=['.'])
parser.add_argument('kernel')
parser.add_argument('out')
arguments = parser.parse_args()
(make if arguments.action == 'make' else check)(arguments)
