"""From events to what they mean: who ran where and when, the states of every thread, who woke whom,
and the measures of each process. All times are nanoseconds of the system's clock.

A thread leaves the CPU at the switch, though its state changed a moment before: so a CPU's slices
leave no gap, and a thread's running time is the sum of its slices.
"""
from collections import Counter

from trace_disk import Disks
from trace_journal import Journals
from trace_memory import Memory

IDLE = 0
KERNEL = 0  # the process number under which kernel threads are shown
# What a process does while none of its threads is in a state further up.
PARTS = {'running': 'service', 'ready': 'waiting', 'new': 'queued', 'blocked': 'blocked',
         'suspended-ready': 'suspended', 'suspended-blocked': 'suspended'}


class Thread:
    """Its states one after another, without gaps."""

    def __init__(self, tid, pid):
        self.tid, self.pid, self.name = tid, pid, ''
        self.born = None  # None: before the trace's first event
        self.first_run = self.ended = None
        self.intervals = []  # [start, end, state, why]
        self.moves = Counter()  # (from, to): how often
        self.pending = None  # (state, why) that takes effect when it leaves the CPU

    @property
    def state(self):
        return self.intervals[-1][2] if self.intervals else None

    def enter(self, time, state, why=''):
        if self.intervals:
            last = self.intervals[-1]
            last[1] = time
            if last[0] == time:
                self.intervals.pop()
        self.intervals.append([time, time, state, why])

    def total(self, state):
        return sum(end - start for start, end, s, _ in self.intervals if s == state)


class Process:
    """A program in execution, with all the threads it ever had. `work`: its program said in a mark when
    its work came, and how much that was (lab-sched); else it is its life from birth to end."""

    def __init__(self, pid, parent=None, born=None):
        self.pid, self.parent, self.born = pid, parent, born
        self.ended = self.status = None
        self.threads = []
        self.names = []
        self.work = None  # (arrival, service)

    @property
    def arrival(self):
        return self.work[0] if self.work else self.born

    @property
    def finish(self):
        """When its work was done, else when its last thread has left the CPU; None: it lives."""
        if self.work:
            return self._done(*self.work)
        if self.ended is None:
            return None
        ends = [thread.ended for thread in self.threads]
        return self.ended if None in ends or not ends else max(ends)

    def _done(self, arrival, service):
        """The end of the turn in which it has had all of its service, but for a hair."""
        left = service
        for start, end, state, _ in sorted(i for thread in self.threads for i in thread.intervals):
            if state == 'running' and end > arrival:
                left -= end - max(start, arrival)
                if left * 100 < service:
                    return end
        return None

    @property
    def name(self):
        return self.names[-1] if self.names else ('kernel' if self.pid == KERNEL else f'process {self.pid}')

    def parts(self, start, end):
        """The time from start to end by what the process did, and when it ran first in it. Of several
        threads the one that got furthest counts, so the parts add up to the whole."""
        order = list(PARTS)
        changes, first = [], None
        for thread in self.threads:
            for a, b, state, _ in thread.intervals:
                a, b = max(a, start), min(b, end)
                if a > b or state not in PARTS or a == b:
                    continue
                changes += [(a, 1, state), (b, -1, state)]
                if state == 'running':
                    first = a if first is None else min(first, a)
        parts, living, last = Counter(), Counter(), start
        for time, change, state in sorted(changes):
            now = next((s for s in order if living[s]), None)
            if now:
                parts[PARTS[now]] += time - last
            living[state] += change
            last = time
        return parts, first

    def measures(self):
        """The course's figures; None where the trace doesn't hold what they need. service + waiting +
        blocked + suspended = turnaround; waiting has the time in the job queue (queued) in it."""
        arrival, finish = self.arrival, self.finish
        parts, first = self.parts(0 if arrival is None else arrival,
                                  float('inf') if finish is None else finish)
        turnaround = finish - arrival if arrival is not None and finish is not None else None
        service = parts['service']
        moves = sum((t.moves for t in self.threads), Counter())
        return {
            'arrival': arrival, 'finish': finish, 'service': service,
            'waiting': parts['waiting'] + parts['queued'], 'queued': parts['queued'],
            'blocked': parts['blocked'], 'suspended': parts['suspended'],
            'response': None if first is None or arrival is None else first - arrival,
            'turnaround': turnaround,
            'weighted': turnaround / service if turnaround is not None and service else None,
            'voluntary': moves['running', 'blocked'], 'involuntary': moves['running', 'ready'],
        }


class Fault:
    """What the kernel knew of it at its begin, and, once it is done, at its end."""

    def __init__(self, event, thread):
        self.start, self.end, self.thread = event.time, None, thread
        self.address, self.at, self.cause = event['address'], event['at'], event['cause']
        self.result = self.source = self.frame = None
        self.victims = []  # (page, frame, dirty): taken by this very fault

    def done(self, event):
        self.end, self.result = event.time, event['result']
        self.source, self.frame = event['source'], event['frame']


class Model:
    def __init__(self, trace):
        self.trace = trace
        self.processes = {}
        self.threads = []
        self.living = {}  # tid: Thread
        self.cpus = [[] for _ in range(max(trace.cpus, 1))]  # per CPU: [start, end, Thread or None]
        self.interrupts = []  # (start, end, cpu, line)
        self.calls = []  # [start, end or None, Thread, name, arguments, result]
        self.faults = []
        self.memory = Memory(self)
        self.disks, self.journals = Disks(), Journals()
        self.wakes = []  # (time, waker Thread or None, cpu, in an interrupt, woken Thread)
        self.waits = []  # (time, Thread, the Thread that it waits for, what): what the kernel knows
        self.marks = []  # (time, Thread or None, text)
        self.decisions = []  # (time, what, process' number, why): the kernel chose it
        self.counts = Counter()
        self.switches = 0
        self._open_interrupts = {}
        self._open_calls, self._open_faults = {}, {}
        self.start = self.end = 0
        self._read()

    def thread(self, tid):
        """The living thread with this number; None for the idle ones."""
        if tid == IDLE:
            return None
        if tid not in self.living:
            self._add(tid, KERNEL if tid < 0 else tid, None)
        return self.living[tid]

    def _add(self, tid, pid, born):
        thread = self.living[tid] = Thread(tid, pid)
        thread.born = born
        self.threads.append(thread)
        process = self.processes.setdefault(pid, Process(pid, born=born))
        process.threads.append(thread)
        return thread

    def _read(self):
        events = list(self.trace.events())
        # Births are kept longer than the rest: the picture starts where all of it is there.
        rare = ('name', 'fork', 'exec', 'exit')
        busy = [event.time for event in events if event.name not in rare]
        times = busy if self.trace.lost and busy else [event.time for event in events]
        self.start, self.end = min(times, default=0), max(times, default=0)
        for event in events:
            self.counts[event.name] += 1
            handler = getattr(self, '_on_' + event.name, None)
            if handler:
                handler(event)
            for part in (self.memory, self.disks, self.journals):
                handler = getattr(part, 'on_' + event.name, None)
                if handler:
                    handler(event)
        for thread in self.threads:
            if thread.intervals and thread.state != 'terminated':
                thread.intervals[-1][1] = self.end
        for slices in self.cpus:
            if slices:
                slices[-1][1] = self.end

    # --- births and deaths

    def _on_fork(self, event):
        child, pid = event['child'], event['process']
        if pid not in self.processes or child == pid:
            self.processes[pid] = Process(pid, event['parent'], event.time)
        old = self.living.get(child)
        if old is None or old.ended is not None:
            self._add(child, pid, event.time)

    def _on_name(self, event):
        thread = self.thread(event.tid)
        if thread:
            thread.name = event['name']
            process = self.processes[thread.pid]
            if thread.tid == thread.pid and process.names[-1:] != [thread.name]:
                process.names.append(thread.name)

    def _on_exec(self, event):
        # The only thread left has the process' number from here on.
        running = self.cpus[event.cpu][-1][2] if self.cpus[event.cpu] else None
        thread = self.thread(event.tid)
        if running and thread and running is not thread and running.pid == thread.pid:
            running.enter(event.time, 'terminated')
            running.ended = event.time
            thread.enter(event.time, 'running')
            self._slice(event.cpu, event.time, thread)

    def _on_exit(self, event):
        process = self.processes.get(event['process'])
        if process:
            process.ended, process.status = event.time, event['status']

    # --- states

    def _on_state(self, event):
        thread = self.thread(event['thread'])
        if not thread:
            return
        if not thread.intervals:
            if event['from'] == 'new' and thread.born is None:
                thread.born = event.time
            thread.enter(thread.born if event['from'] == 'new' else self.start, event['from'])
        thread.moves[event['from'], event['to']] += 1
        if event['from'] == 'running':
            thread.pending = (event['to'], event['why'])
            return
        if event['from'] == 'blocked' and event['to'] == 'ready':
            self.wakes.append((event.time, self.thread(event.tid), event.cpu,
                               event.cpu in self._open_interrupts, thread))
        if thread.pending:  # woken by another CPU before it has left its own
            thread.pending = (event['to'], event['why'])
            return
        thread.enter(event.time, event['to'], event['why'])

    def _slice(self, cpu, time, thread):
        slices = self.cpus[cpu]
        if slices:
            slices[-1][1] = time
        slices.append([time, time, thread])

    def _on_switch(self, event):
        cpu, time = event.cpu, event.time
        before, after = self.thread(event.tid), self.thread(event['next'])
        if not self.cpus[cpu]:
            self._slice(cpu, self.start, before)
        if before:
            if not before.intervals:
                before.enter(self.start, 'running')
            state, why = before.pending or (event['previous'], '')
            before.pending = None
            before.enter(time, state, why)
            if state == 'terminated':
                before.ended = time
        if after:
            after.moves['ready', 'running'] += 1
            after.enter(time, 'running')
            if after.first_run is None and after.born is not None:
                after.first_run = time
        if before is not after:
            self.switches += 1
            self._slice(cpu, time, after)

    # --- things with a beginning and an end

    def _on_interrupt(self, event):
        self._open_interrupts[event.cpu] = event

    def _on_interrupt_done(self, event):
        begin = self._open_interrupts.pop(event.cpu, None)
        if begin:
            self.interrupts.append((begin.time, event.time, event.cpu, begin['line']))

    def _on_call(self, event):
        call = [event.time, None, self.thread(event.tid), event['call'],
                [event['a'], event['b'], event['c']], None]
        self._open_calls[event.tid] = call
        self.calls.append(call)

    def _on_call_done(self, event):
        call = self._open_calls.pop(event.tid, None)
        if call and call[3] == event['call']:
            call[1], call[5] = event.time, event['result']

    def _on_fault(self, event):
        fault = Fault(event, self.thread(event.tid))
        self._open_faults[event.tid] = fault
        self.faults.append(fault)

    def _on_fault_done(self, event):
        fault = self._open_faults.pop(event.tid, None)
        if fault:
            fault.done(event)

    def _on_evict(self, event):
        fault = self._open_faults.get(event.tid)
        if fault:
            fault.victims.append((event['address'], event['frame'], event['dirty']))

    def _on_waits_for(self, event):
        waiter, holder = self.thread(event.tid), self.thread(event['holder'])
        if waiter and holder:
            which = event['which']
            what = f"{event['what']} {which:x}" if which > 0xffff else f"{event['what']} {which}"
            self.waits.append((event.time, waiter, holder, what))

    def _decide(self, event, what, why):
        self.decisions.append((event.time, what, event['process'], why))

    def _on_victim(self, event):
        self._decide(event, 'ended for a deadlock', f"by {event['rule']}: {event['cost']}, the least of {event['among']}")

    def _on_load_suspended(self, event):
        self._decide(event, 'suspended by load control',
                     f"{event['criterion']}: too many programs; by {event['rule']}: {event['measure']}")

    def _on_load_resumed(self, event):
        self._decide(event, 'resumed by load control', event['why'])

    def _on_mark(self, event):
        thread, words = self.thread(event.tid), event['text'].split()
        self.marks.append((event.time, thread, event['text']))
        process = self.processes.get(thread.pid) if thread else None
        if process and len(words) == 3 and words[0] == 'work' and (words[1] + words[2]).isdigit():
            process.work = int(words[1]) * 1_000_000, int(words[2]) * 1_000_000

    # --- figures of the whole

    @property
    def duration(self):
        return self.end - self.start

    def busy(self, cpu):
        return sum(end - start for start, end, thread in self.cpus[cpu] if thread)

    def finished(self):
        """Those that came and went within the trace, in the order of arrival."""
        return [p for p in sorted(self.processes.values(), key=lambda p: (p.born or 0, p.pid))
                if p.pid != KERNEL and p.born is not None and p.ended is not None]

    def mean(self, measure):
        known = [m for m in (p.measures()[measure] for p in self.finished()) if m is not None]
        return sum(known) / len(known) if known else None
