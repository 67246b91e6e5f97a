"""Judges lab 12: a real process touches real pages; which of them left memory is compared with which
should have."""
import json
import re

import picture
from grading import Check, Verdict, both


def command_of(one):
    pages = ' '.join(f'{page}{"w" if write else ""}' for page, write in one['string'])
    return f"lab-paging --policy {one['policy']} --frames {one['frames']} --json {pages}"


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        if case.task.id in ('12.7', '12.8'):
            judge, moment = (swapped, None) if case.id == '12.7.swapped' else (lines, stop_at_step)
            made.append(Check(case, '; echo =; '.join(one['command'] for one in want),
                              lambda output, case=case, want=want, judge=judge: judge(case, want, output), moment))
            continue
        made.append(Check(case, '; echo ,; '.join(map(command_of, want)),
                          lambda output, case=case, want=want: check(case, want, output), stop))
    return made


def check(case, want, output):
    try:
        runs = json.loads('[' + output.text + ']')
    except ValueError:
        line = (output.text.strip().splitlines() or ['nothing'])[-1]
        return Verdict(False, both(f'the program did not come to its end: {line}', f'程序没有运行完：{line}'))
    for one, run in zip(want, runs, strict=True):
        got = [[int(page), None if victim is None else int(victim)] for page, victim in run['load_evict']]
        if got != one['loads']:
            return differs(case, one, got, leaving(run))
    return Verdict(True)


def leaving(run):
    """[access, page] of each page that left though no frame was wanted."""
    accesses, left = -1, []
    for row in run['rows']:
        accesses += row['what'] != 'leaves'
        left += [[accesses, int(row['page'])]] if row['what'] == 'leaves' else []
    return left


def columns(one, loads, left):
    """(page in each frame, whether it faulted) after each access."""
    frames, faults, made = [None] * one['frames'], iter(loads), []
    following = next(faults, None)
    for access, (page, _) in enumerate(one['string']):
        fault = page not in frames and following is not None and following[0] == page
        if fault:
            room = frames.index(following[1]) if following[1] in frames else len(frames)
            frames[room:room + 1] = [page]
            following = next(faults, None)
        made.append((list(frames), fault))
        frames = [None if [access, held] in left else held for held in frames]
    return made


def differs(case, one, got, left):
    wanted = one['loads']
    first = next((i for i, (a, b) in enumerate(zip(wanted, got)) if a != b), min(len(wanted), len(got)))
    want = wanted[first] if first < len(wanted) else None
    have = got[first] if first < len(got) else None
    when, memory = moment(one, first)
    name = f'{one["policy"]}, {one["frames"]} frames'
    inside = '; '.join(f'{page}: {words["en"]}' for page, words in memory.items())
    content = ';'.join(f'{page}:{words["zh"]}' for page, words in memory.items())
    if want and have and want[0] == have[0]:
        why = both(
            f'{name}: access {when} (page {want[0]}): {went(have[1])} left; {went(want[1])} should have. '
            f'In memory then: {inside}.',
            f'{name}：第 {when} 次访问（页 {want[0]}）：换出了{page_zh(have[1])}，应当换出{page_zh(want[1])}。当时内存中：{content}。')
    else:
        why = both(
            f'{name}: fault {first + 1} should be {fault_of(want)}; it was {fault_of(have)}: a page left too early, or '
            f'stayed too long. In memory then: {inside}.',
            f'{name}：第 {first + 1} 次缺页应当是{fault_zh(want)}，实际是{fault_zh(have)}：有的页换出得太早，或留得太久。'
            f'当时内存中：{content}。')
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    tables = columns(one, wanted, one['left']), columns(one, got, left)
    parts = next((i for i, (a, b) in enumerate(zip(*tables)) if a != b), when - 1)
    verdict = Verdict(False, why, picture.frames_pair([page for page, _ in one['string']], *tables, parts))
    verdict.command = command_of(one)
    verdict.before = sum(victim is not None for _, victim in got[:first])  # evictions
    return verdict


def lines(case, want, output):
    """Programs that say a line for each thing that they were asked."""
    runs = [[line.rstrip() for line in text.splitlines() if line.strip()]
            for text in re.split(r'^=$', output.text, flags=re.M)]
    for one, got in zip(want, runs + [[]] * len(want)):
        if got == one['lines']:
            continue
        first = next((i for i, (a, b) in enumerate(zip(one['lines'], got)) if a != b),
                     min(len(got), len(one['lines'])))
        have = got[first] if first < len(got) else 'nothing'
        right = one['lines'][first] if first < len(one['lines']) else 'nothing more'
        why = both(f'{one["command"]}: "{have}"; it should be "{right}".',
                   f'{one["command"]}：得到"{have}"，应当是"{right}"。')
        hint = case.hint or {}
        why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
        verdict = Verdict(False, why, picture.table_pair(('', ''), *([[i + 1, line] for i, line in enumerate(each)]
                                                                     for each in (one['lines'], got)), first))
        verdict.command = one['command']
        verdict.mark = f"asks {right.split(':')[0]}" if verdict.command.startswith('lab-load') else f'step {right.split()[0]}'
        return verdict
    return Verdict(True)


def swapped(case, want, output):
    try:
        rows = {row['moment']: row for row in json.loads(output.text)['rows']}
        out, intact = rows['suspended']['swapped'], rows['touched again']['intact']
    except ValueError:
        said = (output.text.strip().splitlines() or ['nothing'])[-1]
        return Verdict(False, both(
            f'a process whose pages went to swap did not go on: {said}. What does its page table say of such a page?',
            f'页面换出到对换区的进程没能继续运行：{said}。页表里怎样表示这样的页？'))
    if out and intact:
        return Verdict(True)
    return Verdict(False, both(f'{out} pages went to swap; what came back is not what was there',
                               f'{out} 页换出到对换区，换回来的内容和原来不同'))


def went(page):
    return 'no page' if page is None else f'page {page}'


def page_zh(page):
    return '零页' if page is None else f'页 {page}'


def fault_of(load):
    return f'for page {load[0]}' if load else 'none'


def fault_zh(load):
    return f'页 {load[0]}' if load else '没有'


def moment(one, number):
    """(which access fault `number` is, what is known of each page in memory then), by the right run."""
    memory, count = {}, 0
    for when, (page, write) in enumerate(one['string'], 1):
        if count < len(one['loads']) and page not in memory and one['loads'][count][0] == page:
            if count == number:
                return when, {p: told(known) for p, known in memory.items()}
            memory.pop(one['loads'][count][1], None)
            memory[page] = {'loaded': when, 'used': when, 'uses': 1, 'written': write}
            count += 1
        elif page in memory:
            known = memory[page]
            known['used'], known['uses'] = when, known['uses'] + 1
            known['written'] |= write
    return len(one['string']), {p: told(known) for p, known in memory.items()}


def told(known):
    dirty = ', written' if known['written'] else ''
    dirty_zh = '，已修改' if known['written'] else ''
    return both(f"loaded {known['loaded']}, used {known['used']}, {known['uses']} uses{dirty}",
                f"{known['loaded']} 调入，{known['used']} 最近使用，共 {known['uses']} 次{dirty_zh}")


def stop_at_step(trace, verdict):
    """lab-touch leaves an event before each of its steps, lab-load before each of its answers."""
    for number, event in enumerate(trace.events()):
        if event.name == 'mark' and event['text'] == verdict.mark:
            return number
    return None


def stop(trace, verdict):
    """The event of the eviction that differs: of those that lab-paging's process made by itself."""
    events = list(trace.events())
    process = next(event.tid for event in events if event.name == 'name' and event['name'] == 'lab-paging')
    own = [number for number, event in enumerate(events) if event.name == 'evict' and event.tid == process]
    return own[verdict.before] if verdict.before < len(own) else None
