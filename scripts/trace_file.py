"""The trace as the kernel sends it (kernel/trace/reader.hpp), and as we keep it in a file: Chrome-
trace JSON for Perfetto, with the events themselves beside it under "orrery", from which everything
else here derives.

What events and arguments mean is in the trace's own header; only the names used by trace_model.py
are known to these scripts.
"""
import json
import re
import struct

RECORD = struct.Struct('<QBBHi4I')
MAGIC = b'orrery-trace 1\n'


class BadTrace(Exception):
    """Not a trace, with the reason."""


def signed(value):
    return value - (1 << 32) if value & 0x80000000 else value


def characters(words):
    return b''.join(w.to_bytes(4, 'little') for w in words).rstrip(b'\0').decode(errors='replace')


class Event:
    """One event: time in nanoseconds of the system, cpu, name, tid of who ran, arguments by name."""
    __slots__ = ('time', 'cpu', 'name', 'tid', 'arguments')

    def __init__(self, time, cpu, name, tid, arguments):
        self.time, self.cpu, self.name, self.tid, self.arguments = time, cpu, name, tid, arguments

    def __getitem__(self, field):
        return self.arguments[field]


class Trace:
    def __init__(self):
        self.khz, self.origin, self.cpus, self.lost = 1000000, 0, 1, 0
        self.ring = self.rare = 0  # addresses of the first CPU's rings; 0: not known
        self.recording = ''  # which one of scripts/debug --record it is of; '': none
        self.kernel = ''  # which build of the kernel (qemu.kernel_name); '': not known
        self.types = {}  # number: (category, name, [(field, kind)])
        self.values = {}  # kind: {number: name}
        self.strings = {}  # address: text
        self.records = []  # [tsc, cpu, type, tid, four arguments]

    # --- the kernel's form

    @classmethod
    def from_bytes(cls, data):
        trace = cls()
        end = data.find(b'\n\n')
        if not data.startswith(MAGIC) or end < 0:
            raise BadTrace('this is no trace of the kernel')
        for line in data[len(MAGIC):end].decode().split('\n'):
            trace._head_line(line.split(' '))
        body = memoryview(data)[end + 2:]
        if len(body) % RECORD.size:
            raise BadTrace('the trace ends in the middle of an event')
        announced = None
        for tsc, kind, cpu, _, tid, *arguments in RECORD.iter_unpack(body):
            name = trace.types[kind][1]
            if name == 'text':
                text = characters(arguments[1:])
                before = trace.strings[arguments[0]] if announced == arguments[0] else ''
                trace.strings[arguments[0]] = before + text
                announced = arguments[0]
                continue
            announced = None
            if name == 'lost':
                trace.lost = arguments[0]
            else:
                trace.records.append([tsc, cpu, kind, tid, *arguments])
        return trace

    def _head_line(self, words):
        if words[0] == 'tsc_khz':
            self.khz, self.origin, self.cpus, self.ring, self.rare = (int(word) for word in words[1::2])
        elif words[0] == 'event':
            fields = [tuple(word.split(':')) for word in words[4:] if word]
            self.types[int(words[1])] = (words[2], words[3], fields)
        elif words[0] == 'value':
            self.values.setdefault(words[1], {})[int(words[2])] = ' '.join(words[3:])

    # --- the part of the JSON file

    def to_json(self):
        return {'tsc_khz': self.khz, 'origin': self.origin, 'cpus': self.cpus, 'lost': self.lost,
                'ring': self.ring, 'rare': self.rare, 'recording': self.recording, 'kernel': self.kernel,
                'types': self.types, 'values': self.values, 'strings': self.strings,
                'events': self.records}

    @classmethod
    def from_json(cls, part):
        trace = cls()
        trace.khz, trace.origin = part['tsc_khz'], part['origin']
        trace.cpus, trace.lost, trace.ring = part['cpus'], part['lost'], part.get('ring', 0)
        trace.rare = part.get('rare', 0)
        trace.recording, trace.kernel = part.get('recording', ''), part.get('kernel', '')
        trace.types = {int(n): (c, name, [tuple(f) for f in fields])
                       for n, (c, name, fields) in part['types'].items()}
        trace.values = {kind: {int(n): name for n, name in names.items()}
                        for kind, names in part['values'].items()}
        trace.strings = {int(a): text for a, text in part['strings'].items()}
        trace.records = part['events']
        return trace

    # --- events

    def _argument(self, kind, words, index):
        value = words[index]
        if kind == 'chars':
            return characters(words[index:])
        if kind == 'text':
            return self.strings.get(value, '')
        if kind in ('int', 'tid', 'result'):
            return signed(value)
        if kind == 'hex':
            return value
        return self.values.get(kind, {}).get(value, value)

    def events(self):
        for tsc, cpu, number, tid, *words in self.records:
            _, name, fields = self.types[number]
            arguments = {field: self._argument(kind, words, i)
                         for i, (field, kind) in enumerate(fields[:4])}
            yield Event((tsc - self.origin) * 1000000 // self.khz, cpu, name, tid, arguments)

    def number_of(self, place):
        """The number of an event, from 0: `place` itself, or the first one at or after a time of the report,
        as in 12.5ms."""
        if place.isdigit() and int(place) < len(self.records):
            return int(place)
        after = re.fullmatch(r'(\d+(?:\.\d+)?)ms', place)
        if not after:
            raise BadTrace(f'{place}: there is no such event; the trace has 0 to {len(self.records) - 1}' if place.isdigit()
                           else f'{place}: the number of an event, from 0, or a time of the report, as in 12.5ms')
        first, wanted = None, round(float(after[1]) * 1e6)
        for number, event in enumerate(self.events()):
            first = event.time if first is None else first
            if event.time - first >= wanted:
                return number
        raise BadTrace(f'{place}: the trace ends before')

    def slot_of(self, number):
        """Where in the kernel's memory event `number` (from 0, in the order of events()) is written."""
        if self.cpus != 1 or not self.ring or not self.rare:
            raise BadTrace('a moment can be found in a trace of one CPU only: run it without --smp')
        if self.lost:
            raise BadTrace(f'{self.lost} events before this trace were overwritten, so its places are not known: record fewer '
                           'kinds (--append trace=sched,process,mark), or give more memory (--mem)')
        rare = [self.types[record[2]][0] == 'process' for record in self.records[:number + 1]]
        return (self.rare if rare[-1] else self.ring) + RECORD.size * (rare.count(rare[-1]) - 1)

    def text_of(self, event):
        def shown(value):
            return value if isinstance(value, str) else hex(value) if abs(value) > 65535 else str(value)
        return event.name + ''.join(f' {f}={shown(v)}' for f, v in event.arguments.items())


def load(path):
    """A trace from either kind of file."""
    with open(path, 'rb') as file:
        data = file.read()
    if data.startswith(MAGIC):
        return Trace.from_bytes(data)
    try:
        return Trace.from_json(json.loads(data)['orrery'])
    except (ValueError, KeyError, TypeError) as error:
        raise BadTrace(f'{path}: no trace that scripts/run --trace made') from error
