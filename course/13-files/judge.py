"""Judges lab 13: the arithmetic of index and bitmap (lab-index), a real file, and look-ups in real
directories (lab-fs)."""
import json
import re

import picture
from grading import Check, Verdict

FOLDER, FILE = '/root/lab13', '/root/lab13-file'


def both(en, zh):
    return {'en': en, 'zh': zh}


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        command, check = {'disk': (disk_command, disk), 'find': (names_command, names),
                          'deleted': (names_command, names)}.get(case.id.split('.')[2], (plain, lines))
        made.append(Check(case, '; echo =; '.join(map(command, want)),
                          lambda output, case=case, want=want, check=check: check(case, want, output)))
    return made


def hinted(case, why, pictured=''):
    hint = case.hint or {}
    return Verdict(False, {language: text + (' ' + hint[language] if language in hint else '')
                           for language, text in why.items()}, pictured)


def parts(output):
    return [[line.rstrip() for line in text.splitlines() if line.strip()]
            for text in re.split(r'^=$', output.text, flags=re.M)]


def plain(one):
    return one['command']


def lines(case, want, output):
    for one, got in zip(want, parts(output) + [[]] * len(want)):
        if got == one['lines']:
            continue
        first = next((i for i, (a, b) in enumerate(zip(one['lines'], got)) if a != b), min(len(got), len(one['lines'])))
        have = got[first] if first < len(got) else 'nothing'
        right = one['lines'][first] if first < len(one['lines']) else 'nothing more'
        return hinted(case, both(f'{one["command"]}: "{have}"; it should be "{right}".',
                                 f'{one["command"]}:得到"{have}",应当是"{right}"。'),
                      picture.table_pair(('', 'line'), *([[i + 1, line] for i, line in enumerate(each)]
                                                         for each in (one['lines'], got)), first))
    return Verdict(True)


def disk_command(one):
    return (f"echo found | dd of={FILE} bs=4096 seek={one['block']} 2>/dev/null; sync; "
            f"lab-fs bmap --json {FILE} {one['block'] * 4096}; dd if={FILE} bs=4096 skip={one['block']} 2>/dev/null")


def disk(case, want, output):
    text = output.text.strip()
    if not text.startswith('{'):
        return hinted(case, both(f'block {want[0]["block"]} of a file cannot be written: {text or "nothing"}',
                                 f'无法写入文件的第 {want[0]["block"]} 块:{text or "无输出"}'))
    found = json.loads(text.split('\n')[0])
    got = [step['number'] for step in found['rows']]
    if got != want[0]['path'] or not text.endswith('found'):
        return hinted(case, both(
            f'block {want[0]["block"]} was reached by pointers {got}; it should be {want[0]["path"]}; the text '
            f'{"came" if text.endswith("found") else "did not come"} back.',
            f'第 {want[0]["block"]} 块经过指针 {got},应当是 {want[0]["path"]};写入的内容'
            f'{"读得回来" if text.endswith("found") else "读不回来"}。'))
    return Verdict(True)


def names_command(one):
    # lab-fs reads the disk itself; what was read ahead there before is dropped, lest it be shown instead.
    make = ' '.join(one['names'])
    folder = FOLDER + '-' + one['names'][0]
    remove = f"rm {' '.join(one['gone'])}; " if one['gone'] else ''
    look = '; '.join(f'ls -i {name}; lab-fs lookup {folder}/{name} 2>&1 | grep "\\"{name}\\""'
                     for name in one['found'])
    return f'mkdir {folder}; cd {folder}; for n in {make}; do echo >$n; done; {remove}sync; echo 1 >/proc/sys/vm/drop_caches; {look}; cd /'


def names(case, want, output):
    for one, got in zip(want, parts(output) + [[]] * len(want)):
        text = '\n'.join(got)
        for name, before in one['found'].items():
            inode = re.search(rf'^\s*(\d+) {name}$', text, re.M)
            found = re.search(rf'"{name}" is inode (\d+) \((\d+) names before it\)', text)
            if not inode or not found:
                return hinted(case, both(f'{name} is not found among {" ".join(one["names"])}.',
                                         f'在 {" ".join(one["names"])} 中没有找到 {name}。'))
            if found[1] != inode[1] or int(found[2]) != before:
                return hinted(case, both(
                    f'{name}: inode {found[1]} after {found[2]} names; it should be inode {inode[1]} after {before} '
                    f'(deleted: {" ".join(one["gone"]) or "none"}).',
                    f'{name}:经过 {found[2]} 个名字得到索引结点 {found[1]},应当经过 {before} 个得到 {inode[1]}'
                    f'(已删除:{" ".join(one["gone"]) or "无"})。'))
    return Verdict(True)
