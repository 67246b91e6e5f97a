"""Judges lab 3: walks of imagined threads, lives of real ones, families of processes (lab-process)."""
import re

import picture
from grading import Check, Verdict, both


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        made.append(Check(case, '; echo =; '.join('lab-process ' + ' '.join(one['words']) for one in want),
                          lambda output, case=case, want=want: check(case, want, output), stop))
    return made


def check(case, want, output):
    runs = re.split(r'^=$', output.text, flags=re.M)
    look = LOOKS.get(case.id, lambda line: line)
    for number, one in enumerate(want):
        got = [line.rstrip() for line in (runs[number] if number < len(runs) else '').splitlines() if line.strip()]
        if list(map(look, got)) != list(map(look, one['lines'])):
            return differs(case, one, got, look)
    return Verdict(True)


def part_of_news(*wanted):
    """Of a line of `news` what these moments say; * is any word."""
    def look(line):
        moments = re.findall(r'(runs|stops|again|goes on|ends) (\S+?)(?:,|$)', line)
        named = [(name, word) for (name, word), before in zip(moments, [('', '')] + moments)
                 if (name if name != 'again' else 'again') in wanted]
        return line.split(':')[0], tuple(named)
    return look


def told_or_not(line):
    head, moments = part_of_news('runs', 'stops', 'goes on', 'ends')(line)
    return head, tuple((name, word != '-') for name, word in moments)


def told_once(line):
    head, moments = part_of_news('stops', 'again', 'goes on')(line)
    return head, tuple((name, word if name == 'again' else word != '-') for name, word in moments)


# Cases that look at a part of the lines only.
LOOKS = {'3.3.news': told_or_not, '3.3.status': part_of_news('stops', 'goes on', 'ends'), '3.3.once': told_once}


def differs(case, one, got, look):
    right = one['lines']
    first = next((i for i, (a, b) in enumerate(zip(right, got)) if look(a) != look(b)), min(len(right), len(got)))
    wanted, have = (lines[first] if first < len(lines) else 'nothing' for lines in (right, got))
    part, words = one['words'][0], one['words'][1:]
    why = SAYING.get(part, plain)(words, first, wanted, have)
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    if part in ('walk', 'suspended'):
        ways = [way(part, lines) for lines in (right, got)]
        parting = next((i for i, (a, b) in enumerate(zip(*ways)) if a != b), min(map(len, ways)))
        drawn = picture.states_pair(*ways, parting)
    else:
        drawn = picture.table_pair(('line', 'says'), *([[i + 1, line] for i, line in enumerate(lines)]
                                                       for lines in (right, got)), first)
    verdict = Verdict(False, why, drawn)
    verdict.command = 'lab-process ' + ' '.join(one['words'])
    # The word that the program's mark before that line has.
    verdict.step = {'walk': str(first + 1), 'suspended': 'suspend', 'orphan': 'orphan', 'waking': 'waking', 'select': words[-1] if words else '',
                    'changes': wanted.split(':')[0]}.get(part) or words[min(first, len(words) - 1)]
    return verdict


def way(part, lines):
    if part == 'walk':
        return ['created', *(line.split()[1] for line in lines if len(line.split()) == 2)]
    return ['created', *(lines[0].split()[1:] if lines else [])]


def plain(words, first, wanted, have):
    return both(f'"{have}"; it should be "{wanted}".', f'"{have}"，应当是"{wanted}"。')


def changes(words, first, wanted, have):
    state = wanted.split(':')[0]
    right, got = (set(line.split(':')[-1].split()) for line in (wanted, have))
    more, less = sorted(got - right), sorted(right - got)
    en = '; '.join([f'to {name} there is no arrow' for name in more] + [f'the arrow to {name} is missing' for name in less])
    zh = ';'.join([f'到 {name} 没有箭头' for name in more] + [f'缺少到 {name} 的箭头' for name in less])
    return both(f'changes from {state}: {en}.', f'从 {state} 出发的转换：{zh}。')


def walk(words, first, wanted, have):
    before = ' '.join(words[:first + 1])
    right, got = wanted.split()[-1], have.split()[-1]
    return both(f'{before}: after {words[min(first, len(words) - 1)]} the thread is {got}; it should be {right}.',
                f'{before}：事件 {words[min(first, len(words) - 1)]} 之后线程处于 {got}，应当是 {right}。')


def suspended(words, first, wanted, have):
    suspend, resume, wake = words
    return both(f'suspended at {suspend} ms, resumed at {resume} ms, its sleep over at {wake} ms: it was {have[7:] or "nothing"}; it should be '
                f'{wanted[7:]}.', f'{suspend} 毫秒时挂起，{resume} 毫秒时激活，{wake} 毫秒时睡眠到时：依次为 {have[7:]}，应当是 {wanted[7:]}。')


def ends(words, first, wanted, have):
    return both(f'a child that ends by {words[first]}: {have.split(": ")[-1]}; it should be {wanted.split(": ")[-1]}.',
                f'以 {words[first]} 结束的子进程：{have.split(": ")[-1]}，应当是 {wanted.split(": ")[-1]}。')


def orphan(words, first, wanted, have):
    askers = ' and '.join(words[2:]) or 'none'
    return both(f'{words[0]} generations, adopters: {askers}; {have}. It should be: {wanted.split(": ", 1)[1]}.',
                f'{words[0]} 代，愿收养者：{" ".join(words[2:]) or "无"}；{have}。应当是：{wanted.split(": ", 1)[1]}。')


def select(words, first, wanted, have):
    return both(f'children in groups {" ".join(words[:-1])}: wait for {have}; it should be {wanted}.',
                f'子进程的组 {" ".join(words[:-1])}：等待 {have}，应当是 {wanted}。')


SAYING = {'changes': changes, 'walk': walk, 'suspended': suspended, 'ends': ends, 'orphan': orphan, 'select': select}


def stop(trace, verdict):
    """The mark that the program leaves before what goes wrong."""
    text = ''
    for at, event in reversed(list(enumerate(trace.events()))):
        if event.name == 'mark':
            text = event['text'] + text
            if f'step {verdict.step}' in text:
                return at
    return None
