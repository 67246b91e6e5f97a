"""Judges lab 1: gates by value (lab-gate), and what happens to a program on the running machine (lab-traps)."""
import re

import picture
from grading import Check, Verdict, both, hinted

FIELDS = ('gate', 'offset 31..16', 'P', 'DPL', 'bit 44', 'type', 'bits 39..32', 'selector', 'offset 15..0')
ROW = re.compile(r'^(\S+) +(.*?) +(#\w\w|\w+) +(\d+|-) +(-?\d+|-) +(SIG\w+|none|-) +(-?\d+|-) +(\d+|-) +(\d+|-) +(-?\d+) +(\d+)$',
                 re.M)


def command_of(what, want):
    if what == 'timer':
        return f'lab-traps --timer {want["milliseconds"]} cli'
    if what == 'exceptions':
        return '; '.join(f'lab-traps --timer 0 --times {times} {name}' for name, _, times in want)
    if what == 'rings':
        return 'lab-traps --timer 0 ' + ' '.join(f'int={one[0]}' for one in want)
    return ('lab-traps --timer 0 ' if want[0][0] in NAMES else 'lab-gate ') + ' '.join(one[0] for one in want)


NAMES = {'divide', 'breakpoint', 'opcode', 'segment', 'address'}
CHECKS = {}


def checks(lab, expected):
    made = []
    for case in lab.cases:
        what, want = case.id.split('.')[2], expected[case.id]
        check = CHECKS.get(what) or (signals if case.task.id == '1.2' else gates)
        made.append(Check(case, command_of(what, want),
                          lambda output, case=case, want=want, check=check: check(case, want, output), stop))
    return made


def rows_of(text):
    """{what: {column: value}} of lab-traps' tables."""
    keys = ('what', 'why', 'came', 'vector', 'error', 'signal', 'code', 'cs', 'cpl', 'counted', 'traced')
    return {found[1]: dict(zip(keys, found.groups())) for found in ROW.finditer(text)}


def fields(word, bits):
    high, low = int(bits[:8], 16), int(bits[8:], 16)
    return [word, f'{high >> 16:04x}', high >> 15 & 1, high >> 13 & 3, high >> 12 & 1, high >> 8 & 15,
            f'{high & 255:02x}', f'{low >> 16:04x}', f'{low & 0xffff:04x}']


def gates(case, want, output):
    got = re.findall(r'^(?:task|interrupt|trap) .* ([0-9a-f]{16})$', output.text, re.M)
    for number, (word, bits) in enumerate(want):
        if number < len(got) and got[number] == bits:
            continue
        have = got[number] if number < len(got) else '0' * 16
        pair = [fields(word, one) for one in (bits, have)]
        wrong = next(i for i, (a, b) in enumerate(zip(*pair)) if a != b)
        why = both(f'the gate {word} is {have}; it should be {bits}: {FIELDS[wrong]} is {pair[1][wrong]}, not {pair[0][wrong]}.',
                   f'门 {word} 编码为 {have}，应当是 {bits}：{FIELDS[wrong]} 为 {pair[1][wrong]}，应为 {pair[0][wrong]}。')
        table = picture.table_pair(FIELDS, *([fields(*one) for one in each] for each in
                                             (want, [(w, g) for (w, _), g in zip(want, got)])), number)
        verdict = Verdict(False, hinted(case, why), table)
        verdict.command, verdict.mark = f'lab-gate {word}', f'gate {word}'
        return verdict
    return Verdict(True)


def shown(case, head, want, got, number, why, word):
    """The verdict that row `number` differs; `word` alone shows it again."""
    verdict = Verdict(False, hinted(case, why), picture.table_pair(head, want, got, number))
    verdict.command, verdict.mark = f'lab-traps --timer 0 {word}', None
    return verdict


def rings(case, want, output):
    rows = rows_of(output.text)
    head, right = ('INT', 'comes as', 'error'), [list(map(str, one)) for one in want]
    got = [[one[0], *(rows[f'int-{one[0]}'][key] for key in ('came', 'error'))] for one in right]
    for number, (a, b) in enumerate(zip(right, got)):
        if a == b:
            continue
        if a[1] == '#GP':
            why = both(f'INT {a[0]} of a program came as {b[1]}: it went through a gate that is not for programs; it should be '
                       f'#GP with error code {a[2]} (the vector times 8, plus 2).',
                       f'程序执行 INT {a[0]}，结果是 {b[1]}：它穿过了不供程序使用的门；应当是 #GP，错误码 {a[2]}（向量号乘 8 加 2）。')
        else:
            why = both(f'INT {a[0]} of a program came as {b[1]}, error code {b[2]}; its gate is for programs: it should be {a[1]}.',
                       f'程序执行 INT {a[0]}，结果是 {b[1]}，错误码 {b[2]}；它的门是供程序使用的，应当是 {a[1]}。')
        return shown(case, head, right, got, number, why, f'int={a[0]}')
    return Verdict(True)


def signals(case, want, output):
    rows = rows_of(output.text)
    head, right = ('what', 'signal', 'code'), [[name, signal, str(code)] for name, _, signal, code in want]
    got = [[one[0], rows[one[0]]['signal'], rows[one[0]]['code']] for one in right]
    for number, (a, b) in enumerate(zip(right, got)):
        if a != b:
            came = want[number][1]
            return shown(case, head, right, got, number, both(
                f'{a[0]} ({came}): the program got {b[1]} with code {b[2]}; it should be {a[1]} with code {a[2]}.',
                f'{a[0]}（{came}）：程序得到 {b[1]}，代码 {b[2]}；应当是 {a[1]}，代码 {a[2]}。'), a[0])
    return Verdict(True)


def exceptions(case, want, output):
    rows = rows_of(output.text)
    head, right = ('what', 'came as', 'times'), [[name, came, str(times)] for name, came, times in want]
    got = [[name, came, rows[name]['counted']] for name, came, _ in right]
    for number, (a, b) in enumerate(zip(right, got)):
        if a != b:
            return shown(case, head, right, got, number, both(
                f'{a[0]} came as {a[1]} {a[2]} times; /proc/interrupts counted {b[2]}.',
                f'{a[0]} 作为 {a[1]} 发生了 {a[2]} 次，/proc/interrupts 计了 {b[2]} 次。'), f'--times {a[2]} {a[0]}')
    return Verdict(True)


def timer(case, want, output):
    row = rows_of(output.text)['timer']
    counted, traced = int(row['counted']), int(row['traced'])
    # One may come between the count and the mark.
    if traced >= want['milliseconds'] // 20 and abs(counted - traced) <= 2:
        return Verdict(True)
    return Verdict(False, hinted(case, both(
        f'the timer interrupted {traced} times in {want["milliseconds"]} ms, as the trace has it; /proc/interrupts counted '
        f'{counted}.', f'trace 表明定时器在 {want["milliseconds"]} 毫秒内中断了 {traced} 次，/proc/interrupts 计了 {counted} 次。')))


CHECKS.update(rings=rings, exceptions=exceptions, timer=timer)


def stop(trace, verdict):
    """The mark before the gate, or the last exception that a program got."""
    text, found = '', None
    for number, event in reversed(list(enumerate(trace.events()))):
        if verdict.mark is None and event.name == 'exception':
            return number
        if event.name == 'mark':
            text = event['text'] + text
            if verdict.mark and verdict.mark in text:
                return number
    return found
