"""break-event, break-call: breakpoints whose condition the kernel decides (kernel/trace/watch.hpp)."""
import functools
import itertools
import re
import struct

import gdb

from machine_commands import fields
from structures import NO_PAGING, Command, atomic, cpus, has_paging

RELATIONS = ('==', '!=', '<', '<=', '>', '>=', '&')
SIGNED = ('int', 'tid', 'result')
THREAD = 4  # as a field of a condition


def types():
    """Name: (number, category's number, [(field, kind)])."""
    table, found = gdb.parse_and_eval('kTraceTypes'), {}
    for i in range(table.type.range()[1] + 1):
        own = [tuple(field.split(':')) for field in table[i]['fields'].string().split()]
        found[table[i]['name'].string()] = i, int(table[i]['category']), own
    return found


def put(value, number):
    """Writes a word or a byte of the kernel's."""
    gdb.selected_inferior().write_memory(int(value.address), (number & (1 << 8 * value.type.sizeof) - 1).to_bytes(
        value.type.sizeof, 'little'))


def may_write():
    if gdb.convenience_variable('orrery_replay') is not None:
        raise gdb.GdbError('a recorded run cannot be changed, so it has no break-event and break-call; stand at an event '
                           'by ./scripts/debug --at, and go back by tt')
    if not has_paging():
        raise gdb.GdbError(NO_PAGING)


def number_of(word, kind):
    """A number, an expression, or the name of one of the kind's values."""
    if kind == 'state':
        word = f'ThreadState::{word}' if word.isidentifier() else word
    if kind == 'call' and word.isidentifier():
        return call_named(word)[0]
    try:
        return int(gdb.parse_and_eval(word)) & 0xFFFFFFFF
    except gdb.error as error:
        raise gdb.GdbError(f'{word}: a number ({error})') from None


def conditions(name, its_fields, words):
    """[(field, relation, flip, value)]"""
    names, found = [field for field, _ in its_fields] + ['thread'], []
    kinds = [kind for _, kind in its_fields] + ['tid']
    if len(words) % 3:
        raise gdb.GdbError('a condition is FIELD RELATION VALUE, with blanks between')
    for field, relation, value in zip(words[::3], words[1::3], words[2::3]):
        if field not in names or relation not in RELATIONS:
            raise gdb.GdbError(f'{name} has the fields {", ".join(names)}; the relations are {" ".join(RELATIONS)}')
        at = names.index(field)
        place, kind = (THREAD if at == len(its_fields) else at), kinds[at]
        if kind in ('chars', 'text') and relation != '==':
            raise gdb.GdbError(f'{field} is a text: only == is possible')
        if kind == 'text':
            raise gdb.GdbError(f'{field} is the address of a text; a condition takes numbers')
        if kind == 'chars':
            data = value.encode()[:4 * (4 - at)]
            found += [(at + i // 4, 0, 0, int.from_bytes(data[i:i + 4], 'little')) for i in range(0, max(len(data), 1), 4)]
        else:
            found.append((place, RELATIONS.index(relation), 1 << 31 if kind in SIGNED else 0, number_of(value, kind)))
    return found


class EventBreakpoint(gdb.Breakpoint):
    """One of the kernel's watches, with a breakpoint where it calls when an event matches."""

    def __init__(self, title, watch, then=None):
        super().__init__('trace_watch_hit')
        self.title, self.watch, self.then = title, watch, then

    def stop(self):
        if int(gdb.parse_and_eval('which')) != self.watch:  # another one's
            return False
        if self.then is None:
            words = [int(gdb.parse_and_eval(f'words[{i}]')) & 0xFFFFFFFF for i in range(5)]
            name = self.title.split()[0]
            print(f'event {name} {fields(" ".join(":".join(pair) for pair in types()[name][2]), words[:4])}, '
                  f'thread {words[4] - (words[4] >> 31 << 32)}')
            return True
        return self.then()


class Watches:
    """The kernel's array of watches, and who has which."""

    def __init__(self):
        self.taken = {}  # index: EventBreakpoint
        gdb.events.breakpoint_deleted.connect(self.deleted)
        gdb.events.breakpoint_modified.connect(self.modified)

    def add(self, title, kind, found, then=None):
        may_write()
        number, category, _ = types()[kind]
        table = gdb.parse_and_eval('trace_watches')
        most = table['watch'].type.range()[1] + 1
        free = next((i for i in range(most) if i not in self.taken), None)
        if free is None:
            raise gdb.GdbError(f'there are {most} watches, and all are in use: delete a breakpoint of one')
        watch = table['watch'][free]
        if len(found) > watch['condition'].type.range()[1] + 1:
            raise gdb.GdbError(f'{len(found)} conditions; the kernel looks at {watch["condition"].type.range()[1] + 1}')
        for i, (field, relation, flip, value) in enumerate(found):
            one = watch['condition'][i]
            for name, word in (('field', field), ('relation', relation), ('flip', flip), ('value', value)):
                put(one[name], word)
        put(watch['type'], number)
        put(watch['conditions'], len(found))
        for mask in atomic(gdb.parse_and_eval('trace_mask')), table['categories']:
            put(mask, int(mask) | 1 << category)
        self.taken[free] = EventBreakpoint(title, free, then)
        put(watch['active'], 1)
        self.arm()
        return self.taken[free]

    def arm(self):
        """The CPUs' rings are aside while there is a watch."""
        table, wanted = gdb.parse_and_eval('trace_watches'), bool(self.taken)
        for i, cpu in enumerate(cpus()):
            aside, own = table['rings'][i], cpu['trace']
            give, take = (own, aside) if wanted else (aside, own)
            if int(give):
                put(take, int(give))
                put(give, 0)
        put(table['active'], wanted)

    def deleted(self, point):
        for index, own in list(self.taken.items()):
            if own == point:
                del self.taken[index]
                try:
                    put(gdb.parse_and_eval(f'trace_watches.watch[{index}].active'), 0)
                    self.arm()
                except gdb.error:
                    pass  # the machine is gone

    def modified(self, point):
        for index, own in self.taken.items():
            if own == point:
                put(gdb.parse_and_eval(f'trace_watches.watch[{index}].active'), point.enabled)


watches = Watches()


class BreakEvent(Command):
    """break-event NAME [FIELD RELATION VALUE]...: stops where an event of the trace is written, if it is as the conditions
    say, of which there are 4 at most: break-event state thread == 3 to == blocked, break-event mark text == here. The
    fields are the event's, and `thread` (who runs); the relations are == != < <= > >= and & (any bit). The kernel itself
    decides, so what does not match costs no stop. The event's category is traced from then on. delete, enable and disable
    are as for any breakpoint."""
    usage, kind = 'break-event NAME [CONDITION…]', gdb.COMMAND_BREAKPOINTS

    def choices(self, before):
        if not before:
            return set(types()) - {'text', 'lost'}
        own = types().get(before[0], (0, 0, ()))[2]
        return ([field for field, _ in own] + ['thread'], RELATIONS, None)[(len(before) - 1) % 3]

    def run(self, name, rest=''):
        may_write()
        known = types()
        if name not in known or name in ('text', 'lost'):
            raise gdb.GdbError(f'no event {name}; there are {" ".join(sorted(set(known) - {"text", "lost"}))}')
        words = gdb.string_to_argv(rest)
        watches.add(' '.join([name, *words]), name, conditions(name, known[name][2], words))


@functools.cache
def kernel_file():
    """Its bytes, and the program headers: type, offset, virtual address, physical address, size, ..."""
    with open(gdb.current_progspace().filename, 'rb') as file:
        data = file.read()
    first, size, count = *struct.unpack_from('<I', data, 28), *struct.unpack_from('<HH', data, 42)
    return data, [struct.unpack_from('<6I', data, first + i * size) for i in range(count)]


def in_file(address, size):
    """What the kernel has there when it is loaded: the memory of what only its start reads is used again."""
    data, headers = kernel_file()
    for kind, offset, virtual, _, length, _ in headers:
        if kind == 1 and virtual <= address < virtual + length:
            return data[address - virtual + offset:][:size]
    raise gdb.GdbError(f"the kernel's file has nothing for {address:#x}")


def array(first, type_name, count):
    kind = gdb.lookup_type(type_name)
    for i in range(count):
        yield gdb.Value(in_file(first + i * kind.sizeof, kind.sizeof), kind)


@functools.cache
def calls():
    """Name: (number, its handler's name, or None), from the kernel's lists: the handler of getuid32 is sys_getuid."""
    found, (begin, end) = {}, (int(gdb.parse_and_eval(f'(unsigned)&__system_calls_{name}')) for name in ('begin', 'end'))
    for part in array(begin, 'SystemCallList', (end - begin) // gdb.lookup_type('SystemCallList').sizeof):
        for call in array(int(part['first']), 'SystemCall', int(part['count'])):
            name = in_file(int(call['name']), 64).partition(b'\0')[0].decode()
            found[name] = int(call['number']), handler(int(call['entry']))
    return found


def handler(entry):
    """(name, types of its arguments) of the function for which Unpack<&...>::entry was made."""
    # At its first instruction it may be in functions that were made a part of it.
    block, known = gdb.block_for_pc(entry) if entry else None, None
    while block and not known:
        known = re.search(r'((?:\(anonymous namespace\)::)?\bsys_\w+(?:<[^()]*?>)?)(?:\((.*)\)\)>|>)::entry', str(block.function))
        block = block.superblock
    return known and (known[1], re.split(r', (?![^<]*>)', known[2]) if known[2] else None if known[2] is None else [])


def call_named(name):
    if name not in calls():
        raise gdb.GdbError(f'no system call {name} (completion lists them)')
    number, known = calls()[name]
    if not known:
        raise gdb.GdbError(f'{name} is not implemented: the kernel answers ENOSYS')
    return number, *known


def parameters(function, types):
    """(name, type) of a handler's arguments, in order; none if GDB knows of some only."""
    block, base = gdb.block_for_pc(gdb.decode_line(f"'{function}'")[1][0].pc), re.search(r'sys_\w+', function)[0]
    while block and (base not in str(block.function) or str(block.function).startswith('Unpack')):
        block = block.superblock
    found = [(symbol.name, symbol.type) for symbol in block or () if symbol.is_argument]
    if found and block.superblock.function:
        found.reverse()  # GCC tells of an inlined function's arguments from the last to the first
    own = [re.sub(r'^(class|struct) | (?=&)', '', str(kind.strip_typedefs())) for _, kind in found]
    return found if own == types or types is None else []


def call_conditions(function, types, text):
    """The same as conditions of the event `call`, or None: the debugger has to decide."""
    own = list(itertools.takewhile(lambda pair: pair[1].sizeof == 4 and pair[1].code != gdb.TYPE_CODE_REF,
                                   parameters(function, types)))
    found, names = [], [name for name, _ in own][:3]
    for part in re.split(r'\s*&&\s*', text.strip()):
        simple = re.fullmatch(r'(\w+)\s*(==|!=|<=|>=|<|>|&)\s*(-?\w+)', part)
        if not simple or simple[1] not in names:
            return None
        at = names.index(simple[1])
        kind = own[at][1].strip_typedefs()
        flip = 1 << 31 if kind.code == gdb.TYPE_CODE_INT and kind.is_signed else 0
        found.append((1 + at, RELATIONS.index(simple[2]), flip, number_of(simple[3], 'int')))
    return found if len(found) < 4 else None


class BreakCall(Command):
    """break-call NAME [CONDITION]: stops where a system call begins, at its handler (sys_NAME), whose arguments the condition
    may name: break-call read fd == 0 && count > 100. The kernel decides if it is made of these (== != < <= > >= & and
    numbers, of the first three arguments); else the debugger does, at 3 ms a call, as for `break sys_NAME if`."""
    usage, kind = 'break-call NAME [CONDITION…]', gdb.COMMAND_BREAKPOINTS

    def choices(self, before):
        if not before:
            return [name for name, (_, known) in calls().items() if known]
        return [name for name, _ in parameters(*call_named(before[0])[1:])]

    def run(self, name, condition=None):
        number, function, kinds = call_named(name)
        others = [other for other, (_, its) in calls().items() if its and its[0] == function and other != name]
        found = None
        if condition and gdb.convenience_variable('orrery_replay') is None:
            found = call_conditions(function, kinds, condition)
        if found is None:
            gdb.execute(f"break '{function}'" + (f' if {condition}' if condition else ''))
            if others:
                print(f'{function} is also the handler of {", ".join(others)}')
            return

        def then():
            gdb.execute(f"tbreak '{function}'", to_string=True)  # one with a number: the frame is that of an inlined function too
            return False
        watches.add(f'call {name}', 'call', [(0, 0, 0, number), *found], then)


for command in (BreakEvent, BreakCall):
    command()
