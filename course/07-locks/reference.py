"""What P and V have to do, and how far four threads have to count. The teacher's tree only."""
import random


def steps(value, operations):
    """[what, value after it, how many wait] of each."""
    rows, waiting, process = [], [], 0
    for operation in operations:
        if operation == 'P':
            process += 1
            value -= 1
            if value < 0:
                waiting.append(process)
            rows.append([f'P{process} {"waits" if value < 0 else "goes-on"}', value, len(waiting)])
        else:
            value += 1
            woken = waiting.pop(0) if waiting else None
            rows.append([f'V wakes-{woken or "nobody"}', value, len(waiting)])
    return rows


def entry(value, operations):
    return {'value': value, 'operations': list(operations), 'rows': steps(value, operations)}


def make(seed):
    source = random.Random(seed)
    rounds = source.randint(4000, 6000)
    # A lock that takes two steps loses an update only where a turn ends between them.
    quanta = sorted(source.sample(range(110, 190), 4))
    room = source.randint(2, 5)
    result = {f'{task}.{case}': {'rounds': rounds, 'quanta': quanta}
              for task in ('7.1', '7.2') for case in ('exclusion', 'rules')}
    result.update({
        '7.3.room': [entry(room, 'P' * (room + 1)), entry(0, 'P'), entry(1, 'PP')],
        '7.3.queue': [entry(room, 'P' * (room + 4))],
        '7.3.kernel': {'items': 100 * source.randint(5, 15)},
        '7.3.first': [entry(0, 'PVPPVV'), entry(1, 'PPPVVV')],
        '7.3.random': [entry(source.randint(0, 3), [source.choice('PPV') for _ in range(12)]
                             + [source.choice('PVV') for _ in range(12)]) for _ in range(3)]})
    return result
