"""Disk scheduling by the rules of the course note, over a plain list; and what a file is. The teacher's tree only."""
import hashlib
import random


def served(policy, cylinders, head, up, wanted):
    """(order, travel, places that the head stands at on its way) of requests that all wait from the start."""
    waiting, order, places = list(wanted), [], [head]
    while waiting:
        if policy == 'sstf':
            chosen = min(waiting, key=lambda cylinder: abs(cylinder - places[-1]))
        else:
            ahead = [c for c in waiting if (c >= places[-1] if up else c <= places[-1])]
            if not ahead and policy == 'clook':
                ahead = [min(waiting) if up else max(waiting)]
            elif not ahead:
                edges = [cylinders - 1, 0] if up else [0, cylinders - 1]
                places += edges[:1] if policy == 'scan' else edges
                up = not up if policy == 'scan' else up
                ahead = [c for c in waiting if (c >= places[-1] if up else c <= places[-1])]
            chosen = min(ahead, key=lambda cylinder: abs(cylinder - places[-1]))
        waiting.remove(chosen)
        order.append(chosen)
        places.append(chosen)
    return order, sum(abs(a - b) for a, b in zip(places, places[1:])), places


def entry(policy, head, wanted, up=True, cylinders=200, disk=False):
    order, travel, places = served(policy, cylinders, head, up, wanted)
    words = f'--cylinders {cylinders} --head {head}' + ('' if up else ' --down')
    return {'command': f'lab-disk elevators --elevator {policy} {words}' + ('' if disk else ' --computed'),
            'wanted': wanted, 'order': order, 'travel': travel, 'places': places, 'disk': disk, 'cylinders': cylinders}


def drawn(source, policy, others, up=None, disk=False):
    """Requests that the other policies serve in another order, or on another way."""
    while True:
        head = source.randrange(30, 170)
        # lab-disk brings the head there by reading 0 and this: they are in the cache.
        wanted = source.sample([c for c in range(200) if not disk or c not in (0, head)], source.randint(7, 10))
        way = source.random() < 0.5 if up is None else up
        mine = served(policy, 200, head, way, wanted)[:2]
        if all(served(other, 200, head, way, wanted)[:2] != mine for other in others) and mine[0] != wanted:
            return entry(policy, head, wanted, way, disk=disk)


NOTE = [55, 58, 39, 18, 90, 160, 150, 38, 184]
BOOK = [98, 183, 37, 122, 14, 124, 65, 67]


def read(source):
    """A file written, the caches emptied, and read again in one mode: what md5sum has to say."""
    first, last = source.randint(1, 9999), source.randint(60000, 69999)
    text = ''.join(f'{number}\n' for number in range(first, last + 1))
    return {'first': first, 'last': last, 'bytes': len(text), 'md5': hashlib.md5(text.encode()).hexdigest()}


def make(seed):
    source = random.Random(seed)
    scans = ('sstf', 'scan', 'cscan', 'clook')

    def other(policy):
        return [one for one in scans if one != policy]

    def some(policy):
        return [drawn(source, policy, other(policy)) for _ in range(4)]
    return {
        '14.1.data': read(source), '14.1.asks': {'kib': 8 * source.randint(24, 40)},
        '14.2.data': read(source), '14.2.sleeps': {'kib': 8 * source.randint(64, 80)},
        '14.3.table': [entry('sstf', 100, NOTE), entry('sstf', 53, BOOK)],
        '14.3.ties': [entry('sstf', 50, [60, 40, 20]), entry('sstf', 50, [40, 60, 90, 50], up=False)],
        '14.3.random': some('sstf'), '14.3.disk': [drawn(source, 'sstf', other('sstf'), True, True)],
        '14.4.table': [entry('scan', 100, NOTE), entry('scan', 53, BOOK)],
        '14.4.edge': [entry('scan', 100, [150, 50]), entry('scan', 100, [50, 150], up=False), entry('scan', 100, [199, 100, 0, 99])],
        '14.4.random': some('scan'), '14.4.disk': [drawn(source, 'scan', other('scan'), True, True)],
        '14.5.table': [entry('cscan', 100, NOTE), entry('cscan', 53, BOOK)],
        '14.5.down': [entry('cscan', 100, NOTE, up=False), entry('cscan', 100, [150, 120, 199, 0, 90], up=False)],
        '14.5.random': some('cscan'), '14.5.disk': [drawn(source, 'cscan', other('cscan'), True, True)],
        '14.6.table': [entry('clook', 100, NOTE), entry('clook', 53, BOOK)],
        '14.6.down': [entry('clook', 100, NOTE, up=False), entry('clook', 100, [150, 120, 190, 10, 90], up=False)],
        '14.6.random': some('clook'), '14.6.disk': [drawn(source, 'clook', other('clook'), True, True)]}
