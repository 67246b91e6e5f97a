"""lint_plan.py BUILD-FOLDER: what clang-tidy has to look at, as BUILD-FOLDER/lint/build.ninja: target
`threads` for the lock annotations, `all` for these and .clang-tidy's checks. A source that passed is
looked at again when it changes, or a header does that it included when it was last compiled."""
import json
import os
import re
import subprocess
import sys

# What clang doesn't know of GCC's options. -mgeneral-regs-only: clang then rejects even declarations
# with floating point, as libstdc++ has.
LEFT_OUT = ('-fno-use-cxa-atexit', '-Wno-psabi', '-fcf-protection=', '-fmacro-prefix-map=',
            '-mpreferred-stack-boundary=', '-mgeneral-regs-only', '-Winvalid-pch')
RULES = '''rule tidy
  command = clang-tidy -quiet -p . $checks --warnings-as-errors='*' $in && touch $out
  description = $in
locks = --extra-arg=-Wthread-safety
'''


def output_of(command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def clang_command(command, headers):
    """`ccache` and its like may stand before the compiler."""
    words = command.split()
    while not words[0].endswith('g++'):
        del words[0]
    while '-include' in words:  # what is precompiled for GCC: here each source includes what it uses
        at = words.index('-include')
        del words[at:at + 2]
    words = [headers if '/lib/gcc' in word and word.endswith('/include') else word
             for word in words[1:] if not word.startswith(LEFT_OUT)]
    return ' '.join(['clang++ --target=i686-unknown-none-elf'] + words)


def dependencies(build):
    """From object files, as ninja names them, to the absolute paths of all that went into them."""
    found, current = {}, []
    for line in output_of(['ninja', '-C', build, '-t', 'deps']).splitlines():
        if line.startswith('    '):
            current.append(os.path.normpath(os.path.join(build, line.strip())))
        elif ': #deps' in line:
            current = found[line.split(':')[0]] = []
    return found


def sources_of(file):
    """A group's file includes its sources."""
    if '/Unity/' not in file:
        return [file]
    with open(file) as group:
        return re.findall(r'^#include "(.*)"$', group.read(), re.M)


def main():
    build = os.path.abspath(sys.argv[1])
    with open(os.path.join(build, 'compile_commands.json')) as file:
        commands = json.load(file)
    headers = output_of(['clang++', '-print-resource-dir']).strip() + '/include'
    used = dependencies(build)
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    kept, edges = [], {'threads': [], 'full': []}
    plan = RULES
    for entry in commands:
        # kernel.pass1 and the like have no sources; programs of user/ are not ours to check here.
        if 'kernel_objects.dir' not in entry['command'] or entry['file'].endswith('.S'):
            continue
        inputs = [d for d in used.get(entry['command'].split(' -o ')[1].split()[0], []) if os.path.exists(d)]
        inputs += [os.path.join(root, '.clang-tidy'), os.path.abspath(__file__)]
        for source in sources_of(entry['file']):
            command = clang_command(entry['command'].replace(entry['file'], source), headers)
            kept.append({**entry, 'file': source, 'command': command})
            name = os.path.relpath(source, root).replace('/', '.')
            for kind, checks in (('threads', '-checks=-*,misc-unused-alias-decls,clang-diagnostic-* $locks'),
                                 ('full', '-checks=clang-diagnostic-* $locks')):
                edges[kind].append(f'{name}.{kind}')
                plan += f'build {name}.{kind}: tidy {source} | {" ".join(inputs)}\n  checks = {checks}\n'
    for target, kind in (('threads', 'threads'), ('all', 'full')):
        plan += f'build {target}: phony {" ".join(edges[kind])}\n'
    os.makedirs(os.path.join(build, 'lint'), exist_ok=True)
    with open(os.path.join(build, 'lint', 'compile_commands.json'), 'w') as file:
        json.dump(kept, file, indent=0)
    with open(os.path.join(build, 'lint', 'build.ninja'), 'w') as file:
        file.write(plan)


main()
