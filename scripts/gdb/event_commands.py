"""break-event, break-call: breakpoints whose condition the kernel decides (kernel/trace/watch.hpp)."""
import re

import gdb

from machine_commands import fields
from structures import Command, atomic, cpus

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
    if not int(gdb.parse_and_eval('$cr0')) >> 31 & 1:
        raise gdb.GdbError("the kernel's memory is not there yet: hbreak kernel_main, continue, and then this")


def number_of(word, kind):
    """A number, an expression, or the name of one of the kind's values."""
    if kind == 'state':
        word = f'ThreadState::{word}' if word.isidentifier() else word
    if kind == 'call' and word.isidentifier():
        return call_number(word)
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
        mask = atomic(gdb.parse_and_eval('trace_mask'))
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

    def choices(self):
        return types()

    def run(self, name, rest=''):
        may_write()
        known = types()
        if name not in known or name in ('text', 'lost'):
            raise gdb.GdbError(f'no event {name}; there are {" ".join(sorted(set(known) - {"text", "lost"}))}')
        words = gdb.string_to_argv(rest)
        watches.add(' '.join([name, *words]), name, conditions(name, known[name][2], words))


def call_number(name):
    for symbol in gdb.lookup_static_symbols('(anonymous namespace)::names'):
        table = symbol.value()
        if table.type.strip_typedefs().code == gdb.TYPE_CODE_ARRAY:
            for i in range(table.type.range()[1] + 1):
                if int(table[i]) and table[i].string() == name:
                    return i
    raise gdb.GdbError(f'no system call {name} (completion lists them)')


def parameters(function):
    """(name, type) of a handler's arguments, in order."""
    block = gdb.block_for_pc(int(gdb.parse_and_eval(f"(unsigned)&'{function}'")))
    return [(symbol.name, symbol.type) for symbol in block if symbol.is_argument]


def call_conditions(function, text):
    """The same as conditions of the event `call`, or None: the debugger has to decide."""
    found, own = [], parameters(function)
    if any(kind.strip_typedefs().sizeof > 4 or kind.code == gdb.TYPE_CODE_REF for _, kind in own):
        return None
    names = [name for name, _ in own][:3]
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
    """break-call NAME [CONDITION]: stops where a system call begins, at its handler sys_NAME, whose arguments the condition
    may name: break-call read fd == 0 && count > 100. The kernel decides if it is made of these (== != < <= > >= & and
    numbers, of the first three arguments); else the debugger does, at 3 ms a call, as for `break sys_NAME if`."""
    usage, kind = 'break-call NAME [CONDITION…]', gdb.COMMAND_BREAKPOINTS

    def choices(self):
        listed = gdb.execute('info functions -q -n sys_', to_string=True)
        return [line.split('sys_')[1].split('(')[0] for line in listed.splitlines() if 'sys_' in line]

    def run(self, name, condition=None):
        if name not in self.choices():
            raise gdb.GdbError(f'no system call {name} (completion lists them)')
        function = f'sys_{name}'
        found = None
        if condition and gdb.convenience_variable('orrery_replay') is None:
            found = call_conditions(function, condition)
        if found is None:
            gdb.execute(f'break {function}' + (f' if {condition}' if condition else ''))
            return

        def then():
            gdb.Breakpoint(function, internal=True, temporary=True)
            return False
        watches.add(f'call {name}', 'call', [(0, 0, 0, call_number(name)), *found], then)


for command in (BreakEvent, BreakCall):
    command()
