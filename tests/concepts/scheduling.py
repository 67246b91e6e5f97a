"""The rows of the chapter on scheduling."""
import sys

import scheduling_checks
from row import ROOT, Output, Row, near, same, want

sys.path.insert(0, str(ROOT / 'course' / '05-scheduling'))
import reference  # noqa: E402

TITLE, TITLE_ZH = 'Scheduling', '处理机调度'

PATH = 'user/lab-sched/run.cpp '


def jobs_of(result):
    return [reference.Job(j['name'], j['arrival'], j['burst'], j['priority']) for j in result['input']['jobs']]


def expected(result):
    """The chart by the rules of the note; None where it hangs on what is first of one instant's events."""
    given = result['input']
    quanta = given['quanta'] or None
    rules = reference.Rules(given['policy'].removesuffix('_fast'), quantum=quanta[0] if quanta else 1, quanta=quanta or [1, 2, 4],
                            preemptive=given['preemptive'], ageing=given['ageing'])
    return reference.chart(rules, jobs_of(result))


def measures(result):
    """Everything that follows from the chart."""
    chart, total = result['gantt'], 0
    want(all(start < end for _, start, end in chart), f'a turn of no length: {chart}')
    for row in result['rows']:
        turns = [(s, e) for name, s, e in chart if name == row['job']]
        same(sum(e - s for s, e in turns), row['burst'], f"{row['job']}: its turns")
        same(row['turnaround'], turns[-1][1] - row['arrival'], f"{row['job']}: turnaround")
        same(row['waiting'] + row['burst'], row['turnaround'], f"{row['job']}: waiting + service")
        same(row['response'], turns[0][0] - row['arrival'], f"{row['job']}: response")
        total += row['burst']
    first = min(row['arrival'] for row in result['rows'])
    span = max(end for _, _, end in chart) - first
    for key, wanted in (('cpu_utilisation', total / span), ('throughput', len(result['rows']) / span)):
        over, _, under = result[key].partition('/')
        near(int(over) / int(under or 1), wanted, 1e-9, key)


def s1(output: Output):
    scheduling_checks.three_systems(output.json()[0])
    batch, multi, shared = output.json()[0]['rows']
    want(batch['queue_ms'] > multi['queue_ms'] > shared['queue_ms'], 'the fewer are let in, the longer the queue')
    want(shared['queue_ms'] < 1, 'without a limit none waits to be let in')


def s2(output: Output):
    before, suspended, resumed, touched = output.json()[0]['rows']
    pages = output.json()[0]['input']['pages']
    want(before['resident'] >= pages, f'{before}')
    same(suspended['state'], 'T', 'state while suspended')
    want(suspended['resident'] == 0 and suspended['swapped'] >= pages, f'it kept frames: {suspended}')
    want(suspended['free'] >= before['free'] + pages, f'frames are free: {before} {suspended}')
    want(resumed['state'] in 'SR', f'{resumed}')
    want(touched['resident'] >= pages and touched['intact'], f'its pages came back: {touched}')


def s3(output: Output):
    """Without preemption a job leaves the CPU only when it blocks or ends; with it a better one takes it
    away; and never between an interrupt's begin and its end."""
    for result in output.json():
        wanted = expected(result)
        want(wanted is None or result['gantt'] == [list(turn) for turn in wanted],
             f"{result['gantt']}, wanted {wanted}")
    inside, taken = set(), 0
    for line in output.trace_lines():
        words = line.split()
        cpu, event = words[1], words[3]
        if event == 'interrupt':
            inside.add(cpu)
        elif event == 'interrupt_done':
            inside.discard(cpu)
        elif event == 'switch':
            want(cpu not in inside, f'a switch within an interrupt: {line}')
        taken += 'why="preempted"' in line or 'why=preempted' in line
    want(taken > 0, 'nobody was preempted')


def s4(output: Output):
    """Every policy with the same jobs: the chart is the one that the rules give."""
    seen = set()
    for result in output.json():
        measures(result)
        policy = result['input']['policy']
        seen.add(policy)
        wanted = expected(result) if policy != 'stride' else None
        want(wanted is None or result['gantt'] == [list(turn) for turn in wanted],
             f"{policy}: {result['gantt']}, wanted {wanted}")
    missing = {'fcfs', 'sjf', 'srtn', 'hrrn', 'rr', 'priority', 'mlfq', 'stride'} - seen
    want(not missing, f'without {missing}')


def s5(output: Output):
    """lab-sched's figures follow from its chart, and the trace's own of the same run are the same."""
    result = output.json()[0]
    measures(result)
    unit = result['input']['unit_ms']
    traced = output.measures()
    for row in result['rows']:
        of = traced[row['job']]
        near(of['turnaround'] / unit, row['turnaround'], 0.02, f"{row['job']}: turnaround in the trace")
        near(of['service'] / unit, row['burst'], 0.02, f"{row['job']}: service in the trace")
        want(abs(of['waiting'] / unit - row['waiting']) < 0.1, f"{row['job']}: waiting {of} {row}")
        want(abs(of['response'] / unit - row['response']) < 0.1, f"{row['job']}: response {of} {row}")
    for name, of in traced.items():
        parts = of['service'] + of['waiting'] + of['blocked'] + of['suspended']
        want(of['turnaround'] is None or abs(parts - of['turnaround']) < 0.01, f'{name}: {of}')
        want(of['weighted'] is None or of['weighted'] >= 1, f'{name}: {of}')


def s6(output: Output):
    result = output.json()[0]
    shorts = result['input']['starvation']
    for row in result['rows']:
        starves = row['policy'] == 'sjf' or row['policy'] == 'priority' and row['variant'] != 'ageing'
        same(row['starves'], starves, f"{row['policy']} {row['variant']}")
        if starves:  # it waits until the last short one is served
            same((row['longest_wait'], row['longest_wait_twice']), (2 * shorts, 4 * shorts), f"{row['policy']}")


ROWS = [
    Row('S1', 'long-term scheduling: jobs', '高级调度（作业调度）', 'lab-batch --json --random 7 --seed {seed}',
        'the time a job waits to be let in apart from that when it is ready; policies fcfs sjf hrrn priority',
        '作业在后备队列中等待的时间与就绪后等待的时间分开列出；算法有 fcfs sjf hrrn priority', 'kernel/sched/jobs.cpp user/lab-batch.cpp', s1),
    Row('S2', 'medium-term scheduling: suspend, resume', '中级调度：挂起与激活', 'lab-suspend --json --random 800 --seed {seed}',
        'a suspended process gives up its frames to swap, ps shows T; they come back',
        '被挂起的进程把物理块全部换出，ps 显示 T；激活后换回', 'user/lab-suspend.cpp mm/load_control.cpp', s2),
    Row('S3', 'short-term scheduling, preemptive or not', '低级调度，抢占与非抢占',
        'lab-sched --json --unit 10 --policy priority --random 5 --seed {seed}; '
        'lab-sched --json --unit 10 --policy priority --preemptive --random 5 --seed {seed}',
        'who runs when, why each left the CPU, and no switch within an interrupt',
        '谁在何时运行、为何离开 CPU；中断处理中绝不切换', 'kernel/sched/scheduler.cpp', s3, trace=True,
        run='--icount 2 --append trace=process,sched,irq,mark'),
    Row('S4', 'FCFS, SJF, SRTN, HRRN, RR, priority, MLFQ; stride', '先来先服务、短作业优先、高响应比、时间片轮转、优先级、多级反馈队列',
        'lab-sched --json --policy all --unit 5 --random 5 --seed {seed}',
        'the Gantt chart of each policy for the same jobs, exactly as the rules give it',
        '同一组作业在每种算法下的甘特图，与规则推出的完全一致', 'kernel/sched/policies/hrrn.hpp ' + PATH.strip(), s4,
        run='--icount 2'),
    Row('S5', 'measures', '评价指标：CPU 利用率、吞吐量、周转、带权周转、等待、响应时间',
        'lab-sched --json --policy rr --quantum 2 --unit 20 --random 5 --seed {seed}',
        'each measure as an exact fraction; the trace of the run gives the same, and its parts add up',
        '各项指标的精确分数；同一次运行的 trace 得到相同的值，各部分之和等于周转时间',
        'user/lab-sched/report.cpp scripts/trace_model.py', s5, trace=True,
        run='--icount 2 --append trace=process,sched,irq,mark'),
    Row('S6', 'starvation and its cure', '饥饿及其解决', 'lab-sched --json --unit 4 --starvation 12',
        'the longest wait under each policy, with a load and with twice as much',
        '各算法下的最长等待时间，负载加倍后再看', 'user/lab-sched/compare.cpp kernel/sched/policies/priority.hpp', s6,
        run='--icount 2'),
]
