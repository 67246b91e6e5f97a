"""Judges lab 8: who goes on after each step, invariants while threads run, and who is inside a monitor."""
import re

import picture
from grading import Check, Verdict, both, hinted


def play(one):
    return f"lab-sync {one['problem']} --only '{one['solution']}' --script '{' '.join(one['script'])}' --seed {one['seed']}"


def operations(one):
    return f"lab-monitor {one['discipline']} {' '.join(one['script'])}"


def checks(lab, expected):
    made = []
    for case in lab.cases:
        what, want = case.id.split('.')[2], expected[case.id]
        if what in ('threads', 'hungry'):
            # Directed by several draws, then as the kernel says; one that fails ends it.
            directed = [f"lab-sync {want['problem']} {want['steps']} --only '{one}' --directed --seed {seed}"
                        for one in want['solutions'] for seed in want['seeds']]
            free = [f"timeout -s KILL 1 lab-sync {want['problem']} {want['steps']} --only '{one}'" for one in want['solutions']]
            command, check = ' && '.join(directed + free), threads
        elif what == 'kernel':
            command, check = f"timeout -s KILL 2 lab-sync kernel {want['items']}", kernel
        elif case.task.id == '8.4':
            command, check = '; '.join(f'{operations(one)}; echo =' for one in want), monitor
        else:
            for seed, one in enumerate(want):
                one['seed'] = seed + 1
            command, check = '; '.join(f'{play(one)}; echo =' for one in want), script
        made.append(Check(case, command, lambda output, case=case, want=want, check=check: check(case, want, output), stop))
    return made


def script(case, want, output):
    place = r'(?! \(room\)) \([^)]*\)' if case.id == '8.3.at-most-four' else r' \([^)]*\)'
    for one, text in zip(want, output.text.split('=\n')):
        rows = [[found[1], found[2], re.sub(place, '', found[3])] for found in
                re.finditer(r'^(\S+) +(.*); waiting: (.*)$', text, re.M)]
        if rows in one['accepted']:
            continue
        # The accepted way that it follows for longest.
        first, accepted = max(((parting(right, rows), right) for right in one['accepted']), key=lambda each: each[0])
        verdict = differs(case, one, accepted, rows, first, ('act', 'so', 'waiting'))
        verdict.command = play(one)
        return verdict
    return all_came(case, want, output)


def parting(right, rows):
    return next((i for i, (a, b) in enumerate(zip(right, rows)) if a != b), min(len(rows), len(right)))


def monitor(case, want, output):
    for one, text in zip(want, output.text.split('=\n')):
        rows = [[found[1], found[2].strip(), found[3]] for found in
                re.finditer(r'^(\S+) +(.*?) +(entry .*)$', text, re.M)]
        if rows == one['rows']:
            continue
        verdict = differs(case, one, one['rows'], rows, parting(one['rows'], rows), ('act', 'result', 'queues'))
        verdict.command = operations(one)
        return verdict
    return all_came(case, want, output)


def all_came(case, want, output):
    came = output.text.count('=\n')
    return Verdict(came == len(want), both(f'{came} of {len(want)} scripts came to an end', f'{len(want)} 个脚本中运行完 {came} 个'))


def differs(case, one, wanted, rows, first, head):
    right = wanted[min(first, len(wanted) - 1)]
    got = rows[first] if first < len(rows) else [right[0], 'nothing', '-']
    done = ' '.join(one['script'][:first + 1])
    name, label, label_zh = ((one['discipline'], '', '') if 'discipline' in one else (one['solution'], 'waiting ', '等待 '))
    table = picture.table_pair(('', *head), *([[i + 1, *row] for i, row in enumerate(each)] for each in (wanted, rows)), first)
    verdict = Verdict(False, hinted(case, both(
        f'{name}, after {done}: {got[1]}; {label}{got[2]}. Expected: {right[1]}; {label}{right[2]}.',
        f'{name}，依次 {done} 之后：{got[1]}；{label_zh}{got[2]}。应当是：{right[1]}；{label_zh}{right[2]}。')), table)
    verdict.step = first + 1
    return verdict


def threads(case, want, output):
    runs = re.findall(r'^\w+ +(\S.*?) +(\d+) steps, (\d+) broken invariants', output.text, re.M)
    stuck = re.search(r'^deadlock after (\d+) steps, waiting: (.*)$', output.text, re.M)
    tried = [(one, f'--directed --seed {seed}') for one in want['solutions'] for seed in want['seeds']]
    tried += [(one, 'by the kernel\'s scheduler') for one in want['solutions']]
    for (solution, how), (name, steps, broken) in zip(tried, runs):
        if name != solution or int(steps) != want['steps']:
            return Verdict(False, both(f'{name}, {steps} steps came; expected {solution}, {want["steps"]} steps',
                                       f'得到 {name}，{steps} 步；应当是 {solution}，{want["steps"]} 步'))
        if broken != '0':
            return Verdict(False, hinted(case, both(
                f'{solution} ({how}): {broken} times in {steps} steps threads were inside that must not be there together.',
                f'{solution}({how}):{steps} 步中有 {broken} 次不变式被破坏，不该同时进入的线程同时进入了。')))
    if len(runs) == len(tried):
        return Verdict(True)
    solution, how = tried[len(runs)]
    if stuck:
        return Verdict(False, hinted(case, both(
            f'{solution} ({how}): a deadlock after {stuck[1]} steps; all wait: {stuck[2]}.',
            f'{solution}({how}):{stuck[1]} 步之后死锁，全部在等待：{stuck[2]}。')))
    return Verdict(False, hinted(case, both(f'{solution} ({how}) did not come to an end: a thread waits for ever.',
                                            f'{solution}（{how}）没有结束：有线程永远等待。')))


def kernel(case, want, output):
    found = re.findall(r'(hoare|mesa): (\d+) items, (\d+) broken invariants', output.text)
    if found == [(discipline, str(want['items']), '0') for discipline in ('hoare', 'mesa')]:
        return Verdict(True)
    if len(found) < 2:
        return Verdict(False, both('lab-sync kernel did not come to an end: a kernel thread waits for ever in a monitor',
                                   'lab-sync kernel 没有结束：有内核线程在管程中永远等待'))
    wrong = next(one for one in found if one[1:] != (str(want['items']), '0'))
    return Verdict(False, both(
        f'kernel threads under {wrong[0]}: {wrong[1]} of {want["items"]} items, {wrong[2]} broken invariants',
        f'内核线程，{wrong[0]} 管程：{want["items"]} 件中的 {wrong[1]} 件，{wrong[2]} 次不变式被破坏'))


def stop(trace, verdict):
    """lab-sync --script and lab-monitor leave an event before each step."""
    return next((number for number, event in enumerate(trace.events())
                 if event.name == 'mark' and event['text'] == f'step {verdict.step}'), None)
