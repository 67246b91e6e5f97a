"""Judges lab 14: a file is read in one mode, and what that cost is counted; requests are served by the student's
elevators, alone and on the queue of a disk."""
import json
import re

import picture
from grading import Check, Verdict, both

MODES = {'14.1': ('poll', 'polling', '轮询'), '14.2': ('irq', 'interrupts', '中断')}


def command_of(one, json=' --json'):
    return one['command'] + json + ' ' + ' '.join(map(str, one['wanted']))


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        if case.task.id in MODES:
            mode = MODES[case.task.id][0]
            command, judge = (file_read(mode, want), data) if case.id.endswith('.data') else (costs(mode, want), cost)
            made.append(Check(case, command, lambda output, case=case, want=want, judge=judge: hinted(case, judge(case, want, output)),
                              disk='slow'))
            continue
        command = '; echo ,; '.join(map(command_of, want))
        if want[0]['disk']:
            command = 'echo 1000 >/proc/sys/dev/disk/ram_delay_us; ' + command
        made.append(Check(case, command, lambda output, case=case, want=want: hinted(case, served(want, output)),
                          stop))
    return made


def stop(trace, verdict):
    """The event that lab-disk leaves before it asks the elevator for the request that differs."""
    return next((number for number, event in enumerate(trace.events())
                 if event.name == 'mark' and event['text'] == f'request {verdict.first + 1}'), None)


def hinted(case, verdict):
    if not verdict.passed:
        hint = case.hint or {}
        verdict.why = {language: text + (' ' + hint[language] if language in hint else '')
                       for language, text in verdict.why.items()}
    return verdict


def busy(commands):
    """Beside a program that computes: time then goes by instructions only, however busy the host's disk is, and a wait
    that nothing ends is a run that says nothing."""
    return f'(while :; do :; done) & spin=$!; {commands}; kill $spin'


def file_read(mode, want):
    """Written by polling, which no task is about."""
    return busy(f"echo poll >/proc/sys/dev/disk/ide; seq {want['first']} {want['last']} >/dev/hda; sync; echo 1 >/proc/sys/vm/drop_caches; "
                f"echo {mode} >/proc/sys/dev/disk/ide; head -c {want['bytes']} /dev/hda | md5sum; echo poll >/proc/sys/dev/disk/ide")


def costs(mode, want):
    return busy(f"echo poll >/proc/sys/dev/disk/ide; for i in 1 2 3 4 5; do lab-disk modes --kib {want['kib']} --mode {mode} --json; done")


def last_of(output):
    return (output.text.strip().splitlines() or ['nothing'])[-1]


def data(case, want, output):
    """Is what was read what was written?"""
    _, en, zh = MODES[case.task.id]
    digest = re.search(r'^([0-9a-f]{32})  -$', output.text, re.M)
    if digest and digest[1] == want['md5']:
        return Verdict(True)
    if digest:
        return Verdict(False, both(f'read by {en}: the data are not those that were written (md5sum is {digest[1]}, not {want["md5"]}). '
                                   'Which sectors of the request does each block have?',
                                   f'用{zh}方式读：读到的不是写入的数据（md5sum 是 {digest[1]}，应为 {want["md5"]}）。每一块是请求的哪些扇区？'))
    return Verdict(False, both(f'read by {en}: the file could not be read: {last_of(output)}', f'用{zh}方式读：读不出文件：{last_of(output)}'))


POLLED = 0.045  # milliseconds of CPU time a block: moving the data takes 0.028, so more was spent in asking


def cost(case, want, output):
    """What each of five reads cost: one block is 16 sectors. On a busy host the drive may be ready whenever it is looked
    at; so never to have slept is wrong only in all five, and if the time was spent."""
    mode, en, zh = MODES[case.task.id]
    rows = [json.loads(line)['rows'][0] for line in re.findall(r'^\{"lab".*$', output.text, re.M)]
    if len(rows) < 5:
        return Verdict(False, both(f'{want["kib"]} KiB by {en}: the disk could not be read: {last_of(output)}',
                                   f'用{zh}方式读 {want["kib"]} KiB：读不出：{last_of(output)}'))
    blocks = want['kib'] // 8
    polled = not any(row['waits'] for row in rows) and any(row['cpu_ms'] > POLLED * blocks for row in rows)
    for row in rows:
        interrupts, waits = row['interrupts'], row['waits']
        shown = picture.table_pair(('', ''), *([['interrupts', i], ['waits', w]] for i, w in (
            ((0, 0) if mode == 'poll' else (blocks, f'up to {blocks}')), (interrupts, waits))), 0 if mode == 'poll' or interrupts < blocks else 1)
        if mode == 'poll' and interrupts + waits:
            return Verdict(False, both(f'{want["kib"]} KiB by polling: {interrupts} interrupts, {waits} waits; there should be none: the '
                                       'processor asks until the drive is ready.',
                                       f'用轮询方式读 {want["kib"]} KiB：中断 {interrupts} 次，等待 {waits} 次；都应当是 0：处理机一直询问到驱动器就绪。'), shown)
        if mode == 'irq' and not blocks <= interrupts <= blocks + 8:
            return Verdict(False, both(f'{want["kib"]} KiB by interrupts: {interrupts} interrupts; one for each of {blocks} blocks is expected.',
                                       f'用中断方式读 {want["kib"]} KiB：中断 {interrupts} 次；{blocks} 块，每块应有一次。'), shown)
        if mode == 'irq' and polled:
            return Verdict(False, both(f'{want["kib"]} KiB by interrupts: the program never slept, for {blocks} blocks: the processor '
                                       'was not given to others while the drive worked.',
                                       f'用中断方式读 {want["kib"]} KiB：{blocks} 块，一次也没有睡眠：驱动器工作时没有把处理机让给别人。'), shown)
    return Verdict(True)


def served(want, output):
    runs = re.split(r'^,$', output.text, flags=re.M)
    for number, one in enumerate(want):
        text = runs[number] if number < len(runs) else ''
        try:
            row = json.loads(text)['rows'][0]
            order, travel = [int(c) for c in row['order']], int(row['travelled' if one['disk'] else 'computed'])
        except (ValueError, IndexError):
            said = (text.strip().splitlines() or ['nothing'])[-1]
            verdict = Verdict(False, both(f'{command_of(one, "")}: the program did not come to its end: {said}',
                                          f'{command_of(one, "")}：程序没有运行完：{said}'))
            verdict.command = command_of(one, '')
            return verdict
        if order != one['order'] or abs(travel - one['travel']) > one['disk']:
            return differs(one, order, travel)
    return Verdict(True)


def differs(one, order, travel):
    first = next((i for i, (a, b) in enumerate(zip(one['order'], order)) if a != b), min(len(order), len(one['order'])))
    at = one['order'][first - 1] if first else one['places'][0]
    if order == one['order']:
        why = both(f'{command_of(one, "")}: the order is right, but the head travels {travel} cylinders; it should be {one["travel"]}. '
                   'Where does it turn?',
                   f'{command_of(one, "")}：服务次序正确，但磁头移动了 {travel} 个磁道，应当是 {one["travel"]}。它在哪里转向？')
    else:
        right = one['order'][first]
        have = order[first] if first < len(order) else 'nothing'
        why = both(f'{command_of(one, "")}: request {first + 1} that is served is {have}; it should be {right}. The head stood at {at}.',
                   f'{command_of(one, "")}：第 {first + 1} 个服务的是 {have}，应当是 {right}。当时磁头在 {at}。')
    drawn = picture.head_pair(one['cylinders'], (one['travel'], one['places']), (travel, [one['places'][0], *order]), right_place(one, first))
    verdict = Verdict(False, why, drawn)
    verdict.command, verdict.first = command_of(one, ''), min(first, len(one['order']) - 1)
    return verdict


def right_place(one, first):
    """The cylinder at which the ways part."""
    return one['order'][first] if first < len(one['order']) else one['places'][-1]
