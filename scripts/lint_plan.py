"""lint_plan.py BUILD-FOLDER: what clang has to look at, as BUILD-FOLDER/lint/build.ninja: target
`threads` for its warnings and the lock annotations, in the groups in which sources are compiled; `all` for
these, .clang-tidy's checks, source by source, and each header compiled alone. What passed is looked at again when it changes, or a
header does that it included when it was last compiled."""
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
  command = clang-tidy -quiet -p . -checks=clang-diagnostic-* --extra-arg=-Wthread-safety --warnings-as-errors='*' $in && touch $out
  description = $in
rule header
  command = $compile -MD -MF $out.d -MT $out -include $in -x c++ /dev/null && touch $out
  depfile = $out.d
  deps = gcc
  description = $in
rule warnings
  command = $compile && touch $out
  description = $in
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
    kept, edges = [], {'threads': [], 'all': []}
    plan = RULES
    for entry in commands:
        # kernel.pass1 and the like have no sources; programs of user/ are not ours to check here.
        if 'kernel_objects.dir' not in entry['command'] or entry['file'].endswith('.S'):
            continue
        inputs = [d for d in used.get(entry['command'].split(' -o ')[1].split()[0], []) if os.path.exists(d)]
        inputs += [os.path.join(root, '.clang-tidy'), os.path.abspath(__file__)]
        inputs = ' '.join(inputs)
        command = clang_command(entry['command'], headers)
        name = os.path.relpath(entry['file'], root).replace('/', '.')
        edges['threads'].append(f'{name}.threads')
        compile_only = re.sub(' -o [^ ]+ ', ' ', command) + ' -fsyntax-only -Wthread-safety -Werror'
        plan += f'build {name}.threads: warnings {entry["file"]} | {inputs}\n  compile = cd .. && {compile_only} && cd lint\n'
        for source in sources_of(entry['file']):
            kept.append({**entry, 'file': source, 'command': command.replace(entry['file'], source)})
            name = os.path.relpath(source, root).replace('/', '.')
            edges['all'].append(f'{name}.full')
            plan += f'build {name}.full: tidy {source} | {inputs}\n'
        last = command
    for header in output_of(['git', '-C', root, 'ls-files', 'boot/*.hpp', 'drivers/*.hpp', 'fs/*.hpp', 'kernel/*.hpp',
                             'mm/*.hpp', ':!kernel/std']).split():
        alone = re.sub(' -o .*| -MD -MT [^ ]+ -MF [^ ]+', '', last) + ' -fsyntax-only'
        edges['all'].append(header.replace('/', '.') + '.alone')
        plan += f'build {edges["all"][-1]}: header {root}/{header}\n  compile = {alone}\n'
    for target, names in edges.items():
        plan += f'build {target}: phony {" ".join(names)}\n'
    os.makedirs(os.path.join(build, 'lint'), exist_ok=True)
    with open(os.path.join(build, 'lint', 'compile_commands.json'), 'w') as file:
        json.dump(kept, file, indent=0)
    with open(os.path.join(build, 'lint', 'build.ninja'), 'w') as file:
        file.write(plan)


main()
