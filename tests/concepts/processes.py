"""The rows of the chapter on processes and threads."""
from row import Output, Row, same, want

TITLE, TITLE_ZH = 'Processes and threads', '进程与线程'

LEGAL = {('new', 'ready'), ('running', 'ready'), ('running', 'blocked'), ('running', 'terminated'),
         ('blocked', 'ready'), ('running', 'suspended-ready'), ('ready', 'suspended-ready'),
         ('running', 'suspended-blocked'), ('blocked', 'suspended-blocked'), ('suspended-blocked', 'blocked'),
         ('suspended-blocked', 'suspended-ready'), ('suspended-ready', 'ready'), ('created', 'ready')}


def p1(output: Output):
    """Ready and blocked threads in linked queues, each followed to its end; the index has them too."""
    output.find(r'^CPU 0 runs ')
    ready = [line for line in output.text.splitlines() if line.strip().startswith('ready')]
    want(ready and all('head -> ' in line and line.endswith('end') for line in ready), 'queues of ready ones')
    chain = max(ready, key=len).split('head -> ')[1].split(' -> ')
    want(len(chain) >= 3, f'fewer than two wait for the CPU: {chain}')
    output.find(r'^  blocked .*head -> .*init @0x')
    indexed = {line.split()[0] for line in output.text.partition('index by number')[2].splitlines() if '->' in line}
    want({link.split()[0] for link in chain[:-1] if not link.startswith('-')} <= indexed, 'the index lacks some')


def p2(output: Output):
    """Every change of state is a legal one, and all seven states are seen."""
    states = set()
    for line in output.trace_lines():
        words = line.split()
        fields = dict(word.split('=', 1) for word in words[4:] if '=' in word)
        if words[3] == 'state' and fields['thread'] != '0':
            move = (fields['from'], fields['to'])
            want(move in LEGAL, f'{move}: {line}')
            states |= set(move)
    same(states, {'new', 'ready', 'running', 'blocked', 'suspended-ready', 'suspended-blocked', 'terminated'},
         'states')


def p3(output: Output):
    """Updates are lost without a primitive, by a split that the trace shows, and never with one."""
    result = output.json()[0]
    processes, updates = result['input']['processes'], result['input']['updates']
    lost = {}
    for row in result['rows']:
        same(row['found'] + row['lost'], row['wanted'], f"{row['what']}, {row['primitive']}: sum")
        if row['what'] != 'wake-up':
            same(row['wanted'], processes * (updates // 10 if row['primitive'] == 'P and V' else updates),
                 f"{row['what']}: updates")
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
        if 'lost: ' in line:
            want(words[0] in taken_away, f'nobody took the CPU from {words[0]} before: {line}')
            marks += 1
    want(marks >= len(result['interleavings']) > 0, f'{marks} marks of a loss in the trace')


def carried(output: Output):
    result = output.json()[0]
    rows = {row['means']: row for row in result['rows']}
    for row in rows.values():
        same(row['wrong'], 0, f"{row['means']}: wrong items")
    return result['input']['items'], rows


def p4(output: Output):
    items, rows = carried(output)
    want(rows['shared']['copies'] < 0.2 and rows['mapped']['copies'] < 0.2, 'shared memory is copied')
    same(rows['shared']['system_calls'], 4 * items, 'two P and two V an item')


def p5(output: Output):
    items, rows = carried(output)
    want(1.9 < rows['pipe']['copies'] < 2.3, 'a pipe copies in and out')
    want(rows['pipe']['blocks'] > 0 or items < 8, 'nobody blocked')
    output.find(r'^broken pipe: 141$')
    output.find(r'^end of file: 3$')


def p6(output: Output):
    items, rows = carried(output)
    same(rows['mailbox']['system_calls'], 2 * items, 'mailbox: a send and a receive an item')
    words = rows['direct']['items'] * output.json()[0]['input']['bytes'] // 4
    want(2 * words <= rows['direct']['system_calls'] <= 2.07 * words + 2, 'direct: a send and a receive a word')
    want(rows['direct']['blocks'] > 0, 'direct: nobody waited for a message')


def p7(output: Output):
    rows = {row['model']: row for row in output.json()[0]['rows']}
    want(rows['1:1']['one_blocked'] > 0 and rows['1:1']['all_blocked'] > 0, '1:1 stops with one')
    same((rows['N:1']['one_blocked'], rows['N:1']['all_blocked']), (0, 0), 'N:1 goes on while one is blocked')
    want(rows['N:M']['one_blocked'] > 0 and rows['N:M']['all_blocked'] == 0, 'N:M')
    want(rows['N:1']['switch'] < rows['N:M']['switch'] < rows['1:1']['switch'], 'cost of a switch')


def p8(output: Output):
    output.find(r'^zombie: Z$')
    output.find(r'^status 7, signal 137$')
    output.find(r'^orphan: its parent is 1$')
    output.find(r'^real.*\d')
    output.find(r'^user.*\d')


IPC = 'user/lab-ipc/main.cpp '
ROWS = [
    Row('P1', 'PCB; linked and indexed organisation', 'PCB；链接方式与索引方式', '',
        'the linked queues of ready and blocked threads, and the index of processes by number, in the debugger',
        '调试器中：就绪队列、阻塞队列（链接）与按进程号的索引', 'scripts/gdb/thread_commands.py kernel/lib/list.hpp kernel/proc/process_table.hpp',
        p1, host='./scripts/debug --timeout 100 --batch tests/concepts/runq.gdb '
                 "--exec 'for i in 1 2 3; do while :; do :; done & done; sleep 0.2; kill $!'"),
    Row('P2', 'five states, suspension', '进程的五种状态与挂起',
        'sh -c "while :; do :; done" & p=$!; sleep 0.5 & q=$!; cd /proc/sys/kernel/sched; sleep 0.05; '
        'echo $p >suspend; echo $q >suspend; sleep 0.6; echo $q >resume; echo $p >resume; sleep 0.05; kill $p; wait; true',
        'every change of state with its reason; the state diagram is in ./scripts/trace report run.json',
        '每次状态转换及其原因；状态图见 ./scripts/trace report run.json',
        'kernel/sched/scheduler.cpp scripts/trace_model.py', p2, trace=True,
        run='--icount --append trace=process,sched'),
    Row('P3', 'primitives', '原语',
        'lab-primitive --json --random 9000 --seed {seed}',
        'a counter, a queue of PCBs and a wake-up that lose updates when the timer splits them: how many, '
        'and how it came about; none with a primitive',
        '计数器、PCB 队列、唤醒：被时钟中断打断时丢失多少、如何丢失；使用原语则一次也不丢',
        'user/lab-primitive.cpp kernel/arch/interrupts.hpp kernel/ipc/futex.cpp', p3, trace=True,
        run='--icount --append trace=process,sched,mark'),
    Row('P4', 'shared memory', '共享存储', 'lab-ipc --json --random 600 --seed {seed} alone shared mapped',
        'items that nobody copies: copies, calls, switches, blocks', '不复制数据：复制次数、系统调用、切换、阻塞次数',
        IPC + 'user/lab-ipc/shared.cpp kernel/ipc/shared_memory.cpp', p4),
    Row('P5', 'pipe', '管道',
        'lab-ipc --json --random 600 --seed {seed} pipe; '
        '{ { sh -c "while :; do echo; done"; echo "broken pipe: $?" >&3; } | true; } 3>&1; '
        'echo "end of file: $(seq 3 | wc -l)"',
        'blocks when full or empty; SIGPIPE; end of file', '写满则阻塞、空则阻塞；SIGPIPE；文件结束',
        IPC + 'kernel/ipc/pipe.cpp', p5),
    Row('P6', 'messages: direct, and mailbox', '消息传递：直接通信、间接通信（信箱）',
        'lab-ipc --json --random 600 --seed {seed} direct mailbox',
        "words to a process by its number into that process's own queue; messages through a mailbox",
        '按进程号直接发送，消息进入接收进程自己的队列；或经信箱', IPC + 'user/lab-ipc/channels.cpp kernel/ipc/message_queue.cpp', p6),
    Row('P7', 'threads: N:1, 1:1, N:M', '线程：用户级、内核级、组合', 'lab-threads --steps 20000 --json',
        'one program in three models: who stops when a thread blocks; cost of a thread and a switch',
        '同一程序的三种模型：一个线程阻塞时谁停下；创建与切换的代价',
        'user/lab-threads/main.cpp user/lab-threads/many_to_one.cpp user/lab-threads/many_to_many.cpp', p7,
        run='--icount 0'),
    Row('P8', 'termination: zombie, exit status, accounting, orphan', '进程终止：僵尸、退出码、记账、孤儿',
        'sh -c "sleep 0.1 & exec sleep 0.4" & sleep 0.2; '
        'grep -l "State:.Z" /proc/[0-9]*/status >/dev/null && echo zombie: Z; wait; '
        '(exit 7); a=$?; sh -c "kill -9 \\$\\$"; echo "status $a, signal $?"; '
        'sh -c "sleep 0.2 & echo \\$! >/tmp/orphan"; '
        'echo "orphan: its parent is $(grep PPid /proc/$(cat /tmp/orphan)/status | tr -dc 0-9)"; { time true; } 2>&1',
        'a zombie until its parent asks, exit status and signal, an orphan that init adopts, time',
        '父进程取走退出码前为僵尸；退出码与信号；孤儿由 init 收养；time 记账', 'kernel/proc/exit.cpp', p8),
]
