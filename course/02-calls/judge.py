"""Judges lab 2: makes system calls (lab-syscall), and compares what comes back."""
import re

import picture
from grading import Check, Verdict, both


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        made.append(Check(case, '; echo =; '.join('lab-syscall ' + ' '.join(one['words']) for one in want),
                          lambda output, case=case, want=want: check(case, want, output), stop))
    return made


def check(case, want, output):
    runs = re.split(r'^=$', output.text, flags=re.M)
    for number, one in enumerate(want):
        got = [line.rstrip() for line in (runs[number] if number < len(runs) else '').splitlines() if line.strip()]
        got = counted(one, got)
        if got != one['lines']:
            return differs(case, one, got)
    return Verdict(True)


def counted(one, lines):
    """Of the lines of a run those that this case is about: the same kinds as the expected ones."""
    kinds = {kind(line) for line in one['lines']}
    return [line for line in lines if kind(line) in kinds or one['words'][0] not in ('wide', 'name')]


def kind(line):
    return '|' if '|' in line else line.split()[0]


def differs(case, one, got):
    right = one['lines']
    first = next((i for i, (a, b) in enumerate(zip(right, got)) if a != b), min(len(right), len(got)))
    wanted, have = (lines[first] if first < len(lines) else 'nothing' for lines in (right, got))
    part, words = one['words'][0], one['words'][1:]
    describe = SAYING.get(part, plain)
    why = describe(words, first, wanted, have)
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    table = picture.table_pair(('line', 'says'), *([[i + 1, line] for i, line in enumerate(lines)]
                                                   for lines in (right, got)), first)
    verdict = Verdict(False, why, table)
    verdict.command = 'lab-syscall ' + ' '.join(one['words'])
    # The word at which the program leaves its mark before that line.
    per_word = {'enter': (words, first - 1), 'returned': (words, first), 'number': (words, first), 'lie': (words, first),
                'wide': (words, first * len(words) // max(len(right), 1))}.get(part)
    verdict.step = per_word[0][max(0, min(per_word[1], len(words) - 1))] if per_word else {'put': 'put'}.get(part, 'name')
    return verdict


def plain(words, first, wanted, have):
    return both(f'line {first + 1} is "{have}"; it should be "{wanted}".', f'第 {first + 1} 行是"{have}"，应当是"{wanted}"。')


def returned(words, first, wanted, have):
    def told(line):
        found = re.match(r'\S+ returned (\S+) errno (\S+)', line)
        return (found[1], found[2]) if found else ('?', '?')
    (value, error), (got, got_error) = told(wanted), told(have)
    return both(f'the kernel\'s result {words[first]}: returned {got} with errno {got_error}; it should be {value} with errno {error}.',
                f'内核的结果 {words[first]}：返回 {got}，errno 为 {got_error}；应当返回 {value}，errno 为 {error}。')


def put(words, first, wanted, have):
    if first == 0:
        return both(f'lines of {" ".join(words[2:])} characters through a buffer of {words[1]} ({words[0]}): {have}; the file '
                    'has to hold all that was put, in order.',
                    f'各行 {" ".join(words[2:])} 个字符，经过 {words[1]} 字节的缓冲区（{words[0]}）：{have}；文件里应当依次是写入的全部字符。')
    count = [len(line.split()) - 1 for line in (have, wanted)]
    return both(f'lines of {" ".join(words[2:])} characters through a buffer of {words[1]} ({words[0]}): {count[0]} calls, '
                f'{have}; it should be {count[1]}: {wanted}.',
                f'各行 {" ".join(words[2:])} 个字符，经过 {words[1]} 字节的缓冲区（{words[0]}）：{count[0]} 次调用，{have}；'
                f'应当是 {count[1]} 次：{wanted}。')


def number(words, first, wanted, have):
    return both(f'system call {words[first]}, which there is not, answered {have.split()[-1]}; it should be {wanted.split()[-1]}.',
                f'不存在的系统调用 {words[first]} 回答 {have.split()[-1]}；应当是 {wanted.split()[-1]}。')


def wide(words, first, wanted, have):
    call = wanted.split()[0]
    return both(f'{call} with 64 bits: "{have}"; it should be "{wanted}".', f'{call} 的 64 位参数："{have}"；应当是"{wanted}"。')


def lie(words, first, wanted, have):
    what, where = words[first].split('=')
    place, bytes_ = where.split('-') if '-' in where else (where, '')
    thing = ('8 bytes', '8 个字节') if what == 'mask' else ('a name', '一个文件名')
    told = {'end': (f'{bytes_} bytes before the memory ends', f'内存结束前 {bytes_} 字节处'),
            'cut': (f'of {bytes_} bytes without a NUL, where memory ends', f'{bytes_} 字节、没有 NUL，随后内存结束'),
            'long': (f'of {bytes_} bytes', f'长 {bytes_} 字节')}.get(place) or (
                (f'at {place}, in the kernel', f'位于内核的 {place}') if place.startswith('0xc')
                else (f'at {place}, where nothing is', f'位于没有映射的 {place}'))
    return both(f'{thing[0]} {told[0]}: {have.split()[-1]}; it should be {wanted.split()[-1]}.',
                f'{thing[1]}，{told[1]}：{have.split()[-1]}；应当是 {wanted.split()[-1]}。')


def name(words, first, wanted, have):
    if '|' in wanted:
        return both(f'the name "{wanted.split("|")[1]}" came as "{have.split("|")[0]}"; it should be "{wanted.split("|")[0]}".',
                    f'名字"{wanted.split("|")[1]}"得到的是"{have.split("|")[0]}"；应当是"{wanted.split("|")[0]}"。')
    return both(f'call 59: "{have}"; it should be "{wanted}".', f'59 号调用："{have}"；应当是"{wanted}"。')


SAYING = {'returned': returned, 'put': put, 'number': number, 'wide': wide, 'lie': lie, 'name': name}


def stop(trace, verdict):
    """The mark that the program leaves before the call."""
    text = ''
    for at, event in reversed(list(enumerate(trace.events()))):
        if event.name == 'mark':
            text = event['text'] + text
            if text.startswith(f'step {verdict.step}') or f'step {verdict.step}' in text:
                return at
    return None
