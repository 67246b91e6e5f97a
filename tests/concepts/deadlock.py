"""The rows of the chapter on deadlock."""
from row import Output, Row, near, same, want

TITLE, TITLE_ZH = 'Deadlock', '死锁'


def d1(output: Output):
    """Consumable resources: all receive first, and none goes on; one sends first, and all do. The graph
    has a node for each process and mailbox, and no other."""
    result = output.json()[0]
    count = result['input']['processes']
    first, second = result['rows']
    same((first['end'], first['sent'], first['received']), ('DEADLOCK', 0, 0), 'receive first')
    same(first['deadlocked'].split(), [f'P{i}' for i in range(count)], 'in it')
    messages = count * result['input']['rounds']
    same((second['end'], second['sent'], second['received']), ('finished', messages, messages), 'one sends')
    nodes = [line for line in output.text.splitlines() if 'shape=' in line]
    same(len(nodes), 2 * count, 'nodes of the graph')
    want(all('color=red' in line for line in nodes if 'circle' in line), 'all processes are red')


def d2(output: Output):
    rows = {row['strategy']: row for row in output.json()[0]['rows']}
    given = output.json()[0]['input']
    seats, meals = len(given['philosophers']), given['meals']
    work = sum(2 * p['eat_ms'] + p['serve_ms'] for p in given['philosophers']) * meals
    longest = max(p['think_ms'] + p['serve_ms'] + p['eat_ms'] for p in given['philosophers']) * meals
    for name, row in rows.items():
        if name == 'none':
            same((row['end'], row['meals']), ('DEADLOCK', 0), name)
            same(row['deadlocked'].split(), [f'P{i}' for i in range(seats)], 'in it')
            continue
        same((row['end'], row['meals']), ('finished', seats * meals), name)
        want(row['ms'] >= longest, f"{name}: {row['ms']} ms are less than one takes alone")
        want(0 < row['in_use'] <= 1 and 0 <= row['wasted'] and row['in_use'] + row['wasted'] <= 1.02,
             f'{name}: {row}')
        if name != 'detect':  # what a victim did is lost
            near(row['in_use'], work / (seats * row['ms']), 0.05, f'{name}: in use')
    want(rows['all-at-once']['requests'] == seats * meals, 'all at once: one request a meal')
    want(rows['detect']['victims'] >= 1, 'detection had nobody to cure')
    serve = any(p['serve_ms'] for p in given['philosophers'])
    want(not serve or rows['all-at-once']['wasted'] > 0.01, 'all at once wastes nothing')


def banker(names, available, maximum, held):
    """The safety algorithm as the note has it: rows (process, work before, work after), and whether all
    could finish. Processes are looked at in turns, going on after the one found last."""
    work, rows, left = list(available), [], set(range(len(names)))
    at = failures = 0
    while left and failures < len(names):
        need = [m - h for m, h in zip(maximum[at], held[at])]
        if at in left and all(n <= w for n, w in zip(need, work)):
            after = [w + h for w, h in zip(work, held[at])]
            rows.append((names[at], work, after))
            work, failures = after, 0
            left.remove(at)
        else:
            failures += 1
        at = (at + 1) % len(names)
    return rows, not left


def d3(output: Output):
    for result in output.json():
        given = result['input']
        names, available, maximum = given['names'], list(given['available']), given['max']
        held = [list(row) for row in given['allocation']]
        rows, safe = banker(names, available, maximum, held)
        # A process that neither holds nor wants anything has no row.
        idle = {n for n, m in zip(names, maximum) if not any(m)}
        same([(row['process'], row['work'], row['work_after']) for row in result['rows']],
             [row for row in rows if row[0] not in idle], 'rows')
        same(result['safe'], safe, 'safe')
        waits = set()
        for asked, answer in zip(given['requests'], result['requests_in_order']):
            p, units = names.index(asked['process']), asked['units']
            if p in waits:
                same(answer[2], 'still waits', f'{asked}')
                continue
            if not any(units):
                wanted = 'granted'
                free, then = available, held
            elif any(u > a for u, a in zip(units, available)):
                wanted = 'waits: more than is available'
            else:
                free = [a - u for a, u in zip(available, units)]
                then = [list(row) for row in held]
                then[p] = [h + u for h, u in zip(held[p], units)]
                wanted = 'granted' if banker(names, free, maximum, then)[1] \
                    else 'denied for now: the state would be unsafe'
            same(answer[2], wanted, f'{asked}')
            if wanted == 'granted':
                available, held = free, then
            else:
                waits.add(p)


def d4(output: Output):
    """Whom each rule chooses: the least by its own figure, and the log and the trace say the same."""
    result = output.json()[0]
    processes = result['input']['processes']
    count = len(processes)
    figures = {'cost': [p['cost'] for p in processes], 'priority': [19 - p['nice'] for p in processes],
               'size': [p['units'] for p in processes], 'age': [count - 1 - i for i in range(count)]}
    for p in processes:
        same(p['cost'], p['units'] + 1, f"{p['process']}: units and one grant")
    traced = [dict(word.split('=', 1) for word in line.split()[4:] if '=' in word)
              for line in output.trace_lines() if line.split()[3] == 'victim']
    decided = output.decisions()
    for row in result['rows']:
        by = figures[row['rule']]
        want(any(what == 'ended for a deadlock' and who.startswith(row['victim'] + ' ') and
                 why == f"by {row['rule']}: {min(by)}, the least of {count}" for what, who, why in decided),
             f"{row['rule']} in the report: {decided}")
        same((row['victim'], row['figure'], row['among']), (f'P{by.index(min(by))}', min(by), count), row['rule'])
        event = next((e for e in traced if e['rule'] == row['rule']), None)
        want(event, f"the trace has no victim by {row['rule']}")
        same((int(event['cost']), int(event['among'])), (min(by), count), f"{row['rule']} in the trace")
        output.find(rf"deadlock: {row['victim']} \(pid \d+\) is chosen by {row['rule']}")


ROWS = [
    Row('D1', 'conditions of deadlock; reusable and consumable resources', '死锁的必要条件；可重用资源与可消耗资源',
        'lab-deadlock messages --json --dot --processes 4 --rounds 5',
        'messages as consumable resources: all wait for each other; the allocation graph with producers',
        '以消息为可消耗资源：互相等待；带生产者边的资源分配图',
        'user/lab-deadlock/messages.cpp kernel/deadlock/resource_table.hpp kernel/deadlock/report.cpp', d1),
    Row('D2', 'prevention', '预防死锁（一次性分配、先释放、抢占、有序）',
        'lab-deadlock philosophers --json --meals 5 --random 5 --seed {seed}',
        'philosophers deadlock under none and under no other strategy; what each costs: time, waits, wasted forks',
        '哲学家只在 none 策略下死锁；各策略的代价：时间、等待次数、闲置而被占用的筷子',
        'user/lab-deadlock/philosophers.cpp kernel/deadlock/strategies.hpp', d2),
    Row('D3', "avoidance: the banker's algorithm", '避免死锁：银行家算法',
        'lab-deadlock banker --json; lab-deadlock banker --json --random 6 --seed {seed}',
        "the note's table, Work, Need, Allocation row by row, the safe sequence, the three requests; then your own",
        '课程笔记的表：Work、Need、Allocation 逐行、安全序列、三次请求；也可用自己的矩阵',
        'user/lab-deadlock/banker.cpp kernel/deadlock/analysis.cpp', d3),
    Row('D4', 'detection and recovery', '死锁的检测与解除',
        'lab-deadlock victim --json --random 5 --seed {seed}; dmesg | grep deadlock:',
        'who was chosen, by cost, priority, size and age, and why; the same in the log and the trace',
        '按代价、优先级、资源量、年龄各选中谁、为什么；日志与 trace 中一致',
        'user/lab-deadlock/victim.cpp kernel/deadlock/recovery.cpp', d4, trace=True,
        run='--icount --append trace=process,sync'),
]
