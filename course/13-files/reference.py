"""The index tree, the bitmap's places and names in a directory. The teacher's tree only."""
import random

DIRECT = 12


def path(block, bits):
    """lab-index's line for a block of a file."""
    p = 1 << bits
    if block < DIRECT:
        return f'block {block}: {block} left {DIRECT - block}'
    rest = block - DIRECT
    for levels in (1, 2, 3):
        if rest < p ** levels:
            digits = []
            for _ in range(levels):
                rest, digit = divmod(rest, p)
                digits.insert(0, digit)
            return f'block {block}: ' + ' '.join(map(str, [DIRECT + levels - 1] + digits)) + f' left {p - digits[-1]}'
        rest -= p ** levels
    return f'block {block}: none'


def place(block, n):
    return f'block {block}: ({(block - 1) // n + 1}, {(block - 1) % n + 1}) back {block}'


def paths(bits, blocks):
    return {'command': f'lab-index path {bits} ' + ' '.join(map(str, blocks)), 'lines': [path(b, bits) for b in blocks]}


def places(n, blocks):
    return {'command': f'lab-index place {n} ' + ' '.join(map(str, blocks)), 'lines': [place(b, n) for b in blocks]}


class Block:
    """A directory of one block: [name, bytes to the next entry], as ext2 keeps it."""

    def __init__(self, size=4096):
        self.entries = [['.', 12], ['..', size - 12]]

    @staticmethod
    def needed(name):
        return 8 + (len(name) + 3) // 4 * 4

    def add(self, name):
        i = next(i for i, (other, room) in enumerate(self.entries) if room - self.needed(other) >= self.needed(name))
        used = self.needed(self.entries[i][0])
        self.entries.insert(i + 1, [name, self.entries[i][1] - used])
        self.entries[i][1] = used

    def remove(self, name):
        i = next(i for i, entry in enumerate(self.entries) if entry[0] == name)
        self.entries[i - 1][1] += self.entries.pop(i)[1]


def directory(source, delete):
    """Names that begin alike; which are deleted, and what comes into the gap; which are looked for, and how
    many names stand before. What a long name leaves behind a short one in its place is no entry."""
    stem = ''.join(source.choice('abcdefgh') for _ in range(3))
    long = stem + 'x' * source.randint(6, 11)
    names = [stem + 'x' * n for n in source.sample(range(6), 4)] + [source.choice('ijk') + stem, 'z']
    source.shuffle(names)
    names.insert(1, long)
    gone = [long, *source.sample(names[2:-1], 2)] if delete else []
    block, new = Block(), ['y'] if delete else []
    for name in names:
        block.add(name)
    for name in gone:
        block.remove(name)
    for name in new:
        block.add(name)
    return {'names': names, 'gone': gone, 'new': new,
            'found': {name: before for before, (name, _) in enumerate(block.entries) if before > 1}}


def linked(source):
    """Names made, linked, moved and removed: the commands, and for each name that is left how many names
    its file has, and what is in it."""
    files, commands, made = {}, [], 0
    for _ in range(14):
        names, new = sorted(files), source.choice('abcdefgh')
        what = source.choice(('new', 'ln', 'ln', 'mv', 'rm')) if names else 'new'
        if what in ('new', 'ln', 'mv') and new in files:
            what = 'rm'
        old = source.choice(names) if names else None
        if what == 'new':
            made += 1
            files[new] = made
            commands.append(f'echo {made} >{new}')
        elif what == 'rm':
            del files[old]
            commands.append(f'rm {old}')
        else:
            files[new] = files[old]
            commands.append(f'{what} {old} {new}')
            if what == 'mv':
                del files[old]
    left = {name: [sum(other == file for other in files.values()), file] for name, file in sorted(files.items())}
    if not any(count > 1 for count, _ in left.values()):
        return linked(source)
    return {'commands': commands, 'left': left}


def make(seed):
    source = random.Random(seed)
    first = {bits: [DIRECT, DIRECT + (1 << bits), DIRECT + (1 << bits) + (1 << 2 * bits)] for bits in (8, 9, 10)}
    ends = {bits: sorted({block + d for block in first[bits] for d in (-1, 0, 1)}) for bits in first}
    top = {bits: first[bits][2] + (1 << 3 * bits) for bits in first}
    hole = source.randrange(first[10][1], 12000)
    return {
        '13.1.double': [paths(bits, [source.randrange(first[bits][1], first[bits][2]) for _ in range(5)])
                        for bits in first],
        '13.1.boundary': [paths(bits, ends[bits]) for bits in first],
        '13.1.triple': [paths(bits, [source.randrange(first[bits][2], top[bits]) for _ in range(4)]
                              + [top[bits] - 1, top[bits]]) for bits in first],
        '13.1.disk': [{'block': hole, 'path': [int(n) for n in path(hole, 10).split(':')[1].split('left')[0].split()]}],
        '13.2.note': [places(16, [1, 16, 17, 40, 32, 33])],
        '13.2.random': [places(source.randint(3, 64), [source.randint(1, 5000) for _ in range(8)]) for _ in range(3)],
        '13.3.find': [directory(source, False)],
        '13.3.deleted': [directory(source, True), directory(source, True)],
        '13.4.count': [{'commands': ['echo 1 >a', 'ln a b'], 'left': {'a': [2, 1], 'b': [2, 1]}},
                       {'commands': ['echo 1 >a', 'ln a b', 'ln b c', 'rm a'], 'left': {'b': [2, 1], 'c': [2, 1]}}],
        '13.4.last': [{'blocks': source.randint(20, 60)}],
        '13.4.check': [linked(source)]}
