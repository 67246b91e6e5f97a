"""Judges lab 7: counts what four threads count, and follows each P and V."""
import re

import picture
from grading import Check, Verdict, both, hinted

LOCKS = {'7.1': 'test-and-set', '7.2': 'swap'}
SETTING = '/proc/sys/kernel/sched/rr_quantum_us'  # short turns: many switches, at every instruction


def checks(lab, expected):
    made = []
    for case in lab.cases:
        what, want = case.id.split('.')[2], expected[case.id]
        lock = LOCKS.get(case.task.id)
        if what == 'rules':
            command, check = f'timeout -s KILL 2 lab-locks 12 {lock}', rules
        elif what == 'exclusion':
            command = f"for quantum in {' '.join(map(str, want['quanta']))}; do echo $quantum >{SETTING}; " \
                      f"timeout -s KILL 1 lab-locks count {lock} {want['rounds']} || break; done; echo 20000 >{SETTING}"
            check = counted
        elif what == 'kernel':
            command, check = f"timeout -s KILL 4 lab-sync kernel {want['items']}", kernel
        else:
            command, check = '; '.join(f"lab-semaphore {one['value']} {' '.join(one['operations'])}; echo ="
                                       for one in want), semaphore
        made.append(Check(case, command, lambda output, case=case, want=want, check=check: check(case, want, output), stop))
    return made


def rules(case, want, output):
    lock = LOCKS[case.task.id]
    row = re.search(rf'^{lock} +(\w+) +(\w+) +(\w+) +(\w+) +(\d+) +(\d+)', output.text, re.M)
    if not row:
        return Verdict(False, hinted(case, both(
            f'lab-locks did not come to {lock}: a thread waits for ever', f'lab-locks 没有运行到 {lock}：有线程永远等待')))
    if (row[1], row[2], row[3], row[4]) == ('kept', 'kept', 'broken', 'broken'):
        return Verdict(True)
    return Verdict(False, both(
        f'{lock}: the four rules are {row[1]}, {row[2]}, {row[3]}, {row[4]} ({row[5]} intrusions, overtaken '
        f'{row[6]} times); a lock that spins keeps the first two and breaks the others',
        f'{lock}：四条原则依次为 {row[1]}、{row[2]}、{row[3]}、{row[4]}（闯入 {row[5]} 次，被超越 {row[6]} 次）；'
        '自旋的锁遵守前两条，违反后两条'))


def counted(case, want, output):
    lock = LOCKS[case.task.id]
    runs = re.findall(rf'^{lock}: \d+ threads count to (\d+): (-?\d+), (-?\d+) lost$', output.text, re.M)
    for wanted, found, lost in runs:
        if wanted != found or int(wanted) != 4 * want['rounds']:
            return Verdict(False, hinted(case, both(
                f'{lock}: four threads counted to {found}, not {wanted}; {lost} updates are lost, so two were '
                'inside at once.', f'{lock}：四个线程数到 {found}，应当是 {wanted}；丢失 {lost} 次更新，说明有两个线程同时在临界区内。')))
    if len(runs) < len(want['quanta']):
        return Verdict(False, hinted(case, both(
            f'{lock}: the threads did not come to an end within a second: one waits for ever',
            f'{lock}：线程在 1 秒内没有结束：有线程永远等待')))
    return Verdict(True)


def kernel(case, want, output):
    found = re.search(r'record: (\d+) items, (\d+) broken invariants, lowest values: mutex (-?\d+)', output.text)
    if not found:
        return Verdict(False, both(
            'lab-sync kernel did not come to an end: a thread was put to sleep and never woken, or never put to sleep',
            'lab-sync kernel 没有结束：有线程睡下后没有人唤醒，或者该睡的没有睡'))
    if int(found[1]) == want['items'] and found[2] == '0' and int(found[3]) < 0:
        return Verdict(True)
    return Verdict(False, both(
        f'kernel threads: {found[1]} of {want["items"]} items, {found[2]} broken invariants, the mutex went down to '
        f'{found[3]}', f'内核线程：{want["items"]} 件中的 {found[1]} 件，{found[2]} 次不变式被破坏，互斥信号量最低到 {found[3]}'))


def semaphore(case, want, output):
    runs = output.text.split('=\n')
    for one, text in zip(want, runs, strict=False):
        rows = [[f'{found[1]} {found[2]}', int(found[3]), int(found[4])] for found in
                re.finditer(r'^(\w+) +(\S+) +value +(-?\d+) waiting (\d+)$', text, re.M)]
        if rows == one['rows']:
            continue
        first = next((i for i, (a, b) in enumerate(zip(one['rows'], rows)) if a != b), min(len(rows), len(one['rows'])))
        right = one['rows'][first]
        got = rows[first] if first < len(rows) else ['nothing', '?', '?']
        done = ' '.join(one['operations'][:first + 1])
        head = ('', 'step', 'value', 'waiting')
        table = picture.table_pair(head, *([[i + 1, *row] for i, row in enumerate(each)]
                                           for each in (one['rows'], rows)), first)
        verdict = Verdict(False, hinted(case, both(
            f'value {one["value"]}, then {done}: {got[0]}, value {got[1]}, {got[2]} waiting; expected: {right[0]}, '
            f'value {right[1]}, {right[2]} waiting.',
            f'初值 {one["value"]}，依次 {done}：得到 {got[0]}，值 {got[1]}，等待 {got[2]} 个；应当是 {right[0]}，'
            f'值 {right[1]}，等待 {right[2]} 个。')), table)
        verdict.command = f"lab-semaphore {one['value']} {' '.join(one['operations'])}"
        verdict.step = first + 1
        return verdict
    return Verdict(len(runs) > len(want) - 1)


def stop(trace, verdict):
    """lab-semaphore leaves an event before each step."""
    return next((number for number, event in enumerate(trace.events())
                 if event.name == 'mark' and event['text'] == f'step {verdict.step}'), None)
