"""The rows of the chapter on basics."""
import re

import scheduling_checks
from row import Output, Row, same, want

TITLE, TITLE_ZH = 'Basics', '基础'


def b1(output: Output):
    scheduling_checks.three_systems(output.json()[0])


def b2(output: Output):
    scheduling_checks.real_time(output.json()[0])


TRAPS = {'#DE': {(0, 'SIGFPE')}, '#DB': {(1, 'SIGTRAP')}, '#BP': {(3, 'SIGTRAP')}, '#OF': {(4, 'SIGSEGV')},
         '#BR': {(5, 'SIGSEGV')}, '#UD': {(6, 'SIGILL')}, '#NP': {(11, 'SIGBUS')}, '#SS': {(12, 'SIGBUS')},
         '#GP': {(13, 'SIGSEGV')}, '#PF': {(14, 'SIGSEGV'), (14, 'SIGBUS')}, '#MF': {(16, 'SIGFPE')}}


def b3(output: Output):
    rows = [row for row in output.json()[0]['rows'] if row['why'] == 'privileged']
    want(len(rows) >= 8, 'fewer than eight instructions')
    for row in rows:
        same((row['vector'], row['signal'], row['cpl'], row['counted']), (13, 'SIGSEGV', 3, 1), row['what'])


def b4(output: Output):
    """The counts agree with what was tried, and the trace has each of them."""
    traced = output.trace_lines()
    for row in output.json()[0]['rows']:
        if row['why'] == 'external':
            want(row['counted'] >= 5, f"the timer came {row['counted']} times in 100 ms")
            continue
        want((row['vector'], row['signal']) in TRAPS[row['came_as']], f"{row['what']}: {row['signal']}")
        # Page faults come for other reasons too.
        want(row['counted'] == 1 or row['came_as'] == '#PF', f"{row['what']} counted {row['counted']}")
        if row['came_as'] == '#PF' and row['what'] != 'address':
            continue  # at addresses of the program's
        event = 'fault address=16 ' if row['came_as'] == '#PF' else f"exception vector={row['came_as']}"
        want(any(event in line for line in traced), f'the trace lacks {event}')
    want(sum('interrupt line=timer' in line for line in traced) >= 5, 'the trace lacks the timer')


def b5(output: Output):
    """A buffered character costs a call only when the buffer is full; a library function need not call at
    all. The host's listing of the calls has as many."""
    result = output.json()[0]
    given, rows = result['input'], {row['way']: row['calls'] for row in result['rows']}
    count, buffer = given['characters'], given['buffer']
    lines = given['lines'] + (not given['ends_with_line'])
    same(rows, {'putc, full buffer': -(-count // buffer), 'putc, a line at a time': lines,
                'putc, no buffer': count, 'write, one character each': count, 'write, all at once': 1,
                'qsort and strlen': 0, 'getpid': 1}, 'calls')
    listed = output.listing('syscalls')
    want(sum(' getpid(' in line for line in listed) >= 1, 'the listing lacks getpid')
    want(sum(bool(re.search(r' write\(.*\) = 1 ', line)) for line in listed) >= 2 * count, 'single writes listed')


ROWS = [
    Row('B1', 'batch, multiprogramming, time sharing', '单道批处理、多道批处理、分时系统',
        'lab-batch --json --random 6 --seed {seed}',
        'one set of jobs three ways: CPU utilisation, throughput, mean turnaround, response',
        '同一组作业分别按三种方式运行：CPU 利用率、吞吐量、平均周转时间、响应时间',
        'user/lab-batch.cpp kernel/sched/jobs.cpp', b1),
    Row('B2', 'real time', '实时系统',
        'lab-realtime --json --random 3 --seed {seed}',
        "periodic tasks' deadline misses under round robin, FIFO, rate monotonic, earliest deadline first; "
        'how much the kernel admits',
        '周期任务在时间片轮转、FIFO、速率单调、最早截止时间优先下各错过多少截止时间；内核接纳的上限',
        'user/lab-realtime.cpp kernel/sched/policies/real_time.cpp', b2),
    Row('B3', 'kernel and user mode, privileged instructions', '核心态、用户态、特权指令',
        'lab-traps --json',
        'each privileged instruction of ring 3 ends in SIGSEGV: vector, error code, CS, CPL',
        '用户态执行特权指令，逐条得到 SIGSEGV：向量号、错误码、CS、CPL',
        'kernel/arch/traps.cpp user/lab-traps.cpp', b3),
    Row('B4', 'internal and external interrupts', '内中断、外中断', 'lab-traps --json; cat /proc/interrupts',
        'exceptions, devices and the timer counted one by one; the trace has every one',
        '异常、设备中断和时钟中断分别计数；trace 中逐条可见',
        'kernel/arch/traps.cpp kernel/arch/trap_entry.S fs/proc/machine_files.cpp', b4, trace=True),
    Row('B5', 'system call and library function', '系统调用与库函数', 'lab-calls --json --random 300 --seed {seed}',
        'the same characters by putc with a buffer and without, and by write: the calls of each; '
        './scripts/trace syscalls run.json lists all calls of any program',
        '同样的字符：带缓冲与不带缓冲的 putc，以及 write，各有几次系统调用；./scripts/trace syscalls run.json 列出任一程序的全部系统调用',
        'user/lab-calls.cpp kernel/syscall/dispatch.cpp', b5, trace=True, run='--icount --append trace=syscall,mark'),
]
