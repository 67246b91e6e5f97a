"""Makes the ext2 root image, or changes a copy of one.

    mkimage.py --out IMG --list FILE --busybox FILE --skeleton DIR     a new one
    mkimage.py --into IMG --add HOST:GUEST ...                         one more file or folder each

Everything goes through debugfs rather than `mke2fs -d`: so all belongs to root and carries one fixed
date, on any machine at any time, and the image is the same bytes each time.
"""
import argparse
import os
import re
import stat
import subprocess
import sys
import tempfile

EPOCH = '1767225600'  # 2026-01-01, also the guest's clock under --icount
ENVIRONMENT = {**os.environ, 'PATH': os.environ.get('PATH', '') + ':/usr/sbin:/sbin', 'LC_ALL': 'C',
               'SOURCE_DATE_EPOCH': EPOCH, 'E2FSPROGS_FAKE_TIME': EPOCH}
BLOCK = 4096
SPARE = 8 << 20  # what a new image has free
DIRECTORIES = {'/bin': 0o755, '/dev': 0o755, '/etc': 0o755, '/mnt': 0o755, '/proc': 0o555, '/sys': 0o555,
               '/root': 0o700, '/sbin': 0o755, '/tmp': 0o1777, '/usr': 0o755, '/usr/lib': 0o755,
               '/var': 0o755}


def fail(message):
    sys.exit(f'mkimage: {message}')


def quoted(path):
    if '\n' in path or '"' in path:
        fail(f'a name that debugfs cannot take: {path!r}')
    return f'"{path}"'


def in_real_folder(path, present):
    folder, name = os.path.split(path)
    return os.path.join(resolved(folder, present), name)


def resolved(path, present, depth=16):
    """`path` without symbolic links, as far as `present` knows them: debugfs follows none."""
    if path in ('/', '') or depth == 0:
        return '/'
    path = in_real_folder(path, present)
    kind = present.get(path, '')
    if not kind.startswith('>'):
        return path
    target = os.path.normpath(os.path.join(os.path.dirname(path), kind[1:]))
    return resolved(target, present, depth - 1)


class Script:
    """A debugfs script under construction, and how much room it will need."""

    def __init__(self, present=None):
        self.lines = []
        self.bytes = 0
        self.entries = 0
        self.present = present or {}  # what exists: {guest path: 'file', 'directory', or '>target'}

    def _node(self, path, mode, kind):
        self.lines.append(f'set_inode_field {quoted(path)} mode 0{mode:o}')
        self.entries += 1
        self.present[path] = kind

    def parents(self, path):
        parent = os.path.dirname(path)
        if parent not in ('/', '') and parent not in self.present:
            self.parents(parent)
            self.directory(parent, 0o755)

    def directory(self, path, mode):
        path = resolved(path, self.present)
        if self.present.get(path) != 'directory' and path != '/':
            path = self.replace(path)
            self.lines.append(f'mkdir {quoted(path)}')
            self.bytes += BLOCK
            self._node(path, stat.S_IFDIR | mode, 'directory')

    def replace(self, path):
        """Makes place for `path`; returns what it is without links on the way."""
        path = in_real_folder(path, self.present)
        self.parents(path)
        if self.present.get(path) == 'directory':
            fail(f'{path}: a folder is there')
        if path in self.present:
            self.lines.append(f'rm {quoted(path)}')
        return path

    def file(self, path, host, mode):
        path = self.replace(path)
        # Older versions of debugfs write into the current folder only, and every one takes a new
        # folder of the root's for one of the current folder.
        folder, name = os.path.split(path)
        self.lines += [f'cd {quoted(folder)}', f'write {quoted(host)} {quoted(name)}', 'cd /']
        size = os.path.getsize(host)
        self.bytes += size + size // 256 + 2 * BLOCK
        self._node(path, stat.S_IFREG | mode, 'file')

    def link(self, path, target):
        path = self.replace(path)
        self.lines.append(f'symlink {quoted(path)} {quoted(target)}')
        self.bytes += BLOCK if len(target) >= 60 else 0
        self.entries += 1
        self.present[path] = '>' + target

    def tree(self, host, guest, umask=None):
        """The host's file or folder; modes kept, or those of a check-out with that umask."""
        info = os.lstat(host)
        mode = stat.S_IMODE(info.st_mode)
        if umask is not None:
            mode = (0o777 if mode & 0o100 else 0o666) & ~umask
        if stat.S_ISLNK(info.st_mode):
            self.link(guest, os.readlink(host))
        elif stat.S_ISDIR(info.st_mode):
            self.directory(guest, mode)
            for name in sorted(os.listdir(host)):
                self.tree(os.path.join(host, name), guest.rstrip('/') + '/' + name, umask)
        elif stat.S_ISREG(info.st_mode):
            self.file(guest, host, mode)
        else:
            fail(f'{host}: neither file, folder nor link')


def tool(*command):
    done = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors='replace')
    return done.returncode, done.stdout


def debugfs(image, lines):
    """Runs the commands; any complaint is fatal, for debugfs exits with 0 after errors."""
    with tempfile.NamedTemporaryFile('w', suffix='.debugfs') as script:
        script.write('\n'.join(lines) + '\n')
        script.flush()
        status, output = tool('debugfs', '-w', '-f', script.name, image)
    complaints = [line for line in output.splitlines()
                  if not line.startswith(('debugfs', 'Allocated inode:')) and line.strip()]
    if status or complaints:
        fail(f'{image}: ' + '; '.join(complaints[:3] or [output.strip()]))


def busybox_links(busybox):
    try:
        names = subprocess.run([busybox, '--list'], stdout=subprocess.PIPE, text=True, check=True)
    except OSError as error:
        fail(f'{busybox}: {error.strerror}')
    return [name for name in names.stdout.split() if name not in ('busybox', 'init', 'linuxrc')]


def create(options):
    script = Script()
    for path, mode in DIRECTORIES.items():
        script.directory(path, mode)
    if os.path.isdir(options.skeleton):
        script.tree(options.skeleton, '/', 0o022)
    links = []
    if os.path.exists(options.busybox):
        script.file('/bin/busybox', options.busybox, 0o755)
        links = ['/bin/' + name for name in busybox_links(options.busybox)]
        for path in links:
            script.link(path, 'busybox')
    else:
        print(f'mkimage: no BusyBox at {options.busybox}: the image has no shell', file=sys.stderr)
    for path in ('/usr/bin', '/usr/sbin'):
        script.link(path, '../' + os.path.basename(path))
    with open(options.list) as programs:
        for line in filter(None, programs.read().split('\n')):
            host, guest = line.rsplit(':', 1)
            if guest not in links:  # ours stand in for what this BusyBox lacks
                script.file(guest, host, 0o755)
    megabytes = max(24, -(-(script.bytes + SPARE) // (4 << 20)) * 4)
    scratch = options.out + '.new'
    if os.path.exists(scratch):
        os.unlink(scratch)
    status, output = tool('mke2fs', '-q', '-F', '-t', 'ext2', '-b', str(BLOCK), '-m', '0',
                          '-L', 'orrery', '-U', 'c1061d0b-6f72-7265-7279-000000000001',
                          '-E', 'hash_seed=c1061d0b-6f72-7265-7279-000000000002,root_owner=0:0',
                          '-N', str(max(6144, 2 * script.entries)), scratch, f'{megabytes}M')
    if status:
        fail(output.strip())
    debugfs(scratch, script.lines)
    os.replace(scratch, options.out)


def superblock(image):
    status, output = tool('dumpe2fs', '-h', image)
    if status:
        fail(f'{image}: no ext2 file system')
    return dict(map(str.strip, line.split(':', 1)) for line in output.splitlines() if ':' in line)


def existing(image, paths):
    """What lies at the guest paths and at the folders above them, as Script.present."""
    present, asked = {}, set()
    while True:
        wanted = set()
        for path in paths:
            for at in (path, resolved(path, present), in_real_folder(path, present)):
                while at not in ('/', ''):
                    wanted.add(at)
                    at = os.path.dirname(at)
        ordered = sorted(wanted - asked)
        if not ordered:
            return present
        asked |= wanted
        with tempfile.NamedTemporaryFile('w', suffix='.debugfs') as script:
            script.write(''.join(f'stat {quoted(path)}\n' for path in ordered))
            script.flush()
            _, output = tool('debugfs', '-f', script.name, image)
        for path, answer in zip(ordered, output.split('debugfs: stat ')[1:]):
            kind = re.search(r'^Inode: \d+ +Type: (\w+)', answer, re.M)
            link = re.search(r'^Fast link dest: "(.*)"$', answer, re.M)
            if kind:
                present[path] = '>' + link[1] if link else kind[1]


def paths_of(host, guest):
    yield guest
    if os.path.isdir(host) and not os.path.islink(host):
        for name in os.listdir(host):
            yield from paths_of(os.path.join(host, name), guest.rstrip('/') + '/' + name)


def add(options):
    pairs = []
    for pair in options.add:
        host, colon, guest = pair.rpartition(':')
        if not colon or not host or not guest.startswith('/'):
            fail(f'--add wants HOST:GUEST with an absolute GUEST, not {pair!r}')
        if not os.path.lexists(host):
            fail(f'--add: {host}: no such file')
        # Like cp: a folder as the target of a file gets it under its own name.
        host = os.path.realpath(host)
        if guest.endswith('/') and not os.path.isdir(host):
            guest += os.path.basename(pair.rpartition(':')[0])
        pairs.append((host, os.path.normpath(guest)))
    present = existing(options.into, [p for pair in pairs for p in paths_of(*pair)])
    pairs = [(h, g + '/' + os.path.basename(h)
              if present.get(resolved(g, present)) == 'directory' and not os.path.isdir(h) else g)
             for h, g in pairs]
    present = existing(options.into, [p for pair in pairs for p in paths_of(*pair)])
    script = Script(present)
    for host, guest in pairs:
        script.tree(host, guest)
    fields = superblock(options.into)
    block = int(fields['Block size'])
    grow = script.bytes + (options.free << 20) - int(fields['Free blocks']) * block
    if grow > 0 or int(fields['Free inodes']) < script.entries:
        # New block groups bring new inodes along.
        size = os.path.getsize(options.into)
        per_inode = size // int(fields['Inode count'])
        lacking = max(0, script.entries - int(fields['Free inodes']))
        size += max(grow + grow // 8, 0) + per_inode * 2 * lacking
        status, output = tool('resize2fs', '-f', options.into, f'{-(-size // (1 << 20))}M')
        if status:
            fail(f'{options.into}: cannot enlarge it: {output.strip()}')
    debugfs(options.into, script.lines)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument('--out')
parser.add_argument('--list')
parser.add_argument('--busybox')
parser.add_argument('--skeleton')
parser.add_argument('--into')
parser.add_argument('--add', action='append', default=[])
parser.add_argument('--free', type=int, default=1, metavar='MIB', help='with --into: so much stays free at least')
arguments = parser.parse_args()
add(arguments) if arguments.into else create(arguments)
