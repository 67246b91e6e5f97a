"""Judges lab 13: the arithmetic of index and bitmap (lab-index), a real file, and look-ups in real
directories (lab-fs)."""
import json
import re

import picture
from grading import Check, Verdict, both

FOLDER, FILE = '/root/lab13', '/root/lab13-file'


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        command, check = {'disk': (disk_command, disk), 'find': (names_command, names),
                          'deleted': (names_command, names), 'count': (links_command, links),
                          'last': (space_command, space),
                          'check': (links_command, links)}.get(case.id.split('.')[2], (plain, lines))
        made.append(Check(case, '; echo =; '.join(map(command, want)),
                          lambda output, case=case, want=want, check=check: check(case, want, output), stop,
                          disk='root' if case.id == '13.4.check' else None))
    return made


def stop(trace, verdict):
    """lab-index leaves an event before each block, lab-fs before each name, and we before each command."""
    return next((number for number, event in enumerate(trace.events())
                 if event.name == 'mark' and event['text'] == getattr(verdict, 'mark', None)), None)


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
        drawn = picture.table_pair(('', 'line'), *([[i + 1, line] for i, line in enumerate(each)]
                                                   for each in (one['lines'], got)), first)
        verdict = hinted(case, both(f'{one["command"]}: "{have}"; it should be "{right}".',
                                    f'{one["command"]}：得到"{have}"，应当是"{right}"。'), ways(right, have) + drawn)
        verdict.command, verdict.mark = one['command'], right.split(':')[0]
        return verdict
    return Verdict(True)


def ways(right, have):
    """The way through the index blocks, where both lines are such ways."""
    found = [re.fullmatch(r'block \d+: ([\d ]+) left \d+', line) for line in (right, have)]
    return way(*(each[1].split() for each in found)) if all(found) else ''


def way(wanted, got):
    first = next((i for i, (a, b) in enumerate(zip(wanted, got)) if a != b), min(len(wanted), len(got)))
    return picture.way_pair(wanted, got, first)


def disk_command(one):
    return (f"echo found | dd of={FILE} bs=4096 seek={one['block']} 2>/dev/null; sync; "
            f"lab-fs bmap --json {FILE} {one['block'] * 4096}; dd if={FILE} bs=4096 skip={one['block']} 2>/dev/null")


def disk(case, want, output):
    text = output.text.strip()
    if not text.startswith('{'):
        return hinted(case, both(f'block {want[0]["block"]} of a file cannot be written: {text or "nothing"}',
                                 f'无法写入文件的第 {want[0]["block"]} 块：{text or "无输出"}'))
    found = json.loads(text.split('\n')[0])
    got = [step['number'] for step in found['rows']]
    if got != want[0]['path'] or not text.endswith('found'):
        return hinted(case, both(
            f'block {want[0]["block"]} was reached by pointers {got}; it should be {want[0]["path"]}; the text '
            f'{"came" if text.endswith("found") else "did not come"} back.',
            f'第 {want[0]["block"]} 块经过指针 {got}，应当是 {want[0]["path"]}；写入的内容'
            f'{"读得回来" if text.endswith("found") else "读不回来"}。'), way(want[0]['path'], got))
    return Verdict(True)


def names_command(one):
    # lab-fs reads the disk itself; what was read ahead there before is dropped, lest it be shown instead.
    make = ' '.join(one['names'])
    folder = FOLDER + '-' + one['names'][0]
    remove = f"rm {' '.join(one['gone'])}; " if one['gone'] else ''
    remove += ''.join(f'echo >{name}; ' for name in one['new'])
    look = '; '.join(f'ls -i {name}; lab-fs lookup {folder}/{name} 2>&1 | grep "\\"{name}\\""'
                     for name in one['found'])
    return f'mkdir {folder}; cd {folder}; for n in {make}; do echo >$n; done; {remove}sync; echo 1 >/proc/sys/vm/drop_caches; {look}; cd /'


def names(case, want, output):
    for one, got in zip(want, parts(output) + [[]] * len(want)):
        text = '\n'.join(got)
        right, have = [], []
        for name, before in one['found'].items():
            inode = re.search(rf'^\s*(\d+) {name}$', text, re.M)
            found = re.search(rf'"{name}" is inode (\d+) \((\d+) names before it\)', text)
            right.append([name, int(inode[1]) if inode else '?', before])
            have.append([name, int(found[1]), int(found[2])] if found else [name, '?', '?'])
        if right == have:
            continue
        first = next(i for i, (a, b) in enumerate(zip(right, have)) if a != b)
        (name, inode, before), (_, number, passed) = right[first], have[first]
        deleted = ' '.join(one['gone'])
        verdict = hinted(case, both(
            f'{name}: inode {number} after {passed} names; it should be inode {inode} after {before} '
            f'(deleted: {deleted or "none"}).',
            f'{name}：经过 {passed} 个名字得到索引结点 {number}，应当经过 {before} 个得到 {inode}（已删除：{deleted or "无"}）。')
            if number != '?' else both(f'{name} is not found among {" ".join(one["names"])}.',
                                       f'在 {" ".join(one["names"])} 中没有找到 {name}。'),
            picture.table_pair(('name', 'inode', 'names before'), right, have, first))
        verdict.command, verdict.mark = names_command(one), f'name {name}'
        return verdict
    return Verdict(True)


def mark(text):
    return f'echo {text} >/proc/trace_marker;'


def links_command(one):
    folder = FOLDER + '-links'
    names = ' '.join(sorted(one['left']))
    steps = ' '.join(f'{mark(f"step {i}")} {command};' for i, command in enumerate(one['commands']))
    return (f'rm -rf {folder}; mkdir {folder}; cd {folder}; {steps} sync; '
            f'for n in {names}; do echo $n $(stat -c %h $n) $(cat $n); done; cd /')


def links(case, want, output):
    for one, got in zip(want, parts(output) + [[]] * len(want)):
        right = [f'{name} {count} {text}' for name, (count, text) in one['left'].items()]
        done = '; '.join(one['commands'])
        if got != right:
            first = next((i for i, (a, b) in enumerate(zip(right, got)) if a != b), min(len(right), len(got)))
            have = got[first] if first < len(got) else 'nothing'
            verdict = hinted(case, both(
                f'after {done}: name, links and contents are "{have}"; they should be "{right[first]}".',
                f'执行 {done} 之后：名字、链接数和内容是"{have}"，应当是"{right[first]}"。'),
                picture.table_pair(('name, links, contents',), *([[line] for line in each] for each in (right, got)),
                                   first))
            name = right[first].split()[0] if first < len(right) else have.split()[0]
            last = max((i for i, command in enumerate(one['commands']) if name in re.findall(r'\w+', command)), default=0)
            verdict.command, verdict.mark = links_command(one), f'step {last}'
            return verdict
        if output.damage:
            return hinted(case, both(f'after {done}: e2fsck finds: {output.damage}',
                                     f'执行 {done} 之后，e2fsck 发现：{output.damage}'))
    return Verdict(True)


MOMENTS = (('a file is written', '写入文件'), ('it has a second name', '有了第二个名字'),
           ('one name is removed', '删去一个名字'), ('the other is removed, while it is open', '文件打开着，删去另一个名字'),
           ('it is closed', '关闭文件'))


def space_command(one):
    file, free = FILE + '-space', "stat -f -c 'free %f' /root"
    marks = [mark(f'moment {i}') for i in range(len(MOMENTS))]
    return (f'sync; {free}; {marks[0]} dd if=/dev/zero of={file} bs=4096 count={one["blocks"]} 2>/dev/null; sync; {free}; '
            f'exec 3<{file}; {marks[1]} ln {file} {file}-2; sync; {free}; {marks[2]} rm {file}; sync; {free}; '
            f'{marks[3]} rm {file}-2; sync; {free}; {marks[4]} exec 3<&-; sync; {free}')


def space(case, want, output):
    free = [int(n) for n in re.findall(r'^free (\d+)$', output.text, re.M)]
    taken = want[0]['blocks'] + 1  # and its index block
    right = [taken] * 4 + [0]
    got = [free[0] - n for n in free[1:]] if free else []
    if got == right:
        return Verdict(True)
    first = next((i for i, (a, b) in enumerate(zip(right, got)) if a != b), min(len(right), len(got)))
    if first == len(right):
        return Verdict(False, both('the command said more than it was asked', '命令的输出多于所问'))
    have = got[first] if first < len(got) else '?'
    verdict = hinted(case, both(
        f'a file of {taken} blocks, index block included; when {MOMENTS[first][0]}, {have} blocks are taken; it should be '
        f'{right[first]}.', f'一个占 {taken} 块（含索引块）的文件：{MOMENTS[first][1]}时，占用 {have} 块，应当是 {right[first]} 块。'),
        picture.table_pair(('when', 'blocks'), *([[moment[0], n] for moment, n in zip(MOMENTS, each)]
                                                 for each in (right, got)), first))
    verdict.mark = f'moment {first}'
    return verdict
