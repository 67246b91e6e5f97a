"""scripts/debug: the kernel under GDB, stopped at its first instruction. --help tells the options.

A recorded run is kept in build/record with all it was made of (kernel, image, QEMU's arguments), so
that a replay shows it whatever has been built since. docs/debugging.md tells how to use it.
"""
import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import console
import core_file
import hostlink
import qemu
import run
from monitor import Monitor
from qemu import Failure
from trace_file import BadTrace, load

RECORD = os.path.join(qemu.BUILD, 'record')
CONSOLE = os.path.join(qemu.BUILD, 'console.sock')
SHIFT = 7  # of a recorded run: an instruction takes 2^7 ns
BETWEEN_SNAPSHOTS, SNAPSHOTS = 60_000_000, 10  # instructions; at most, for each takes as much room as the image
COMMANDS = os.path.join(qemu.ROOT, 'scripts', 'gdb', 'orrery.py')


def parse(arguments):
    own, rest = [], []
    parser = argparse.ArgumentParser(
        prog='scripts/debug', allow_abbrev=False, add_help=False,
        usage='scripts/debug [--batch FILE | --wait PORT] [--at TRACE N] [--record | --console]\n                     [--debug-kernel] [OPTIONS of scripts/run]\n'
              '       scripts/debug {--replay [--wait PORT] | --core FILE} [--batch FILE]',
        description='Boots stopped, with GDB attached, symbols and our commands loaded.')
    option = parser.add_argument
    option('--batch', metavar='FILE', help="run the GDB commands in FILE, then end")
    option('--at', nargs=2, metavar=('TRACE', 'N'), help='stand at event N (from 0; or a time, 12.5ms) of the '
           'run that --record --trace TRACE recorded; or run to it, in one of scripts/run --icount --trace TRACE, with '
           'the options and the command of that run')
    option('--record', action='store_true', help='no GDB: run in this terminal, or --exec CMD, and record it all')
    option('--replay', action='store_true', help='the recorded run again, under GDB, which can go '
           'backwards in it')
    option('--core', metavar='FILE', help='the memory that scripts/run --core FILE left of a kernel that panicked or '
           'stood still')
    option('--wait', metavar='PORT', type=int, help='no GDB: the machine waits at this port for the debugger of an editor')
    option('--console', action='store_true', help="from a second terminal: type into the guest that "
           'is being debugged (^] leaves)')
    option('--debug-kernel', action='store_true', help='a kernel made with -Og that checks its locks, in build/debug: '
           'there `next` goes line by line, and `locks` tells who holds what')
    option('--help', '-h', action='help')
    own, rest = parser.parse_known_args(arguments)
    own.run, own.place = run.parse(rest), None
    if own.run.uefi:
        parser.error('--uefi is for scripts/run only: GDB would meet its 64-bit firmware first')
    return own


def listener(port):
    """Where QEMU's debugger server is to listen. Open before QEMU starts: no other program can take the
    port in between, and GDB needn't wait."""
    try:
        listening = socket.create_server(('127.0.0.1', port or 0))
    except (OSError, OverflowError) as error:
        raise Failure(f'--wait {port}: {getattr(error, "strerror", None) or "no port"}') from None
    listening.set_inheritable(True)
    return listening


def gdb_server(listening):
    return ['-S', '-chardev', f'socket,id=gdb,fd={listening.fileno()},server=on,wait=off,nodelay=on',
            '-gdb', 'chardev:gdb']


def stop_commands(place):
    """GDB commands that run until event N of a trace is written: the moment that it is about. Its slot in
    the kernel's ring is written once, so the machine stops once; each stop before would let its clock
    jump under -icount."""
    if not place:
        return []
    trace, number = place
    try:
        slot = trace.slot_of(number)
    except BadTrace as error:
        raise Failure(f'--at: {error}') from None
    return [f'watch *(unsigned *){slot + 8}', 'continue']


def place_of(at):
    """The trace and the number of an event that --at names."""
    if not at:
        return None
    try:
        trace = load(at[0])
        return trace, trace.number_of(at[1])
    except (BadTrace, OSError) as error:
        raise Failure(f'--at: {error}') from None


def with_symbols(kernel):
    with open(kernel, 'rb') as file:
        if b'\0.debug_info\0' not in file.read():
            raise Failure(f'{kernel} has no symbols (it was stripped): GDB could not name anything in it')
    return kernel


def debugger(process, listening, kernel, options, first=('thbreak *kernel_entry', 'continue')):
    """GDB in the foreground, with the machine behind a port; returns its status. --wait: another debugger takes its place."""
    if options.wait:
        print(f'debug: the machine waits for a debugger at 127.0.0.1:{options.wait}', file=sys.stderr)
        try:
            process.wait(options.run.timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        return 0
    return gdb(kernel, options, [f'target remote 127.0.0.1:{listening.getsockname()[1]}', *first,
                                 # First: our commands follow the programs that start, which stops the machine at each.
                                 *stop_commands(options.place)])


def look_at(core, options):
    """--core."""
    core_file.check(core, with_symbols(qemu.KERNEL))
    # The symbols last: GDB warns of each core whose name is not its program's.
    return gdb(None, options, [f'core-file {os.path.abspath(core)}', f'file {qemu.KERNEL}', 'frame'])


def gdb(kernel, options, first):
    batch, timeout = options.batch, options.run.timeout
    if batch and not os.access(batch, os.R_OK):
        raise Failure(f'--batch {batch}: no such file, or not readable', 2)
    commands = ['set confirm off', 'set pagination off', 'set architecture i386', f'directory {qemu.BUILD}',
                'set disassemble-next-line auto', *first]
    command = ['gdb', '-q', '-nx'] + (['-batch'] if batch else []) + ([kernel] if kernel else [])
    for text in commands:
        command += ['-ex', text]
    command += ['-x', COMMANDS]
    command += ['-x', batch] if batch else []
    signal.signal(signal.SIGINT, lambda *_: None)  # ^C is for GDB, which stops the guest by it
    try:
        return subprocess.run(command, timeout=timeout,
                              stdin=subprocess.DEVNULL if batch else None).returncode
    except subprocess.TimeoutExpired:
        raise TimeoutError from None


@contextlib.contextmanager
def hidden_qemu(arguments, **popen):
    """QEMU in a session of its own, which the terminal's ^C doesn't reach; of what it says only
    complaints are shown, at the end."""
    with tempfile.TemporaryFile('w+') as said:
        try:
            with qemu.Qemu(arguments, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                           start_new_session=True, **popen) as process:
                yield process
        finally:
            said.seek(0)
            sys.stderr.writelines(line for line in said if 'terminating on signal' not in line)


def display():
    shown = os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
    return ['-display', 'gtk' if shown else 'none']


def debug(options, scratch):
    settings = options.run
    with_symbols(qemu.KERNEL)
    if options.place and options.place[0].kernel not in ('', qemu.kernel_name(qemu.KERNEL)):
        raise Failure(f'--at: {options.at[0]} was recorded with another build of the kernel: record it again')
    machine = run.Machine(settings, scratch)
    machine.disk()
    listening = listener(options.wait)
    link, serial = None, []
    if settings.exec is None:
        serial = ['-serial', f'unix:{qemu.option_value(CONSOLE)},server=on,wait=off']
        if not options.batch:
            print('debug: the guest\'s terminal: ./scripts/debug --console, in another window')
    else:
        channels = [hostlink.Channel(scratch, name) for name in ('com2', 'virtio')]
        machine.standard_input('null')
        machine.words.append('exec=' + qemu.percent_encoded(settings.exec))
        link = hostlink.HostLink(channels, False, os.open(os.devnull, os.O_RDONLY))
        log = scratch.file('log')
        serial = ['-serial', f'file:{qemu.option_value(log)}', *run.link_arguments(channels)]
    machine.boot()
    try:
        with hidden_qemu([*machine.arguments, *gdb_server(listening), *display(), *serial, *settings.qemu],
                         pass_fds=[*machine.descriptors, listening.fileno()]) as process:
            if link:
                threading.Thread(target=link.serve, args=(process, None), daemon=True).start()
            return debugger(process, listening, qemu.KERNEL, options)
    finally:
        if link:
            run.keep_log(log, settings)
        elif os.path.exists(CONSOLE):
            os.unlink(CONSOLE)


def replayable(mode):
    path = qemu.option_value(os.path.join(RECORD, 'events'))
    snapshots = qemu.option_value(os.path.join(RECORD, 'snapshots.qcow2'))
    return ['-icount', f'shift={SHIFT},rr={mode},rrfile={path},rrsnapshot=init',
            '-drive', f'file={snapshots},if=none,id=rr',
            # Without it QEMU may lock up on a busy host.
            '-global', 'apic-common.vapic=off']


def record(options, scratch):
    settings = options.run
    if settings.icount is not None or settings.disk or settings.iso or settings.smp > 1:
        raise Failure('--record: one CPU and the image as a RAM disk; not with --icount, --disk, --iso or --smp', 2)
    if ' ' in RECORD or ',' in RECORD:
        raise Failure(f'--record: QEMU takes no spaces and commas in {RECORD}')
    shutil.rmtree(RECORD, ignore_errors=True)
    os.makedirs(RECORD)
    kernel, image = (os.path.join(RECORD, name) for name in ('kernel.elf', 'disk.img'))
    shutil.copy(qemu.KERNEL, kernel)
    machine = run.Machine(settings, scratch)
    shutil.copy(machine.image(), image)
    subprocess.run(['qemu-img', 'create', '-q', '-f', 'qcow2',
                    os.path.join(RECORD, 'snapshots.qcow2'), '64M'], check=True)
    words, modules = [*machine.words, 'root=/dev/ram0', *settings.append], f'{image} disk'
    if settings.trace and settings.exec is None:
        raise Failure('--record --trace: of a command only (--exec)', 2)
    if settings.exec is not None:
        words.append('exec=' + qemu.percent_encoded(settings.exec))
        empty = os.path.join(RECORD, 'stdin')
        open(empty, 'w').close()
        modules += f',{empty} stdin'
    arguments = [*machine.arguments, '-kernel', kernel, '-append', ' '.join(words),
                 '-initrd', modules, '-rtc', 'base=2026-01-01T00:00:00,clock=vm',
                 '-display', 'none', *settings.qemu]
    name = os.urandom(8).hex()  # a trace says which recording it is of
    with open(os.path.join(RECORD, 'arguments.json'), 'w') as file:
        json.dump({'arguments': arguments, 'exec': settings.exec is not None, 'name': name}, file)
    if settings.exec is not None:
        return record_command(settings, arguments, name)
    # FIFOs rather than a socket, which is full after 300 single bytes: what QEMU cannot write at once
    # it writes again at a time that it doesn't record.
    channel = hostlink.Channel(scratch, 'serial', sees_end=True)
    print('debug: recording; power the guest off (or type ^]) to end it', file=sys.stderr)
    with hidden_qemu([*arguments, *replayable('record'), '-serial', f'pipe:{channel.path}']):
        # While recording, QEMU reads ahead of the port's 16 bytes, and drops what is beyond.
        console.attach(channel.input, channel.output, careful=True)
    note_size()
    return 0


def wires(folder):
    """Of a recorded command: the log, and the host link (COM2: a virtio console is not replayed), into files, which
    are always writable."""
    return [word for name in ('output', 'link')
            for word in ('-serial', f'file:{qemu.option_value(os.path.join(folder, name))}')]


def record_command(settings, arguments, name):
    with hidden_qemu([*arguments, *replayable('record'), *wires(RECORD)]) as process:
        try:
            process.wait(settings.timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
    note_size()
    status, trace = None, b''
    with open(os.path.join(RECORD, 'link'), 'rb') as file:
        data = file.read()
    for kind, payload in hostlink.frames(data):
        if kind in (b'O', b'E', b'P'):
            os.write(1 if kind == b'O' else 2, payload)
        status = qemu.FAILED if kind == b'P' else payload[0] if kind == b'X' else status
        trace += payload if kind == b'T' else b''
    if settings.trace:
        run.write_trace(trace, settings.trace, name)
        add_snapshots()
    return qemu.FAILED if status is None else status


def recorded_run(what):
    try:
        with open(os.path.join(RECORD, 'arguments.json')) as file:
            recorded = json.load(file)
    except (FileNotFoundError, ValueError):
        raise Failure(f'{what}: nothing is recorded; ./scripts/debug --record does it') from None
    for name in ('events', 'kernel.elf', 'disk.img', 'snapshots.qcow2'):
        path = os.path.join(RECORD, name)
        if not os.path.exists(path):
            raise Failure(f'{what}: the recording has no {name} any more: record it again')
        if name == 'events' and os.path.getsize(path) != recorded.get('size'):
            raise Failure(f"{what}: the recording's log is cut: {path} has {os.path.getsize(path)} bytes of "
                          f'{recorded.get("size", "an unknown number")}: record it again')
    with_symbols(os.path.join(RECORD, 'kernel.elf'))
    return recorded


def note_size():
    """A recording that is whole says so: how long its log is."""
    path = os.path.join(RECORD, 'arguments.json')
    with open(path) as file:
        recorded = json.load(file)
    recorded['size'] = os.path.getsize(os.path.join(RECORD, 'events'))
    with open(path, 'w') as file:
        json.dump(recorded, file)


def stand(options):
    """--at in a recorded run: from the last snapshot before the event on, until it is written."""
    trace, number = options.place
    recorded = recorded_run('--at')
    if recorded.get('name') != trace.recording:
        raise Failure('--at: the run that this trace is of is not there any more: another one was recorded since')
    try:
        return replay(options, recorded, trace.records[number][0] / 1e9)
    except (OSError, TimeoutError):  # a jump that hangs is tried once more, without the jump
        return replay(options, recorded)


def replay(options, recorded, clock=None):
    listening = listener(options.wait)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'monitor')
        first = ['thbreak *kernel_entry', 'continue']
        with replaying(recorded, path, *gdb_server(listening), pass_fds=[listening.fileno()]) as process:
            if clock is not None:
                monitor = Monitor(path)
                before = [count for count, at in monitor.snapshots() if 0 < count and at < clock - 0.002]
                if before:
                    if not monitor.seek(before[-1]):
                        raise TimeoutError
                    first = []
            return debugger(process, listening, os.path.join(RECORD, 'kernel.elf'), options, ['set $orrery_replay = 1', *first])


@contextlib.contextmanager
def replaying(recorded, monitor, *more, **popen):
    again = os.path.join(RECORD, 'again')  # what the replay says is written beside what the run said
    os.makedirs(again, exist_ok=True)
    serial = wires(again) if recorded['exec'] else ['-serial', f'file:{qemu.option_value(os.path.join(again, "output"))}']
    with hidden_qemu([*recorded['arguments'], *replayable('replay'), *serial, *more, '-monitor',
                      f'unix:{qemu.option_value(monitor)},server=on,wait=off'], **popen) as process:
        yield process


def add_snapshots():
    """Of a long run: on the way through it, so that no jump has far to go."""
    recorded = recorded_run('--record')
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'monitor')
        with replaying(recorded, path, '-S'):
            monitor = Monitor(path)
            try:
                for i in range(1, SNAPSHOTS + 1):
                    if not monitor.seek(i * BETWEEN_SNAPSHOTS):
                        return
                    monitor.tell(f'savevm at{i}')
            except OSError:
                pass  # the run ends before


def main():
    options = parse(sys.argv[1:])
    qemu.exit_on_signals()
    try:
        if options.console:
            if not os.path.exists(CONSOLE):
                raise Failure('--console: nothing is being debugged')
            link = console.connect(CONSOLE)  # kept: its descriptor ends with it
            wire = link.fileno()
            console.attach(wire, wire)
            return 0
        if options.core:
            return look_at(options.core, options)
        if options.replay:
            return replay(options, recorded_run('--replay'))
        options.place = place_of(options.at)
        if options.place and options.place[0].recording:
            return stand(options)
        with qemu.Scratch() as scratch:
            return (record if options.record else debug)(options, scratch)
    except Failure as failure:
        print(f'debug: {failure}', file=sys.stderr)
        return failure.status
    except TimeoutError:
        print(f'debug: gave up after {options.run.timeout:g} s', file=sys.stderr)
        return 124


if __name__ == '__main__':
    sys.exit(main())
