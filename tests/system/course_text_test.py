#!/usr/bin/env python3
"""The course's pages are true: commands give the output that is shown, GDB sessions say what they say,
quoted code is in the source, links lead somewhere, counts of lines are right, chapters are short.
timeout: 600

In a page:
  ```                      a block whose first line begins with "$ " is a command and its output
  ```gdb                   the same with a debugger: "(gdb) " lines are typed, the others have to come, in order
  ```cpp PATH              lines of that file, in order
… in a line stands for anything; a line of only … for any lines.
"""
import functools
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r'^```([^\n]*)\n(.*?)^```$', re.M | re.S)
LINES = re.compile(r'\]\(([^)]+)\)\s*[(\uff08](\d[\d,]*) (?:lines|行)[)\uff09]')
MOST_WORDS = 2500
failures = []
outputs = {}


def fail(page, what):
    failures.append(what)
    print(f'{page.relative_to(ROOT)}: {what}')


def run(command):
    if command not in outputs:
        done = subprocess.run(['bash', '-c', command], cwd=ROOT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300)
        outputs[command] = done.stdout + done.stderr
    return outputs[command]


def like(wanted, line):
    return re.fullmatch('.*'.join(map(re.escape, wanted.rstrip().split('…'))), line.rstrip()) is not None


def matches(wanted, lines):
    """Do the lines say what is wanted, and nothing else?"""
    if not wanted:
        return not any(line.strip() for line in lines)
    if wanted[0].strip() == '…':
        return any(matches(wanted[1:], lines[i:]) for i in range(len(lines) + 1))
    return bool(lines) and like(wanted[0], lines[0]) and matches(wanted[1:], lines[1:])


def in_order(wanted, lines):
    """The first line that does not come, or None."""
    at = 0
    for line in wanted:
        while at < len(lines) and not like(line, lines[at]):
            at += 1
        if at == len(lines):
            return line
        at += 1
    return None


def check_command(page, text):
    parts = re.split(r'^\$ ', text, flags=re.M)[1:]
    for part in parts:
        command, _, shown = part.partition('\n')
        output = run(command)
        if not matches(shown.rstrip('\n').split('\n') if shown else [], output.rstrip('\n').split('\n')):
            fail(page, f'{command}\n--- shown:\n{shown}--- came:\n{output[-3000:]}')


@functools.cache
def debugged(command, typed):
    with tempfile.NamedTemporaryFile('w', suffix='.gdb') as file:
        file.write('\n'.join(typed) + '\n')
        file.flush()
        command = command[2:].replace('./scripts/debug', f'./scripts/debug --timeout 120 --batch {file.name}')
        done = subprocess.run(['bash', '-c', command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=300)
    return re.sub(r'(?m)^#(\d+) +', r'#\1 ', done.stdout), done.stderr


def check_session(page, text):
    lines = text.rstrip('\n').split('\n')
    typed = [line[6:] for line in lines if line.startswith('(gdb) ')]
    wanted = [line for line in lines[1:] if not line.startswith('(gdb) ')]
    output, errors = debugged(lines[0], tuple(typed))
    missing = in_order(wanted, output.split('\n'))
    if missing:
        fail(page, f'{lines[0]}\n--- missing: {missing}\n--- came:\n{(output + errors)[-3000:]}')


def check_code(page, path, text):
    source = ROOT / path
    lines = source.read_text().split('\n') if source.exists() else []
    missing = in_order([line for line in text.split('\n') if line.strip() not in ('', '…')], lines)
    if missing:
        fail(page, f'{path} has no line (in this order): {missing}')


def check_page(page):
    text = page.read_text()
    for kind, body in BLOCK.findall(text):
        if kind.startswith('cpp ') or kind.startswith('c '):
            check_code(page, kind.split()[1], body)
        elif kind == 'gdb':
            check_session(page, body)
        elif body.startswith('$ '):
            check_command(page, body)
    prose = BLOCK.sub('', text)
    for target in re.findall(r'\]\(([^)#]+)(?:#[^)]*)?\)', prose):
        if not target.startswith(('http:', 'https:')) and not (page.parent / target).exists():
            fail(page, f'a link that leads nowhere: {target}')
    for target, count in LINES.findall(prose):
        real = len((page.parent / target.split('#')[0]).read_text().splitlines())
        if real != int(count.replace(',', '')):
            fail(page, f'{target} has {real} lines, not {count}')
    for path in re.findall(r'`((?:boot|docs|drivers|fs|kernel|mm|user)/[\w./-]+)`', prose):
        if not (ROOT / path).exists():
            fail(page, f'there is no {path}')
    if '.zh.' in page.name:
        for found in re.findall(r'[\u4e00-\u9fff][,:;?!(].{0,12}', re.sub(r'`[^`]*`|^    .*$', '`', prose, flags=re.M)):
            fail(page, f'half-width punctuation behind Chinese: {found}')
    words = len(re.findall(r"[A-Za-z0-9_'’]+", prose)) + len(re.findall(r'[一-鿿]', prose)) // 2
    if page.name.startswith('chapter') and words > MOST_WORDS:
        fail(page, f'{words} words; a chapter has {MOST_WORDS} at most')


def check_pairs(page):
    """English and Chinese have the same commands and sessions."""
    other = page.with_name(page.name.replace('.md', '.zh.md'))
    if not other.exists():
        return fail(page, 'has no Chinese beside it')
    shown = [[body for kind, body in BLOCK.findall(p.read_text()) if kind in ('', 'gdb') and body.startswith('$ ')]
             for p in (page, other)]
    if shown[0] != shown[1]:
        fail(page, 'its commands differ from those of the Chinese page')


def main():
    chosen = sys.argv[1] if len(sys.argv) > 1 else ''
    pages = [page for page in sorted((ROOT / 'course').glob('**/*.md'))
             if chosen in str(page) and page.name not in ('welcome.md', 'welcome.zh.md')]
    for page in pages:
        check_page(page)
        if '.zh.' not in page.name:
            check_pairs(page)
    print(f'{len(pages)} pages, {len(failures)} failures')
    return 1 if failures or not pages else 0


if __name__ == '__main__':
    sys.exit(main())
