"""scripts/pages.py: checks what the pages say of the source. Status 1 and a line for each that is not so.

1. Every file that a page names in backticks or links to exists.
2. Every function that a page names in backticks, `name()`, is in the source.
3. Each page has a Chinese one beside it that says the same (scripts/page_pairs.py).
4. docs/reading-guide.md: its lines are counted; each count is right within a tenth or five lines, all files
   together have at most LIMIT lines, and the Chinese guide names the same files and sessions.

--counts writes the counts of today into the guides.
"""
import glob
import os
import re
import sys

from page_pairs import differences

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIMIT = 7000
GUIDES = ['docs/reading-guide.md', 'docs/reading-guide.zh.md']
TOPS = '(?:boot|course|docs|drivers|fs|kernel|mm|scripts|tests|user|web)'
ROW = re.compile(r'^\| `([^`]+)` \| (\d+) \|', re.M)
SOURCES = ['boot', 'drivers', 'fs', 'kernel', 'mm', 'scripts', 'tests', 'user', 'web', 'course']
problems = []


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8') as file:
        return file.read()


def pages():
    found = ['README.md', 'README.zh.md']
    for folder in ('docs', 'course'):
        found += [os.path.relpath(p, ROOT) for p in glob.glob(os.path.join(ROOT, folder, '*.md'))]
    return sorted(p for p in found if os.path.exists(os.path.join(ROOT, p)))


def check_pairs():
    paths = [path for path in pages() if not path.endswith('.zh.md')]
    paths += [os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, 'course', '*', '*.md')) if '.zh.' not in path]
    for path in sorted(paths):
        problems.extend(f'{path.replace(".md", ".zh.md")}: {found}' for found in differences(os.path.join(ROOT, path)))


def all_source():
    text = []
    for top in SOURCES:
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in names:
                if name.endswith(('.cpp', '.hpp', '.c', '.h', '.S', '.inc', '.py')):
                    with open(os.path.join(folder, name), encoding='utf-8', errors='replace') as file:
                        text.append(file.read())
    return '\n'.join(text)


def check_names(page, names):
    text = read(page)
    folder = os.path.dirname(page)
    for target in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
        if not os.path.exists(os.path.join(ROOT, folder, target)):
            problems.append(f'{page}: links to {target}, which does not exist')
    for quoted in set(re.findall(r'`([^`\n]+)`', text)):
        if 'NAME' in quoted:  # a pattern, not a name
            continue
        for path in re.findall(rf'^{TOPS}/[\w./+-]*[\w/]$', quoted):
            if not os.path.exists(os.path.join(ROOT, path)):
                problems.append(f'{page}: names {path}, which does not exist')
        call = re.fullmatch(r'(?:\w+::)*(~?\w+)\(\)', quoted)
        if call and call.group(1) not in names:
            problems.append(f'{page}: names {quoted}, which is not in the source')


def lines_of(path):
    return read(path).count('\n')


def rows_of(page):
    return [(path, int(count)) for path, count in ROW.findall(read(page))]


def check_guide():
    total = 0
    for path, count in rows_of(GUIDES[0]):
        if not os.path.exists(os.path.join(ROOT, path)):
            problems.append(f'{GUIDES[0]}: names {path}, which does not exist')
            continue
        lines = lines_of(path)
        total += lines
        if abs(lines - count) > max(5, lines // 10):
            problems.append(f'{GUIDES[0]}: {path} has {lines} lines, not {count} (scripts/pages.py --counts)')
    print(f'the path: {len(rows_of(GUIDES[0]))} files, {total} lines of at most {LIMIT}')
    if total > LIMIT:
        problems.append(f'{GUIDES[0]}: {total} lines, more than {LIMIT}')
    if not total:
        problems.append(f'{GUIDES[0]}: names no files')
    if os.path.exists(os.path.join(ROOT, GUIDES[1])):
        if [p for p, _ in rows_of(GUIDES[0])] != [p for p, _ in rows_of(GUIDES[1])]:
            problems.append(f'{GUIDES[1]}: other files than in the English guide')
        if sessions(GUIDES[0]) != sessions(GUIDES[1]):
            problems.append(f'{GUIDES[1]}: other sessions than in the English guide')
    else:
        problems.append(f'{GUIDES[1]} is missing')


def sessions(page):
    """The GDB sessions of a guide: (command of the guest, commands of GDB, what must be shown)."""
    found = []
    for block in re.findall(r'(?:^    .*\n)+', read(page), re.M):
        lines = [line.strip() for line in block.splitlines()]
        start = re.fullmatch(r"\$ \./scripts/debug --exec '?([^']*)'?", lines[0])
        if not start:
            continue
        typed = [line[6:].strip() for line in lines[1:] if line.startswith('(gdb) ')]
        shown = [line for line in lines[1:] if not line.startswith('(gdb) ')]
        found.append((start.group(1), typed, shown))
    return found


def write_counts():
    for page in GUIDES:
        if not os.path.exists(os.path.join(ROOT, page)):
            continue
        text = ROW.sub(lambda m: f'| `{m.group(1)}` | {lines_of(m.group(1))} |', read(page))
        with open(os.path.join(ROOT, page), 'w', encoding='utf-8') as file:
            file.write(text)


def main():
    if sys.argv[1:] == ['--counts']:
        write_counts()
    elif sys.argv[1:]:
        sys.exit(__doc__)
    source = all_source()
    names = set(re.findall(r'(~?\w+)\s*\(', source))
    for page in pages():
        check_names(page, names)
    check_pairs()
    check_guide()
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)


if __name__ == '__main__':
    main()
