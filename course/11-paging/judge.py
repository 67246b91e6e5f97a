"""Judges lab 11: programs look at their own page tables, rights and descriptors, and a counted TLB counts; each line
is compared with what is right."""
import json
import re

import picture
from grading import Check, Verdict, both, hinted


def checks(lab, expected):
    made = []
    for case in lab.cases:
        want = expected[case.id]
        judge = tlb if case.task.id == '11.4' else lines
        made.append(Check(case, '; echo =; '.join(one['command'] for one in want),
                          lambda output, case=case, want=want, judge=judge: judge(case, want, output), stop))
    return made


def runs_of(output, count):
    runs = [[line.rstrip() for line in text.splitlines() if line.strip()]
            for text in re.split(r'^=$', output.text, flags=re.M)]
    return runs + [[]] * (count - len(runs))


def lines(case, want, output):
    for one, got in zip(want, runs_of(output, len(want))):
        wanted = one['lines']
        if case.id != '11.3.count':  # how many pages were forgotten is a case of its own
            wanted, got = ([re.sub(r'(\d+|all) forgotten$', 'done', line) for line in each] for each in (wanted, got))
        if got == wanted:
            continue
        first = next((i for i, (a, b) in enumerate(zip(wanted, got)) if a != b), min(len(got), len(wanted)))
        have = got[first] if first < len(got) else 'nothing'
        right = wanted[first] if first < len(wanted) else 'nothing more'
        done = ' '.join(one['words'][:first])
        why = both(f'"{have}"; it should be "{right}"' + (f', after {done}.' if done else '.'),
                   f'得到"{have}"，应当是"{right}"' + (f'，之前是 {done}。' if done else '。'))
        verdict = Verdict(False, hinted(case, why), picture.table_pair(('', ''), *([[i + 1, line] for i, line in enumerate(each)]
                                                                                   for each in (wanted, got)), first))
        changes = [word for word in one['words'][:first + 1] if not re.match(r'[wr]\d', word)]
        verdict.command, verdict.step = one['command'], len(changes) - 1 if changes else None
        return verdict
    return Verdict(True)


def tlb(case, want, output):
    for one, got in zip(want, runs_of(output, len(want))):
        try:
            run = json.loads(got[-1])
            row = run['rows'][0]
            hits, eat, rate = run['hits'], round(1000 * row['eat']), round(100 * row['hit_percent'])
        except (ValueError, IndexError):
            verdict = Verdict(False, both(f'the program did not come to its end: {(got or ["nothing"])[-1]}',
                                          f'程序没有运行完：{(got or ["nothing"])[-1]}'))
            verdict.command, verdict.step = one['command'].replace(' --json', ''), None
            return verdict
        if (hits, eat, rate) != (one['hits'], one['eat'], one['rate']):
            return counted(case, one, hits, eat, rate)
    return Verdict(True)


NAMES = (('miss', '未命中'), ('hit', '命中'))


def counted(case, one, hits, eat, rate):
    first = next((i for i, (a, b) in enumerate(zip(one['hits'], hits)) if a != b), None)
    if first is None:
        what = f"hit rate {rate / 100:.2f} %, EAT {eat / 1000:.3f}"
        right = f"{one['rate'] / 100:.2f} % and {one['eat'] / 1000:.3f}"
        why = both(f"TLB of {one['setting']}, memory {one['memory']}, look-up {one['lookup']}: {what}; it should be {right}.",
                   f"快表（{one['setting']}），访存 {one['memory']}，查表 {one['lookup']}：命中率与有效访问时间是 {rate / 100:.2f} %、{eat / 1000:.3f}，应当是 "
                   f"{one['rate'] / 100:.2f} %、{one['eat'] / 1000:.3f}。")
    else:
        before = ' '.join(map(str, one['string'][:first]))
        (is_en, is_zh), (should_en, should_zh) = NAMES[hits[first]], NAMES[one['hits'][first]]
        why = both(f"TLB of {one['setting']}: access {first + 1} (page {one['string'][first]}) is a {is_en}; it should be a {should_en}. Before: {before}.",
                   f"快表（{one['setting']}）：第 {first + 1} 次访问（页 {one['string'][first]}）{is_zh}，应当{should_zh}。之前：{before}。")
    rows = [[[page, NAMES[hit][0]] for page, hit in zip(one['string'], each)] for each in (one['hits'], hits)]
    verdict = Verdict(False, hinted(case, why), picture.table_pair(('page', ''), *rows, first))
    verdict.command, verdict.step = one['command'].replace(' --json', ''), first
    return verdict


def stop(trace, verdict):
    """The event that lab-pages leaves before the change that goes wrong, or that an access does not go by."""
    if verdict.step is None:
        return None
    marks = [number for number, event in enumerate(trace.events()) if event.name == 'mark']
    return marks[verdict.step] if verdict.step < len(marks) else None
