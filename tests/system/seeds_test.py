#!/usr/bin/env python3
"""scripts/seeds.py: an object of another build is taken where command and files are the same, and only there."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILES = {
    'CMakeLists.txt': f'''cmake_minimum_required(VERSION 3.22)
project(small C)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(SEED)
  execute_process(COMMAND {sys.executable} -IS {ROOT}/scripts/seeds.py record ${{SEED}} ${{CMAKE_SOURCE_DIR}}
                  WORKING_DIRECTORY ${{CMAKE_BINARY_DIR}})
  set(CMAKE_C_COMPILER_LAUNCHER {sys.executable} -IS {ROOT}/scripts/seeds.py take ${{CMAKE_CURRENT_LIST_DIR}}/compiler)
endif()
file(WRITE ${{CMAKE_BINARY_DIR}}/made.h.new "#include \\"${{CMAKE_SOURCE_DIR}}/sum.h\\"\\n")
configure_file(${{CMAKE_BINARY_DIR}}/made.h.new made.h COPYONLY)
add_executable(small one.c two.c)
target_include_directories(small PRIVATE ${{CMAKE_BINARY_DIR}})
target_compile_options(small PRIVATE -g ${{MORE}})
''',
    'sum.h': 'int sum(int, int);\n',
    'one.c': '#include "made.h"\nint main(void) { return sum(2, 3); }\n',
    'two.c': 'int sum(int a, int b) { return a + b; }\n',
    'toolchain.cmake': '', 'scripts/cmake/kernel.cmake': '', 'scripts/cmake/user.cmake': '',
    'compiler': '#!/bin/sh\necho "$*" >>compiled\nexec "$@"\n',  # what is really compiled, it notes
}
failures = 0


def tree(folder, **changes):
    for name, text in {**FILES, **changes}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
    (folder / 'compiler').chmod(0o755)


def build(folder, *options):
    """The sources that were compiled, and what the program returns."""
    place = folder / 'build'
    subprocess.run(['cmake', '-G', 'Ninja', '-S', folder, '-B', place, *options], check=True, stdout=subprocess.DEVNULL)
    compiled = place / 'compiled'
    compiled.unlink(missing_ok=True)
    subprocess.run(['ninja', '-C', place], check=True, stdout=subprocess.DEVNULL)
    said = compiled.read_text() if compiled.exists() else ''
    return ' '.join(sorted(re.findall(r'(\w+\.c)$', said, re.M))), subprocess.run([place / 'small']).returncode


def check(what, got, wanted):
    global failures
    failures += got != wanted
    print(f'{"ok  " if got == wanted else "FAIL"} {what}' + ('' if got == wanted else f': {got}, not {wanted}'))


def main():
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        first, within = place / 'first', place / 'first/build/within'
        tree(first)
        build(first)
        seed = f'-DSEED={first}/build'

        def other(name, *options, **changes):
            tree(place / name, **changes)
            return build(place / name, seed, *options)

        check('the same tree elsewhere', other('same'), ('', 5))
        tree(within)
        check('the same within the build folder', build(within, seed), ('', 5))
        product = 'int sum(int a, int b) { return a * b; }\n'
        check('a source differs', other('same', **{'two.c': product}), ('two.c', 6))
        check('and is as it was', other('same'), ('', 5))
        check('a header differs', other('same', **{'sum.h': 'int sum(int, int);\n\n'}), ('one.c', 5))
        check('an option differs', other('option', '-DMORE=-DX'), ('one.c two.c', 5))
        (first / 'two.c').write_text(product)
        check('the seed has been changed, and not built', other('stale', **{'two.c': product}), ('two.c', 6))
        build(first)
        check('the seed was built anew', other('same', **{'two.c': product}), ('', 6))
        os.utime(first / 'CMakeLists.txt')
        check('the rules are newer than the objects', other('rules', **{'two.c': product}), ('one.c two.c', 6))
        tree(place / 'none')
        check('no such seed', build(place / 'none', f'-DSEED={place}/nowhere'), ('one.c two.c', 5))
    return failures > 0


if __name__ == '__main__':
    sys.exit(main())
