"""scripts/run: boots the kernel in QEMU, with a shell or for one command. --help tells the options.

Under --exec, standard output and error are the guest command's, and its status is ours. Otherwise:
124 after a time-out, 125 after a panic or when the run itself fails, 2 for wrong usage.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import time

import console
import core_file
import hostlink
import qemu
from qemu import Failure

SECOND_TERMINAL = 'terminal2'  # FIFOs in the run's folder
FIRST_DESCRIPTOR = 100  # of the files that QEMU inherits
COMMAND_LINE_LIMIT = 15000  # the kernel keeps 16 KiB of it
MEMORY, BESIDE_ROOT = 128, 64  # MiB
VALUE_OPTIONS = ('--exec', '--add', '--disk', '--append', '--smp', '--mem', '--timeout', '--log',
                 '--trace', '--machine', '--core')


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def parse(arguments):
    qemu_arguments = []
    # The value of --exec or --append may be anything, "--" and what starts with a dash included.
    joined, rest = [], iter(arguments)
    for argument in rest:
        if argument == '--':
            qemu_arguments = list(rest)
        elif argument in VALUE_OPTIONS:
            joined += [f'{argument}={value}' for value in [next(rest, None)] if value is not None] \
                or [argument]
        else:
            joined.append(argument)
    parser = argparse.ArgumentParser(
        prog='scripts/run', allow_abbrev=False, usage='scripts/run [OPTIONS] [-- QEMU-ARGUMENTS]',
        description='Builds what is out of date and boots it in QEMU, with a shell in this terminal '
                    '(and a window if there is a display).')
    option = parser.add_argument
    option('--exec', metavar='CMD', help="run /bin/sh -c CMD in the guest, then power off; its "
           "input, output and status are this command's (124: time-out, 125: panic)")
    option('--add', metavar='HOST:GUEST', action='append', default=[], help='use a scratch copy of '
           'the image with this file or folder in it; repeatable')
    option('--disk', metavar='IMG', help='boot from this image; writes persist in it (not with --add)')
    option('--no-disk', action='store_true', help='a machine without a disk')
    option('--append', metavar='STR', action='append', default=[], help='more kernel command line')
    option('--smp', metavar='N', type=positive, default=1, help='processors (default 1)')
    option('--machine', choices=qemu.MACHINES, help="pc has IDE disks (default), q35 "
           'SATA disks behind AHCI, under the same names')
    option('--mem', metavar='MB', type=positive, help=f'memory (default {MEMORY}; with a RAM disk so much more that '
           f'{BESIDE_ROOT} are left beside it)')
    option('--icount', metavar='SHIFT', nargs='?', type=int, const=3, choices=range(11),
           help='a repeatable run: an instruction takes 2^SHIFT ns (default 3; with 0 a tick of the '
           'TSC is one instruction), and the image is a RAM disk unless --disk is given')
    option('--trace', metavar='FILE', help='what the kernel did, as Chrome-trace JSON: for Perfetto, '
           'and for scripts/trace; --append trace=CATEGORIES chooses (default all)')
    option('--timeout', metavar='S', type=float, help='give up after so many seconds')
    option('--core', metavar='FILE', help='with --exec: should the kernel panic, or the time be up, its memory, for '
           'scripts/debug --core')
    option('--terminals', type=int, choices=(1, 2), default=1, help='with 2, a second serial line has a '
           'shell too: ./scripts/run --attach, in another window, is its terminal')
    option('--attach', action='store_true', help='only that: the second terminal of the machine that runs')
    option('--iso', action='store_true', help='boot the ISO with GRUB rather than the kernel itself')
    option('--uefi', metavar='BITS', nargs='?', type=int, const=64, choices=(64, 32), help='boot the ISO from '
           'UEFI of 64 or 32 bits (default 64; 32 takes q35) rather than from a BIOS')
    option('--log', metavar='FILE', help="the kernel's log (default build/run.log)")
    options = parser.parse_args(joined)
    options.qemu = qemu_arguments
    if options.disk and options.no_disk:
        parser.error('--disk and --no-disk exclude each other')
    if options.uefi:
        options.iso = True
        if options.icount is not None:
            parser.error('--uefi and --icount exclude each other: the firmware waits on host time')
        if options.uefi == 32 and options.machine == 'pc':
            parser.error('--uefi 32 takes --machine q35')
    options.machine = options.machine or ('q35' if options.uefi == 32 else 'pc')
    if options.core and options.exec is None:
        parser.error('--core goes with --exec (at a terminal: ^A c, then dump-guest-memory -p FILE)')
    if options.terminals > 1 and (options.exec is not None or options.trace):
        parser.error('--exec and --trace need the second serial line themselves: no --terminals 2')
    return options


class Machine:
    """From the options to QEMU's arguments, and the files it needs."""

    def __init__(self, options, scratch):
        self.options = options
        self.scratch = scratch
        # The kernel's command line. Programs lie at the places that pages tell; at random ones an exec takes QEMU's
        # translator seven times as long.
        self.words = ['norandmaps']
        self.modules = []  # (file, name)
        self.descriptors = []  # that QEMU is to inherit
        self.arguments = qemu.machine(options.mem or MEMORY, options.smp, options.machine)
        self.program = qemu.program(options.uefi)
        if options.uefi:
            self.arguments += qemu.uefi(options.uefi, scratch)
        if options.icount is not None:
            self.arguments += qemu.repeatable(options.icount)
        if options.trace:
            self.words.append('trace=all')

    def image(self):
        """The root disk's image: the built one, --disk's, or a scratch copy with --add's files."""
        image = self.options.disk or qemu.DISK
        if not os.path.isfile(image):
            raise Failure(f'{image}: no such image')
        return self._with_additions(image) if self.options.add else image

    def disk(self):
        options = self.options
        if options.no_disk:
            if options.add:
                raise Failure('--add needs a disk', 2)
            return
        image = self.image()
        scratch = not options.disk and not options.add
        if options.icount is not None and not options.disk:
            if options.mem is None:
                needed = (os.path.getsize(image) >> 20) + BESIDE_ROOT
                self.arguments[self.arguments.index('-m') + 1] = str(max(needed, MEMORY))
            self.modules.append((image, 'disk'))
            self.words.append('root=/dev/ram0')
        else:
            self.arguments += qemu.drive(image, 0, scratch)
            self.words.append('root=/dev/hda')

    def _with_additions(self, image):
        copy = self.scratch.file('disk.img')
        subprocess.run(['cp', '--sparse=always', '--reflink=auto', '--no-preserve=mode', '--',
                        image, copy], check=True)
        add = [part for pair in self.options.add for part in ('--add', pair)]
        mkimage = os.path.join(qemu.ROOT, 'scripts', 'mkimage.py')
        done = subprocess.run([sys.executable, '-EsS', mkimage, '--into', copy, *add])
        if done.returncode:
            raise Failure('--add failed', qemu.FAILED)
        return copy

    def standard_input(self, kind=None):
        """A repeatable run takes its input as a module: nothing must wait on host time."""
        kind = kind or hostlink.standard_input_kind()
        if self.options.icount is None or kind == 'stream':
            return
        copy = self.scratch.file('stdin')
        with open(copy, 'wb') as target:
            if kind == 'file':
                with open(0, 'rb', closefd=False) as source:
                    shutil.copyfileobj(source, target)
        self.modules.append((copy, 'stdin'))

    def boot(self):
        self.words += self.options.append
        line = ' '.join(self.words)
        if len(line) > COMMAND_LINE_LIMIT:
            raise Failure('the command is too long for the kernel command line', 2)
        if self.options.iso:
            self.arguments += ['-cdrom', self._iso(line), '-boot', 'd']
            return
        self.arguments += ['-kernel', self._plain(qemu.KERNEL), '-append', line]
        if self.modules:
            listed = (f'{self._plain(path)} {name}' for path, name in self.modules)
            self.arguments += ['-initrd', ','.join(listed)]

    def _plain(self, path):
        """-kernel and -initrd take no path with a space or a comma. And firmware copies the path
        into the guest's memory, byte by byte: its length must not change a repeatable run."""
        opened = os.open(path, os.O_RDONLY)
        self.descriptors.append(os.dup2(opened, FIRST_DESCRIPTOR + len(self.descriptors)))
        os.close(opened)
        return f'/dev/fd/{self.descriptors[-1]}'

    def _iso(self, line):
        if line == 'norandmaps root=/dev/hda' and not self.modules:  # as any PC boots it
            return qemu.ISO
        folder, iso = self.scratch.file('iso'), self.scratch.file('orrery.iso')
        shutil.copytree(os.path.join(qemu.BUILD, 'iso'), folder)
        quoted = ' '.join("'" + word.replace("'", "'\\''") + "'" for word in line.split())
        lines = [f'multiboot2 /boot/kernel.elf {quoted}']
        for path, name in self.modules:
            shutil.copy(path, os.path.join(folder, 'boot', name))
            lines.append(f'module2 /boot/{name} {name}')
        config = os.path.join(folder, 'boot/grub/grub.cfg')
        with open(config) as file:
            text = file.read()
        with open(config, 'w') as file:
            file.write(text.replace('multiboot2 /boot/kernel.elf root=/dev/hda', '\n'.join(lines)))
        subprocess.run([os.path.join(qemu.ROOT, 'scripts', 'mkiso'), iso, folder], check=True)
        return iso


def keep_log(scratch_log, options):
    """The last run's log stands at build/run.log, whole; of simultaneous runs the last to end."""
    target = options.log or os.path.join(qemu.BUILD, 'run.log')
    try:
        shutil.move(scratch_log, target)
    except FileNotFoundError:
        pass


def log_tail(path):
    try:
        with open(path, errors='replace') as file:
            return ''.join('  ' + line for line in file.readlines()[-12:])
    except FileNotFoundError:
        return ''


def report_ignored_options(log):
    """What the kernel ignored of its command line is said here too: a test must not pass by mistake."""
    try:
        with open(log, errors='replace') as file:
            for line in file:
                said = line.partition('] ')[2]
                if said.startswith('boot: ') and ('unknown, ignored' in said or 'unknown option' in said):
                    print('run: ' + said.rstrip(), file=sys.stderr)
    except FileNotFoundError:
        pass


def link_arguments(channels):
    """The two wires of the host link."""
    return [*channels[0].chardev('com2'), '-serial', 'chardev:com2', *channels[1].chardev('link'),
            # ioeventfd=off: output is done when the notification returns, in guest time.
            '-device', 'virtio-serial-pci,disable-modern=on,ioeventfd=off,vectors=0,max_ports=2',
            # Not a virtconsole: QEMU drops its output when the FIFO is full.
            '-device', 'virtserialport,nr=1,chardev=link']


def keep_trace(link, options):
    """The trace comes whole, when the guest stops: on the way it would disturb the run."""
    if not options.trace:
        return
    write_trace(bytes(link.trace), options.trace)


def write_trace(data, path, recording=''):
    if not data:
        print('run: the guest stopped without sending its trace', file=sys.stderr)
        return
    from trace_chrome import write_chrome
    from trace_file import Trace
    trace = Trace.from_bytes(data)
    trace.recording, trace.kernel = recording, qemu.kernel_name(qemu.KERNEL)
    write_chrome(trace, path)
    if trace.lost:
        print(f'run: the trace holds the last {len(trace.records)} events; {trace.lost} before them '
              'are lost (fewer: --append trace=CATEGORIES, more: --mem)', file=sys.stderr)


def run_command(machine, options, scratch, deadline):
    """--exec: returns the exit status."""
    log = scratch.file('log')
    channels = [hostlink.Channel(scratch, name) for name in ('com2', 'virtio')]
    machine.standard_input()
    machine.words.append('exec=' + qemu.percent_encoded(options.exec))
    machine.boot()
    arguments = [*machine.arguments, '-display', 'none', '-serial', f'file:{qemu.option_value(log)}',
                 *link_arguments(channels), *options.qemu]
    server = link = hostlink.HostLink(channels, endless=options.icount is not None)
    if options.core:
        server = core_file.Keeper(options.core, scratch, link)
        arguments += server.arguments
    errors = scratch.file('qemu.stderr')
    try:
        with open(errors, 'wb') as complaints, \
             qemu.Qemu(arguments, machine.program, stdin=subprocess.DEVNULL, stdout=complaints, stderr=complaints,
                       pass_fds=machine.descriptors) as process:
            server.serve(process, deadline)
        keep_trace(link, options)
        if link.panicked:
            return qemu.FAILED
        if link.status is None:
            with open(errors, errors='replace') as file:
                said = file.read()
            if process.poll() and not log_tail(log):  # an option that it does not take, a port that is taken
                raise Failure('QEMU does not start: ' + said.strip().removeprefix('qemu-system-i386: '))
            raise Failure('the guest stopped without an exit status\n' + said
                          + log_tail(log) + f'(the kernel log: {options.log or "build/run.log"})')
        return link.status
    finally:
        report_ignored_options(log)
        keep_log(log, options)


def run_shell(machine, options, scratch, deadline):
    log = scratch.file('log')
    if sys.stdout.isatty() and not options.iso:
        size = os.get_terminal_size(1)
        machine.words.append(f'tty.size={size.columns}x{size.lines}')
    machine.boot()
    display = [] if os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY') \
        else ['-display', 'none']
    # At a terminal we stand between it and QEMU, to tell the guest when the window's size changes.
    line = None
    wire = ['-chardev', 'stdio,signal=off,id=com1']
    if sys.stdin.isatty() and sys.stdout.isatty() and not options.trace:
        line = hostlink.Channel(scratch, 'terminal', sees_end=True)
        wire = line.chardev('com1')
    wire[1] += f',mux=on,logfile={qemu.option_value(log)}'
    arguments = [*machine.arguments, *display, *wire, '-serial', 'chardev:com1', '-mon', 'chardev=com1']
    if options.terminals == 2:
        second = hostlink.Channel(scratch, SECOND_TERMINAL)
        arguments += [*second.chardev('com2'), '-serial', 'chardev:com2']
        print('run: for the second terminal: ./scripts/run --attach, in another window', file=sys.stderr)
    arguments += options.qemu
    link = None
    if options.trace:
        channels = [hostlink.Channel(scratch, name) for name in ('com2', 'virtio')]
        arguments += link_arguments(channels)
        link = hostlink.HostLink(channels, endless=True, source=os.open(os.devnull, os.O_RDONLY))
    # ^C and ^Z are the guest's.
    try:
        with qemu.Qemu(arguments, machine.program, pass_fds=machine.descriptors) as process:
            if link:
                link.serve(process, deadline)
                keep_trace(link, options)
                return process.wait()
            end_at(deadline)
            if line:
                console.attach(line.input, line.output, leave=None, announce=False)
            return process.wait()
    finally:
        keep_log(log, options)


def end_at(deadline):
    """A TimeoutError then, whatever we wait for."""
    def give_up(*_):
        raise TimeoutError
    if deadline is not None:
        signal.signal(signal.SIGALRM, give_up)
        signal.setitimer(signal.ITIMER_REAL, max(0.001, deadline - time.monotonic()))


def attach_second():
    """--attach: until the machine ends, or ^] is typed."""
    lines = [os.path.join(qemu.BUILD, name, SECOND_TERMINAL) for name in os.listdir(qemu.BUILD)
             if name.startswith('run.')]
    lines = [line for line in lines if os.path.exists(line + '.out')]
    if not lines:
        raise Failure('no machine with a second terminal runs: ./scripts/run --terminals 2 starts one')
    line = max(lines, key=lambda line: os.path.getctime(os.path.dirname(line)))
    print('run: the second terminal; ^] leaves it, and the machine goes on', file=sys.stderr)
    console.attach(os.open(line + '.out', os.O_RDONLY), os.open(line + '.in', os.O_WRONLY))
    return 0


def main():
    started = time.monotonic()
    options = parse(sys.argv[1:])
    deadline = None if options.timeout is None else started + options.timeout
    qemu.exit_on_signals()
    try:
        if options.trace:
            open(options.trace, 'w').close()  # better now than at the end, if it can't be
        if options.attach:
            return attach_second()
        with qemu.Scratch() as scratch:
            machine = Machine(options, scratch)
            machine.disk()
            work = run_shell if options.exec is None else run_command
            return work(machine, options, scratch, deadline)
    except Failure as failure:
        print(f'run: {failure}', file=sys.stderr)
        return failure.status
    except TimeoutError:
        print(f'run: gave up after {options.timeout:g} s', file=sys.stderr)
        return 124
    except OSError as error:
        if not options.trace or error.filename != options.trace:
            raise
        print(f'run: {options.trace}: {error.strerror}', file=sys.stderr)
        return qemu.FAILED
    except hostlink.BrokenOutput:
        # As any program that writes into a closed pipe.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)


if __name__ == '__main__':
    sys.exit(main())
