"""Banker, reduction, order and victims, as the course note has them. The teacher's tree only."""
import random

REPETITION = 8


class State:
    def __init__(self, total, maximum, held, weight=None, take=None, grants=None):
        self.total, self.max, self.held = total, maximum, [list(row) for row in held]
        self.types, self.count = range(len(total)), len(held)
        self.weight = weight or [1] * len(total)
        self.take = take or [0] * len(total)
        # One more than it said: the units that it holds came by a grant, but the program sets the number.
        self.grants = list(grants or [0] * self.count)
        self.wanted = [[0] * len(total) for _ in held]

    def free(self):
        return [self.total[t] - sum(row[t] for row in self.held) for t in self.types]

    def need(self, p):
        return [self.max[p][t] - self.held[p][t] for t in self.types]

    def finish(self, asks):
        """(steps [process, work before], those that are left)"""
        work, left, steps, p, failures = self.free(), set(range(self.count)), [], 0, 0
        while left and failures < self.count:
            failures += 1
            if p in left and all(a <= w for a, w in zip(asks(p), work)):
                steps.append([p, list(work)])
                work = [w + h for w, h in zip(work, self.held[p])]
                left.discard(p)
                failures = 0
            p = (p + 1) % self.count
        return steps, sorted(left)

    def decide(self, strategy, p, units):
        fits = all(u <= f for u, f in zip(units, self.free()))
        if strategy == 'ordered':
            highest = max((t for t in self.types if self.held[p][t]), default=-1)
            if any(units[t] and t <= highest for t in self.types):
                return 'refused'
        if strategy == 'banker':
            if any(u > n for u, n in zip(units, self.need(p))):
                return 'refused'
            if fits:
                self.held[p] = [h + u for h, u in zip(self.held[p], units)]
                safe = not self.finish(self.need)[1]
                self.held[p] = [h - u for h, u in zip(self.held[p], units)]
                return 'granted' if safe else 'unsafe'
        return 'granted' if fits else 'unavailable'

    def cost(self, p):
        return self.grants[p] + sum(h * w for h, w in zip(self.held[p], self.weight))

    def victim(self, dead):
        def helps(p):
            free = [f + (self.held[p][t] if self.take[t] else 0) for t, f in enumerate(self.free())]
            return any(all(w <= f for w, f in zip(self.wanted[o], free)) for o in dead if o != p)
        helping = [p for p in dead if helps(p)]
        chosen = min(helping or dead, key=self.cost)
        return chosen, 'take-away' if helping else 'break'


def text(row):
    return ','.join(map(str, row))


class Script:
    """A state and what is done with it, as lab-banker's words; and what it has to say."""

    def __init__(self, *figures, **more):
        self.state = State(*figures, **more)
        self.words = [f'{name}={text(more[name])}' for name in ('weight', 'take', 'grants') if name in more]
        self.words += [f'total={text(figures[0])}', 'max=' + '/'.join(map(text, figures[1])),
                       'held=' + '/'.join(map(text, figures[2]))]
        self.lines = []

    def safe(self):
        steps, left = self.state.finish(self.state.need)
        self.words.append('safe')
        self.lines += [f'step P{p} work {text(work)}' for p, work in steps]
        self.lines.append(f'state {"unsafe" if left else "safe"}')
        return self

    def ask(self, strategy, p, units):
        answer = self.state.decide(strategy, p, units)
        if answer == 'granted':
            self.state.held[p] = [h + u for h, u in zip(self.state.held[p], units)]
            self.state.grants[p] += 1
            self.state.wanted[p] = [0] * len(units)
        elif answer == 'refused':
            self.state.wanted[p] = [0] * len(units)
        else:
            self.state.wanted[p] = list(units)
        self.words.append(f'ask={strategy}:{p}:{text(units)}')
        self.lines.append(f'ask P{p} {text(units)} {answer}')
        return self

    def want(self, p, units):
        self.state.wanted[p] = list(units)
        self.words.append(f'want={p}:{text(units)}')
        return self

    def who(self):
        """Only who is deadlocked: what reduction says."""
        dead = self.state.finish(lambda p: self.state.wanted[p])[1]
        self.words.append('reduce')
        self.lines.append(f'deadlocked {len(dead)}' + ''.join(f' P{p}' for p in dead))
        return self

    def detect(self):
        dead = self.state.finish(lambda p: self.state.wanted[p])[1]
        self.words.append('detect')
        self.lines.append(f'deadlocked {len(dead)}' + ''.join(f' P{p}({self.state.cost(p)})' for p in dead))
        if dead:
            self.lines.append('victim P{} {}'.format(*self.state.victim(dead)))
        return self

    def entry(self):
        return {'words': self.words, 'lines': self.lines}


NOTE = ([10, 5, 7], [[7, 5, 3], [3, 2, 2], [9, 0, 2], [2, 2, 2], [4, 3, 4]],
        [[0, 1, 0], [2, 0, 0], [3, 0, 2], [2, 1, 1], [0, 0, 2]])
SAFE = ([12], [[10], [4], [9]], [[5], [2], [2]])


def drawn(source, types=3, count=4):
    total = [source.randint(4, 9) for _ in range(types)]
    maximum = [[source.randint(0, n) for n in total] for _ in range(count)]
    held, free = [], list(total)
    for row in maximum:
        held.append([source.randint(0, min(m, f // 2 + 1, f)) for m, f in zip(row, free)])
        free = [f - h for f, h in zip(free, held[-1])]
    return total, maximum, held


def some_asks(source, strategy, steps=8):
    figures = drawn(source)
    script = Script(*figures)
    for _ in range(steps):
        p = source.randrange(4)
        need = script.state.need(p)
        script.ask(strategy, p, [source.randint(0, min(n, 3)) for n in need])
    return script


def circle(source, take=None, weight=None, grants=None):
    """Each holds one of its own type, and wants the next one's."""
    count = source.randint(3, 4)
    one = [[int(t == p) for t in range(count)] for p in range(count)]
    more = {name: value[:count] for name, value in (('take', take), ('weight', weight), ('grants', grants)) if value}
    script = Script([1] * count, [[1] * count] * count, one, **more)
    for p in range(count):
        script.want(p, one[(p + 1) % count])
    return script


def make(seed):
    source = random.Random(seed)
    three = ([2, 2, 2], [[2, 2, 2]] * 2, [[0, 1, 0], [0, 0, 0]])
    random_asks = []
    while len(random_asks) < 3:
        script = some_asks(source, 'banker').safe()
        if any(line.endswith(('unsafe', 'unavailable')) for line in script.lines):
            random_asks.append(script)
    waits = []
    while len(waits) < 3:
        figures = drawn(source)
        script = Script(*figures)
        for p in range(4):
            script.want(p, [source.randint(0, n) for n in script.state.need(p)])
        dead = script.state.finish(lambda p: script.state.wanted[p])[1]
        free = script.state.free()
        stuck = [p for p in range(4) if any(w > f for w, f in zip(script.state.wanted[p], free))]
        # What is given back must matter, and that it is not Need that is looked at.
        if 0 < len(dead) < 4 and dead != script.state.finish(script.state.need)[1] and dead != stuck:
            waits.append(script.who())
    ordered = []
    while len(ordered) < 2:
        script = some_asks(source, 'ordered')
        if any(line.endswith('refused') for line in script.lines):
            ordered.append(script)
    two_dead = Script([1, 1, 3], [[1, 1, 3]] * 4, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]])
    for p, units in ((0, [0, 1, 0]), (1, [1, 0, 0]), (2, [0, 0, 1]), (3, [0, 0, 2])):
        two_dead.want(p, units)
    weights = [source.randint(1, 5) for _ in range(4)]
    work = [source.randint(0, 6) for _ in range(4)]
    made = {
        '9.1.rule': [Script(*three).ask('ordered', 0, [1, 0, 0]), Script(*three).ask('ordered', 0, [0, 1, 0]),
                     Script(*three).ask('ordered', 0, [0, 0, 2]), Script(*three).ask('ordered', 1, [1, 1, 0])
                     .ask('ordered', 1, [0, 0, 1])],
        '9.1.random': ordered,
        '9.2.rows': [Script(*NOTE).safe()],
        '9.2.state': [Script(*SAFE).safe(), Script(SAFE[0], SAFE[1], [[5], [2], [3]]).safe()],
        '9.2.requests': [Script(*NOTE).ask('banker', 1, [1, 0, 2]).ask('banker', 4, [3, 3, 0])
                         .ask('banker', 0, [0, 2, 0])],
        '9.2.claim': [Script(*NOTE).ask('banker', 3, [0, 2, 0]).ask('banker', 3, [0, 1, 1])],
        '9.3.dead': [two_dead.who(), circle(source).who()],
        '9.2.random': random_asks,
        '9.3.random': waits,
        '9.4.cost': [circle(source, weight=weights, grants=work).detect()],
        '9.4.cheapest': [circle(source, weight=[2, 1, 1, 2]).detect(), circle(source, grants=[3, 3, 1, 1]).detect()],
        '9.4.take': [circle(source, take=[0, 1, 0, 0], weight=[1, 5, 1, 1]).detect(),
                     circle(source, take=[0, 1, 1, 0], weight=[1, 4, 3, 1]).detect(),
                     # P0's two preemptible units would not be enough for anybody.
                     circle(source, take=[0, 0, 0, 0], weight=[3, 1, 2, 2]).detect()]}
    return {case: [script.entry() for script in scripts] for case, scripts in made.items()}
