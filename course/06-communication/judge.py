"""Judges lab 6: what each act brings about and who waits after it; and whole runs, whose every word is checked."""
import re

import picture
from grading import Check, Verdict, both, hinted


def play(one):
    return f"timeout -s KILL 5 lab-ipc script {one['means']} --room {one['room']} {' '.join(one['script'])}"


def checks(lab, expected):
    made = []
    for case in lab.cases:
        what, want = case.id.split('.')[2], expected[case.id]
        if what in ('pipeline', 'run'):
            means = 'pipe' if what == 'pipeline' else 'shared'
            command = f"timeout -s KILL 2 lab-ipc {means} --items {want['items']} --bytes {want['bytes']}"
            command += f"; seq {want['last']} | timeout -s KILL 2 tail -n 1" if means == 'pipe' else ''
            check = run
        else:
            command, check = '; '.join(f'{play(one)}; echo =' for one in want), script
        made.append(Check(case, command, lambda output, case=case, want=want, check=check: check(case, want, output), stop))
    return made


def script(case, want, output):
    parts = output.text.split('=\n')
    for one, text in zip(want, parts):
        rows = [[found[1], found[2].strip(), re.sub(r' \([^)]*\)', '', found[3])] for found in
                re.finditer(r'^(\S+) +(.*); waiting: (.*)$', text, re.M)]
        wanted = one['rows']
        if rows == wanted:
            continue
        first = next((i for i, (a, b) in enumerate(zip(wanted, rows)) if a != b), min(len(rows), len(wanted)))
        right = wanted[min(first, len(wanted) - 1)]
        got = rows[first] if first < len(rows) else [right[0], 'nothing more came', '?']
        table = picture.table_pair(('', 'act', 'done', 'waiting'),
                                   *([[i + 1, *row] for i, row in enumerate(each)] for each in (wanted, rows)), first)
        shown = one['script'][max(0, first - 5):first + 1]
        done = ('… ' if first > 5 else '') + ' '.join(shown)
        verdict = Verdict(False, hinted(case, both(
            f'after {done}: {got[1]}; waiting {got[2]}. Expected: {right[1]}; waiting {right[2]}.',
            f'依次 {done} 之后：{got[1]}；等待 {got[2]}。应当是：{right[1]}；等待 {right[2]}。')), table)
        verdict.command, verdict.step = play(one), first + 1
        return verdict
    came = len(parts) - 1
    return Verdict(came == len(want), both(f'{came} of {len(want)} scripts came to an end', f'{len(want)} 个脚本中运行完 {came} 个'))


def run(case, want, output):
    means = 'pipe' if 'last' in want else 'shared'
    found = re.search(rf'^{means} +(\d+) +\S+ +\d+ +\d+ +(\d+) +\d+ +(\d+) ', output.text, re.M)
    if not found:
        said = output.text.strip().split('\n')[-1][:120]
        return Verdict(False, hinted(case, both(
            f'lab-ipc {means} did not come to an end: a process waits for ever, or a call failed ({said}).',
            f'lab-ipc {means} 没有结束：有进程永远等待，或调用失败（{said}）。')))
    if int(found[1]) != want['items'] or found[3] != '0' or int(found[2]) == 0:
        return Verdict(False, hinted(case, both(
            f'{means}: {found[3]} of {found[1]} items were not what was sent; processes waited {found[2]} times.',
            f'{means}：{found[1]} 件中有 {found[3]} 件与发送的不同；进程等待了 {found[2]} 次。')))
    last = output.text.strip().split('\n')[-1]
    if 'last' in want and last != str(want['last']):
        return Verdict(False, hinted(case, both(f'seq {want["last"]} | tail -n 1 printed {last}',
                                                f'seq {want["last"]} | tail -n 1 的输出是 {last}')))
    return Verdict(True)


def stop(trace, verdict):
    """lab-ipc script leaves an event before each act."""
    return next((number for number, event in enumerate(trace.events())
                 if event.name == 'mark' and event['text'] == f'step {verdict.step}'), None)
