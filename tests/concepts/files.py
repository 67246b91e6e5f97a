"""The rows of the chapter on files, with the reads, blocks and steps worked out here."""
from row import Output, Row, near, same, want

TITLE, TITLE_ZH = 'Files', '文件管理'


def f1(output: Output):
    result = output.json()[0]
    rows = {(row['records'], row['file']): row for row in result['rows']}
    count, numbers = result['input']['records'], result['input']['numbers']
    scan = sum(number + 1 for number in numbers) / len(numbers)
    halving = count.bit_length()
    near(rows['variable', 'sequential']['compared'], scan, 0.001 + 0.06 / scan, 'keys of a scan')
    for key, row in rows.items():
        if key != ('variable', 'sequential'):
            group = result['input']['group'] if key[1] == 'indexed-sequential' else 0
            want(row['compared'] <= halving + group, f'{key}: {row["compared"]} keys compared')
        if key[1] == 'sequential':
            same(row['index_bytes'], 0, f'{key}: index')
            if key[0] == 'fixed':
                same(row['data_bytes'], count * (4 + result['input']['bytes']), 'bytes')
                want(row['reads_by_number'] <= 2.5, f'{key}: a number is a place')
        elif key[1] == 'indexed':
            same(row['index_bytes'], 16 * count, f'{key}: index')
        want(row['reads_by_key'] >= 1, f'{key}: read without the disk')
    want(rows['fixed', 'indexed-sequential']['insert_written'] < rows['fixed', 'sequential']['insert_written'],
         'an insertion into a group writes less than one that moves the rest of the file')


def f2(output: Output):
    computed, way = output.json()[0], output.json()[1]
    given = computed['input']
    for row, size, more in zip(computed['rows'], (given['fcb'], given['entry']), (0, 1)):
        per_block = given['block'] // size
        blocks = -(-given['names'] // per_block)
        same((row['names'], row['blocks'], row['reads']), (per_block, blocks, (blocks + 1) / 2 + more),
             row['holds'])
    same([row['name'] for row in way['rows']], ['root', 'd', 'e', 'file'], 'names on the way')
    same(way['reads'], sum(row['reads'] for row in way['rows']), 'sum of the reads')
    # A directory's block, and the blocks of the group's descriptor and of the inode, at most.
    want(all(row['reads'] <= 3 for row in way['rows']) and way['reads'] >= 3, 'reads of each name')


def last_block(size, level):
    return 12 + sum((size // 4) ** n for n in range(1, level + 1)) - 1


def f3(output: Output):
    levels, *ways, costs = output.json()
    for level, row in enumerate(levels['rows']):
        same(row['last_block'], last_block(row['block_size'], level), row['level'])
        same(row['largest'], (row['last_block'] + 1) * row['block_size'], 'largest file')
        same(len(row['way'].split(' -> ')), level + 1, f'the way to {row["level"]}')
    same([len(way['rows']) for way in ways], [1, 2, 3, 4], 'levels on the way')
    for way in ways:
        same(way['cold'], way['index_pages'] + way['data_runs'], 'cold reads')
        same((way['index_pages'], way['warm']), (len(way['rows']) - 1, 0), 'pages of the index, warm reads')
    blocks, wanted = costs['input']['blocks'], costs['input']['wanted']
    p = costs['input']['block'] // 4
    rows = {row['organisation']: row for row in costs['rows']}
    same(rows['contiguous']['direct'], len(wanted), 'contiguous')
    same(rows['implicit links']['direct'], sum(1 if b == blocks - 1 else b + 1 for b in wanted), 'links')
    same(rows['explicit links (FAT)']['look_ups'], sum(wanted), 'steps in the FAT')
    mixed = [1 if b < 12 else 2 if b < 12 + p else 3 for b in wanted]
    same(rows['mixed index']['direct'], sum(mixed), 'mixed index')
    same(rows['implicit links']['sequential'], blocks, 'sequential')


def blocks_of(text):
    """What "gets 3-5 9" or "gives back (1,2) ...: b 2-4" names, from 0."""
    words = text.split(': b ')
    numbers = words[1] if len(words) > 1 else text.removeprefix('gets ').removeprefix('gives back ')
    blocks = []
    for word in numbers.split():
        first, _, last = word.partition('-')
        blocks += range(int(first), int(last or first) + 1)
    return [b - (len(words) > 1) for b in blocks]


def f4(output: Output):
    load, *runs = output.json()
    same([(row['policy'], row['read'], row['written']) for row in load['rows'] if row['policy'] in ('list', 'grouped')],
         [('list', 162661, 161245), ('grouped', 79, 6300)], 'reads and writes of the load')
    for run in runs:
        policy, total, group = (run['input'][key] for key in ('policy', 'blocks', 'group'))
        stack = list(range(total - 1, 0, -1))  # the list's and the groups' order
        at_hand, in_memory = None, 1 + (total - 1 - (group - 1)) % group if total - 1 > group - 1 else total
        in_memory = in_memory or group
        held, free = {}, set(range(1, total))
        for row in run['rows']:
            name, grows = row['step'].lstrip('-').split('=')[0], '=' in row['step']
            blocks = [] if 'nothing' in row['result'] else blocks_of(row['result'])
            if grows:
                want(set(blocks) <= free, f'{policy} {row["step"]}: a block twice')
                wanted = int(row['step'].split('=')[1])
                same(len(blocks), min(wanted, len(free)), f'{policy} {row["step"]}: blocks')
                free -= set(blocks)
                held[name] = blocks
            else:
                same(sorted(blocks), sorted(held[name]), f'{policy} {row["step"]}: given back')
                free |= set(held.pop(name))
            same(row['free'], len(free), f'{policy} {row["step"]}: free')
            if policy == 'list':
                reads = 0
                if grows:
                    for block in blocks:
                        same(block, stack.pop(), 'the block at the head')
                        reads += block != at_hand
                        at_hand = block
                else:
                    stack += reversed_runs(blocks)
                    at_hand = stack[-1]
                same((row['read'], row['written']), (reads, 0 if grows else len(blocks)), row['step'])
        if policy == 'bitmap' and any('(' in row['result'] for row in run['rows']):
            n = run['input']['columns']
            for row in run['rows']:
                if '(' in row['result']:
                    i, j = map(int, row['result'].split('(')[1].split(')')[0].split(','))
                    same(n * (i - 1) + j, blocks_of(row['result'])[0] + 1, 'b = n(i-1)+j')


def reversed_runs(blocks):
    """The order in which runs of neighbours come back: each from its end."""
    out, run = [], []
    for block in blocks + [None]:
        if run and block != run[-1] + 1:
            out += reversed(run)
            run = []
        run.append(block)
    return out


def f5(output: Output):
    lines = output.text.splitlines()
    same(lines[0].split()[1:3], lines[1].split()[1:3], 'inode and count of two names')
    want(lines[0].split()[0] == '2', 'two names')
    same(lines[2], 'hello', 'what the name that is left says')
    same(lines[3], '1', 'one name is left')
    want('dangling: 1' in lines[4], 'a symbolic link without its file')
    before, during, after = map(int, lines[5].split())
    want(before == after and during - before >= 256, 'blocks come back when the count is 0')


def f6(output: Output):
    output.find(r"can't open '/root/secret': Permission denied")
    output.find(r"can't create /root/new: Permission denied")
    output.find(r'^allowed: shared$')
    output.find(r'^root reads it: hello$')


ROWS = [
    Row('F1', 'record files: sequential, indexed, indexed-sequential', '记录式文件：顺序、索引、索引顺序',
        'cd /root; lab-records --json --random 400 --lookups 8 --inserts 6 --seed {seed}',
        'one set of records of fixed and variable length in each: keys compared, disk reads and bytes written '
        'of look-ups and insertions', '同一组定长和变长记录存成三种文件：查找与插入时比较的关键字数、磁盘读次数、写入字节数',
        'user/lab-records/record_file.cpp', f1, run=''),
    Row('F2', 'directories; FCB and inode', '目录；文件控制块与索引结点',
        'mkdir -p /root/d/e; echo x >/root/d/e/file; lab-fs directory --json --names 4{seed}; '
        'lab-fs lookup --json /root/d/e/file',
        'blocks read to find a name among FCBs and among inode numbers; the disk reads of each name of a path',
        '目录项为 FCB 与为索引结点号时，按名查找平均读多少盘块；沿路径逐级查找各读盘几次',
        'user/lab-fs/ways.cpp fs/ext2/directory.cpp', f2, run=''),
    Row('F3', 'contiguous, linked, FAT, indexed, mixed index', '连续、隐式链接、显式链接（FAT）、索引、混合索引',
        'cd /root; lab-fs levels --write /root --json; echo x >x; cp x f; '
        'for b in 100 5000 1100000; do dd if=x of=f bs=4096 seek=$b conv=notrunc 2>/dev/null; done; '
        'for b in 0 100 5000 1100000; do lab-fs bmap --json f $((b*4096)); done; '
        'lab-fs organisations --json --random 7 --seed {seed}',
        'the largest file of each index level, its last block written and read; the way to a byte with its '
        'disk reads, cold and warm; what each organisation reads for sequential and direct access',
        '各级索引的最大文件及其最后一块的真实读写；到某字节的路径及冷、热读盘次数；各种组织方式顺序与直接存取的读块数',
        'user/lab-fs/bmap.cpp user/lab-fs/organisation.hpp fs/ext2/block_map.hpp', f3, run=''),
    Row('F4', 'free table, free list, bitmap, grouped linking', '空闲表、空闲链、位示图、成组链接',
        'lab-fs free --json; for p in table list bitmap grouped; do '
        'lab-fs free --policy $p --json --random 40 --seed {seed}; done',
        'what each gives out, reads and writes, step by step; in the bitmap (i, j) and b',
        '每一步分配到的盘块、读写次数；位示图给出 (i, j) 与 b', 'fs/free_space/free_space.hpp user/lab-fs/free.cpp', f4),
    Row('F5', 'hard and symbolic links', '硬链接与符号链接',
        'cd /root; blocks() { stat -f -c %f / | (read f; echo $((1000000-f))); }; echo hello >a; ln a b; '
        'ls -li a b | cut -c1-80 | awk "{print \\$3, \\$1, \\$3}"; rm a; cat b; stat -c %h b; ln -s none s; '
        'cat s 2>/dev/null; echo dangling: $?; sync; n=$(blocks); head -c 2000000 /dev/zero >big; ln big big2; rm big; '
        'sync; m=$(blocks); rm big2; sync; echo $n $m $(blocks)',
        'two names with one inode and count 2; blocks come back when the count is 0; a dangling symbolic link',
        '两个名字同一索引结点、计数为 2；计数减为 0 时盘块收回；符号链接悬空', 'fs/ext2/names.cpp fs/vfs_names.cpp', f5),
    Row('F6', 'protection', '存取控制',
        'echo hello >/root/secret; chmod 600 /root/secret; echo shared >/tmp/open; chmod 644 /tmp/open; '
        'su student -c "cat /root/secret; echo x >/root/new; echo allowed: \\$(cat /tmp/open)" 2>&1; '
        'echo root reads it: $(cat /root/secret)',
        "another user's file: EACCES; one whose mode allows it is read", '访问他人文件：EACCES；权限允许的文件可以读',
        'fs/attributes.hpp fs/lookup.hpp', f6),
]
