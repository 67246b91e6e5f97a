"""Judges lab 9: gives the kernel's classes a state and requests (lab-banker), and compares each answer."""
import re

import picture
from grading import Check, Verdict

ANSWERS = {'granted': '分配', 'unavailable': '等待:可用资源不足', 'unsafe': '暂不分配:会进入不安全状态',
           'refused': '拒绝:违反规则'}


def both(en, zh):
    return {'en': en, 'zh': zh}


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
               f'{where}:第 {first + 1} 行是"{have}",应当是"{right}"。')
    if right.startswith('ask') and have.startswith('ask'):
        who, units, answer = right.split()[1:]
        why = both(f'{who} asks for {units}: {have.split()[3]}; it should be {answer}. The state: {where}.',
                   f'{who} 申请 {units}:{ANSWERS.get(have.split()[3], have.split()[3])},应当是{ANSWERS.get(answer, answer)}。'
                   f'状态:{where}。')
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    verdict = Verdict(False, why, picture.table_pair(('line', 'says'), *(
        [[i + 1, line] for i, line in enumerate(lines)] for lines in (one['lines'], got)), first))
    verdict.command = command_of(one)
    verdict.word = word_of(one, first)
    return verdict


def word_of(one, line):
    """Which word of the command printed this line."""
    printed = [word for word in one['words'] for _ in range(lines_of(word, one))]
    return printed[min(line, len(printed) - 1)] if printed else one['words'][-1]


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
