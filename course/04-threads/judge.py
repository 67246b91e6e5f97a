"""Judges lab 4: in which order threads run and what they keep, and who gets a mutex and who sleeps."""
import re

import picture
from grading import Check, Verdict, both, hinted

SETTING = '/proc/sys/kernel/sched/rr_quantum_us'  # short turns: many switches, at every instruction


def play(part, one):
    return f"timeout -s KILL 2 lab-threads {part} {' '.join(one['words'])}"


def checks(lab, expected):
    made = []
    for case in lab.cases:
        what, want = case.id.split('.')[2], expected[case.id]
        if what == 'count':
            command = f"for quantum in {' '.join(map(str, want['quanta']))}; do echo $quantum >{SETTING}; " \
                      f"timeout -s KILL 1 lab-threads count {want['rounds']} || break; done; echo 20000 >{SETTING}"
            check = counted
        elif case.task.id == '4.2':
            command, check = '; '.join(f"{play('mutex', one)}; echo =" for one in want), mutex
        else:
            command, check = '; '.join(f"{play('order', one)}; echo =" for one in want), order
        made.append(Check(case, command, lambda output, case=case, want=want, check=check: check(case, want, output), stop))
    return made


def parting(wanted, rows):
    return next((i for i, (a, b) in enumerate(zip(wanted, rows)) if a != b), min(len(rows), len(wanted)))


def order(case, want, output):
    """Only the case about registers looks at what is lost, only that about the stack at its alignment."""
    for one, text in zip(want, output.text.split('=\n')):
        rows = [list(found.groups()) for found in re.finditer(r'^(main|[A-H]) ((?:begins|yields|goes on|joins|joined|ends)\b.*)$', text, re.M)]
        if not case.id.endswith('.registers'):
            rows = [[who, re.sub(r' without its .*', '', what)] for who, what in rows]
        if not case.id.endswith('.aligned'):
            rows = [[who, re.sub(r' on a stack that .*', '', what)] for who, what in rows]
        wanted = one['rows']
        if rows == wanted:
            continue
        first = parting(wanted, rows)
        right = ' '.join(wanted[first]) if first < len(wanted) else 'nothing more'
        got = ' '.join(rows[first]) if first < len(rows) else 'nothing more came (status and fault: see the command)'
        before = ' '.join(wanted[first - 1]) if first else 'the start'
        table = picture.table_pair(('', 'thread', 'what'), *([[i + 1, *row] for i, row in enumerate(each)] for each in (wanted, rows)), first)
        verdict = Verdict(False, hinted(case, both(
            f'threads {" ".join(one["words"])}: after "{before}": {got}. Expected: {right}.',
            f'线程 {" ".join(one["words"])}：在 "{before}" 之后：{got}。应当是：{right}。')), table)
        verdict.command, verdict.step = play('order', one), first + 1
        return verdict
    return all_came(want, output)


def mutex(case, want, output):
    pattern = r'^(\S+) +inside: (\S+); the word says (\w+); calls: (\d+) wait, (\d+) wake; waiting: (.*)$'
    for one, text in zip(want, output.text.split('=\n')):
        rows = []
        for i, found in enumerate(re.finditer(pattern, text, re.M)):
            waits, wakes = int(found[4]), int(found[5])
            calls = one['rows'][i][4] if i < len(one['rows']) else 'any'
            fits = {'none': waits + wakes == 0, 'wait': waits > 0, 'wake': wakes > 0, 'any': True}[calls]
            waiting = ' '.join(sorted(re.findall(r'[A-D](?: \(spins\))?', found[6]))) or '-'
            rows.append([found[1], found[2], found[3], waiting, calls if fits else f'{waits} wait, {wakes} wake'])
        wanted = one['rows']
        if rows == wanted:
            continue
        first = parting(wanted, rows)
        said = [f'inside {row[1]}, the word says {row[2]}, waiting {row[3]}, calls {row[4]}' for row in wanted]
        got = [f'inside {row[1]}, the word says {row[2]}, waiting {row[3]}, calls {row[4]}' for row in rows]
        table = picture.table_pair(('', 'act', 'inside', 'word', 'waiting', 'calls'),
                                   *([[i + 1, *row] for i, row in enumerate(each)] for each in (wanted, rows)), first)
        done = ' '.join(one['words'][:first + 1])
        was, right = got[first] if first < len(got) else 'nothing came', said[min(first, len(said) - 1)]
        verdict = Verdict(False, hinted(case, both(f'after {done}: {was}. Expected: {right}.',
                                                   f'依次 {done} 之后：{was}。应当是：{right}。')), table)
        verdict.command, verdict.step = play('mutex', one), first + 1
        return verdict
    return all_came(want, output)


def all_came(want, output):
    came = output.text.count('=\n')
    return Verdict(came == len(want), both(f'{came} of {len(want)} runs came to an end', f'{len(want)} 次运行中完成 {came} 次'))


def counted(case, want, output):
    runs = re.findall(r'^4 threads count to (\d+): (-?\d+), (-?\d+) lost, (\d+) waits', output.text, re.M)
    for wanted, found, lost, _ in runs:
        if wanted != found or int(wanted) != 4 * want['rounds']:
            return Verdict(False, hinted(case, both(
                f'four threads counted to {found}, not {wanted}: {lost} updates are lost, so two were inside at once.',
                f'四个线程数到 {found}，应当是 {wanted}：丢失 {lost} 次更新，说明有两个线程同时在里面。')))
    if len(runs) < len(want['quanta']):
        return Verdict(False, hinted(case, both('the threads did not come to an end within a second: one sleeps for ever.',
                                                '线程在 1 秒内没有结束：有线程永远睡眠。')))
    slept = sum(int(waits) for *_, waits in runs)
    return Verdict(slept > 0, both('nobody ever slept, though turns ended inside', '时间片在临界区内用完，却没有线程睡眠过'))


def stop(trace, verdict):
    """lab-threads leaves an event before each thing that happens."""
    return next((number for number, event in enumerate(trace.events())
                 if event.name == 'mark' and event['text'] == f'step {verdict.step}'), None)
