"""System calls to make, and what each has to come back with. The teacher's tree only."""
import random


def run(words, lines):
    return {'words': [str(word) for word in words], 'lines': lines}


def enter(positions):
    return run(['enter', *positions], ['getpid same', *(f'_llseek {at} 0, at {at}' for at in positions)])


def returned(results):
    return run(['returned', *results], [f'{r} returned {r} errno 0' if r not in range(-4095, 0) else
                                        f'{r} returned -1 errno {-r}' for r in results])


def put(kind, size, lengths):
    writes, filled = [], 0
    for left in lengths:
        while left:
            taken = min(left, 1 if kind == 'none' else size - filled)
            filled, left = filled + taken, left - taken
            if kind == 'none' or filled == size or (kind == 'line' and left == 0):
                writes.append(filled)
                filled = 0
    writes += [filled] if filled else []
    return run(['put', kind, size, *lengths], ['the file is right', 'writes ' + ' '.join(map(str, writes))])


def number(numbers):
    return run(['number', *numbers], [f'{n} ENOSYS' for n in numbers])


def wide(positions, part):
    """`part`: which of the lines count, those of the position or those of what comes behind it."""
    lines, size = [], 0
    for at in positions:
        size = at + 1
        lines += ([f'ftruncate64 {at} 0, size {at}', f'pwrite64 {at} 1, size {size}', f'pread64 {at} 1, same']
                  if part == 'position' else
                  [f'fallocate {at} bytes 0 EINVAL', f'fallocate {at} bytes 1 EOPNOTSUPP'])
    return run(['wide', *positions], lines)


def lie(words):
    lines = []
    for word in words:
        what, where = word.split('=')
        kind, _, bytes_ = where.partition('-')
        if not bytes_:
            answer = 'EFAULT'
        elif what == 'mask':
            answer = '0' if int(bytes_) >= 8 else 'EFAULT'
        else:
            answer = {'end': 'ENOENT', 'cut': 'EFAULT'}.get(kind) or ('ENOENT' if int(bytes_) < 4096 else 'ENAMETOOLONG')
        lines.append(f'{word:15} {answer}')
    return run(['lie', *words], lines)


def names(host):
    whole = ['Linux', host, '6.1.0-orrery', '#1 Orrery', 'i686']
    return ['oldolduname 0', *(f'{one[:8]}|{one}' for one in whole)]


def make(seed):
    source = random.Random(seed)

    def host(length):
        return ''.join(source.choice('abcdefghijklmnopqrstuvwxyz') for _ in range(length))

    def large():
        return source.randrange(1 << 33, 1 << 40)

    def kernel():
        return hex(0xc0100000 + source.randrange(0, 0x40000, 4))
    some = [source.choice([f'mask=end-{source.randint(1, 16)}', f'name=cut-{source.randint(1, 300)}',
                           f'name=end-{source.randint(2, 300)}', f'mask={kernel()}',
                           f'name=long-{source.randint(3900, 4400)}']) for _ in range(14)]
    inside = kernel()
    short, long = host(source.randint(3, 8)), host(source.randint(9, 30))
    return {
        '2.1.enter': [enter([source.randint(1, 1000), large(), large()])],
        '2.1.errno': [returned([0, 7, -source.randint(1, 100), -4095, -4096, -source.randint(1 << 28, 1 << 30)])],
        '2.1.full': [put('full', 30, [20, 20, 50, 3]), put('full', 512, [source.randint(1, 60) for _ in range(4)])],
        '2.1.line': [put('line', 100, [source.randint(2, 60) for _ in range(4)]), put('line', 16, [40, 5]), put('none', 16, [4, 3])],
        '2.1.random': [put(kind, source.randint(2, 64), [source.randint(1, 150) for _ in range(6)]) for kind in ('full', 'line')],
        '2.2.range': [number([463 + 20, 463, 2**31 + 20, *(463 * source.randint(2, 9_000_000) + 20 for _ in range(3))])],
        '2.2.position': [wide([(1 << 32) + 5, large()], 'position')],
        '2.2.behind': [wide([large()], 'behind')],
        '2.2.random': [wide(sorted(source.randrange(1 << 33, 1 << 39) for _ in range(3)), 'position')],
        '2.3.kernel': [lie([f'mask={kernel()}', f'name={kernel()}', f'mask={kernel()}'])],
        '2.3.holes': [lie(['mask=16', 'mask=end-8', 'mask=end-7', f'mask=end-{source.randint(1, 6)}', 'name=16'])],
        '2.3.strings': [lie(['name=end-10', f'name=cut-{source.randint(2, 100)}', 'name=cut-200', 'name=long-4095',
                             'name=long-4096'])],
        '2.3.random': [lie(['mask=end-3', *some])],
        '2.4.reached': [run(['name', short], ['oldolduname 0'])],
        '2.4.names': [run(['name', one], names(one)) for one in (short, long)],
        '2.4.fault': [run(['name', short, '16', inside, 'end-45', 'end-44'],
                          ['to 16 EFAULT', f'to {inside} EFAULT', 'to end-45 0', 'to end-44 EFAULT'])],
    }
