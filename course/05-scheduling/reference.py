"""Who has the CPU when, by the rules of the course note: a second opinion that shares no code with the
kernel. It walks from unit to unit and looks at the whole queue for every decision.

The teacher's tree only: a student's has the charts that this made (expected/SEED.json).
"""
import random

NEVER = 10 ** 9


class Job:
    def __init__(self, name, arrival, burst, priority=0):
        self.name, self.arrival, self.burst, self.priority = name, arrival, burst, priority
        self.left, self.level, self.used, self.ready = burst, 0, 0, arrival
        self.credit = 0  # ageing: what it had waited when it was picked


class Rules:
    """A policy with its figures, as lab-sched takes them; all in units."""

    def __init__(self, policy, quantum=None, quanta=None, preemptive=False, ageing=0):
        self.policy, self.quantum, self.quanta = policy, quantum, quanta
        self.preemptive, self.ageing = preemptive, ageing

    def options(self):
        words = ['--policy', self.policy]
        words += ['--quantum', str(self.quantum)] if self.quantum else []
        words += ['--quanta', ','.join(map(str, self.quanta))] if self.quanta else []
        words += ['--preemptive'] if self.preemptive else []
        return words + (['--ageing', str(self.ageing)] if self.ageing else [])

    def key(self, job, now):
        """What orders the queue, smallest first; equal ones go in queue order."""
        if self.policy in ('sjf', 'srtn'):
            return job.left
        if self.policy == 'hrrn':
            return -(now - job.ready) / job.left
        if self.policy == 'priority':
            return -(job.priority * (self.ageing or 1) + (now - job.ready if self.ageing else 0))
        return job.level if self.policy == 'mlfq' else 0

    def turn(self, job):
        if self.policy == 'rr':
            return self.quantum
        return self.quanta[job.level] if self.policy == 'mlfq' else NEVER

    def pushes(self, arrived, running):
        if self.policy == 'srtn':
            return arrived.left < running.left
        if self.policy == 'priority' and self.preemptive:
            return arrived.priority > running.priority
        return self.policy == 'mlfq' and arrived.level < running.level


def chart(rules, jobs):
    """[name, start, end] of each turn; None where the answer hangs on which of two things that happen
    at one instant is first: a job that ends just when one arrives that would push it aside; or two that
    have aged alike since different moments, which a microsecond decides."""
    queue, turns, running, start, now = [], [], None, 0, 0
    waiting = sorted(jobs, key=lambda job: job.arrival)
    while queue or waiting or running:
        arrived = [job for job in waiting if job.arrival == now]
        waiting = waiting[len(arrived):]
        if running and running.left == 0:
            if any(rules.pushes(job, running) for job in arrived) and rules.policy != 'srtn':
                return None
            turns.append([running.name, start, now])
            running = None
        queue += arrived
        if running:
            over = running.used == rules.turn(running)
            if over or any(rules.pushes(job, running) for job in arrived):
                turns.append([running.name, start, now])
                if over and rules.policy == 'mlfq':
                    running.level = min(running.level + 1, len(rules.quanta) - 1)
                running.used, running.ready = 0, now
                queue.append(running)
                running = None
        if not running and queue:
            running = min(queue, key=lambda job: rules.key(job, now))
            alike = [job for job in queue if rules.key(job, now) == rules.key(running, now)]
            if rules.ageing and any(job.ready != running.ready for job in alike):
                return None
            queue.remove(running)
            start = now
        now += 1
        if running:
            running.left -= 1
            running.used += 1
    return turns


def entry(rules, figures):
    jobs = [Job(*job) for job in figures]
    turns = chart(rules, jobs)
    return turns and {'options': rules.options(), 'jobs': [list(job) for job in figures], 'chart': turns}


def drawn(source, make_rules, prioritised=False):
    """Random workloads until one has a certain answer."""
    while True:
        jobs = [(f'J{i}', source.randint(0, 9), source.randint(1, 7),
                 *([source.randint(0, 4)] if prioritised else []))
                for i in range(source.randint(3, 6))]
        made = entry(make_rules(), jobs)
        # One that first come, first served would do alike tells nothing.
        if made and (made['options'][1] == 'fcfs' or made['chart'] != chart(Rules('fcfs'), [Job(*j) for j in jobs])):
            return made


SHORT = [('P1', 0, 7), ('P2', 2, 4), ('P3', 4, 1), ('P4', 5, 4)]
TURNS = [('P1', 0, 5), ('P2', 2, 4), ('P3', 4, 1), ('P4', 5, 6)]
RANKED = [('P1', 0, 7, 1), ('P2', 2, 4, 2), ('P3', 4, 1, 3), ('P4', 5, 4, 2)]
LEVELS = [('P1', 0, 8), ('P2', 2, 4), ('P3', 5, 1)]
TIES = [('P1', 0, 3), ('P2', 1, 4), ('P3', 1, 2), ('P4', 2, 2), ('P5', 2, 4)]
QUANTA = [1, 2, 4]


def make(seed):
    """{case: [entry, ...]}"""
    source = random.Random(seed)

    def some(make_rules, prioritised=False, count=4):
        return [drawn(source, make_rules, prioritised) for _ in range(count)]

    def any_quantum():
        return Rules('rr', quantum=source.randint(1, 4))

    def aged():
        return Rules('priority', ageing=source.randint(1, 4))

    preemptive = Rules('priority', preemptive=True)
    levels = Rules('mlfq', quanta=QUANTA)
    return {
        '5.1.table': [entry(Rules('fcfs'), SHORT)],
        '5.1.random': some(lambda: Rules('fcfs')),
        '5.2.table': [entry(Rules('sjf'), SHORT)],
        '5.2.ties': [entry(Rules('sjf'), TIES)],
        '5.2.random': some(lambda: Rules('sjf')),
        '5.3.table': [entry(Rules('srtn'), SHORT)],
        # P2 needs what P1 has left: no reason to switch.
        '5.3.ties': [entry(Rules('srtn'), [('P1', 0, 6), ('P2', 2, 4), ('P3', 3, 1)])],
        '5.3.random': some(lambda: Rules('srtn')),
        '5.4.table': [entry(Rules('hrrn'), SHORT)],
        # At 10 the ratios are 1 + 9/6 and 1 + 7/4: dividing whole numbers gives 2 and 2.
        '5.4.fractions': [entry(Rules('hrrn'), [('P1', 0, 10), ('P2', 1, 6), ('P3', 3, 4)])],
        # P2 is longer than P3, but has waited; then two with equal ratios, of which P2 came first.
        '5.4.waiting': [entry(Rules('hrrn'), [('P1', 0, 8), ('P2', 1, 4), ('P3', 7, 3), ('P4', 5, 1)]),
                        entry(Rules('hrrn'), [('P1', 0, 6), ('P2', 2, 2), ('P3', 4, 1)])],
        '5.4.random': some(lambda: Rules('hrrn')),
        '5.5.table': [entry(Rules('rr', quantum=2), TURNS), entry(Rules('rr', quantum=5), TURNS)],
        '5.5.random': some(any_quantum),
        '5.6.table': [entry(Rules('priority'), RANKED)],
        '5.6.preemptive': [entry(preemptive, RANKED),
                           entry(preemptive, [('P1', 0, 4, 1), ('P2', 1, 2, 1), ('P3', 2, 1, 2)])],
        '5.6.random': some(lambda: Rules('priority'), True) + some(lambda: preemptive, True),
        '5.6.ageing': some(aged, True),
        '5.7.table': [entry(levels, LEVELS)],
        '5.7.textbook': [entry(levels, [('P1', 0, 8), ('P2', 1, 4), ('P3', 5, 1)])],
        '5.7.equal': [entry(Rules('mlfq', quanta=[2, 4]), [('P1', 0, 4), ('P2', 1, 3), ('P3', 3, 2)])],
        '5.7.random': some(lambda: Rules('mlfq', quanta=source.choice(([1, 2, 4], [2, 3], [1, 1, 3])))),
    }
