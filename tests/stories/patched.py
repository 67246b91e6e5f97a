#!/usr/bin/env python3
"""patched.py PATCH FOLDER: FOLDER/kernel.elf, this tree's kernel with a patch; the tree and its build stay as they are.

Only the objects that read a patched file are compiled again, with the very commands of build/ (Ninja tells them), and
linked with all others: seconds instead of a build of the whole. The patched files lie in FOLDER too, under their names.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get('ORRERY_BUILD', 'build')).resolve()


class BadPatch(Exception):
    pass


def ninja(*words):
    return subprocess.run(['ninja', '-C', BUILD, *words], check=True, capture_output=True, text=True).stdout


def patch_into(patch, folder):
    """The patched files; their paths in the tree."""
    names = re.findall(r'^\+\+\+ b/(\S+)', pathlib.Path(patch).read_text(), re.M)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    done = subprocess.run(['git', 'apply', '--whitespace=nowarn', str(pathlib.Path(patch).resolve())], cwd=folder,
                          env={**os.environ, 'GIT_DIR': '/dev/null'}, capture_output=True, text=True)
    if not names or done.returncode:
        raise BadPatch(f'{patch} does not fit this tree any more: {done.stderr.strip()}')
    return names


def readers(names):
    """The objects of the kernel that read one of these files."""
    paths, found, current = {str(ROOT / name) for name in names}, [], None
    for line in ninja('-t', 'deps').splitlines():
        if not line.startswith(' '):
            current = line.partition(':')[0]
        elif 'kernel_objects.dir' in current and current not in found and os.path.normpath(BUILD / line.strip()) in paths:
            found.append(current)
    return found


def kernel_with(patch, folder):
    folder = pathlib.Path(folder).resolve()
    names = patch_into(patch, folder)
    commands = ninja('-t', 'commands', 'kernel.elf').splitlines()
    objects = {}
    for old in readers(names):
        new = str(folder / old.replace('/', '_'))
        command = next(line for line in commands if f'-o {old} ' in line)
        source = re.search(r' -c (\S+)$', command)[1]
        text = (BUILD / source).read_text() if not source.startswith('/') else pathlib.Path(source).read_text()
        for name in names:  # a file that includes many others, or the patched one itself
            text = text.replace(f'"{ROOT / name}"', f'"{folder / name}"')
        if source in [str(ROOT / name) for name in names]:
            text = f'#include "{folder / os.path.relpath(source, ROOT)}"\n'
        again = folder / (old.replace('/', '_') + '.cxx')
        again.write_text(text)
        command = command.replace(f'-o {old} ', f'-o {new} ').replace(f' -c {source}', f' -c {again}')
        command = command.replace(f'-MF {old}.d', f'-MF {new}.d').replace(f' -I{ROOT} ', f' -I{folder} -I{ROOT} ', 1)
        run(command)
        objects[old] = new
    if not objects:
        raise BadPatch(f'{patch}: no object of the kernel reads {", ".join(names)}')
    made = {'kernel.pass1': 'kernel.pass1', 'symbols.S': 'symbols.S', 'kernel.elf': 'kernel.elf',
            'CMakeFiles/kernel.elf.dir/symbols.S.obj': 'symbols.obj'}
    for command in commands[-4:]:  # link, make the table of symbols, compile it, link again
        for old, new in [*objects.items(), *((old, str(folder / new)) for old, new in made.items())]:
            command = re.sub(rf'(?<=\s)({re.escape(str(BUILD))}/)?{re.escape(old)}(?=\s|$)', new, command)
        run(command)
    return folder / 'kernel.elf'


def run(command):
    done = subprocess.run(command, shell=True, cwd=BUILD, capture_output=True, text=True)
    if done.returncode:
        raise BadPatch(done.stderr[-3000:] or done.stdout[-3000:])


if __name__ == '__main__':
    try:
        os.makedirs(sys.argv[2], exist_ok=True)
        print(kernel_with(sys.argv[1], sys.argv[2]))
    except (BadPatch, OSError) as error:
        sys.exit(f'patched: {error}')
