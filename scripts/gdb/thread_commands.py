"""ps, runq, waitq, locks, regs, bt-thread, bt-all, user-bt."""
import gdb

from structures import (Command, atomic, cpus, current_thread, enumerator, find_thread, members, place,
                        processes, read_words, space_of, state, symbol, text, threads, tree_elements,
                        variables)


def link(thread):
    return '%d %s @%#x' % (int(thread['tid']), text(thread['name']), int(thread.address))


class OfThreads(Command):
    def choices(self):
        return [int(thread['tid']) for _, thread in threads()]


class Ps(Command):
    """ps: processes and threads, with what each one waits for. The kernel's own threads have numbers below 0."""
    usage = 'ps'

    def run(self):
        running = int(current_thread().address)
        print('%1s %5s %5s %5s %-18s %-16s %s' % ('', 'PID', 'TID', 'PPID', 'STATE', 'NAME', 'WAITS FOR'))
        for process, thread in threads():
            parent = process['parent'] if process else 0
            print('%1s %5s %5d %5s %-18s %-16s %s' % (
                '*' if int(thread.address) == running else '', int(process['pid']) if process else '-',
                int(thread['tid']), int(parent['pid']) if int(parent) else '-', state(thread), text(thread['name']),
                text(thread['wait_reason']) if state(thread) == 'blocked' else ''))


def ready_queues(value, name=''):
    """The queues of entities within a policy, whatever it calls them: (name, threads in order)."""
    kind = value.type.strip_typedefs()
    if str(kind).startswith('List<SchedEntity'):
        yield name, members(value, 'SchedEntity', 'queue_node')
    elif str(kind).startswith('OrderedTree<SchedEntity'):
        yield name, tree_elements(value, 'SchedEntity', 'tree_node')
    elif kind.code == gdb.TYPE_CODE_ARRAY:
        for i in range(kind.range()[1] + 1):
            yield from ready_queues(value[i], f'{name}[{i}]')
    elif kind.code == gdb.TYPE_CODE_STRUCT and not str(kind).startswith(('Tunable', 'List', 'OrderedTree')):
        for field in kind.fields():
            if hasattr(field, 'bitpos') and (field.is_base_class or field.name != 'tunables'):
                yield from ready_queues(value[field], name if field.is_base_class else field.name)


class RunQ(Command):
    """runq: the linked queues of TCBs (who runs, the policy of each CPU and who is ready there, in its order; who
    waits for what), and the index of PCBs by number."""
    usage = 'runq'

    def run(self):
        thread_type = gdb.lookup_type('Thread').pointer()
        for i, cpu in enumerate(cpus()):
            run = cpu['queue'].dereference()['run']
            fair = run['fair_'].cast(run['fair_'].dynamic_type).dereference()
            policy = str(fair.type.strip_typedefs()).removeprefix('Named<').removesuffix('>')
            print('CPU %d runs %s, policy %s' % (i, link(cpu['current'].dereference()), policy))
            for chosen in (run, fair):
                for name, entities in ready_queues(chosen):
                    chain = [link(e['owner'].cast(thread_type).dereference()) for e in entities]
                    if chain or chosen is fair:
                        print('  ready %-12s head -> %s' % (name, ' -> '.join(chain + ['end'])))
        for reason, waiting in sorted(sleepers().items()):
            print('  blocked %-10s head -> %s' % (reason, ' -> '.join(map(link, waiting)) + ' -> end'))
        print('index by number')
        for process in processes():
            print('  %5d -> PCB @%#x' % (int(process['pid']), int(process.address)))


def sleepers():
    waiting = {}
    for _, thread in threads():
        if state(thread).endswith('blocked'):
            waiting.setdefault(text(thread['wait_reason']), []).append(thread)
    return waiting


class WaitQ(Command):
    """waitq [QUEUE]: who sleeps on a WaitQueue, in the order in which they are woken (an expression, such as
    ((Process*)0xc1234000)->child_change); without one, all sleepers by what they wait for."""
    usage = 'waitq [QUEUE]'

    def run(self, queue=None):
        if queue is None:
            for reason, waiting in sorted(sleepers().items()):
                for thread in waiting:
                    print('%-12s %s, signals %s' % (reason, link(thread),
                                                    'wake it' if thread['interruptible'] else 'do not wake it'))
            return
        value = gdb.parse_and_eval(queue)
        value = value.dereference() if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR else value
        if str(value.type.strip_typedefs()) != 'WaitQueue':
            raise gdb.GdbError(f'{queue} is a {value.type}, not a WaitQueue')
        for name, what in (('waiters_', 'all are woken'), ('exclusive_', 'one is woken')):
            for waiter in members(value[name], 'Waiter', 'node'):
                thread = waiter['thread']
                print(f'{link(thread.dereference()) if int(thread) else "a watcher @%#x" % int(waiter.address)}: {what}')


LOCKS = {'SpinLock': lambda lock: atomic(lock['taken_']), 'IrqSpinLock': lambda lock: atomic(lock['lock_']['taken_']),
         'Mutex': lambda lock: atomic(lock['state_'])}


class Locks(Command):
    """locks: the global locks that are taken, with their ranks; who waits for a mutex; and, in a kernel that checks
    locks (scripts/debug --debug-kernel), what each CPU and each thread holds, outermost first."""
    usage = 'locks'

    def run(self):
        taken = 0
        for kind, is_taken in LOCKS.items():
            for name, lock in variables(kind):
                if int(is_taken(lock)):
                    taken += 1
                    inner = lock['lock_'] if kind == 'IrqSpinLock' else lock
                    print(f'{kind} {name} is taken, rank {enumerator(inner["rank_"])}')
        if not taken:
            print('no global lock is taken')
        for _, thread in threads():
            if 'held_mutexes' in [field.name for field in thread.type.fields()]:
                self.held(thread['held_mutexes'], link(thread))
            if state(thread).endswith('blocked') and text(thread['wait_reason']) == 'mutex':
                print(f'{link(thread)} waits for a mutex: bt-thread {int(thread["tid"])} says where')
        try:
            each = gdb.parse_and_eval("'(anonymous namespace)::held_by_cpu'")
        except gdb.error:
            return
        for i, _ in enumerate(cpus()):
            self.held(each[i], f'CPU {i}')

    @staticmethod
    def held(locks, who):
        for i in range(int(locks['depth'])):
            one = locks['held'][i]
            print(f'{who} holds {symbol(int(one["lock"]))}, rank {enumerator(one["rank"])}')


def frame_of(thread):
    if int(thread['process']) == 0:
        raise gdb.GdbError('a kernel thread: there is no user frame')
    kind = gdb.lookup_type('TrapFrame')
    top = int(thread['stack_bottom']['value']) + 2 * 4096
    return gdb.Value(top - kind.sizeof).cast(kind.pointer()).dereference()


class Regs(OfThreads):
    """regs [TID]: the registers with which a program entered the kernel (its trap frame)."""
    usage = 'regs [TID]'

    def run(self, tid=None):
        frame = frame_of(find_thread(tid) if tid else current_thread())
        for row in (('eax', 'ebx', 'ecx', 'edx'), ('esi', 'edi', 'ebp', 'user_esp'),
                    ('eip', 'eflags', 'cs', 'user_ss'), ('ds', 'es', 'fs', 'gs'), ('vector', 'error')):
            print('  '.join('%-8s %08x' % (name, int(frame[name]) & 0xFFFFFFFF) for name in row))


def backtrace(thread):
    if any(int(thread.address) == int(cpu['current']) for cpu in cpus()):
        if int(thread.address) == int(current_thread().address):
            gdb.execute('backtrace')
        else:
            print('it runs on another CPU: `info threads` has it')
        return
    # What switch_context pushed: edi esi ebx ebp, and the address it returns to. The kernel keeps frame
    # pointers; following them leaves the debugger's own registers alone.
    bottom = int(thread['stack_bottom']['value'])
    ebp, pc = read_words(int(thread['saved_esp']) + 12, 2)
    depth = 0
    while pc:
        print('#%-2d 0x%08x in %s' % (depth, pc, place(pc)))
        if not bottom <= ebp <= bottom + 2 * 4096 - 8:
            break
        ebp, pc = read_words(ebp, 2)
        depth += 1


class BtThread(OfThreads):
    """bt-thread TID: the backtrace of a thread that isn't running."""
    usage, kind = 'bt-thread TID', gdb.COMMAND_STACK

    def run(self, tid):
        backtrace(find_thread(tid))


class BtAll(Command):
    """bt-all: the kernel backtraces of all threads."""
    usage, kind = 'bt-all', gdb.COMMAND_STACK

    def run(self):
        for _, thread in threads():
            print(f'--- {link(thread)}, {state(thread)}')
            if state(thread) != 'terminated' and int(thread['saved_esp']):
                backtrace(thread)


class UserBt(OfThreads):
    """user-bt [TID]: the calls within a program, from where it entered the kernel. Names need its symbols, which
    scripts/debug loads when the program starts."""
    usage, kind = 'user-bt [TID]', gdb.COMMAND_STACK

    def run(self, tid=None):
        from memory_commands import read_user  # these two need each other
        thread = find_thread(tid) if tid else current_thread()
        frame = frame_of(thread)
        space = space_of(thread['process'].dereference())
        pc, ebp = int(frame['eip']) & 0xFFFFFFFF, int(frame['ebp']) & 0xFFFFFFFF
        for depth in range(64):
            print('#%-2d 0x%08x in %s' % (depth, pc, place(pc + (depth == 0))))
            if not ebp:
                break
            words = read_user(space, ebp, 2)
            if words is None:
                print(f'(the frame at {ebp:#x} is not in memory)')
                break
            if words[0] and words[0] <= ebp:
                print(f'(the frame pointer {ebp:#x} leads to {words[0]:#x}: the program keeps none here)')
                break
            ebp, pc = words


for command in (Ps, RunQ, WaitQ, Locks, Regs, BtThread, BtAll, UserBt):
    command()
