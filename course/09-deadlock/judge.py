"""Judges lab 9: gives the kernel's classes a state and requests (lab-banker), and compares each answer."""
import re

import picture
from grading import Check, Verdict, both

ANSWERS = {'granted': '分配', 'unavailable': '等待：可用资源不足', 'unsafe': '暂不分配：会进入不安全状态',
           'refused': '拒绝：违反规则'}


def command_of(one):
    return 'lab-banker ' + ' '.join(one['words'])


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        made.append(Check(case, '; echo =; '.join(map(command_of, want)),
                          lambda output, case=case, want=want: check(case, want, output), stop))
    return made


def check(case, want, output):
    runs = [[line.rstrip() for line in text.splitlines() if line.strip()]
            for text in re.split(r'^=$', output.text, flags=re.M)]
    for number, one in enumerate(want):
        got = runs[number] if number < len(runs) else []
        if got != one['lines']:
            return differs(case, one, got)
    return Verdict(True)


def differs(case, one, got):
    first = next((i for i, (a, b) in enumerate(zip(one['lines'], got)) if a != b), min(len(one['lines']), len(got)))
    right = one['lines'][first] if first < len(one['lines']) else 'nothing more'
    have = got[first] if first < len(got) else 'nothing'
    where = ' '.join(one['words'])
    why = both(f'{where}: line {first + 1} is "{have}"; it should be "{right}".',
               f'{where}：第 {first + 1} 行是"{have}"，应当是"{right}"。')
    if right.startswith('ask') and have.startswith('ask'):
        who, units, answer = right.split()[1:]
        why = both(f'{who} asks for {units}: {have.split()[3]}; it should be {answer}. The state: {where}.',
                   f'{who} 申请 {units}：{ANSWERS.get(have.split()[3], have.split()[3])}，应当是{ANSWERS.get(answer, answer)}。'
                   f'状态：{where}。')
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    word = word_of(one, first)
    drawn = picture.graph_pair(graph_before(one, word), *(noted(lines, first) for lines in (one['lines'], got)))
    verdict = Verdict(False, why, drawn + picture.table_pair(('line', 'says'), *(
        [[i + 1, line] for i, line in enumerate(lines)] for lines in (one['lines'], got)), first))
    verdict.command = command_of(one)
    verdict.word = one['words'][word]
    return verdict


def numbers(text):
    return [int(n) for n in text.split(',')]


def graph_before(one, last):
    """The state in which the word number `last` finds the processes: a request is drawn as wanted."""
    held, answers = [], iter(line.split() for line in one['lines'] if line.startswith('ask'))
    for i, word in enumerate(one['words'][:last + 1]):
        name, _, value = word.partition('=')
        if name == 'total':
            total = numbers(value)
        elif name == 'held':
            held = [numbers(row) for row in value.split('/')]
            wanted = [[0] * len(total) for _ in held]
        elif name in ('ask', 'want'):
            who, units = value.split(':')[-2:]
            wanted[int(who)] = numbers(units)
            answer = next(answers)[3] if name == 'ask' and i < last else None
            if answer in ('granted', 'refused'):
                wanted[int(who)] = [0] * len(total)
            if answer == 'granted':
                held[int(who)] = [h + u for h, u in zip(held[int(who)], numbers(units))]
    return picture.ResourceGraph(total, held, wanted)


DEAD, DONE, CHOSEN = '#e15759', '#2e9e5b', '#b07aa1'


def noted(lines, first):
    """(title, {process: (colour, note)}): what a run's line says of the processes."""
    line = lines[first] if first < len(lines) else ''
    notes = {}
    if line.startswith(('step', 'state')):
        order = [re.match(r'step P(\d+)', other) for other in lines[:first + 1]]
        notes = {int(step[1]): (DONE, f'{i + 1}') for i, step in enumerate(filter(None, order))}
    dead = next((other for other in lines[:first + 1][::-1] if other.startswith('deadlocked')), '')
    if line.startswith(('deadlocked', 'victim')):
        notes = {int(p): (DEAD, cost) for p, cost in re.findall(r' P(\d+)(?:\((\d+)\))?', dead)}
    victim = re.match(r'victim P(\d+) (\S+)', line)
    if victim:
        notes[int(victim[1])] = (CHOSEN, victim[2])
    return line, notes


def word_of(one, line):
    """The number of the command's word that printed this line."""
    printed = [number for number, word in enumerate(one['words']) for _ in range(lines_of(word, one))]
    return printed[min(line, len(printed) - 1)] if printed else len(one['words']) - 1


def lines_of(word, one):
    if word == 'safe':
        return sum(line.startswith(('step', 'state')) for line in one['lines'])
    if word == 'detect':
        return sum(line.startswith(('deadlocked', 'victim')) for line in one['lines'])
    return int(word.startswith('ask=') or word == 'reduce')


def stop(trace, verdict):
    """The event that the program leaves before it does what goes wrong."""
    marks = [(number, event['text']) for number, event in enumerate(trace.events()) if event.name == 'mark']
    # A mark is as many events as its text takes; they stand one after another.
    text = ''
    for number, piece in reversed(marks):
        text = piece + text
        if text.startswith(verdict.word) or verdict.word in text:
            return number
    return None
