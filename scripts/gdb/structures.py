"""What all commands share: how the kernel's lists, trees, tables and texts are read, and how a command speaks.

Everything is read from memory through the debugging information, so no offset is written down here. Structures
may be half changed when the machine is stopped, or damaged: what does not fit is said, and the rest shown.
"""
import contextlib
import functools
import os
import re
import struct

import gdb

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIRECT_MAP = 0xC0000000
STACK_BYTES = 2 * 4096
MOST = 100000  # elements of one list: more is a circle


def has_paging():
    """Whether the kernel's memory can be read: not before its first page tables. A core has no CR0."""
    try:
        return bool(int(gdb.parse_and_eval('$cr0')) >> 31 & 1)
    except gdb.error:
        return True


NO_PAGING = "the kernel's memory is not there yet: hbreak kernel_main, continue, and then this"


@contextlib.contextmanager
def told_in_a_line(name):
    """What goes wrong in a command ends in one line, not in an exception of Python."""
    try:
        yield
    except gdb.MemoryError as error:
        why = f'what a pointer leads to is no memory ({error}): the structure is inconsistent, or not made yet'
        raise gdb.GdbError(f'{name}: {why if has_paging() else NO_PAGING}') from None
    except gdb.error as error:
        raise gdb.GdbError(f'{name}: {error}') from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise gdb.GdbError(f'{name}: the structure is inconsistent ({error})') from None


class Command(gdb.Command):
    """A command with fixed words: `usage` names them, [..] those that may be left out, [..…] the rest
    of the line."""

    usage, kind = '', gdb.COMMAND_STATUS

    def __init__(self):
        self.name = ' '.join(self.usage.split()[:2]) if self.usage.startswith('tt ') else self.usage.split()[0]
        super().__init__(self.name, self.kind)

    def choices(self, before):
        """What the word after the words `before` may be, for completion; None: any expression."""
        return None

    def complete(self, text, word):
        before = text.split() if text[-1:].isspace() else text.split()[:-1]
        wanted = self.usage.removeprefix('tt ').split()[1:]
        if not wanted or len(before) >= len(wanted) and '…' not in wanted[-1]:
            return []
        try:
            found = self.choices(before)
        except (gdb.error, gdb.GdbError):
            return []  # nothing is there yet
        if found is None:
            return gdb.COMPLETE_EXPRESSION
        typed = text.split()[len(before)] if len(text.split()) > len(before) else ''
        known = len(typed) - len(word or '')  # of a path GDB asks for what comes after the last slash
        return sorted(choice[known:] for choice in map(str, found) if choice.startswith(typed))

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        wanted = self.usage.removeprefix('tt ').split()[1:]
        if wanted and '…' in wanted[-1]:  # as it stands, blanks and all
            words = argument.split(None, len(wanted) - 1)
        least = sum(not word.startswith('[') for word in wanted)
        if not least <= len(words) <= len(wanted):
            raise gdb.GdbError('usage: ' + self.usage)
        with told_in_a_line(self.name):
            self.run(*words)


def number(word, what):
    try:
        return int(gdb.parse_and_eval(word))
    except gdb.error:
        raise gdb.GdbError(f'{what}: a number, not {word}') from None


def static(name):
    """A variable of an unnamed namespace."""
    return gdb.parse_and_eval(f"'(anonymous namespace)::{name}'")


@functools.cache
def symbols_of(kind):
    """Of the variables of that type; reading all symbols takes a second."""
    listed, symbols = gdb.execute(f'info variables -q -t ^{kind}$', to_string=True), []
    for name in sorted(set(re.findall(rf'\b{kind} (.+);$', listed, re.M))):
        if '[' in name or '<' in name:
            continue
        found = [gdb.lookup_global_symbol(name), *gdb.lookup_static_symbols(name)]
        for symbol_ in {str(one.symtab) + str(one.line): one for one in found if one}.values():
            if symbol_.type.strip_typedefs().name == kind:
                symbols.append((name.removeprefix('(anonymous namespace)::'), symbol_))
    return symbols


def variables(kind):
    """(name, value) of each variable of that type that has a place of its own, in whatever file it is."""
    return [(name, symbol_.value()) for name, symbol_ in symbols_of(kind)]


def field_offset(kind, name):
    for field in kind.fields():
        if field.name == name:
            return field.bitpos // 8
        if field.is_base_class:
            inner = field_offset(field.type, name)
            if inner is not None:
                return inner + field.bitpos // 8
    return None


def object_at(node, element, offset):
    return gdb.Value(int(node) - offset).cast(element.pointer()).dereference()


def members(list_value, type_name, member):
    """The elements of a List<type_name, &type_name::member>."""
    element = gdb.lookup_type(type_name)
    offset = field_offset(element, member)
    head = int(list_value['head_'].address)
    before, node = head, list_value['head_']['next']
    for _ in range(MOST):
        if int(node) in (head, 0):
            return
        if int(node['prev']) != before:
            print(f'  (inconsistent: the node at {int(node):#x} says that {int(node["prev"]):#x} is before it, not {before:#x})')
            return
        yield object_at(node, element, offset)
        before, node = int(node), node['next']
    print(f'  (inconsistent: a list of more than {MOST} elements)')


def tree_elements(tree, type_name, member):
    """The elements of an OrderedTree, in order."""
    element = gdb.lookup_type(type_name)
    offset = field_offset(element, member)
    seen = set()

    def walk(node):
        if int(node) in seen:
            print(f'  (inconsistent: two ways lead to the node at {int(node):#x} of a tree)')
        elif int(node):
            seen.add(int(node))
            yield from walk(node['child'][0])
            yield object_at(node, element, offset)
            yield from walk(node['child'][1])
    return walk(tree['root_'])


def chained(buckets, mask, next_name):
    """The elements of a hash table."""
    seen = set()
    for i in range(int(mask) + 1):
        at = buckets[i]
        while int(at):
            if int(at) in seen:
                print(f'  (inconsistent: bucket {i} leads to {int(at):#x} again)')
                return
            seen.add(int(at))
            yield at.dereference()
            at = at[next_name]


def atomic(value):
    return value['value_'] if 'value_' in [field.name for field in value.type.strip_typedefs().fields()] else value


def raw(value):
    """Of a VirtAddr, PhysAddr, Frame, InodeNo: its number."""
    while value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
        value = value[value.type.strip_typedefs().fields()[0]]
    return int(value) & 0xFFFFFFFFFFFFFFFF


def pointee(value):
    """What a Ref or Box points to, or None."""
    inner = value['pointer_'] if value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT else value
    return inner.dereference() if int(inner) else None


def exactly(value):
    """An object as what it was made as, not as its base class."""
    return value.cast(value.dynamic_type) if value.dynamic_type != value.type else value


def text(value):
    return value.string(errors='replace') if value.type.code == gdb.TYPE_CODE_PTR else \
        bytes(int(value[i]) & 0xFF for i in range(value.type.range()[1] + 1)).split(b'\0')[0].decode(errors='replace')


def enumerator(value):
    return str(value).split('::')[-1]


def read_words(address, count):
    if not count:  # GDB 16 refuses to read nothing
        return ()
    return struct.unpack('<%dI' % count, bytes(gdb.selected_inferior().read_memory(address, 4 * count)))


def read_physical(address, size=4):
    if address >= direct_map_bytes():
        raise gdb.GdbError(f'physical {address:#x} is high memory: the direct map does not reach it')
    return bytes(gdb.selected_inferior().read_memory(DIRECT_MAP + address, size))


def direct_map_bytes():
    return 768 << 20


def table_words(physical):
    """The 1,024 entries of a page table or directory."""
    return struct.unpack('<1024I', read_physical(physical, 4096))


def cpu_count():
    return int(gdb.parse_and_eval('cpu_count.value_'))  # an Atomic


def cpus():
    every = gdb.parse_and_eval('cpus')
    return [every[i].dereference() for i in range(cpu_count())]


def current_cpu():
    """The CPU of the debugger's selected thread: QEMU numbers its CPUs as we do, from 1 on."""
    at = gdb.selected_thread().num - 1 if gdb.selected_thread() else 0
    return cpus()[at if at < cpu_count() else 0]


def current_thread():
    return current_cpu()['current'].dereference()


def processes():
    return members(gdb.parse_and_eval('process_list'), 'Process', 'all_node')


def find_process(word):
    pid = number(word, 'PID')
    for process in processes():
        if int(process['pid']) == pid:
            return process
    raise gdb.GdbError(f'no process {pid} (see ps)')


def threads():
    """(process or None, thread): programs' threads, the kernel's own, and each CPU's idle thread."""
    for process in processes():
        for thread in members(process['threads'], 'Thread', 'process_node'):
            yield process, thread
    for thread in members(static('kernel_threads'), 'Thread', 'process_node'):
        if int(thread['tid']):  # an idle one comes with its CPU
            yield None, thread
    for cpu in cpus():
        if int(cpu['idle']):
            yield None, cpu['idle'].dereference()


def thread_numbers():
    return [int(thread['tid']) for _, thread in threads()]


def find_thread(word):
    tid = number(word, 'TID')
    for _, thread in threads():  # 0: the first CPU's idle thread
        if int(thread['tid']) == tid:
            return thread
    raise gdb.GdbError(f'no thread {tid} (see ps)')


def kernel_stack(thread):
    """Where what it has on its kernel stack begins and ends: of a thread that runs, all of the stack."""
    bottom = int(thread['stack_bottom']['value'])
    top, at = bottom + STACK_BYTES, int(thread['saved_esp'])
    if state(thread) == 'running':
        return bottom, top
    return (at, top) if bottom <= at <= top else (top, top)  # an idle thread's may be the stack of the boot


def state(thread):
    return enumerator(thread['state'])


def space_of(process):
    space = pointee(process['space'])
    if space is None:
        raise gdb.GdbError('it has no address space any more')
    return space


def place(pc):
    """The function and line of an instruction."""
    function = gdb.execute(f'info symbol {pc:#x}', to_string=True).split(' in section')[0]
    if function.startswith('No symbol'):  # a lambda has none in the table
        block = gdb.block_for_pc(pc)
        function = str(block.function) if block and block.function else '?'
    line = gdb.find_pc_line(pc)
    function = without_parameters(function)
    return f'{function} at {os.path.relpath(line.symtab.fullname(), ROOT)}:{line.line}' if line.symtab else function


def without_parameters(function):
    depth = 0
    for i, char in enumerate(function):
        depth += (char == '<') - (char == '>')
        if char == '(' and depth == 0 and not function.startswith('(anonymous', i):
            return function[:i].strip()
    return function.partition(' + ')[0].strip()


def symbol(address):
    found = gdb.execute(f'info symbol {address:#x}', to_string=True).split(' in section')[0].strip()
    return f'{address:#x}' if found.startswith('No symbol') else found

