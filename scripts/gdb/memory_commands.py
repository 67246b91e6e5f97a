"""vtop, pt, maps, frame, vmstat, swap, tlb, heap."""
import struct

import gdb

from structures import (DIRECT_MAP, STACK_BYTES, Command, atomic, cpus, direct_map_bytes, enumerator, exactly, find_process,
                        find_thread, has_paging, members, number, pointee, processes, raw, read_physical, space_of, static,
                        symbol, table_words, text, thread_numbers, threads, tree_elements)

PRESENT, PAGE_SIZE = 1, 4096
SLAB_MARK, VIRTUAL_AREA = 0x51AB51AB, 0xF0000000
USER_TOP = 0xC0000000
FLAGS = ((0, 'P'), (1, 'W'), (2, 'U'), (3, 'PWT'), (4, 'PCD'), (5, 'A'), (6, 'D'), (7, 'PS'), (8, 'G'))


def flags(entry):
    return ' '.join(name for bit, name in FLAGS if entry >> bit & 1) or '-'


def told(entry):
    """An entry's flags, or what stands for the page while it is not present."""
    if entry & PRESENT:
        return flags(entry)
    return f'in swap, area {entry >> 1 & 7}, slot {entry >> 12}' if entry >> 11 & 1 else f'not present ({entry:#x})'


class OfProcesses(Command):
    def choices(self, before):
        return None if before else [int(process['pid']) for process in processes()]


def directory_of(space):
    """Physical; the kernel has its address in the direct map."""
    virtual = int(space['state_']['pages']['directory_'])
    return virtual - DIRECT_MAP & 0xFFFFFFFF if virtual else 0


def entries(directory, address=None):
    """(address, entry) of a directory's user half that is not 0; of one table only, with an address."""
    for i, table in enumerate(table_words(directory)[:USER_TOP >> 22]):
        if table & PRESENT and (address is None or address >> 22 == i):
            for j, entry in enumerate(table_words(table & ~0xFFF)):
                if entry:
                    yield i << 22 | j << 12, entry


def entry_of(directory, address):
    table = struct.unpack('<I', read_physical(directory + (address >> 22) * 4))[0]
    if not table & PRESENT:
        return 0
    return struct.unpack('<I', read_physical((table & ~0xFFF) + (address >> 12 & 1023) * 4))[0]


def read_user(space, address, count):
    """Words of a program's memory, or None where they are not in memory that can be read."""
    words = []
    for at in range(address, address + 4 * count, 4):
        entry = entry_of(directory_of(space), at)
        physical = entry & ~0xFFF | at & 0xFFF
        if not entry & PRESENT or physical >= direct_map_bytes():
            return None
        words.append(struct.unpack('<I', read_physical(physical))[0])
    return words


def is_code(space, address):
    """Whether a program may run what is there."""
    return any(raw(region['start']) <= address < raw(region['end']) and int(region['attributes']['protection']) & 4
               for region in tree_elements(space['state_']['regions']['tree_'], 'Region', 'node'))


class VToP(Command):
    """vtop ADDR [TID]: how the MMU translates an address: CR3, directory entry, table entry, frame."""
    usage, kind = 'vtop ADDR [TID]', gdb.COMMAND_DATA

    def choices(self, before):
        return thread_numbers() if before else None

    def run(self, where, tid=None):
        value = gdb.parse_and_eval(where)
        if value.type.strip_typedefs().code not in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR):
            value = value.address  # a variable or a function: where it is
        if value is None:
            raise gdb.GdbError(f'vtop: {where} has no address')
        address = int(value) & 0xFFFFFFFF
        if not tid and not has_paging():
            print(f'linear {address:08x} = physical {address:08x}: paging is not on yet')
            return
        directory = raw(find_thread(tid)['page_directory']) if tid else 0
        if tid and not directory:
            print(f"thread {tid} is the kernel's own: it has no page tables, and runs on those that are loaded")
        directory = directory or int(gdb.parse_and_eval('$cr3')) & 0xFFFFF000
        print('linear %08x = directory %d, table %d, offset 0x%03x' % (
            address, address >> 22, address >> 12 & 1023, address & 0xFFF))
        print('CR3 %08x' % directory)
        entry = struct.unpack('<I', read_physical(directory + (address >> 22) * 4))[0]
        print('PDE %08x  %s' % (entry, flags(entry)))
        if not entry & PRESENT:
            print('not present: a page fault')
            return
        if entry & 0x80:
            print('physical %08x (4 MiB page)' % (entry & 0xFFC00000 | address & 0x3FFFFF))
            return
        entry = entry_of(directory, address)
        print('PTE %08x  %s' % (entry, flags(entry)))
        if not entry & PRESENT:
            print('not present: a page fault' + (f' ({told(entry)})' if entry else ''))
            return
        print('physical %08x (frame 0x%x)' % (entry & 0xFFFFF000 | address & 0xFFF, entry >> 12))


class PageTables(OfProcesses):
    """pt PID [ADDR]: a process's page tables as a tree: each directory entry that is present, and below it its pages,
    those side by side with the same flags in one line; with an address, the table of that address only."""
    usage, kind = 'pt PID [ADDR]', gdb.COMMAND_DATA

    def run(self, pid, address=None):
        directory = directory_of(space_of(find_process(pid)))
        wanted = None if address is None else number(address, 'ADDR') & 0xFFFFFFFF
        if wanted is not None and wanted >= USER_TOP:
            raise gdb.GdbError(f"{wanted:#x} is the kernel's, the same in all processes: vtop {wanted:#x} shows its tables")
        print(f'CR3 {directory:08x}')
        tables = table_words(directory)
        if wanted is not None and not tables[wanted >> 22] & PRESENT:
            print(f'  [{wanted >> 22:4}] no table')
        for i, table in enumerate(tables[:USER_TOP >> 22]):
            if not table & PRESENT or (wanted is not None and wanted >> 22 != i):
                continue
            print(f'  [{i:4}] {i << 22:08x}  table at {table & ~0xFFF:08x}  {flags(table)}')
            self.pages(i, table_words(table & ~0xFFF))

    @staticmethod
    def pages(i, table):
        first = 0
        for j in range(1, len(table) + 1):
            if j < len(table) and follows(table[j - 1], table[j]):
                continue
            if table[first]:
                pages = j - first
                frames = f'frame {table[first] >> 12:#x}' + (f'..{table[j - 1] >> 12:#x}' if pages > 1 else '')
                print(f'         {i << 22 | first << 12:08x}  {pages:4} page{"s" if pages > 1 else " "}  '
                      + (frames + '  ' if table[first] & PRESENT else '') + told(table[first]))
            first = j


def follows(before, entry):
    if not before or not entry:
        return before == entry
    return before & 0xFFF == entry & 0xFFF and entry >> 12 == (before >> 12) + 1


class Maps(OfProcesses):
    """maps PID: the regions of a process's address space: what should be where."""
    usage = 'maps PID'

    def run(self, pid):
        space = space_of(find_process(pid))
        end = 0
        for region in tree_elements(space['state_']['regions']['tree_'], 'Region', 'node'):
            a = region['attributes']
            protection, start = int(a['protection']), raw(region['start'])
            if start < end:
                print(f'  (inconsistent: the next region begins at {start:08x}, within the one before)')
            end = raw(region['end'])
            pager = pointee(a['pager'])
            what = enumerator(a['label']) if enumerator(a['label']) != 'none' else \
                'anonymous' if pager is None else str(exactly(pager).type)
            print(f'{start:08x}-{end:08x} {"r" if protection & 1 else "-"}{"w" if protection & 2 else "-"}'
                  f'{"x" if protection & 4 else "-"}{"s" if a["shared"] else "p"} {(end - start) >> 12:6} pages  {what}'
                  + (f' @{int(pager.address):#x} from page {int(region["page_offset"])}' if pager is not None else ''))


def in_image(at):
    start, end = (int(gdb.parse_and_eval(f'(unsigned)&{name}')) for name in ('__init_end', '__kernel_end'))
    return "of the kernel's image: " + symbol(DIRECT_MAP + (at << 12)) if start <= DIRECT_MAP + (at << 12) < end else ''


def kernels_own(at):
    """What the kernel has a frame for."""
    if at << 12 < direct_map_bytes() and struct.unpack('<I', read_physical(at << 12))[0] == SLAB_MARK:
        return "a slab of the heap's"
    directory = int(static('directory'))
    for i, table in enumerate(table_words(directory - DIRECT_MAP)[VIRTUAL_AREA >> 22:], VIRTUAL_AREA >> 22):
        if table & PRESENT and table >> 12 == at:
            return f'a page table, for {i << 22:08x} and the 4 MiB from there'
        for j, entry in enumerate(table_words(table & ~0xFFF) if table & PRESENT and not table & 0x80 else ()):
            if entry & PRESENT and entry >> 12 == at:
                address = i << 22 | j << 12
                return f'at {address:08x}' + next((f', kernel stack of thread {int(thread["tid"])}' for _, thread in threads()
                                                   if 0 <= address - raw(thread['stack_bottom']) < STACK_BYTES), '')
    return 'by its address in the direct map (a large piece of the heap, a buffer, a table)'


class FrameInfo(Command):
    """frame N: a frame's owner: how many references it has, who maps it, which page of which file it holds, whether
    it may be evicted, or that it is free."""
    usage, kind = 'frame N', gdb.COMMAND_DATA

    def run(self, word):
        at = number(word, 'N')
        most = int(gdb.parse_and_eval('frame_table_size'))
        if not 0 <= at < most:
            raise gdb.GdbError(f'there are frames 0 to {most - 1}')
        info = gdb.parse_and_eval(f'frame_table[{at}]')
        references = int(atomic(info['references']))
        references -= references >> 31 << 32  # fewer than none: it was given back too often
        print(f'frame {at:#x}, physical {at << 12:#010x}, {references} reference{"s" if references != 1 else ""}'
              + (f', a free run of {1 << int(info["order"])} begins here' if info['free'] else ''))
        found = self.mapped(at) + self.cached(at) + self.table(at)
        tracked = gdb.parse_and_eval('tracked_frames')
        if int(tracked):
            page = tracked[at]
            if int(page['node']['next']):
                print(f'  may be evicted: {"shared memory" if int(page["shared"]) else "private, at %08x" % raw(page["address"])}')
        if references < 0:
            print(f'  (inconsistent: {found} users and {references} references)')
        elif not references and not info['free']:
            print('  ' + (in_image(at) or 'within a free run, or not ours to give'))
        elif references and not found:
            print("  no program and no file has it: the kernel's own, " + kernels_own(at))
        elif found > references:
            print(f'  (inconsistent: {found} users and {references} references)')

    @staticmethod
    def mapped(at):
        count = 0
        for process in processes():
            space = pointee(process['space'])
            if space is None or not directory_of(space):
                continue
            for address, entry in entries(directory_of(space)):
                if entry & PRESENT and entry >> 12 == at:
                    print(f'  process {int(process["pid"])} maps it at {address:08x}: {flags(entry)}')
                    count += 1
        return count

    @staticmethod
    def cached(at):
        from file_commands import cached_pages, name_of_cache
        count = 0
        for page in cached_pages():
            if raw(page['frame']) == at:
                print(f'  page {int(page["index"])} of {name_of_cache(page["cache"].dereference())}'
                      + (', dirty' if int(page['dirty']) else ''))
                count += 1
        return count

    @staticmethod
    def table(at):
        for process in processes():
            space = pointee(process['space'])
            if space is None or not directory_of(space):
                continue
            if directory_of(space) >> 12 == at:
                print(f'  page directory of process {int(process["pid"])}')
                return 1
            for i, entry in enumerate(table_words(directory_of(space))[:USER_TOP >> 22]):
                if entry & PRESENT and entry >> 12 == at:
                    print(f'  page table of process {int(process["pid"])}, for {i << 22:08x} and the 4 MiB from there')
                    return 1
        return 0


def shown(title, value):
    """A struct of figures in one line."""
    parts = []
    for field in value.type.strip_typedefs().fields():
        one = value[field]
        if one.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
            one = atomic(one)
        if one.type.strip_typedefs().code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_BOOL):
            parts.append(f'{field.name} {int(one)}')
    print(f'{title:9} {", ".join(parts)}')


class VmStat(Command):
    """vmstat: memory in figures: the page cache, reclaim, load control, swap; and the resident pages of each process."""
    usage = 'vmstat'

    def run(self):
        hash_ = gdb.parse_and_eval('page_hash')
        shown('cache', hash_['totals'])
        shown('cache use', hash_['use'])
        shown('reclaim', gdb.parse_and_eval('reclaim_counts'))
        shown('load', gdb.parse_and_eval('load_counts'))
        shown('swap', gdb.parse_and_eval('swap_counts'))
        for process in processes():
            space = pointee(process['space'])
            if space is not None:
                pages = space['state_']['pages']
                print(f'process {int(process["pid"])}: {int(pages["resident_"])} pages in memory, '
                      f'{int(pages["swapped_"])} in swap')


class Swap(Command):
    """swap: the swap areas, and what is cached of them."""
    usage = 'swap'

    def run(self):
        every, found = static('areas'), 0
        for i in range(every.type.range()[1] + 1):
            area = every[i]
            if int(area['device']):
                found += 1
                print(f'area {i}: {text(area["path"])}, {int(area["usable"])} slots, {int(area["used"])} used, '
                      f'priority {int(area["priority"])}, {int(area["writing"])} requests under way')
        print(f'{int(static("cached_frames"))} frames with the contents of a slot' if found else 'no swap area')


class Tlb(Command):
    """tlb: how often the TLB of each CPU was told to forget: single pages, all of it; how often it asked the other CPUs
    to, and was asked. An entry of a page table that loses rights or its frame, and no change here: what the TLB
    remembers is stale (its contents no debugger can read)."""
    usage = 'tlb'

    def run(self):
        for i, cpu in enumerate(cpus()):
            shown(f'CPU {i}', cpu['tlb'])


class Heap(Command):
    """heap: the kernel's heap: pages, objects and bytes in all, and the slabs with room of each size class."""
    usage = 'heap'

    def run(self):
        slabs = static('slabs')
        shown('heap', slabs['statistics_'])
        for i in range(slabs['partial_'].type.fields()[0].type.range()[1] + 1 if str(slabs['partial_'].type).startswith('std::')
                       else slabs['partial_'].type.range()[1] + 1):
            lists = slabs['partial_']['_M_elems'] if str(slabs['partial_'].type).startswith('std::') else slabs['partial_']
            kind = str(lists[i].type.strip_typedefs())
            name = kind[len('List<'):].partition(', ')[0]
            for slab in members(lists[i], name, 'node'):
                print(f'  cells of {int(slab["cell"]):4}: {int(slab["used"]):3} used in the slab at {int(slab.address):#x}'
                      + ('' if int(slab['magic']) == SLAB_MARK else '  (inconsistent: its mark is gone)'))


for command in (VToP, PageTables, Maps, FrameInfo, VmStat, Swap, Tlb, Heap):
    command()
