"""The rows of the chapter on synchronisation."""
from row import Output, Row, same, want

TITLE, TITLE_ZH = 'Synchronisation', '进程同步'


def y1(output: Output):
    """On one CPU, then on four: the rules that each lock keeps by its construction."""
    # None: whether it does is a matter of luck.
    always = {'interrupts-off': (True, None, None, None), 'ticket': (True, True, True, False),
              'peterson': (True, True, True, False), 'turns': (False, True, True, False),
              'test-and-set': (True, True, None, False), 'swap': (True, True, None, False),
              'mutex': (True, True, None, True)}
    cpus = output.json()[0]['input']['cpus']
    rows = {row['lock']: row for row in output.json()[0]['rows']}
    for lock, verdicts in always.items():
        row = rows[lock]
        told = [row[rule] for rule in ('free', 'exclusive', 'bounded', 'yields')]
        broken = row['intrusions'] > 0
        for verdict, wanted in zip(told, verdicts):
            want(wanted is None or verdict == wanted or broken and verdict is None, f'{lock}: {row}')
        same(told[1], not broken, f'{lock}: exclusion')
        want(not broken or told[2:] == [None, None], f'{lock}: rules 3 and 4 without exclusion')
    # On several CPUs interrupts off break where they meet in the section, which a busy host may prevent.
    want(rows['interrupts-off']['exclusive'] or cpus > 1, 'interrupts off on one CPU')


def y2(output: Output):
    """Value and queue at each P and V, replayed."""
    values, queues, lowest = {'mutex': 1, 'empty': 4, 'full': 0}, {}, 0
    rows = output.json()[0]['rows']
    want(len(rows) >= 8 * output.json()[0]['input']['steps'], 'four operations an item, on both sides')
    for row in rows:
        name, queue = row['semaphore'], queues.setdefault(row['semaphore'], [])
        values[name] += 1 if row['operation'] == 'V' else -1
        if row['operation'] == 'P' and values[name] < 0:
            queue.append(row['thread'].split()[-1])
        elif row['operation'] == 'V' and queue:
            queue.pop(0)
        same(row['value'], values[name], f'{row}')
        same(row['queue'].split(), queue, f'{row}')
        lowest = min(lowest, values[name])
    want(lowest < 0, 'no value went below zero')
    same(values, {'mutex': 1, 'empty': 4, 'full': 0}, 'values in the end')


def kept(output: Output):
    """No invariant was broken; a wait is at most all the steps of the others."""
    result = output.json()[0]
    for row in result['rows']:
        same(row['broken'], 0, f"{row['problem']}, {row['solution']}")
        for role, longest in row['longest_wait'].items():
            want(0 <= longest <= 2 * row['steps'], f"{row['solution']}: {role} waited {longest}")
    return result['rows']


def y3(output: Output):
    want(any(row['solution'].startswith('AND') for row in kept(output)), 'no AND among the solutions')


def y4(output: Output):
    for result in output.json():
        for row in result['rows']:
            same(row['broken'], 0, f"{row['problem']}, {row['solution']}")
            want(row['longest_wait'], f"{row['problem']}: no wait is told")
    problems = {row['problem'] for result in output.json() for row in result['rows']}
    same(problems, {'buffer', 'plate', 'readers', 'philosophers', 'barber', 'smokers'}, 'problems')
    waits = {row['solution']: row['longest_wait'] for result in output.json() for row in result['rows']
             if row['problem'] == 'readers'}
    want(waits['readers first, hoare']['writer'] > 20 * max(waits['fair, hoare'].values()),
         f'writers do not starve when readers go first: {waits}')


def y5(output: Output):
    hoare, mesa = output.json()[0]['rows']
    same((hoare['solution'], hoare['broken']), ('hoare', 0), '`if` under Hoare')
    same((mesa['solution'], mesa['broken']), ('mesa', mesa['rounds']), '`if` under Mesa: every round')


LOCKS = 'user/lab-locks/locks.hpp user/lab-locks/main.cpp'
ROWS = [
    Row('Y1', "critical section's four rules; interrupts off, test-and-set, swap", '临界区四原则；关中断、TS、Swap',
        'lab-locks --json 100', 'which of the four rules each lock keeps on these CPUs, and what waiting costs',
        '在这几个 CPU 上每种锁遵守四条原则中的哪几条，等待的代价是多少', LOCKS, y1, run='--smp 4'),
    Row('Y2', 'integer and record semaphores', '整型信号量、记录型信号量', 'lab-sync trace 12 --json',
        'each P and V: the semaphore by name, its value, who is in its queue',
        '每次 P、V 操作：信号量的名字、值、队列中的成员',
        'kernel/sync/semaphore_core.hpp kernel/sync/semaphore.cpp user/lab-sync/trace.cpp', y2),
    Row('Y3', 'AND semaphore', 'AND 型信号量', 'lab-sync philosophers 2000 --json --seed {seed}',
        'philosophers who take both forks in one semop()', '哲学家用一次 semop() 同时取两只筷子',
        'user/lab-sync/forks.hpp kernel/ipc/semaphore_set.cpp', y3),
    Row('Y4', 'the classic problems', '经典同步问题：生产者—消费者、多生产者—多消费者、读者—写者、哲学家',
        'for p in buffer plate readers philosophers barber smokers; do '
        'lab-sync $p 2000 --json --seed {seed}; done',
        'invariants checked while they run; the longest wait in each role',
        '运行时检查不变式；每种角色的最长等待（饥饿）',
        'user/lab-sync/buffer.cpp user/lab-sync/plate.hpp user/lab-sync/readers_semaphores.hpp', y4),
    Row('Y5', 'monitors: Hoare and Mesa', '管程：Hoare 与 Mesa', 'lab-sync hasty 1000 --json --seed {seed}',
        '`if` for `while` is right under Hoare, and wrong in every round under Mesa',
        '用 `if` 代替 `while`：Hoare 管程下正确，Mesa 管程下每一轮都出错',
        'user/lab-sync/monitor.hpp kernel/sync/monitor_core.hpp', y5),
]
