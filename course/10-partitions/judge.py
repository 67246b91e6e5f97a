"""Judges lab 10: blocks come and go by the student's placements; the map after each step is compared."""
import json
import re

import picture
from grading import Check, Verdict, both

RULES = {'first-fit': ('first fit', '首次适应'), 'next-fit': ('next fit', '循环首次适应'), 'best-fit': ('best fit', '最佳适应'),
         'worst-fit': ('worst fit', '最坏适应'), 'quick-fit': ('quick fit', '快速适应'), 'buddy': ('the buddy system', '伙伴系统')}
RESULTS = {'joins the hole below': '与下方的空闲分区合并', 'joins the hole above': '与上方的空闲分区合并',
           'joins both holes': '与两侧的空闲分区合并', 'neither side free': '两侧都不空闲', 'joins its buddy': '与伙伴合并',
           'its buddy is not free': '伙伴不空闲', 'kept for the next of its size': '留在该大小的链上',
           'no hole is large enough': '没有足够大的空闲分区', 'a block': '分配成功'}


def command_of(one, json=' --json'):
    return f"lab-heap --policy {one['policy']} --area {one['area']}{json} {' '.join(one['steps'])}"


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        made.append(Check(case, '; echo ,; '.join(map(command_of, want)),
                          lambda output, case=case, want=want: check(case, want, output), stop))
    return made


def check(case, want, output):
    runs = re.split(r'^,$', output.text, flags=re.M)
    for number, one in enumerate(want):
        text = runs[number] if number < len(runs) else ''
        try:
            got = [[row['step'], row['result'], row['memory']] for row in json.loads(text)['rows']]
        except ValueError:
            said = (text.strip().splitlines() or ['nothing'])[-1]
            verdict = Verdict(False, both(
                f'{command_of(one, "")}: the program did not come to its end: {said}. Does a pointer lead to what is no block?',
                f'{command_of(one, "")}：程序没有运行完：{said}。有没有指针指向不是分区的地方？'))
            verdict.command, verdict.step = command_of(one, ''), None
            return verdict
        if got != one['rows']:
            return differs(case, one, got)
    return Verdict(True)


def pieces(text):
    """[(name, size)] of a map like a:128 -:848"""
    return [(name, int(size)) for name, _, size in (piece.rpartition(':') for piece in text.split())]


def place(text, name):
    """Where a block is in the map, or None."""
    at = 0
    for other, size in pieces(text):
        if other == name:
            return at
        at += size
    return None


def differs(case, one, got):
    wanted = one['rows']
    first = next((i for i, (a, b) in enumerate(zip(wanted, got)) if a != b), min(len(wanted), len(got)))
    step, result, memory = wanted[first] if first < len(wanted) else wanted[-1]
    _, have, found = got[first] if first < len(got) else [step, 'nothing', '']
    before = wanted[first - 1][2] if first else f"-:{one['area']}"
    en, zh = RULES[one['policy']]
    have, result = have or 'a block', result or 'a block'
    why = both(f'step {first + 1} ({step}): "{have}", memory "{found}"; {en} gives "{result}", memory "{memory}".',
               f'第 {first + 1} 步（{step}）：{RESULTS.get(have, have)}，内存"{found}"；{zh}应当是：{RESULTS.get(result, result)}，'
               f'内存"{memory}"。')
    if '=' in step and result == 'a block' != have:
        at = place(memory, step.split('=')[0])
        why = both(f'step {first + 1} ({step}): no hole was found; {en} takes the one at {at}. Memory before: "{before}".',
                   f'第 {first + 1} 步（{step}）：没有找到空闲分区；{zh}应当取位于 {at} 的那个。之前的内存："{before}"。')
    elif '=' in step and result == have == 'a block' and place(found, step.split('=')[0]) != place(memory, step.split('=')[0]):
        name = step.split('=')[0]
        at, right = place(found, name), place(memory, name)
        why = both(f'step {first + 1} ({step}): took the hole at {at}; {en} takes the one at {right}. Memory before: "{before}".',
                   f'第 {first + 1} 步（{step}）：取了位于 {at} 的空闲分区；{zh}应当取位于 {right} 的那个。之前的内存："{before}"。')
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    verdict = Verdict(False, why, picture.holes_pair(*([[row[0], pieces(row[2])] for row in rows]
                                                       for rows in (wanted, got)), first))
    verdict.command, verdict.step = command_of(one, ''), first
    return verdict


def stop(trace, verdict):
    """The event that lab-heap leaves before the step that goes wrong."""
    if verdict.step is None:
        return None
    marks = [number for number, event in enumerate(trace.events()) if event.name == 'mark']
    return marks[verdict.step] if verdict.step < len(marks) else None
