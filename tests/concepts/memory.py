"""The rows of the chapter on memory, with placements, hits, faults and translations worked out here."""
from row import Output, Row, near, same, want

TITLE, TITLE_ZH = 'Memory', '内存管理'

SWAP = 'dd if=/dev/zero of=/swap bs=1M count=7 2>/dev/null; mkswap /swap >/dev/null; swapon /swap; '
# The memory is small, and the disk takes 2 ms for each transfer.
THRASH = 'lab-thrash --json --seed {seed} --disk 2000 '


def m1(output: Output):
    output.find(r'^08048000-[0-9a-f]+ r--?.* /bin/busybox$')
    for library in ('libc.so.6', 'libm.so.6', 'libgcc_s.so.1'):
        output.find(rf'^\s{library} => /lib/{library} \(0x[0-9a-f]+\)$')
    output.find(r'^GNU C Library .* release version')


def m2(output: Output):
    result = output.json()[0]
    pages, factor = {'read': 3, 'sort': 5, 'print': 2}, {'read': 10, 'sort': 100, 'print': 1000}
    same([row['part'] for row in result['rows']], ['sort', 'read', 'print', 'sort'], 'parts')
    for row in result['rows']:
        n = pages[row['part']]
        same(row['result'], n * (n + 1) // 2 * factor[row['part']], row['part'])
        same(row['in_memory'], n, 'pages of the area')
    same(len({row['address'] for row in result['rows']}), 1, 'places where parts ran')
    same((result['all_pages'], result['area_pages']), (sum(pages.values()), max(pages.values())), 'pages')


class Units:
    """Memory drawn unit by unit."""

    def __init__(self, scheme, count, fixed):
        self.scheme, self.units, self.hand, self.fixed = scheme, [None] * count, 0, []
        start = 0
        for size in [count] if scheme == 'single' else fixed if scheme == 'fixed' else []:
            self.fixed.append([start, size, None, 0])
            start += size

    def holes(self):
        out, start = [], None
        for i, owner in enumerate(self.units + ['end']):
            if owner is None and start is None:
                start = i
            elif owner is not None and start is not None:
                out.append((start, i - start))
                start = None
        return out

    def take(self, name, size):
        if self.fixed:
            fits = [p for p in self.fixed if p[2] is None and p[1] >= size]
            if fits:
                min(fits, key=lambda p: p[1])[2:] = [name, size]
            return bool(fits)
        fits = [hole for hole in self.holes() if hole[1] >= size]
        if not fits:
            return False
        start = {'best-fit': lambda: min(fits, key=lambda h: h[1]), 'worst-fit': lambda: max(fits, key=lambda h: h[1]),
                 'next-fit': lambda: next((h for h in fits if h[0] >= self.hand), fits[0])
                 }.get(self.scheme, lambda: fits[0])()[0]
        self.units[start:start + size] = [name] * size
        self.hand = start + size
        return True

    def give(self, name):
        self.units = [None if owner == name else owner for owner in self.units]
        for partition in self.fixed:
            if partition[2] == name:
                partition[2:] = [None, 0]

    def fragmentation(self):
        if self.fixed:
            return sum(p[1] - p[3] for p in self.fixed if p[2]), 0
        sizes = [size for _, size in self.holes()]
        return 0, sum(sizes) - max(sizes, default=0)


def m3(output: Output):
    compared, steps = output.json()
    for row in compared['rows']:
        if row['scheme'] in ('quick-fit', 'buddy'):
            continue
        memory, refused = Units(row['scheme'], compared['input']['memory'], compared['input']['fixed']), 0
        for step in compared['input']['steps']:
            if step.startswith('-'):
                memory.give(step[1:])
            else:
                name, size = step.split('=')
                refused += not memory.take(name, int(size))
        same((row['refused'], row['internal'], row['external']), (refused, *memory.fragmentation()), row['scheme'])
        same(row['kernel_internal'] is None, row['scheme'] in ('single', 'fixed'), 'what the kernel has no heap for')
    internal = 0
    for row in steps['rows']:
        internal = sum(int(piece.split(':')[1].split('(')[0]) - int(piece.split('(')[1][:-1])
                       for piece in row['memory'].split() if '(' in piece)
        same(row['internal'], internal, 'fragmentation inside buddies')


def m4(output: Output):
    for linear, upper, table, offset, frame, physical in output.find_all(
            r'^([0-9a-f]+) = directory (\d+), table (\d+), offset ([0-9a-f]+)\n(?:.*\n){2}'
            r'  PTE .*frame ([0-9a-f]+);.*\n  physical ([0-9a-f]+)'):
        address = int(linear, 16)
        same((int(upper), int(table), int(offset, 16)), (address >> 22, address >> 12 & 1023, address & 4095), linear)
        same(int(physical, 16), int(frame, 16) << 12 | address & 4095, 'physical')


def m5(output: Output):
    stale, result = output.json()
    before, told, after = stale['rows']
    same([(row['read'], row['stale']) for row in stale['rows']], [(1111, False), (1111, True), (2222, False)], 'page A')
    want(before['frame'] != told['frame'] == after['frame'], 'the page table has the other frame from the exchange on')
    given, hits, sets = result['input'], [], {}
    for page in given['string']:
        ways = sets.setdefault(page % (given['entries'] // given['ways']), [])
        hits.append(int(page in ways))
        if page in ways:
            ways.remove(page)
        elif len(ways) == given['ways']:
            ways.pop(0)
        ways.append(page)
    same(result['hits'], hits, 'hits')
    a = sum(hits) / len(hits)
    t, look = given['memory'], given['lookup']
    near(result['rows'][0]['eat'], a * look + (1 - a) * (t + look) + t, 0.0005 / t, 'EAT')


def m6(output: Output):
    result = output.json()[0]
    said = {(row['access'], row['where']): row['result'] for row in result['rows']}
    want('#GP' in said['call+', '17'] and '#NP' in said['load', '1f'], 'a far call beyond the limit; not present')
    beyond = said['read', '07:00000010']
    want('#GP' in beyond if result['data_checked'] else "doesn't check" in beyond, 'a read beyond the limit')


def m7(output: Output):
    for row in output.json()[0]['rows']:
        linear = row['base'] + row['offset']
        same((row['linear'], row['directory'], row['table']), (linear, linear >> 22, linear >> 12 & 1023), 'linear')
        same(row['physical'], row['pte'] & ~4095 | linear & 4095, 'physical')


def m8(output: Output):
    there = set()
    for row in output.json()[0]['rows']:
        same(row['fault'], row['segment'] not in there, f'#NP of segment {row["segment"]}')
        there.add(row['segment'])
        same(row['value'], 1000 * row['segment'] + 7, 'what was read')
        same({int(word[0]) for word in row['table'].split() if word.endswith('P')}, there, 'segments in memory')


def m9(output: Output):
    rows = output.json()[0]['rows']
    move = [row for row in rows if row['access'].startswith('one movs')]
    same((len(move), len({row['at'] for row in move})), (4, 1), 'faults of one instruction')
    same([row['source'] for row in rows[:4]], ['zeroed', 'copy', 'file', 'copy'], 'where pages came from')
    limited = [row for row in rows if 'frames' in row['access']]
    same([row['evicted'] for row in limited], ['-', '-'] + [row['address'] + ' dirty' for row in limited[:2]], 'victims')


def m10(output: Output):
    runs = [result for result in output.json() if result['lab'] == 'lab-thrash']
    same([run['input']['scope'] + ' ' + run['input']['allocation'] for run in runs],
         ['global equal', 'local equal', 'local proportional'], 'comparisons')
    for run in runs:
        want(run['cpu'] <= 1 and all(row['zeroed'] > 0 for row in run['rows']), 'faults for zeros, CPU time')
    equal, proportional = ({row['pages']: row for row in run['rows']} for run in runs[1:])
    large, small = max(equal), min(equal)
    want(equal[large]['from_swap'] > equal[small]['from_swap'], 'equal shares: the large one pages')
    near(equal[large]['frames'], equal[small]['frames'], 0.35, 'equal shares')
    want(proportional[large]['frames'] > 1.3 * proportional[small]['frames'], 'shares in proportion to size')


def faults_of(policy, frames, string):
    held, used, faults = [], {}, 0
    for now, page in enumerate(string):
        if page not in held:
            faults += 1
            if len(held) == frames:
                later = string[now + 1:]
                victim = {'fifo': lambda: held[0], 'lru': lambda: min(held, key=used.get),
                          'opt': lambda: max(held, key=lambda p: (later.index(p) if p in later else 10 ** 9,
                                                                  -held.index(p)))}[policy]()
                held.remove(victim)
            held.append(page)
        used[page] = now
    return faults


def m11(output: Output):
    belady = [3, 4]
    *runs, own = output.json()
    for run, frames in zip(runs, belady):
        same(run['faults'], {3: 9, 4: 10}[frames], f'FIFO with {frames} frames')
    string = [int(word.rstrip('w')) for word in own['input']['string'].split()]
    for row in own['rows']:
        if row['policy'] in ('fifo', 'lru', 'opt'):
            same(row['faults'], faults_of(row['policy'], own['input']['frames'], string), row['policy'])


def m12(output: Output):
    runs = output.json()
    off, ws = runs
    same((off['input']['control'], ws['input']['control']), ('off', 'ws'), 'load control')
    want(off['suspensions'] == 0 and ws['suspensions'] > 0, 'ws suspends, off does not')
    want(all(run['cpu'] <= 1 for run in runs), 'at most 100 % of the CPU')
    want(ws['cpu'] > off['cpu'], f'the CPU is busier with load control: {ws["cpu"]} against {off["cpu"]}')
    want(any(row['L_us'] for row in ws['over_time']), 'L and S over time')
    output.find(r'load control: ws: L \d+ us, S \d+ us, .* is suspended, largest: .* pages, ')


ROWS = [
    Row('M1', 'compile, link, load', '编译、链接、装入',
        'cat /proc/self/maps; /lib/ld-linux.so.2 --list /lib/libstdc++.so.6; '
        '/lib/ld-linux.so.2 /lib/libc.so.6 | head -1',
        'a static program at its linked address; what ld.so finds, maps and links when a program is loaded; '
        'libc.so.6, which is a program too, loaded by it',
        '静态程序装入到链接时确定的地址；装入时由 ld.so 找到、映射并链接共享库；libc.so.6 本身也可由它装入运行',
        'kernel/proc/elf_load.cpp', m1),
    Row('M2', 'overlay', '覆盖', 'lab-overlay --json sort read print sort',
        'parts of a program run one after the other in the same pages of its own text',
        '程序的各段轮流映射到自身代码区的同一块地址上运行', 'user/lab-overlay/main.cpp user/lab-overlay/parts.S', m2),
    Row('M3', 'single, fixed and dynamic partitions; fragmentation', '单一连续、固定分区、动态分区；内部碎片与外部碎片',
        'lab-partitions --json --random 60 --seed {seed}; lab-partitions --json --scheme buddy --random 30 --seed {seed}',
        "one random set of programs under all schemes: refused, both fragmentations in the textbook's units and "
        "in bytes of the kernel's heap", '同一组随机作业在各种分区方式下：被拒绝数、内外碎片（课本单位，以及内核堆的字节数）',
        'user/lab-partitions/memory.cpp mm/heap/placements/first_fit.hpp mm/buddy.hpp', m3),
    Row('M4', 'paging, two-level page table', '分页、两级页表', 'vtop 8048123 8049fff 804a000',
        'the walk of the MMU: directory, table, frame, physical address', 'MMU 的地址变换过程：页目录、页表、物理块、物理地址',
        'user/vtop.cpp mm/user_pages.cpp', m4),
    Row('M5', 'TLB, hit rate, effective access time', '快表、命中率、有效访问时间',
        'lab-tlb stale --json; lab-tlb model --json --entries 8 --ways 2 --random 60 --seed {seed}',
        'a stale entry is read, then flushed; hits of a random string and EAT = 2t + l - a t',
        '读到过时的快表项，清快表后正确；随机页面串的命中情况与 EAT = 2t + l - a t', 'mm/tlb_model.hpp user/lab-tlb/model.cpp', m5),
    Row('M6', 'segmentation, protection', '分段、保护', 'lab-segments --json protection',
        'overruns and wrong types as exceptions; what QEMU does not check is said (Bochs: #GP)',
        '越界与类型错误引发的异常；QEMU 不检查的数据段界限会注明（Bochs 上为 #GP）', 'user/lab-segments/main.cpp', m6),
    Row('M7', 'paged segments', '段页式', 'lab-segments --json paged',
        'both translations of one address', '同一地址先分段后分页的两次变换', 'user/lab-segments/main.cpp', m7),
    Row('M8', 'demand segmentation', '请求分段', 'lab-segments --json demand',
        '#NP for segments that are not in memory, brought in, the instruction repeated; the segment table',
        '段不在内存时 #NP，调入后重新执行该指令；段表的存在位', 'user/lab-segments/main.cpp', m8),
    Row('M9', 'demand paging; several faults of one instruction', '请求分页；一条指令多次缺页', 'lab-faults --json',
        'each fault: address, instruction, cause, where the page came from, victim and whether it was dirty',
        '每次缺页的地址、指令、原因、页面来源、被换出的页及其是否修改过', 'user/lab-faults.cpp mm/faults.cpp', m9),
    Row('M10', 'allocation and replacement: fixed and variable, local and global', '物理块分配与置换范围：固定/可变、局部/全局',
        SWAP + 'for how in "global equal" "local equal" "local proportional"; do set -- $how; '
        + THRASH + '--degree 2 --pages 2600,1000 --work 500 --seconds 4 --scope $1 --allocation $2; done',
        'frames and faults by cause of a large and a small program under each', '一大一小两个程序在各种分配方式下的物理块数与各类缺页数',
        'mm/frame_allocation.cpp user/lab-thrash.cpp', m10, memory=18),
    Row('M11', 'replacement: OPT, FIFO, LRU, LFU, clock, improved clock', '页面置换算法', 'for n in 3 4; do '
        'lab-paging --json --policy fifo --frames $n 1 2 3 4 1 2 5 1 2 3 4 5; done; '
        'lab-paging --json --policy all --frames 3 --random 40 --seed {seed}',
        "faults of a real process: Belady's anomaly (9, then 10), and a random string under every policy",
        '真实进程的缺页次数：Belady 异常（9 次与 10 次），以及随机串在各算法下的结果',
        'mm/replacement/policy.hpp user/lab-paging.cpp', m11),
    Row('M12', 'thrashing, working set, L = S, whom to suspend', '抖动、工作集、L = S、选择暂停的进程',
        SWAP + 'for c in off ws; do ' + THRASH + '--over-time --degree 4 --work 1000 --pages 1024 --seconds 4 '
        '--scope local --control $c --victim largest; done; dmesg | grep "load control:"',
        'CPU use with and without load control, L and S over time, who was suspended and why',
        '有无负载控制时的 CPU 利用率，L 与 S 随时间的变化，被暂停的进程及理由',
        'mm/load_control.cpp mm/suspension.hpp', m12, memory=18),
]
