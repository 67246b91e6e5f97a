"""fds, dentry, inode, names, cache, blocks."""
import struct

import gdb

from memory_commands import OfProcesses
from structures import (DIRECT_MAP, Command, atomic, chained, direct_map_bytes, exactly, find_process,
                        number, pointee, raw, variables)

DIRECT_POINTERS = 12
TYPES = {1: 'FIFO', 2: 'character device', 4: 'directory', 6: 'block device', 8: 'regular file', 10: 'symbolic link', 12: 'socket'}


def string(value):
    data, size = value['data_'], int(value['size_'])
    return data.string('utf-8', 'replace', size) if size else ''


def path_of(dentry):
    """The names from the top of its file system on."""
    names = []
    for _ in range(256):
        parent = pointee(dentry['parent_'])
        if parent is None:
            break
        names.append(string(dentry['name_']))
        dentry = parent
    else:
        return '(inconsistent: the names above it do not end)'
    return '/' + '/'.join(reversed(names))


def dentries():
    cache = table_of('DentryCache')
    return chained(cache['buckets'], cache['mask'], 'hash_next_')


def table_of(kind):
    for _, table in variables(kind):
        return table
    raise gdb.GdbError(f'no {kind} in this kernel')


def inode_number(inode):
    exact = exactly(inode)
    return raw(exact['number_']) if 'number_' in field_names(exact.type) else None


def field_names(kind):
    names = []
    for field in kind.fields():
        names += [field.name] if not field.is_base_class else field_names(field.type)
    return names


def told(inode):
    exact, number_ = exactly(inode), inode_number(inode)
    return str(exact.type) + (f' {number_}' if number_ is not None else '') + f' @{int(inode.address):#x}'


class Fds(OfProcesses):
    """fds PID: a process's descriptors: what each is open on, its offset and flags."""
    usage = 'fds PID'

    def run(self, pid):
        table = pointee(find_process(pid)['files'])
        if table is None:
            raise gdb.GdbError('it has no descriptors any more')
        slots = table['slots_']
        for fd in range(int(slots['size_'])):
            slot = slots['data_'][fd]
            file = pointee(slot['file'])
            if file is None:
                continue
            dentry = file['path_']['dentry_']
            print(f'{fd:4}  {exactly(file).type}, offset {int(file["offset_"])}, flags {int(atomic(file["flags_"])):#o}'
                  + (', close on exec' if slot['close_on_exec'] else '')
                  + (f', {path_of(dentry.dereference())} of its file system' if int(dentry) else ''))


class Dentries(Command):
    """dentry PATH: the cached names on the way to a path, from the top of the root file system on, each with its
    inode; a name that is known not to exist is negative. $_inode is the last one's inode then."""
    usage = 'dentry PATH'

    def choices(self, before):
        return [path_of(dentry) for dentry in dentries() if int(atomic(dentry['inode_']))]

    def run(self, path):
        at = find_process('1')['fs']['root']['dentry_'].dereference()
        print(f'/  {told(atomic(at["inode_"]).dereference())}')
        for name in filter(None, path.split('/')):
            child = next((d for d in dentries() if int(d['parent_']['pointer_']) == int(at.address)
                          and string(d['name_']) == name), None)
            if child is None:
                raise gdb.GdbError(f'{name} is not in the cache of names (it may be on the disk, or in another mount)')
            inode, covered = atomic(child['inode_']), int(atomic(child['covered']))
            print(f'{name}  dentry @{int(child.address):#x}, '
                  + (told(inode.dereference()) if int(inode) else 'negative: no such file')
                  + (f', covered by {covered} mount' if covered else ''))
            at = child
            gdb.set_convenience_variable('_inode', inode)


def find_inode(word):
    """By its number, if it has one; else an expression that is its address."""
    wanted = number(word, 'INODE')
    if wanted >= DIRECT_MAP or wanted < 0:
        inode = exactly(gdb.parse_and_eval(f'*(Inode*){wanted & 0xFFFFFFFF:#x}'))
        if str(inode.type) == 'Inode':  # its table of virtual functions is none
            raise gdb.GdbError(f'no inode is at {wanted & 0xFFFFFFFF:#x}')
        return inode
    table = table_of('InodeTable')
    found = [inode for inode in chained(table['buckets'], table['mask'], 'hash_next_') if raw(inode['number_']) == wanted]
    if not found:
        raise gdb.GdbError(f'inode {wanted} is not in memory')
    if len(found) > 1:
        print(f'{len(found)} file systems have one; this is the first (by address: {", ".join(told(i) for i in found)})')
    return exactly(found[0])


class InodeCommand(Command):
    def choices(self, before):
        if before:
            return None
        table = table_of('InodeTable')
        return [raw(inode['number_']) for inode in chained(table['buckets'], table['mask'], 'hash_next_')]


def record_of(inode):
    if 'record_' not in field_names(inode.type):
        raise gdb.GdbError(f'it is a {inode.type}, not an inode of ext2')
    return inode['record_']


class InodeInfo(InodeCommand):
    """inode N: an inode in memory (its number, or an address): type, mode, links, size, references."""
    usage = 'inode N'

    def run(self, word):
        inode = find_inode(word)
        print(f'{told(inode)}, {int(atomic(inode["references_"]))} references')
        if int(inode['alias_']):
            print(f'  known as {path_of(inode["alias_"].dereference())} of its file system')
        if 'record_' in field_names(inode.type):
            record = inode['record_']
            mode = int(record['mode'])
            print(f'  {TYPES.get(mode >> 12, "of no known type")}, mode {mode & 0o7777:04o}, owner '
                  f'{int(record["uid_low"])}:{int(record["gid_low"])}, {int(record["links_count"])} links, '
                  f'{int(record["size_low"])} bytes, {int(record["blocks512"])} sectors')
        if 'cache_' in field_names(inode.type):
            cache = inode['cache_']
            print(f'  cached: {int(cache["pages_"])} pages of {int(cache["size_"])} bytes')


def cached_pages():
    pages = gdb.parse_and_eval('page_hash')
    return chained(pages['buckets'], pages['mask'], 'hash_next') if int(pages['buckets']) else ()


def pages_of(cache):
    page, seen = cache['all_'], set()
    while int(page):
        if int(page) in seen:
            print(f'  (inconsistent: its list of pages leads to {int(page):#x} again)')
            return
        seen.add(int(page))
        yield page.dereference()
        page = page['cache_next']


def name_of_cache(cache):
    inode = cache['inode_']
    return told(inode.dereference()) if int(inode) else f'a cache without an inode @{int(cache.address):#x}'


class Cache(InodeCommand):
    """cache INODE [PAGE]: the pages of a file that are in memory, or that one: page, frame, dirty sectors, who uses them.
    $_frame is the last one's frame then."""
    usage = 'cache INODE [PAGE]'

    def run(self, word, only=None):
        only = None if only is None else number(only, 'PAGE')
        inode = find_inode(word)
        if 'cache_' not in field_names(inode.type):
            raise gdb.GdbError(f'a {inode.type} has no page cache')
        cache, count, found = inode['cache_'], 0, False
        for p in pages_of(cache):
            count += 1
            if only is not None and int(p['index']) != only:
                continue
            found = True
            gdb.set_convenience_variable('_frame', raw(p['frame']))
            words = [word for word in ('filling', 'writing', 'aside', 'ahead') if p[word]]
            words += [f'dirty sectors {int(p["dirty"]):08b}'] if int(p['dirty']) else []
            print(f'  page {int(p["index"]):6}  frame {raw(p["frame"]):#x}  {", ".join(words)}'.rstrip())
        if only is not None and not found:
            raise gdb.GdbError(f'page {only} is not in memory ({count} pages are)')
        said = int(cache['pages_'])
        print(f'{count} pages' + (f' (inconsistent: it says {said})' if said != count else ''))


class Names(InodeCommand):
    """names INODE: the names in a directory of ext2, with their inodes, as far as its pages are in memory; and whether
    its `..` is the directory in which the cache of names has it."""
    usage = 'names INODE'

    def run(self, word):
        inode = find_inode(word)
        if int(record_of(inode)['mode']) >> 12 != 4:
            raise gdb.GdbError(f'{told(inode)} is no directory')
        pages = {int(page['index']): raw(page['frame']) for page in pages_of(inode['cache_'])}
        for index in range((int(record_of(inode)['size_low']) + 4095) // 4096):
            if index not in pages or pages[index] << 12 >= direct_map_bytes():
                print(f'  page {index} is not in memory')
                continue
            for number_, name in entries_of(bytes(gdb.selected_inferior().read_memory(DIRECT_MAP + (pages[index] << 12), 4096))):
                print(f'  {number_:6}  {name}' + (self.checked(inode, number_) if name == '..' else ''))

    @staticmethod
    def checked(inode, number_):
        for dentry in dentries():
            parent = pointee(dentry['parent_'])
            if parent is not None and int(atomic(dentry['inode_'])) == int(inode.address):
                known = inode_number(atomic(parent['inode_']).dereference())
                if known is not None and known != number_:
                    return f'  (inconsistent: by the cache of names it is in {path_of(parent)}, which is inode {known})'
        return ''


def entries_of(page):
    """(inode, name) of the entries in use of a page of a directory."""
    at = 0
    while at < len(page):
        number_, length, name_length = struct.unpack_from('<IHB', page, at)
        if length < 8 or length & 3 or at + length > len(page) or name_length + 8 > length:
            print(f'  (inconsistent: the entry at byte {at} of the page is {length} long, its name {name_length})')
            return
        if number_:
            yield number_, page[at + 8:at + 8 + name_length].decode(errors='replace')
        at += length


class Blocks(InodeCommand):
    """blocks INODE: the index tree of an ext2 inode: 12 direct pointers, then single, double and triple indirect, as far
    as the index blocks are in memory."""
    usage = 'blocks INODE'

    def run(self, word):
        inode = find_inode(word)
        record = record_of(inode)
        fs = exactly(inode['file_system_'].referenced_value())
        geometry = fs['geometry_']
        self.size = 1 << int(geometry['block_shift'])
        cache = fs['metadata_'].referenced_value()
        self.pages = {int(page['index']): raw(page['frame']) for page in cached_pages()
                      if int(page['cache']) == int(cache.address)}
        pointers = [int(record['block'][i]) for i in range(15)]
        for i in range(DIRECT_POINTERS):
            if pointers[i]:
                print(f'  [{i}] block {pointers[i]}')
        for level, name in enumerate(('single', 'double', 'triple'), 1):
            if pointers[11 + level]:
                print(f'  [{11 + level}] {name} indirect')
                self.index(pointers[11 + level], level, 2)

    def index(self, block, level, depth):
        pad = '  ' * depth
        at = block * self.size
        frame = self.pages.get(at >> 12)
        if frame is None or frame << 12 >= direct_map_bytes():
            print(f'{pad}block {block} is not in memory')
            return
        data = bytes(gdb.selected_inferior().read_memory(DIRECT_MAP + (frame << 12) + at % 4096, self.size))
        words = struct.unpack(f'<{self.size // 4}I', data)
        used = [(i, word) for i, word in enumerate(words) if word]
        print(f'{pad}block {block}: {len(used)} of {len(words)} pointers')
        first = None
        for i, word in used:
            if level > 1:
                print(f'{pad}[{i}]')
                self.index(word, level - 1, depth + 1)
            elif first is None or (i - first[0], word - first[1]) != (last[0] - first[0] + 1, last[1] - first[1] + 1):
                if first is not None:
                    run(pad, first, last)
                first = i, word
            last = i, word
        if level == 1 and first is not None:
            run(pad, first, last)


def run(pad, first, last):
    print(f'{pad}  [{first[0]}] block {first[1]}' if first == last else
          f'{pad}  [{first[0]}..{last[0]}] blocks {first[1]}..{last[1]}')


for command in (Fds, Dentries, InodeInfo, Names, Cache, Blocks):
    command()
