"""Partitions by the rules of the course note, over a plain list of pieces. The teacher's tree only."""
import random

HEAD, FIRST, LEAST, USUAL = 16, 32, 32, 512  # bytes: of a block's head, an area's; the least hole; quick fit's most
MERGES = {(True, False): 'joins the hole below', (False, True): 'joins the hole above',
          (True, True): 'joins both holes', (False, False): 'neither side free'}


class Piece:
    def __init__(self, size, name=None):
        self.size, self.name, self.kept = size, name, False  # no name: a hole, or kept

    @property
    def hole(self):
        return self.name is None and not self.kept


class Fits:
    """Blocks and holes side by side, by one of the fits."""

    def __init__(self, policy, area):
        self.policy, self.pieces, self.hand = policy, [Piece(area - FIRST - HEAD)], None
        self.lists = {}  # quick fit: what is kept, by size

    def holes(self):
        return [piece for piece in self.pieces if piece.hole]

    def choose(self, size):
        fitting = [hole for hole in self.holes() if hole.size >= size]
        if not fitting:
            return None
        if self.policy == 'best-fit':
            return min(fitting, key=lambda hole: hole.size)
        if self.policy == 'worst-fit':
            return max(fitting, key=lambda hole: hole.size)
        if self.policy == 'next-fit':
            holes = self.holes()
            at = holes.index(self.hand) if self.hand else 0
            return next(hole for hole in holes[at:] + holes[:at] if hole.size >= size)
        return fitting[0]

    def take(self, name, wanted):
        size = max(-(-wanted // 16) * 16 + HEAD, LEAST)
        if self.policy == 'quick-fit' and size <= USUAL and self.lists.get(size):
            piece = self.lists[size].pop()
            piece.kept, piece.name = False, name
            return ''
        hole = self.choose(size)
        if not hole and self.policy == 'quick-fit':
            self.flush()
            hole = self.choose(size)
        if not hole:
            return 'no hole is large enough'
        at = self.pieces.index(hole)
        rest = hole.size - size
        remains = Piece(rest) if rest >= LEAST else None
        if remains:
            hole.size = size
            self.pieces.insert(at + 1, remains)
        hole.name = name
        if self.policy == 'next-fit':
            self.hand = remains or self.after(at)
        return ''

    def after(self, at):
        """The next hole, once round."""
        order = self.pieces[at + 1:] + self.pieces[:at]
        return next((piece for piece in order if piece.hole), None)

    def give(self, name):
        piece = next((p for p in self.pieces if p.name == name), None)
        if not piece:
            return 'is not there'
        if self.policy == 'quick-fit' and piece.size <= USUAL:
            piece.name, piece.kept = None, True
            self.lists.setdefault(piece.size, []).append(piece)
            return 'kept for the next of its size'
        return MERGES[self.join(piece)]

    def join(self, piece):
        piece.name, piece.kept = None, False
        at = self.pieces.index(piece)
        below = at > 0 and self.pieces[at - 1].hole
        above = at + 1 < len(self.pieces) and self.pieces[at + 1].hole
        if above:
            high = self.pieces.pop(at + 1)
            if self.hand is high:
                self.hand = self.after(at)
            piece.size += high.size
        if below:
            self.pieces[at - 1].size += piece.size
            del self.pieces[at]
        return below, above

    def flush(self):
        for size in sorted(self.lists):
            while self.lists[size]:
                self.join(self.lists[size].pop())

    def compact(self):
        self.flush()
        used = [piece for piece in self.pieces if piece.name]
        moved = sum(a is not b for a, b in zip(used, self.pieces))
        room = sum(piece.size for piece in self.holes())
        self.pieces = used + ([Piece(room)] if room else [])
        return f'{moved} blocks moved'

    def map(self):
        return ' '.join(f'{p.name or "-"}:{p.size}' for p in self.pieces)

    def alone(self, name):
        """Has this block no free neighbour?"""
        at = next(i for i, piece in enumerate(self.pieces) if piece.name == name)
        return all(piece.name for piece in self.pieces[max(at - 1, 0):at + 2])


class Lowest(Fits):
    """What a tree does that has no rule yet: it looks at the lowest hole only."""

    def choose(self, size):
        return next((hole for hole in self.holes()[:1] if hole.size >= size), None)


class Buddies:
    def __init__(self, area):
        self.area, self.blocks, self.lists = area, {0: [area, None]}, {area: [0]}  # by address: [size, name]

    def take(self, name, wanted):
        size = 64
        while size < wanted + HEAD:
            size *= 2
        found = next((s for s in sorted(self.lists) if s >= size and self.lists[s]), None)
        if not found:
            return 'no hole is large enough'
        at = self.lists[found].pop()
        while found > size:
            found //= 2
            self.blocks[at + found] = [found, None]
            self.lists.setdefault(found, []).append(at + found)
        self.blocks[at] = [size, name]
        return ''

    def give(self, name):
        at = next((a for a, block in self.blocks.items() if block[1] == name), None)
        if at is None:
            return 'is not there'
        size = first = self.blocks[at][0]
        while size < self.area and self.blocks.get(at ^ size) == [size, None]:
            self.lists[size].remove(at ^ size)
            del self.blocks[at | size]
            at &= ~size
            size *= 2
        self.blocks[at] = [size, None]
        self.lists.setdefault(size, []).append(at)
        return 'joins its buddy' if size > first else 'its buddy is not free'

    def map(self):
        return ' '.join(f'{name or "-"}:{size}' for _, (size, name) in sorted(self.blocks.items()))

    def compact(self):
        return "buddies can't move"


def memory_of(policy, area):
    return Buddies(area) if policy == 'buddy' else Fits(policy, area)


def played(memory, steps):
    rows = []
    for step in steps:
        if step == '!':
            result = memory.compact()
        elif step[0] == '-':
            result = memory.give(step[1:])
        else:
            name, wanted = step.split('=')
            result = memory.take(name, int(wanted))
        rows.append([step, result, memory.map()])
    return rows


def entry(policy, area, steps):
    steps = steps.split() if isinstance(steps, str) else steps
    return {'policy': policy, 'area': area, 'steps': steps, 'rows': played(memory_of(policy, area), steps)}


def some(source, policy, area, count, most, joins=False):
    """Programs come and go. Without `joins`, none ends beside a hole, so that no hole grows."""
    memory, steps, number = memory_of(policy, area), [], 0
    sizes = [source.randint(1, most) for _ in range(5)]
    running = []
    for _ in range(count):
        ending = [name for name in running if joins or memory.alone(name)]
        if len(running) > 3 and ending and source.random() < 0.45:
            step = '-' + source.choice(ending)
            running.remove(step[1:])
        else:
            step = f'p{number}={source.choice(sizes) if policy == "quick-fit" else source.randint(1, most)}'
            number += 1
        rows = played(memory, [step])
        if step[0] != '-' and not rows[0][1]:
            running.append(step.split('=')[0])
        steps.append(step)
    return entry(policy, area, steps)


def told_apart(source, policy, others, area=2048, count=26, most=260):
    """A run in which each of the other rules would have done something else."""
    while True:
        one = some(source, policy, area, count, most)
        plain = [memory_of(other, area) for other in others] + [Lowest(policy, area)]
        if all(played(memory, one['steps']) != one['rows'] for memory in plain):
            return one


def full(source, area=2048):
    """All come, then all go, in any order; then three that need the one hole, of which the last is too many."""
    memory, steps = Fits('first-fit', area), []
    while True:
        step = f'p{len(steps)}={source.randint(1, 200)}'
        if played(memory, [step])[0][1]:
            break
        steps.append(step)
    order = [step.split('=')[0] for step in steps]
    source.shuffle(order)
    steps += ['-' + name for name in order]
    return entry('first-fit', area, [*steps, f'most={area - FIRST - 2 * HEAD - 160}', 'more=60', 'no=80'])


def slides(source, area=2048):
    """Blocks come; some go, no two of them neighbours; compaction; what follows needs the one hole."""
    memory, steps = Fits('first-fit', area), []
    for i in range(source.randint(6, 9)):
        steps.append(f'p{i}={source.randint(20, 150)}')
    played(memory, steps)
    for i in sorted(source.sample(range(len(steps) - 1), 4)):
        if memory.alone(f'p{i}'):
            steps.append(f'-p{i}')
            memory.give(f'p{i}')
    memory.compact()
    steps += ['!', f'q={memory.pieces[-1].size - 200}']
    played(memory, steps[-1:])
    inner = [piece.name for piece in memory.pieces[1:-2] if piece.name]
    gone = source.choice([name for name in inner if memory.alone(name)])
    return entry('first-fit', area, [*steps, '-' + gone, '!'])


def make(seed):
    source = random.Random(seed)
    # Holes of 208, 112 and 304 bytes, and the rest, with blocks between them.
    holes = 'a=190 b=20 c=90 d=20 e=280 f=20 -a -c -e '
    fits = ('first-fit', 'next-fit', 'best-fit', 'worst-fit')

    def other(policy):
        return [fit for fit in fits if fit != policy]
    return {
        '10.1.first': [entry('first-fit', 1024, holes + 'g=150 h=60 i=250 j=20'),
                       entry('first-fit', 1024, holes + 'g=900 h=90 i=96')],
        '10.1.random': [told_apart(source, 'first-fit', other('first-fit')) for _ in range(2)],
        '10.1.kept': [entry('quick-fit', 2048, 'a=100 b=40 c=100 d=40 -a -c e=40 f=97 g=112 h=100'),
                      entry('quick-fit', 4096, 'a=496 b=40 c=497 d=40 -a -c e=490 f=490'),
                      entry('quick-fit', 2048, 'a=100 b=100 c=100 -b -a -c d=300')],
        '10.1.flush': [entry('quick-fit', 1024, 'a=200 b=200 c=200 d=200 e=60 -b -d f=100 g=90 h=100 i=200')],
        '10.1.quick': [some(source, 'quick-fit', 4096, 34, 700) for _ in range(2)],
        '10.2.hand': [entry('next-fit', 1024, holes + 'g=60 h=60 i=60 -g j=60')],
        '10.2.round': [entry('next-fit', 1024, holes + 'g=170 h=180 i=90 j=100 k=90 l=20 m=20'),
                       entry('next-fit', 1024, holes + 'g=60 h=150 i=288 j=60')],
        '10.2.random': [told_apart(source, 'next-fit', other('next-fit')) for _ in range(2)],
        '10.3.best': [entry('best-fit', 1024, holes + 'g=80 h=150 i=96 j=900'),
                      entry('best-fit', 1024, 'a=90 b=20 c=90 d=20 -c -a e=60 f=60')],
        '10.3.worst': [entry('worst-fit', 1024, holes + 'g=20 h=150 i=900 j=20'),
                       entry('worst-fit', 1024, 'a=190 b=20 c=190 d=400 -c -a e=60 f=60')],
        '10.3.random': [told_apart(source, policy, other(policy)) for policy in ('best-fit', 'worst-fit')],
        '10.4.above': [entry('first-fit', 1024, 'a=100 b=100 c=100 d=20 -c -b -a'),
                       entry('first-fit', 1024, 'a=100 b=100 -b c=800')],
        '10.4.below': [entry('first-fit', 1024, 'a=100 b=100 c=100 d=20 -a -b -c'),
                       entry('first-fit', 1024, 'a=100 b=100 c=100 d=520 -b -c e=190')],
        '10.4.both': [entry('first-fit', 1024, 'a=100 b=100 c=100 d=520 -a -c -b e=300'),
                      entry('first-fit', 1024, 'a=100 b=100 c=100 -a -c -b d=800 e=60 f=80')],
        '10.4.random': [full(source) for _ in range(3)],
        '10.5.slide': [entry('first-fit', 1024, 'a=100 b=100 c=100 d=100 -a -c ! e=600'),
                       entry('first-fit', 1024, 'a=100 b=100 c=100 d=100 e=400 -b -d ! f=200')],
        '10.5.after': [entry('first-fit', 1024, 'a=60 b=100 c=30 d=200 e=100 f=16 -b -e ! -c !')],
        '10.5.random': [slides(source) for _ in range(3)],
        '10.6.split': [entry('buddy', 1024, 'a=48 b=49 c=200 d=100 e=48 f=48 g=1'),
                       entry('buddy', 4096, 'a=1000 b=100 c=1000 d=1000')],
        '10.6.join': [entry('buddy', 1024, 'a=48 b=48 c=48 d=48 -b -c -a -d'),
                      entry('buddy', 1024, 'a=200 b=48 c=48 -c -a -b d=1000')],
        '10.6.random': [some(source, 'buddy', 4096, 30, 500, joins=True) for _ in range(2)]}
