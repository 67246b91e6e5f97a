"""scripts/concepts: runs the rows, and makes the pages from them. See there."""
import argparse
import pathlib
import re
import sys
import time

import basics
import deadlock
import devices
import files
import memory
import places
import processes
import scheduling
import synchronisation
from row import ROOT, Wrong

CHAPTERS = [basics, processes, scheduling, synchronisation, deadlock, memory, files, devices]
PAGES = {
    'concepts.md': ('title', 'concept', 'sees', '| id | concept | command | what one sees | source |', """\
Each concept of the course, the command that shows it on the running kernel, and where the source is.
`./scripts/concepts` runs all of them and compares what they print with what is right, worked out beside
them (`tests/concepts`); `--seed N` changes the random inputs, `./scripts/concepts S4 Y` chooses rows.

Every lab program takes `--json` and then prints one object a run, on one line, `{"lab": …, "input": …, "rows": …}`: its
name, what it was asked to do (random input spelled out), the lines of its table, and beside these what concerns the
whole. `--help` shows an example with its output."""),
    'concepts.zh.md': ('title_zh', 'concept_zh', 'sees_zh', '| 编号 | 概念 | 命令 | 看到什么 | 源码 |', """\
课程的每个概念：在正在运行的内核上展示它的命令，以及源码所在。`./scripts/concepts` 逐行运行这些命令，并把输出与另行计算
出的正确结果比较（`tests/concepts`）；`--seed N` 换一组随机输入，`./scripts/concepts S4 Y` 只运行某几行。

每个实验程序都接受 `--json`，每次运行输出一行，即一个对象 `{"lab": …, "input": …, "rows": …}`：程序名、输入（随机生成的也全部
列出）、表格的各行，其余的键说明整次运行。`--help` 给出例子及其输出。"""),
}


def rows():
    return [row for chapter in CHAPTERS for row in chapter.ROWS]


def cell(text):
    return text.replace('|', '\\|')


def page(name):
    title, concept, sees, head, text = PAGES[name]
    lines = ['# The concepts of the course' if name == 'concepts.md' else '# 课程概念一览', '', text]
    for chapter in CHAPTERS:
        if not chapter.ROWS:
            continue
        lines += ['', f'## {getattr(chapter, title.upper())}', head, '| --- ' * 5 + '|']
        for row in chapter.ROWS:
            sources = ' '.join(f'[`{path}`](../{path})' for path in row.source.split())
            name_of = row.concept_zh if concept == 'concept_zh' else f'{row.concept} ({row.concept_zh})'
            lines.append(f'| {row.id} | {cell(name_of)} | `{cell(row.for_people())}` '
                         f'| {cell(getattr(row, sees))} | {sources} |')
    return '\n'.join(lines) + '\n'


def with_table(name, language):
    """A page of the course with the table between these two lines."""
    text = (ROOT / name).read_text()
    begin, end = '<!-- concepts -->\n', '\n<!-- end -->'
    before, _, rest = text.partition(begin)
    return before + begin + places.table(rows(), language) + end + rest.partition(end)[2]


def pages(check):
    bad = 0
    texts = {f'docs/{name}': page(name) for name in PAGES}
    texts |= {f'course/README{end}.md': with_table(f'course/README{end}.md', language) for language, end in places.ENDS.items()}
    for name, text in texts.items():
        file = ROOT / name
        if not check:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            print(f'{name} is out of date: ./scripts/concepts --pages')
            bad = 1
    for problem in places.wrong(rows()):
        print(problem)
        bad = 1
    for row in rows():
        for path in row.source.split():
            if not pathlib.Path(ROOT / path).exists():
                print(f'{row.id}: there is no {path}')
                bad = 1
    return bad


def run(chosen, seed):
    wrong, start = 0, time.monotonic()
    for row in chosen:
        began, why = time.monotonic(), None
        try:
            row.execute(seed)
        except Wrong as error:
            why = error
            wrong += 1
        print(f"{row.id:4} {'WRONG' if why else 'right'} {time.monotonic() - began:5.1f} s  {row.shown(seed)}",
              flush=True)
        if why:
            print('     ' + str(why).replace('\n', '\n     '), flush=True)
    print(f'{len(chosen)} rows, {wrong} wrong, {time.monotonic() - start:.0f} s')
    return wrong != 0


def main():
    parser = argparse.ArgumentParser(prog='scripts/concepts', description='Shows every concept of the '
                                     'course on the running kernel, and checks what is printed.')
    parser.add_argument('ids', nargs='*', metavar='ID', help='S4, or S for all of that letter')
    parser.add_argument('--seed', type=int, default=1, help='of the random inputs (default 1)')
    parser.add_argument('--list', action='store_true', help='only the ids and commands')
    parser.add_argument('--pages', action='store_true', help='writes docs/concepts.md, the table in course/README.md, and their Chinese twins')
    parser.add_argument('--check', action='store_true', help='with --pages: only whether they are current')
    options = parser.parse_args()
    if options.pages:
        return pages(options.check)
    known = {row.id for row in rows()} | {row.id[0] for row in rows()}
    for name in options.ids:
        if name not in known:
            parser.error(f'no row {name}; there are {" ".join(row.id for row in rows())}')
    chosen = [row for row in rows()
              if not options.ids or row.id in options.ids or re.match('[A-Z]', row.id)[0] in options.ids]
    if options.list:
        for row in chosen:
            print(f'{row.id:4} {row.shown(options.seed)}')
        return 0
    return run(chosen, options.seed)


if __name__ == '__main__':
    sys.exit(main())
