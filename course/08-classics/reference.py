"""Who may go on after each step of a script, and who is inside a monitor. The teacher's tree only."""
import random
from itertools import count

READERS = {'readers-first': 'readers first, sem', 'writers-first': 'writers first, sem', 'fair': 'fair, semaphores'}
TABLES = {'at-most-four': 'at most four, sem', 'odd-even': 'odd/even, sem', 'and': 'AND, semop'}
SEATS = 5


class Plate:
    """A, P: put; a, p: take."""

    def __init__(self):
        self.on_it, self.waiting = None, []

    def act(self, word):
        self.waiting.append(word)
        while self.step():
            pass

    def step(self):
        for word in self.waiting:
            fruit = word[0].upper()
            if word[0] == fruit and self.on_it is None or word[0] != fruit and self.on_it == fruit:
                self.on_it = fruit if self.on_it is None else None
                self.waiting.remove(word)
                return True
        return False

    def row(self):
        return 'plate ' + {None: 'empty', 'A': 'apple', 'P': 'pear'}[self.on_it], ' '.join(self.waiting) or '-'


class Library:
    """Each way, as the rule in its sentence says; not how semaphores bring it about."""

    def __init__(self, way):
        self.way, self.inside, self.waiting = way, [], []

    def kinds(self, names):
        return {name[0] for name in names}

    def may(self, name, before):
        """Whether `name` may go in, if those in `before` wait and came earlier."""
        room = not self.inside if name[0] == 'W' else 'W' not in self.kinds(self.inside)
        if self.way == 'fair':
            return room and not before
        if name[0] == 'W':
            return room and 'W' not in self.kinds(before)
        return room and (self.way == 'readers-first' or 'W' not in self.kinds(self.waiting))

    def act(self, word):
        if word[0] == '-':
            self.inside.remove(word[1:])
        else:
            self.waiting.append(word)
        while self.step():
            pass

    def step(self):
        for i, name in enumerate(self.waiting):
            if self.may(name, self.waiting[:i]):
                self.waiting.remove(name)
                self.inside.append(name)
                return True
        return False

    def clear(self, word):
        """Readers first: when a writer leaves and both kinds wait, either may be next."""
        return not (self.way == 'readers-first' and word[:2] == '-W' and len(self.kinds(self.waiting)) == 2)

    def row(self):
        return 'inside: ' + (' '.join(sorted(self.inside)) or '-'), ' '.join(self.waiting) or '-'


class Table:
    """What each philosopher takes, in which order; `mirrored`: the forks the other way round, which is as good."""

    def __init__(self, way, mirrored, order=0):
        self.way, self.mirrored, self.free = way, mirrored, {'room': SEATS - 1, **{fork: 1 for fork in range(SEATS)}}
        self.source = random.Random(order)  # who is fast
        self.at = {}  # seat: things still to take
        self.eating = []

    def things(self, seat):
        left, right = seat, (seat + 1) % SEATS
        if self.way == 'and':
            return [(left, right)]
        swapped = self.mirrored != (self.way == 'odd-even' and seat % 2 == 0)
        forks = [(right,), (left,)] if swapped else [(left,), (right,)]
        return [('room',), *forks] if self.way == 'at-most-four' else forks

    def act(self, word):
        if word[0] == '-':
            seat = int(word[1:])
            self.eating.remove(seat)
            for things in self.things(seat):
                for thing in things:
                    self.free[thing] += 1
        else:
            self.at[int(word)] = self.things(int(word))
        while self.step():
            pass

    def step(self):
        for seat, left in self.source.sample(list(self.at.items()), len(self.at)):
            if all(self.free[thing] for thing in left[0]):
                for thing in left.pop(0):
                    self.free[thing] -= 1
                if not left:
                    del self.at[seat]
                    self.eating.append(seat)
                return True
        return False

    def row(self):
        places = {seat: ' (room)' if left[0][0] == 'room' else '' for seat, left in self.at.items()}
        return ('eating: ' + (''.join(map(str, sorted(self.eating))) or '-'),
                ' '.join(f'{seat}{places[seat]}' for seat in self.at) or '-')


def rows(model, script):
    made = []
    for word in script:
        model.act(word)
        made.append([word, *model.row()])
    return made


def plates(source, first, length):
    script = first.split()
    while len(script) < length:
        script.append(f'{source.choice("APap")}{len(script) + 1}')
    return {'problem': 'plate', 'solution': 'semaphores', 'script': script, 'accepted': [rows(Plate(), script)]}


def visits(source, way, length):
    """A script in which each step of this way is clear, and which tells it from the other two."""
    while True:
        model, script, numbers = Library(way), [], count(1)
        while len(script) < length:
            leaving = [f'-{name}' for name in model.inside if model.clear(f'-{name}')]
            coming = len(model.inside) + len(model.waiting) < 6
            if leaving and (not coming or source.random() < 0.45):
                word = source.choice(leaving)
            elif coming:
                word = f'{source.choice("RRW")}{next(numbers)}'
            else:
                break  # nobody may come, and it is not clear what happens when one leaves
            model.act(word)
            script.append(word)
        made = rows(Library(way), script)
        if len(script) == length and all(made != others(other, script) for other in READERS if other != way):
            return {'problem': 'readers', 'solution': READERS[way], 'script': script, 'accepted': [made]}


def others(way, script):
    try:
        return rows(Library(way), script)
    except ValueError:
        return None  # one would leave that is not inside


def meals(source, way, length):
    """All five are hungry at first. A script in which it does not matter who is fast."""
    while True:
        tables = [Table(way, mirrored) for mirrored in (False, True)]
        script, hungry = [], [str(seat) for seat in source.sample(range(SEATS), SEATS)]
        while len(script) < length:
            ends = [f'-{seat}' for seat in range(SEATS) if all(seat in table.eating for table in tables)]
            begins = [str(seat) for seat in range(SEATS)
                      if all(seat not in table.eating and seat not in table.at for table in tables)]
            if not hungry + ends + begins:
                break
            word = hungry.pop(0) if hungry else source.choice(ends + begins)
            for table in tables:
                table.act(word)
            script.append(word)
        made = [[always(way, mirrored, order, script) for order in range(8)] for mirrored in (False, True)]
        if all(one == each[0] for each in made for one in each):
            accepted = [each[0] for each in made]
            return {'problem': 'philosophers', 'solution': TABLES[way], 'script': script,
                    'accepted': accepted if accepted[0] != accepted[1] else accepted[:1]}


def always(way, mirrored, order, script):
    try:
        return rows(Table(way, mirrored, order), script)
    except ValueError:
        return order  # one would put back what it has not


class Monitor:
    """Threads at the entry, that have signalled, at conditions; and the one inside."""

    def __init__(self, discipline):
        self.hoare, self.inside = discipline == 'hoare', None
        self.entry, self.urgent, self.conditions = [], [], {}

    def next(self):
        queue = self.urgent or self.entry
        self.inside = queue.pop(0) if queue else None
        return f'{self.inside} inside' if self.inside else 'nobody'

    def act(self, word):
        who, _, what = word.partition('.')
        operation, _, name = what.partition('-')
        queue = self.conditions.setdefault(name, []) if name else []
        if operation == 'enter':
            if self.inside:
                self.entry.append(who)
                return 'waits'
            self.inside = who
            return 'goes in'
        if operation == 'wait':
            queue.append(who)
        if operation != 'signal':
            return self.next()
        if not queue:
            return 'goes on'
        waiter = queue.pop(0)
        if not self.hoare:
            self.entry.append(waiter)
            return 'goes on'
        self.urgent.append(who)
        self.inside = waiter
        return f'{waiter} inside'

    def row(self):
        parts = [('entry', self.entry), ('urgent', self.urgent), *sorted(self.conditions.items())]
        return ' '.join(f'{name} {",".join(queue) or "-"}' for name, queue in parts)


def steps(discipline, words):
    monitor = Monitor(discipline)
    return {'discipline': discipline, 'script': words, 'rows': [[word, monitor.act(word), monitor.row()] for word in words]}


def stay(source, discipline, length):
    """What threads may do that are inside, and others that come."""
    monitor, words, outside = Monitor(discipline), [], [str(i) for i in range(1, 7)]
    while len(words) < length:
        if outside and (not monitor.inside or source.random() < 0.35):
            word = f'{outside.pop(source.randrange(len(outside)))}.enter'
        elif not monitor.inside:
            break  # all wait at conditions
        else:
            who = monitor.inside
            word = f'{who}.{source.choice(["wait-a", "signal-a", "signal-a", "leave", "wait-b", "signal-b", "signal-b"])}'
            if word.endswith('leave'):
                outside.append(who)
        monitor.act(word)
        words.append(word)
    return steps(discipline, words)


def make(seed):
    source = random.Random(seed)
    fruit = source.choice(('A P a p', 'P A p a')).split()
    put, other, take, take_other = fruit
    seeds = [source.randint(1, 999_999) for _ in range(3)]

    def threads(problem, solutions):
        return {'problem': problem, 'solutions': solutions, 'steps': source.randint(100, 160), 'seeds': seeds}

    both = ('hoare', 'mesa')
    return {
        '8.1.alternate': [plates(source, f'{put}1 {other}2 {take}3 {take_other}4', 4),
                          plates(source, f'{put}1 {take}2 {put}3 {put}4 {take}5', 5)],
        '8.1.kinds': [plates(source, f'{put}1 {take_other}2 {take}3 {other}4', 4),
                      plates(source, f'{take}1 {take_other}2 {other}3 {put}4', 4)],
        '8.1.random': [plates(source, '', 14) for _ in range(3)],
        '8.1.threads': threads('plate', ['semaphores']),
        **{f'8.2.{way}': [visits(source, way, length) for length in (8, 16, 16)] for way in READERS},
        '8.2.threads': threads('readers', list(READERS.values())),
        **{f'8.3.{way}': [meals(source, way, 14) for _ in range(3)] for way in TABLES},
        '8.3.hungry': threads('philosophers', list(TABLES.values())),
        '8.4.entry': [steps(source.choice(both), '1.enter 2.enter 3.enter 1.leave 2.leave 3.leave 4.enter'.split()),
                      steps('mesa', '1.enter 1.leave 2.enter'.split())],
        '8.4.wait': [steps(source.choice(both), '1.enter 1.wait-a 2.enter 3.enter 2.wait-a 3.wait-b 4.enter'.split())],
        '8.4.mesa': [steps('mesa', '1.enter 1.signal-a 1.wait-a 2.enter 3.enter 2.signal-a 2.leave 3.leave 1.leave'.split())],
        '8.4.hoare': [steps('hoare', '1.enter 1.signal-a 1.wait-a 2.enter 3.enter 2.signal-a 1.leave 2.leave 3.leave'.split())],
        '8.4.random': [stay(source, discipline, 20) for discipline in both for _ in range(2)],
        '8.4.kernel': {'items': source.randint(50, 150)}}
