"""The report of a run: one page that needs nothing but a browser (trace_report.html with the data
put in). Times in it are integers of nanoseconds from the trace's start."""
import html
import json
import os
import re

from trace_disk import disk_data
from trace_journal import journal_data
from trace_memory import memory_data
from trace_model import KERNEL, Model

HERE = os.path.dirname(os.path.realpath(__file__))
STATES = ('new', 'ready', 'running', 'blocked', 'suspended-ready', 'suspended-blocked', 'terminated')


class Texts:
    """Numbers for strings."""

    def __init__(self):
        self.all, self.numbers = [], {}

    def number(self, text):
        if text not in self.numbers:
            self.numbers[text] = len(self.all)
            self.all.append(text)
        return self.numbers[text]


def thread_data(model, thread, whys):
    intervals = [[start - model.start, end - model.start, STATES.index(state), whys.number(why)]
                 for start, end, state, why in thread.intervals if state != 'terminated']
    moves = [[STATES.index(a), STATES.index(b), n] for (a, b), n in thread.moves.items()]
    return {'tid': thread.tid, 'pid': thread.pid, 'name': thread.name, 'states': intervals,
            'moves': moves}


def wait_data(model, whys, index):
    """Per thread: [start, end, for whom, for what, known]. Known: the kernel said so when the wait
    began; else it is the thread that woke it in the end."""
    told, woken = {}, {}
    for time, waiter, holder, what in model.waits:
        told.setdefault(waiter, []).append((time, holder, what))
    for time, waker, _, interrupted, thread in model.wakes:
        if waker and not interrupted and waker is not thread:
            woken[thread, time] = waker
    table = []
    for thread in model.threads:
        rows, last, notes = [], 0, told.get(thread, [])
        for start, end, state, why in thread.intervals:
            if state != 'blocked':
                continue
            known = [(holder, what) for time, holder, what in notes if last <= time <= end]
            last = end
            if known:
                rows.append([start - model.start, end - model.start,
                             list(dict.fromkeys(index[holder] for holder, _ in known)),
                             whys.number(known[0][1]), 1])
            elif (thread, end) in woken:
                rows.append([start - model.start, end - model.start, [index[woken[thread, end]]],
                             whys.number(why), 0])
        table.append(rows)
    return table


def process_data(model, process):
    measures = process.measures()
    for moment in ('arrival', 'finish'):
        if measures[moment] is not None:
            measures[moment] -= model.start
    return {'pid': process.pid, 'parent': process.parent, 'name': process.name, 'names': process.names,
            'status': process.status, **measures}


def decision_data(model):
    """Deadlocks' victims, and whom load control suspends and resumes: time, what, who, why."""
    def name(pid):
        process = model.processes.get(pid)
        return f'{process.name} {pid}' if process else str(pid)
    return [[time - model.start, what, name(pid), why] for time, what, pid, why in model.decisions]


def call_data(model):
    """Per name: count, time, errors."""
    table = {}
    for start, end, _, name, _, result in model.calls:
        row = table.setdefault(str(name), [0, 0, 0])
        row[0] += 1
        row[1] += (end or start) - start
        row[2] += result is not None and -4096 < result < 0
    return sorted(([name, *row] for name, row in table.items()), key=lambda row: (-row[1], row[0]))


def report_data(trace):
    model, whys = Model(trace), Texts()
    index = {thread: i for i, thread in enumerate(model.threads)}
    processes = sorted(model.processes.values(), key=lambda p: (p.pid == KERNEL, p.born or 0, p.pid))
    finished = model.finished()
    return {
        'duration': model.duration, 'lost': trace.lost, 'events': sum(model.counts.values()),
        'switches': model.switches, 'finished': len(finished), 'states': STATES,
        'means': {m: model.mean(m) for m in ('service', 'turnaround', 'weighted', 'waiting', 'queued',
                                             'blocked', 'suspended', 'response')},
        'cpus': [[[s - model.start, e - model.start, -1 if t is None else index[t]]
                  for s, e, t in slices] for slices in model.cpus],
        'busy': [model.busy(cpu) for cpu in range(len(model.cpus))],
        'interrupts': [[s - model.start, e - model.start, cpu, whys.number(str(line))]
                       for s, e, cpu, line in model.interrupts],
        'threads': [thread_data(model, thread, whys) for thread in model.threads],
        'whom': wait_data(model, whys, index),
        'processes': [process_data(model, process) for process in processes],
        'wakes': [[time - model.start, index.get(waker, -1), index[woken]]
                  for time, waker, _, interrupted, woken in model.wakes if not interrupted],
        'decisions': decision_data(model), 'memory': memory_data(model), 'disk': disk_data(model),
        'journals': journal_data(model), 'calls': call_data(model), 'counts': sorted(model.counts.items()), 'whys': whys.all,
    }


def template():
    """The page without its data: the modules of its script, one after the other, are one."""
    with open(os.path.join(HERE, 'trace_report.html')) as file:
        page = file.read()
    for part in ('charts', 'memory', 'disk', 'journal'):
        with open(os.path.join(HERE, f'trace_{part}.js')) as file:
            page = page.replace(f'@{part.upper()}@', re.sub(r'^import .*\n', '', file.read(), flags=re.MULTILINE))
    return page


def write_report(trace, page, title):
    data = report_data(trace)
    data['placed'] = title if trace.cpus == 1 and not trace.lost and trace.ring else ''  # for scripts/debug --at
    # Inside a script element only "</" could end it.
    data = json.dumps(data, separators=(',', ':')).replace('</', '<\\/')
    with open(page, 'w') as file:
        file.write(template().replace('@TITLE@', html.escape(title)).replace('@DATA@', data))
