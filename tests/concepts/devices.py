"""The rows of the chapter on devices, with the head's travel and the cache's counts worked out here."""
from row import Output, Row, same, want

TITLE, TITLE_ZH = 'Devices', '设备管理'


def i1(output: Output):
    rows = {row['mode']: row for row in output.json()[0]['rows']}
    same(rows['poll']['interrupts'], 0, 'interrupts of polling')
    want(rows['irq']['interrupts'] > 2 * rows['dma']['interrupts'] > 0, 'interrupts')
    want(rows['dma']['cpu_ms'] < rows['poll']['cpu_ms'], 'CPU time of DMA and of polling')


def i2(output: Output):
    (cold, first), (warm, second) = [tuple(map(int, pair)) for pair in output.find_all(r'^misses (\d+) hits (\d+)$')]
    want(cold > 0 and warm == 0, f'misses: {cold} cold, {warm} warm')
    want(second >= 256 and first >= 0, f'hits of 256 pages: {second}')
    output.find(r'^read ahead: [1-9]')


def travel(policy, wanted, cylinders, head, up):
    if not up:
        wanted, head = [cylinders - 1 - c for c in wanted], cylinders - 1 - head
    low, high, edge = min(wanted), max(wanted), cylinders - 1
    behind = [c for c in wanted if c < head]
    ahead = [c for c in wanted if c >= head]
    if policy == 'fcfs':
        return sum(abs(b - a) for a, b in zip([head] + wanted, wanted))
    if policy == 'sstf':
        at, left, way = head, list(wanted), 0
        while left:
            nearest = min(abs(c - at) for c in left)
            candidates = [c for c in left if abs(c - at) == nearest]
            if len(set(candidates)) > 1:
                return None  # a tie: either may be first
            way, at = way + nearest, candidates[0]
            left.remove(at)
        return way
    if not behind:
        return high - head
    if policy == 'scan':
        return edge - head + edge - low
    if policy == 'cscan':
        return edge - head + edge + max(behind)
    if policy == 'look':
        return (high - head + high - low) if ahead else head - low
    return (high - head if ahead else 0) + (high if ahead else head) - low + max(behind) - low


def i3(output: Output):
    same(len(output.json()), 2, 'directions')
    for result in output.json():
        given = result['input']
        for row in result['rows']:
            same(sorted(row['order']), sorted(given['requests']), f'{row["elevator"]}: requests')
            same(row['travelled'], row['computed'], f'{row["elevator"]} on the disk')
            if row['elevator'] in ('fcfs', 'sstf', 'scan', 'cscan', 'look', 'clook'):
                right = travel(row['elevator'], given['requests'], given['cylinders'], given['head'], given['up'])
                want(right in (None, row['computed']), f'{row["elevator"]}: {row["computed"]}, wanted {right}')


ROWS = [
    Row('I1', 'controller; polling, interrupts, DMA', '控制器；轮询、中断、DMA', 'lab-disk modes --json --kib 2048',
        'the same read in each mode: CPU time, interrupts, waits', '同样的读操作在三种方式下的 CPU 时间、中断数与等待次数',
        'user/lab-disk/modes.cpp drivers/ide_channel.cpp', i1, run=''),
    Row('I2', 'block cache, read-ahead', '磁盘高速缓存、预读',
        'cd /root; head -c 1048576 /dev/urandom >f; count() { grep -w cache_$1 /proc/vmstat | cut -d" " -f2; }; '
        'dd if=f of=/dev/null bs=4k count=1 2>/dev/null; count miss >/dev/null; sync; echo 1 >/proc/sys/vm/drop_caches; '
        'dd if=/bin/busybox of=/dev/null bs=4k 2>/dev/null; a=$(count ahead); '
        'for i in 1 2; do m=$(count miss); h=$(count hit); dd if=f of=/dev/null bs=4k 2>/dev/null; '
        'echo misses $(($(count miss) - m)) hits $(($(count hit) - h)); done; echo read ahead: $(($(count ahead) - a))',
        'a file read twice: misses and hits; what was read ahead', '同一文件读两遍的命中与未命中数，以及预读的页数',
        'fs/page_cache.cpp', i2, run=''),
    Row('I3', 'disk scheduling', '磁盘调度', 'lab-disk elevators --json --random 12 --seed {seed}; '
        'lab-disk elevators --json --down --random 9 --seed {seed}',
        'one random set of requests under every elevator, computed and on the queue of a real disk, both ways',
        '同一组随机请求在各种算法下的磁头移动量（计算值与真实磁盘队列上的值），两个方向',
        'drivers/elevators/elevator.hpp user/lab-disk/elevators.cpp', i3, run=''),
]
