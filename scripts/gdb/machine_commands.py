"""ktrace, dmesg, gdt, idt, ldt, tss, irq."""
import gdb

from structures import (Command, atomic, cpus, current_thread, find_thread, number, raw, read_words, static, symbol,
                        text, thread_numbers)


class KTrace(Command):
    """ktrace [N]: the last N events (20 unless told) that the kernel recorded, of all CPUs, oldest first, with the time
    before the last one, in ticks of the time-stamp counter."""
    usage = 'ktrace [N]'

    def run(self, count='20'):
        count, events = number(count, 'N'), []
        if count < 1:
            raise gdb.GdbError('N: 1 at least')
        rings = gdb.parse_and_eval("'(anonymous namespace)::rings'")
        for i in range(int(atomic(static('ring_count')))):
            ring = rings[i].dereference()
            shift, written = int(ring['shift_']), int(atomic(ring['written_']))
            for index in range(max(written - min(count, 1 << shift), 0), written):
                event = ring['events_'][index & ((1 << shift) - 1)]
                if int(event['lap']) == ((index >> shift) + 1) & 0xFFFF:  # else it is being written
                    events.append((int(event['tsc']), event))
        events.sort(key=lambda pair: pair[0])
        types = gdb.parse_and_eval('kTraceTypes')
        for tsc, event in events[-count:]:
            if int(event['type']) > types.type.range()[1]:
                print(f'  (inconsistent: an event of the type {int(event["type"])})')
                continue
            info = types[int(event['type'])]
            print(f'{tsc - events[-1][0]:>12} [{int(event["cpu"])}] {int(event["tid"]):6} {info["name"].string()} '
                  + fields(info['fields'].string(), [int(event['args'][i]) & 0xFFFFFFFF for i in range(4)]))


def fields(form, words):
    told, at = [], 0
    for field in form.split():
        name, kind = field.split(':')
        if kind == 'chars':
            chars = b''.join(word.to_bytes(4, 'little') for word in words[at:])
            told.append(f'{name}={chars.rstrip(bytes(1)).decode(errors="replace")}')
            break
        told.append(f'{name}={value(kind, words[at])}')
        at += 1
    return ' '.join(told)


def value(kind, word):
    if kind in ('int', 'tid', 'result'):
        return word - (word >> 31 << 32)
    if kind == 'text':
        return gdb.Value(word).cast(gdb.lookup_type('char').pointer()).string(errors='replace') if word else ''
    if kind == 'state':
        return str(gdb.Value(word).cast(gdb.lookup_type('ThreadState'))).split('::')[-1]
    return f'{word:#x}'


class Dmesg(Command):
    """dmesg: the kernel's log."""
    usage = 'dmesg'

    def run(self):
        ring, written = static('ring'), int(static('written'))
        size = ring.type.range()[1] + 1
        data = bytes(gdb.selected_inferior().read_memory(int(ring.address), size))
        at = written % size
        whole = data[:written] if written <= size else (data[at:] + data[:at]).partition(b'\n')[2]
        for line in whole.decode(errors='replace').splitlines():
            print(line.partition('>')[2] if line.startswith('<') else line)


SYSTEM = {1: 'TSS (16 bits)', 2: 'LDT', 3: 'TSS (16 bits), busy', 4: 'call gate (16 bits)', 5: 'task gate', 9: 'TSS',
          11: 'TSS, busy', 12: 'call gate', 14: 'interrupt gate', 15: 'trap gate'}


def segment(raw_, index):
    low, high = raw_ & 0xFFFFFFFF, raw_ >> 32
    base = low >> 16 | (high & 0xFF) << 16 | high & 0xFF000000
    limit = low & 0xFFFF | high & 0xF0000
    limit = limit << 12 | 0xFFF if high >> 23 & 1 else limit
    kind, privilege = high >> 8 & 15, high >> 13 & 3
    if high >> 12 & 1:
        what = ('code' if kind & 8 else 'data') + (' conforming' if kind & 8 and kind & 4 else ' expand-down' if not kind & 8 and kind & 4 else '')
        what += (' readable' if kind & 2 else '') if kind & 8 else (' writable' if kind & 2 else '')
        what += ', accessed' if kind & 1 else ''
    else:
        what = SYSTEM.get(kind, f'system type {kind}')
    present = '' if high >> 15 & 1 else ', not present'
    return f'{index:4} {index * 8:#06x}  base {base:08x} limit {limit:08x} DPL {privilege}  {what}{present}'


class OfCpus(Command):
    def choices(self, before):
        return range(len(cpus()))

    @staticmethod
    def cpu(word):
        every, at = cpus(), number(word, 'CPU')
        if not 0 <= at < len(every):
            raise gdb.GdbError(f'there are CPUs 0 to {len(every) - 1}')
        return every[at]


class Gdt(OfCpus):
    """gdt [CPU]: the global descriptor table of a CPU (0 unless told), decoded."""
    usage = 'gdt [CPU]'

    def run(self, cpu='0'):
        table = self.cpu(cpu)['gdt']
        for i in range(table.type.range()[1] + 1):
            if int(table[i]):
                print(segment(int(table[i]), i))


class Idt(Command):
    """idt: the interrupt descriptor table: each vector's gate, its privilege, and where it leads; those that lead to the
    same entry code are side by side."""
    usage = 'idt'

    def run(self):
        table, shown = gdb.parse_and_eval("'(anonymous namespace)::idt'"), []
        for vector in range(256):
            entry = int(table[vector])
            low, high = entry & 0xFFFFFFFF, entry >> 32
            kind = high >> 8 & 15
            where = f'TSS {low >> 16:#x}' if kind == 5 else symbol(low & 0xFFFF | high & 0xFFFF0000).partition(' + ')[0]
            what = f'{SYSTEM.get(kind, f"type {kind}")}, DPL {high >> 13 & 3}, {where}' if entry else 'empty'
            what += '' if high >> 15 & 1 or not entry else ', not present'
            if shown and shown[-1][2] == what:
                shown[-1][1] = vector
            else:
                shown.append([vector, vector, what])
        for first, last, what in shown:
            print(f'{first:#04x}       {what}' if first == last else f'{first:#04x}..{last:#04x} {what}')


class Ldt(Command):
    """ldt [TID]: the local descriptor table of a thread's program, decoded."""
    usage = 'ldt [TID]'

    def choices(self, before):
        return thread_numbers()

    def run(self, tid=None):
        thread = find_thread(tid) if tid else current_thread()
        slot = thread['local_descriptors']
        table = atomic(slot.dereference()) if int(slot) else 0
        if not int(table):
            print('it has none')
            return
        count, at = int(table['count']), int(table['entries'])
        words = read_words(at, 2 * count)
        for i in range(count):
            if words[2 * i] or words[2 * i + 1]:
                print(segment(words[2 * i + 1] << 32 | words[2 * i], i))


class TssInfo(OfCpus):
    """tss [CPU]: what a CPU loads on the way into the kernel (SS0:ESP0), and where its double faults go."""
    usage = 'tss [CPU]'

    def run(self, cpu='0'):
        one = self.cpu(cpu)
        print(f'ss0 {int(one["tss"]["ss0"]):#x}  esp0 {int(one["tss"]["esp0"]) & 0xFFFFFFFF:08x} '
              f'(the top of the kernel stack of thread {int(one["current"]["tid"])}: '
              f'{(raw(one["current"]["stack_bottom"]) + 2 * 4096):08x})')
        double = one['double_fault']
        print(f'double fault: eip {symbol(int(double["eip"]) & 0xFFFFFFFF)}, esp {int(double["esp"]) & 0xFFFFFFFF:08x}, '
              f'cr3 {int(double["cr3"]) & 0xFFFFFFFF:08x}')


class Irq(Command):
    """irq: how often each interrupt and exception came, on each CPU."""
    usage = 'irq'

    def run(self):
        every = cpus()
        for field, name, first in (('interrupts', 'interrupt', 0), ('exceptions', 'exception', 0)):
            for i in range(every[0][field].type.range()[1] + 1):
                counts = [int(atomic(cpu[field][i])) for cpu in every]
                if any(counts):
                    print(f'{name} {first + i:3}' + ''.join(f' {count:10}' for count in counts))


for command in (KTrace, Dmesg, Gdt, Idt, Ldt, TssInfo, Irq):
    command()
