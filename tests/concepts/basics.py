"""The rows of the chapter on basics."""
import scheduling_checks
from row import Output, Row

TITLE, TITLE_ZH = 'Basics', '基础'


def b1(output: Output):
    scheduling_checks.three_systems(output.json()[0])


ROWS = [
    Row('B1', 'batch, multiprogramming, time sharing', '单道批处理、多道批处理、分时系统',
        'lab-batch --json --random 6 --seed {seed}',
        'one set of jobs three ways: CPU utilisation, throughput, mean turnaround, response',
        '同一组作业分别按三种方式运行:CPU 利用率、吞吐量、平均周转时间、响应时间',
        'user/lab-batch.cpp kernel/sched/jobs.cpp', b1),
]
