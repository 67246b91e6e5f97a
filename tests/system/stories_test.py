#!/usr/bin/env python3
"""The five stories of docs/debugging.md: each patch of tests/stories is planted in a kernel of its own (patched.py: one
small compilation), and the page's commands, run on it, say what the page says, each what is below it. The Chinese page
has the same ones. A filter as argument: only that story.
timeout: 600
holds: record
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests' / 'stories'), str(ROOT / 'tests' / 'system')]
sys.dont_write_bytecode = True
from course_text_test import BLOCK, in_order, matches  # noqa: E402
from patched import BUILD, kernel_with  # noqa: E402

PAGES = [ROOT / 'docs' / name for name in ('debugging.md', 'debugging.zh.md')]
MARK = '@@@'


def stories(page):
    """Name: [(kind, text)] of the blocks in its section."""
    found = {}
    for section in re.split(r'^###? ', page.read_text(), flags=re.M):
        name = re.match(r'[^\n]*\n\n`tests/stories/(\S+)\.patch`', section)
        if name:
            found[name[1]] = BLOCK.findall(section)
    return found


def run(command, kernel):
    done = subprocess.run(['bash', '-c', command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=260, env={**os.environ, 'ORRERY_KERNEL': str(kernel)})
    return done.stdout + done.stderr


def check_commands(text, kernel):
    for part in re.split(r'^\$ ', text, flags=re.M)[1:]:
        command, _, shown = part.partition('\n')
        came = run(command.replace('--record', '--record --timeout 240'), kernel)
        wanted = shown.rstrip('\n').split('\n') if shown.strip() else []
        if not matches(wanted, came.rstrip('\n').split('\n')):
            return f'$ {command}\n--- shown:\n{shown}--- came:\n{came[-3000:]}'
    return None


def check_session(text, kernel):
    first, *parts = re.split(r'^\(gdb\) ', text, flags=re.M)
    typed = [part.partition('\n') for part in parts]
    with tempfile.NamedTemporaryFile('w', suffix='.gdb') as file:
        for command, _, _ in typed:
            file.write(f'echo {MARK}\\n\n{command}\n')
        file.flush()
        came = run(first.strip()[2:].replace('./scripts/debug', f'./scripts/debug --timeout 240 --batch {file.name}'), kernel)
    said = re.sub(r'(?m)^#(\d+) +', r'#\1 ', came).split(MARK)[1:]
    for i, (command, _, shown) in enumerate(typed):
        here = said[i] if i < len(said) else '(not reached)'
        missing = in_order(shown.splitlines(), here.split('\n'))
        if missing or i >= len(said):
            return f'(gdb) {command}\n--- missing: {missing}\n--- came:\n{(here if i < len(said) else came)[-3000:]}'
    return None


def told(story, kernel):
    """What differs from the page, or None."""
    for kind, text in story:
        wrong = (check_session if kind == 'gdb' else check_commands)(text, kernel)
        if wrong:
            return wrong
    return None


def main():
    english, chinese = map(stories, PAGES)
    patches = {path.stem for path in (ROOT / 'tests' / 'stories').glob('*.patch')}
    failures = []
    if set(english) != patches or len(patches) != 5:
        failures.append(f'{PAGES[0].name} tells {sorted(english)}, and the patches are {sorted(patches)}')
    if english != chinese:
        failures.append(f'{PAGES[1].name}: its commands and their output differ from those of {PAGES[0].name}')
    chosen = sys.argv[1] if len(sys.argv) > 1 else ''
    (BUILD / 'stories').mkdir(exist_ok=True)
    for name in sorted(name for name in english if chosen in name):
        with tempfile.TemporaryDirectory(dir=BUILD / 'stories') as folder:
            kernel = kernel_with(ROOT / 'tests' / 'stories' / f'{name}.patch', folder)
            wrong = told(english[name], kernel)
        print(f'{name}: {"not as told" if wrong else "ok"}', flush=True)
        if wrong:
            failures.append(f'{name}: {wrong}')
    print(*failures, sep='\n')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
