"""The disk rows of scripts/bench: user/bench-disk on an ext2 file system of its own on an IDE disk (--journal: on an
ext3, and ours on ext2 beside it), here and, with a Linux kernel, there: the same program, the same image, the
same machine. Each kernel
runs twice: under -icount shift=0, where a nanosecond of CPU time is an instruction, and without,
for the elapsed time."""
import gzip
import json
import os
import subprocess
import sys
import tarfile
import tempfile

from linux_guest import cpio

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
MEMORY = '256'
MODULES = ('ata_piix', 'sd_mod', 'crc32c_generic', 'ext4')  # ext4 serves ext2
FILES = 818
SOURCES = ('kernel', 'fs', 'mm', 'drivers', 'boot', 'user', 'tests', 'scripts', 'docs')


def make_image(path, kind='ext2'):
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(os.path.join(folder, 'source.tar'), 'w', format=tarfile.USTAR_FORMAT) as tar:
            names = sorted(os.path.relpath(os.path.join(place, name), ROOT) for folder_ in SOURCES
                           for place, _, files in os.walk(os.path.join(ROOT, folder_)) for name in files
                           if '__pycache__' not in place)
            # As many as when Linux was measured: this tree grows.
            names = [names[i * len(names) // FILES] for i in range(FILES)]
            folders = {'/'.join(name.split('/')[:i]) for name in names for i in range(1, name.count('/') + 1)}
            for name in sorted(folders) + names:
                tar.add(os.path.join(ROOT, name), name, recursive=False)
        with open(path, 'wb') as file:
            file.truncate(512 << 20)
        subprocess.run(['mke2fs', '-q', '-F', '-t', kind, '-b', '4096', '-N', '65536', '-d', folder, path],
                       check=True, env={**os.environ, 'PATH': os.environ['PATH'] + ':/usr/sbin:/sbin'})


def needed(folder):
    """The modules' files, each after those that it depends on."""
    found, order = {}, []
    for place, _, names in os.walk(folder):
        found.update({name.split('.')[0].replace('-', '_'): os.path.join(place, name)
                      for name in names if name.endswith('.ko')})

    def add(name):
        path = found.get(name)
        if path is None:
            sys.exit(f'bench: {folder} has no module {name}')
        if path in order:
            return
        with open(path, 'rb') as file:
            data = file.read()
        start = data.index(b'\0depends=') + 9
        for other in data[start:data.index(b'\0', start)].decode().split(','):
            if other:
                add(other.replace('-', '_'))
        order.append(path)
    for name in MODULES:
        add(name)
    return order


def parse(text):
    rows = [json.loads(line) for line in text.splitlines() if line.startswith('{"name"')]
    if 'done' not in text.split():
        sys.exit('bench: the guest did not get to the end:\n' + text[-2000:])
    return {row['name']: row for row in rows}


def drive(image, index):
    return ['-drive', f'file={image},format=raw,if=ide,index={index},cache=unsafe']


def on_orrery(image, rows, icount, words, kind='ext2'):
    command = f'mount -t {kind} /dev/hd{"a" if icount else "b"} /mnt && bench-disk /mnt {" ".join(rows)} && umount /mnt'
    done = subprocess.run([os.path.join(ROOT, 'scripts/run'), '--mem', MEMORY, *(['--icount', '0'] if icount else []),
                           *(['--append', words] if words else []), '--exec', command, '--',
                           *drive(image, 0 if icount else 1)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True)
    return parse(done.stdout)


def on_linux(image, rows, icount, kernel, modules):
    program = os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build'), 'stripped', 'bin', 'bench-disk')
    files = [('init', program)] + [(f'modules/{i:03}.ko', path) for i, path in enumerate(needed(modules))]
    with tempfile.NamedTemporaryFile(suffix='.gz') as archive:
        archive.write(gzip.compress(cpio(('dev', 'root', 'modules'), {'dev/console': (5, 1)}, files), 1))
        archive.flush()
        words = ('console=ttyS0 mitigations=off quiet panic=-1 tsc=reliable clocksource=tsc rdinit=/init -- '
                 f'--linux /mnt {" ".join(rows)}')
        done = subprocess.run(
            ['qemu-system-i386', '-m', MEMORY, '-display', 'none', '-serial', 'stdio', '-no-reboot', '-nic', 'none',
             *(['-icount', 'shift=0,sleep=off'] if icount else []), '-kernel', kernel, '-initrd', archive.name,
             '-append', words, *drive(image, 0)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors='replace', timeout=3000)
    return parse(done.stdout)


def measure(image, run):
    """CPU time in instructions and elapsed time in milliseconds of each row."""
    found = {}
    for icount in (True, False):
        copy = image + '.copy'
        subprocess.run(['cp', '--sparse=always', image, copy], check=True)
        for name, row in run(copy, icount).items():
            entry = found.setdefault(name, {'operation': row['operation']})
            if icount:
                entry['instructions'] = row['cpu_ns']
            else:
                entry['milliseconds'] = row['elapsed_ns'] / 1e6
        os.unlink(copy)
    return found


def table(systems):
    names = list(systems)
    print(f'{"":44}' + ''.join(f'{name + ": instr.":>18} {"ms":>9}' for name in names)
          + ('   CPU, time of ' + names[-1] if len(names) > 1 else ''))
    for name, row in systems[names[0]].items():
        cells = [systems[other][name] for other in names]
        line = f'{row["operation"]:44}' + ''.join(
            f'{cell["instructions"]:>18,} {cell["milliseconds"]:>9.1f}' for cell in cells)
        if len(names) > 1:
            line += (f'   {100 * cells[0]["instructions"] / cells[-1]["instructions"]:.0f} %, '
                     f'{100 * cells[0]["milliseconds"] / cells[-1]["milliseconds"]:.0f} %')
        print(line)


def run(options):
    systems = {}
    with tempfile.TemporaryDirectory(prefix='orrery', dir=os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build'))) as work:
        image = os.path.join(work, 'image')
        if options.journal:
            make_image(image)
            systems['Orrery, ext2'] = measure(image, lambda copy, icount: on_orrery(copy, options.rows, icount, options.append))
        kind = 'ext3' if options.journal else 'ext2'
        make_image(image, kind)
        here = measure(image, lambda copy, icount: on_orrery(copy, options.rows, icount, options.append, kind))
        systems = {'Orrery': here, **systems}
        if options.linux:
            modules = options.linux_modules or os.path.join(os.path.dirname(options.linux), '..', 'lib', 'modules')
            systems['Linux'] = measure(image, lambda copy, icount: on_linux(copy, options.rows, icount,
                                                                           options.linux, modules))
    if options.json:
        print(json.dumps(systems))
    else:
        table(systems)
