"""ps, runq, waitq, locks, regs, bt-thread, bt-all, user-bt."""
import gdb

from structures import (STACK_BYTES, Command, atomic, cpus, current_thread, enumerator, field_offset, find_process,
                        find_thread, kernel_stack, members, object_at, place, processes, read_words, space_of, state, symbol, text,
                        thread_numbers, threads, told_in_a_line, tree_elements, variables)


def link(thread):
    return '%d %s @%#x' % (int(thread['tid']), text(thread['name']), int(thread.address))


USER_TOP = 0xC0000000


class OfThreads(Command):
    def choices(self, before):
        return thread_numbers()


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
                (text(thread['wait_reason']) + woken_in_vain(thread)) if state(thread) == 'blocked' else ''))


def woken_in_vain(thread):
    return ' (inconsistent: it was woken, and sleeps: a wake-up is lost)' if int(thread['permit']) else ''


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
                    print('%-12s %s, signals %s' % (reason, link(thread), 'wake it' if thread['interruptible'] else
                                                    'do not wake it') + woken_in_vain(thread))
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


def waiter_of(thread):
    """The Waiter on its stack that is in a queue, known by its neighbours' links; or None."""
    kind = gdb.lookup_type('Waiter')
    node, owner = field_offset(kind, 'node'), field_offset(kind, 'thread')
    low, high = kernel_stack(thread)
    words = read_words(low, (high - low) // 4)
    at_node = {name: (node + field_offset(gdb.lookup_type('ListNode'), name)) // 4 for name in ('prev', 'next')}
    for i in range(len(words) - kind.sizeof // 4):
        if words[i + owner // 4] != int(thread.address):
            continue
        waiter = object_at(gdb.Value(low + 4 * i), kind, 0)
        where = int(waiter['node'].address)
        links = [words[i + at] for at in at_node.values()]
        try:
            if all(links) and where == int(waiter['node']['prev']['next']) == int(waiter['node']['next']['prev']):
                return waiter
        except gdb.MemoryError:
            continue
    return None


def mutex_of(thread):
    """The Mutex that it waits for: what is in the circle of waiters and on nobody's stack is the head of its queue."""
    waiter = waiter_of(thread)
    if waiter is None:
        return None
    stacks = [int(other['stack_bottom']['value']) for _, other in threads()]
    at = waiter['node'].address
    for _ in range(1000):
        if not any(low <= int(at) < low + STACK_BYTES for low in stacks):
            kind = gdb.lookup_type('Mutex')
            head = gdb.parse_and_eval('(unsigned)&((Mutex *)0)->waiters_.waiters_.head_')
            return object_at(at, kind, int(head))
        at = at['next']
    return None


def has_on_stack(thread, address):
    low, high = kernel_stack(thread)
    return address in read_words(low, (high - low) // 4)


class Locks(Command):
    """locks: the global locks that are taken, with their ranks; who waits for which mutex, and who has it as it seems
    (a thread on whose kernel stack its address lies and that does not wait for it); a circle of these is a deadlock.
    In a kernel that checks locks (scripts/debug --debug-kernel) also what each CPU and each thread holds, outermost
    first."""
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
        self.waits()
        try:
            each = gdb.parse_and_eval("'(anonymous namespace)::held_by_cpu'")
        except gdb.error:
            return
        for i, _ in enumerate(cpus()):
            self.held(each[i], f'CPU {i}')

    def waits(self):
        waiting = {}  # TID: (who, the mutex)
        for _, thread in threads():
            if state(thread).endswith('blocked') and text(thread['wait_reason']) == 'mutex':
                waiting[int(thread['tid'])] = link(thread), mutex_of(thread)
        stops = {}  # TID: the TID of who has what it waits for
        for tid, (who, mutex) in waiting.items():
            if mutex is None:
                print(f'{who} waits for a mutex: bt-thread {tid} says where')
                continue
            at = int(mutex.address)
            print(f'{who} waits for the mutex {symbol(at)}, rank {enumerator(mutex["rank_"])}'
                  + ('' if int(atomic(mutex['state_'])) else ' (inconsistent: nobody has taken it)'))
            for _, other in threads():
                same = waiting.get(int(other['tid']), (0, None))[1]
                if state(other) != 'terminated' and int(other['tid']) != tid and has_on_stack(other, at) \
                        and (same is None or int(same.address) != at):
                    print(f'    {link(other)} seems to have it')
                    stops[tid] = int(other['tid'])
        self.circle(stops)

    @staticmethod
    def circle(stops):
        for first in stops:
            path, at = [first], stops[first]
            while at in stops and at not in path:
                path.append(at)
                at = stops[at]
            if at == first and first == min(path):
                print('a deadlock: ' + ' waits for '.join(map(str, path + [first])))

    @staticmethod
    def held(locks, who):
        for i in range(int(locks['depth'])):
            one = locks['held'][i]
            print(f'{who} holds {symbol(int(one["lock"]))}, rank {enumerator(one["rank"])}')


def frame_of(thread):
    if int(thread['process']) == 0:
        raise gdb.GdbError('a kernel thread: there is no user frame')
    kind = gdb.lookup_type('TrapFrame')
    top = int(thread['stack_bottom']['value']) + STACK_BYTES
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
        print('#%-2d 0x%08x in %s' % (depth, pc, place(pc - 1)))  # in the call that returns there
        if not bottom <= ebp <= bottom + STACK_BYTES - 8:
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
    scripts/debug loads when the program starts. Of a thread that does not run now the way leads along frame pointers,
    as far as the program keeps them."""
    usage, kind = 'user-bt [TID]', gdb.COMMAND_STACK

    def run(self, tid=None):
        thread = find_thread(tid) if tid else current_thread()
        frame, process = frame_of(thread), thread['process'].dereference()
        # The symbols loaded are of one program, and of no use for another's addresses.
        program = str(gdb.convenience_variable('_program')).strip('"')
        named = program[:15] in [text(one['name']) for one in members(process['threads'], 'Thread', 'process_node')]
        pcs = self.unwound() if named and int(thread.address) == int(current_thread().address) else []
        for depth, pc in enumerate(pcs or self.linked(frame, space_of(process))):
            print('#%-2d 0x%08x in %s' % (depth, pc, place(pc - (depth > 0)) if named else '?'))
        if not named:
            print(f'(the symbols of {text(thread["name"])} are not loaded)')

    @staticmethod
    def unwound():
        """By GDB, which knows how each function of the program keeps its stack."""
        pcs, frame = [], gdb.newest_frame()
        while frame is not None and len(pcs) < 64:
            pcs += [frame.pc()] if frame.pc() < USER_TOP else []
            frame = frame.older()
        return pcs

    @staticmethod
    def linked(frame, space):
        from memory_commands import is_code, read_user  # these two need each other
        pc, ebp = int(frame['eip']) & 0xFFFFFFFF, int(frame['ebp']) & 0xFFFFFFFF
        for _ in range(64):
            yield pc
            if not ebp:
                return
            words = read_user(space, ebp, 2)
            if words is None:
                print(f'(the frame at {ebp:#x} is not in memory)')
                return
            if words[0] and words[0] <= ebp or not is_code(space, words[1]):
                print(f'(the frame pointer {ebp:#x} leads to no frame: the program keeps none here)')
                return
            ebp, pc = words


class OfNumber(gdb.Function):
    """What has that number, as a pointer: print $thread(3)->permit, print *$process(1)."""

    def __init__(self, name, find):
        self.find = find
        super().__init__(name)

    def invoke(self, *words):
        if len(words) != 1:
            raise gdb.GdbError('one number, as in $thread(3), $process(1)')
        with told_in_a_line('no such number'):
            return self.find(str(int(words[0]))).address


OfNumber('thread', find_thread)
OfNumber('process', find_process)
for command in (Ps, RunQ, WaitQ, Locks, Regs, BtThread, BtAll, UserBt):
    command()
