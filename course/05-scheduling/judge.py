"""Judges lab 5: runs workloads as real processes, and compares who had the CPU with who should have."""
import json

import picture
from grading import Check, Verdict, both

UNIT = 5  # milliseconds of the guest; the note's unit


def command_of(entry):
    jobs = ' '.join(':'.join(map(str, job)) for job in entry['jobs'])
    return f"lab-sched {' '.join(entry['options'])} --unit {UNIT} --json {jobs}"


def checks(lab, expected):
    made = []
    for case in lab.cases:
        entries = expected[case.id]
        made.append(Check(case, '; echo ,; '.join(map(command_of, entries)),
                          lambda output, entries=entries, case=case: check(case, entries, output), stop))
    return made


def check(case, entries, output):
    try:
        runs = json.loads('[' + output.text + ']')
    except ValueError:
        said = output.text.strip().splitlines() or ['nothing']
        line = next((line for line in said if line.startswith('lab-sched:')), said[-1])
        return Verdict(False, {
            'en': f'the workload did not come to its end: {line}. A job that leaves the queue and is not '
                  'put back never runs again',
            'zh': f'这组作业没有运行完：{line}。离开就绪队列而没有被放回的进程永远不会再运行'})
    for entry, run in zip(entries, runs, strict=True):
        turns = [[str(name), int(start), int(end)] for name, start, end in run['gantt']]
        if turns != entry['chart']:
            return differs(case, entry, turns)
    return Verdict(True)


def differs(case, entry, turns):
    wanted = entry['chart']
    index = next((i for i, (a, b) in enumerate(zip(wanted, turns)) if a != b), min(len(wanted), len(turns)))
    want = wanted[index] if index < len(wanted) else None
    got = turns[index] if index < len(turns) else None
    time, why, at_end = explain(entry, turns[:index], want, got)
    hint = case.hint or {}
    why = {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}
    verdict = Verdict(False, why, picture.gantt_pair(wanted, turns, time, UNIT))
    verdict.command = command_of(entry)
    verdict.place = (entry, turns, time, at_end, got)
    return verdict


def explain(entry, before, want, got):
    """(time of the first difference, why, whether a turn went on that should have ended)."""
    if want is None:
        return got[1], both(f'at t = {got[1]} {got[0]} got the CPU, though every job had had its burst',
                            f't = {got[1]} 时 {got[0]} 得到了 CPU，而所有作业都已运行完'), False
    if got is None:
        return want[1], both(f'at t = {want[1]} nobody got the CPU; {want[0]} should have',
                             f't = {want[1]} 时没有进程得到 CPU，应当是 {want[0]}'), False
    if got[1] != want[1]:
        time = min(got[1], want[1])
        return time, both(f'{want[0]} should have begun at t = {want[1]}; {got[0]} began at t = {got[1]}',
                          f'{want[0]} 应当在 t = {want[1]} 开始，而 {got[0]} 在 t = {got[1]} 开始'), False
    time = want[1]
    if got[0] != want[0]:
        ready = figures(entry, before, time)
        return time, both(
            f'at t = {time} {told(ready, got[0], "en")} got the CPU; {told(ready, want[0], "en")} should '
            f'have. Ready then: {", ".join(ready)}.',
            f't = {time} 时 {told(ready, got[0], "zh")} 得到了 CPU，应当是 {told(ready, want[0], "zh")}。'
            f'当时就绪：{"、".join(ready)}。'), False
    if got[2] > want[2]:
        ready = figures(entry, before + [[want[0], time, want[2]]], want[2])
        ready.pop(want[0], None)
        return want[2], both(
            f'{want[0]} kept the CPU until t = {got[2]}; its turn should have ended at t = {want[2]}. '
            f'Ready then: {", ".join(told(ready, name, "en") for name in ready) or "nobody"}.',
            f'{want[0]} 占用 CPU 直到 t = {got[2]}，这一轮应当在 t = {want[2]} 结束。'
            f'当时就绪：{"、".join(told(ready, name, "zh") for name in ready) or "无"}。'), True
    return got[2], both(f'{want[0]} lost the CPU at t = {got[2]}; it should have kept it until t = {want[2]}.',
                        f'{want[0]} 在 t = {got[2]} 失去 CPU，应当保持到 t = {want[2]}。'), False


def told(figures_of, name, language):
    words = figures_of.get(name)
    if not words:
        return name
    return f'{name} ({words["en"]})' if language == 'en' else f'{name}({words["zh"]})'


def figures(entry, before, time):
    """What a policy could know at `time` of each job that has come and is not done, after these turns."""
    words = {}
    for name, arrival, burst, *priority in sorted(entry['jobs'], key=lambda job: job[1]):
        left = burst - sum(end - start for n, start, end in before if n == name)
        if arrival > time or left <= 0:
            continue
        since = max([arrival] + [end for n, _, end in before if n == name])
        rank = f', priority {priority[0]}' if priority else ''
        rang = f'，优先数 {priority[0]}' if priority else ''
        words[name] = both(f'{left} left, ready since {since}{rank}', f'剩余 {left}，自 {since} 起就绪{rang}')
    return words


def stop(trace, verdict):
    """The event at which a debugger has to stop: the change of state just before the choice that differs;
    or, where the CPU was kept, the one of the job that should have taken it."""
    entry, turns, time, at_end, got = verdict.place
    names = {job[0] for job in entry['jobs']}
    unit = UNIT * 1_000_000
    events = list(trace.events())
    tids = {event.tid: event['name'] for event in events if event.name == 'name' and event['name'] in names}
    # Time 0 is a whole unit of the clock: the first job that runs for half a unit tells which.
    zero = next(round(start / unit) * unit - turns[0][1] * unit
                for start, end in slices(events, tids) if end - start > unit / 2)
    moment = zero + time * unit - unit // 20
    before = None
    for number, event in enumerate(events):
        if event.name == 'state':
            before = number
            if at_end and event.time >= moment and event['to'] == 'ready' and event['thread'] in tids:
                return number
        elif event.name == 'switch' and not at_end and event.time >= moment and \
                tids.get(event['next']) == (got and got[0]):
            return before
    return None


def slices(events, tids):
    start = None
    for event in events:
        if event.name == 'switch':
            if start is not None:
                yield start, event.time
            start = event.time if event['next'] in tids else None
