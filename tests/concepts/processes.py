"""The rows of the chapter on processes and threads."""
from row import Output, Row, same, want

TITLE, TITLE_ZH = 'Processes and threads', '进程与线程'


def p3(output: Output):
    """Updates are lost without a primitive, by a split that the trace shows, and never with one."""
    result = output.json()[0]
    processes, updates = result['input']['processes'], result['input']['updates']
    lost = {}
    for row in result['rows']:
        same(row['found'] + row['lost'], row['wanted'], f"{row['what']}, {row['primitive']}: sum")
        if row['what'] != 'wake-up':
            same(row['wanted'], processes * (updates // 10 if row['primitive'] == 'P and V' else updates), f"{row['what']}: updates")
        if row['primitive'] == 'none':
            lost[row['what']] = row['lost']
            want(row['lost'] > 0 and row['split'] > 0, f"{row['what']} without a primitive lost nothing")
        else:
            same((row['lost'], row['split']), (0, 0), f"{row['what']}, {row['primitive']}")
    same(sorted(lost), ['counter', 'queue', 'wake-up'], 'what was tried')
    taken_away = set()
    marks = 0
    for line in output.trace_lines():
        words = line.split()
        fields = dict(word.split('=', 1) for word in words[4:] if '=' in word)
        if words[3] == 'state' and fields['from'] == 'running' and fields['to'] == 'ready':
            taken_away.add(fields['thread'])
        if 'text=lost' in line or 'lost: ' in line:
            want(words[0] in taken_away, f'nobody took the CPU from {words[0]} before: {line}')
            marks += 1
    want(marks >= len(result['interleavings']) > 0, f'{marks} marks of a loss in the trace')


ROWS = [
    Row('P3', 'primitives', '原语',
        'lab-primitive --json --random 9000 --seed {seed}',
        'a counter, a queue of PCBs and a wake-up that lose updates when the timer splits them: how many, '
        'and how it came about; none with a primitive',
        '计数器、PCB 队列、唤醒:被时钟中断打断时丢失多少、如何丢失;使用原语则一次也不丢',
        'user/lab-primitive.cpp kernel/arch/interrupts.hpp kernel/ipc/futex.cpp', p3, trace=True,
        run='--icount --append trace=process,sched,mark'),
]
