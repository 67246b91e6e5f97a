"""Chrome-trace JSON, which Perfetto and chrome://tracing open: a row for each CPU (who ran, the
interrupts in it), one for each thread (its states), a second one for a thread's system calls and
page faults, and arrows from who woke a thread to its next turn."""
import json

from trace_model import KERNEL, Model

# Row numbers that no process or thread has.
CPU_ROWS, KERNEL_ROWS, CALL_ROWS = 1000000, 1000001, 2000000
COLOURS = {'running': 'thread_state_running', 'ready': 'thread_state_runnable',
           'blocked': 'thread_state_sleeping'}


def label(thread):
    return f'{thread.name or "thread"} {thread.tid}' if thread else 'idle'


def fault_arguments(fault):
    words = {'address': hex(fault.address), 'at': hex(fault.at), 'cause': fault.cause,
             'result': fault.result, 'source': fault.source, 'frame': fault.frame}
    if fault.victims:
        words['victims'] = [{'address': hex(address), 'frame': frame, 'dirty': bool(dirty)}
                            for address, frame, dirty in fault.victims]
    return words


class Writer:
    def __init__(self, model):
        self.model = model
        self.events = []
        self.flows = 0

    def micros(self, time):
        """Microseconds with three digits: exact."""
        return (time - self.model.start) / 1000

    def place(self, thread):
        if thread.pid == KERNEL:
            return {'pid': KERNEL_ROWS, 'tid': KERNEL_ROWS - thread.tid}
        return {'pid': thread.pid, 'tid': thread.tid}

    def cpu(self, number):
        return {'pid': CPU_ROWS, 'tid': CPU_ROWS + number}

    def slice(self, place, start, end, name, category, arguments=None, **more):
        event = {'ph': 'X', **place, 'ts': self.micros(start), 'dur': (end - start) / 1000,
                 'name': name, 'cat': category, **more}
        if arguments:
            event['args'] = arguments
        self.events.append(event)

    def title(self, what, place, name, order):
        self.events.append({'ph': 'M', **place, 'name': what + '_name', 'args': {'name': name}})
        self.events.append({'ph': 'M', **place, 'name': what + '_sort_index',
                            'args': {'sort_index': order}})

    def write(self):
        self.titles()
        self.cpus()
        self.states()
        self.calls()
        self.arrows()
        for time, thread, text in self.model.marks:
            if thread:
                self.events.append({'ph': 'i', **self.place(thread), 'ts': self.micros(time),
                                    's': 't', 'name': text, 'cat': 'mark'})
        return self.events

    def titles(self):
        model = self.model
        self.title('process', {'pid': CPU_ROWS, 'tid': 0}, 'CPUs', 0)
        for number in range(len(model.cpus)):
            self.title('thread', self.cpu(number), f'CPU {number}', number)
        for process in model.processes.values():
            place = self.place(process.threads[0]) if process.threads else {'pid': process.pid, 'tid': 0}
            self.title('process', place, process.name, 1 + process.pid)
            for thread in process.threads:
                self.title('thread', self.place(thread), label(thread), 2 * abs(thread.tid))

    def cpus(self):
        for number, slices in enumerate(self.model.cpus):
            for start, end, thread in slices:
                arguments = {'tid': thread.tid, 'pid': thread.pid} if thread else None
                more = {} if thread else {'cname': 'grey'}
                self.slice(self.cpu(number), start, end, label(thread), 'cpu', arguments, **more)
        for start, end, number, line in self.model.interrupts:
            self.slice(self.cpu(number), start, end, f'interrupt {line}', 'irq')

    def states(self):
        for thread in self.model.threads:
            for start, end, state, why in thread.intervals:
                if state == 'terminated':
                    continue
                name = f'{state}: {why}' if why and state == 'blocked' else state
                more = {'cname': COLOURS[state]} if state in COLOURS else {}
                self.slice(self.place(thread), start, end, name, 'state',
                           {'why': why} if why else None, **more)

    def call_row(self, thread, seen):
        place = self.place(thread)
        row = {'pid': place['pid'], 'tid': CALL_ROWS + place['tid']}
        if thread not in seen:
            seen.add(thread)
            self.title('thread', row, f'{label(thread)}: calls and faults', 2 * abs(thread.tid) + 1)
        return row

    def calls(self):
        seen = set()
        for start, end, thread, name, words, result in self.model.calls:
            if thread:
                end = end or thread.ended or self.model.end
                self.slice(self.call_row(thread, seen), start, end, str(name), 'syscall',
                           {'arguments': [hex(word) for word in words], 'result': result})
        for fault in self.model.faults:
            if fault.thread:
                self.slice(self.call_row(fault.thread, seen), fault.start, fault.end or fault.start,
                           'page fault', 'fault', fault_arguments(fault))

    def arrows(self):
        turns = {}
        for slices in self.model.cpus:
            for start, _, thread in slices:
                turns.setdefault(thread, []).append(start)
        position = dict.fromkeys(turns, 0)
        for time, waker, cpu, interrupted, woken in self.model.wakes:
            starts = turns.get(woken, [])
            at = position.get(woken, 0)
            while at < len(starts) and starts[at] < time:
                at += 1
            if woken in position:
                position[woken] = at
            if at == len(starts):
                continue
            self.flows += 1
            source = self.cpu(cpu) if interrupted or not waker else self.place(waker)
            common = {'name': 'wakes', 'cat': 'wake', 'id': self.flows}
            self.events.append({'ph': 's', **source, 'ts': self.micros(time), **common})
            self.events.append({'ph': 'f', 'bp': 'e', **self.place(woken),
                                'ts': self.micros(starts[at]), **common})


def write_chrome(trace, path):
    """One event a line, so that the file can be searched."""
    events = Writer(Model(trace)).write()
    with open(path, 'w') as file:
        file.write('{"displayTimeUnit":"ns","otherData":' + json.dumps(
            {'system': 'Orrery', 'lost events': trace.lost}) + ',\n"traceEvents":[\n')
        file.write(',\n'.join(json.dumps(event, separators=(',', ':')) for event in events))
        file.write('\n],\n"orrery":' + json.dumps(trace.to_json(), separators=(',', ':')) + '}\n')
