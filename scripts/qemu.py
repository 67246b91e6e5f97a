"""What scripts/run and scripts/debug share: the machine, its command line, and its end.

Invariant: a QEMU that we started ends with us, whatever ends us, and leaves nothing but the log.
"""
import hashlib
import os
import shutil
import signal
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build')))
KERNEL = os.environ.get('ORRERY_KERNEL') or os.path.join(BUILD, 'kernel.elf')
DISK = os.environ.get('ORRERY_IMAGE') or os.path.join(BUILD, 'disk.img')  # tests have their own
ISO = os.environ.get('ORRERY_ISO') or os.path.join(BUILD, 'orrery.iso')
FAILED = 125  # our own failure, or the kernel's

SAFE = frozenset(b'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-/')


class Failure(Exception):
    """A one-line reason, and the exit status."""

    def __init__(self, reason, status=FAILED):
        super().__init__(reason)
        self.status = status


def percent_encoded(text):
    return ''.join(chr(b) if b in SAFE else f'%{b:02X}' for b in os.fsencode(text))


def kernel_name(path):
    """Of this build: the same only if the file is."""
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()[:16]


def option_value(path):
    """A path inside a comma-separated QEMU option."""
    return os.path.abspath(path).replace(',', ',,')


MACHINES = ('pc', 'q35')


def machine(memory, cpus, kind='pc'):
    """The same PC in every mode: i440FX with IDE (or q35 with AHCI), VGA and serial ports, and nothing that
    waits on the host: no network, no USB, no sound."""
    return ['-nodefaults', '-no-user-config', '-machine', kind, '-accel', 'tcg', '-nic', 'none',
            '-m', str(memory), '-smp', str(cpus), '-vga', 'std', '-no-reboot']


# Firmware of the distribution's packages ovmf and ovmf-ia32, each with its store of variables. That of 32
# bits exists with Secure Boot's protection only, which takes q35's system management mode.
OVMF = '/usr/share/OVMF/'
FIRMWARE = {64: (('OVMF_CODE_4M.fd', 'OVMF_VARS_4M.fd'), ('OVMF_CODE.fd', 'OVMF_VARS.fd')),
            32: (('OVMF32_CODE_4M.secboot.fd', 'OVMF32_VARS_4M.fd'),)}


def uefi(bits, scratch):
    """UEFI in place of the BIOS."""
    for code, variables in FIRMWARE[bits]:
        if os.path.exists(OVMF + code):
            own = scratch.file('variables')
            shutil.copyfile(OVMF + variables, own)
            protected = ['-machine', 'smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on']
            return (protected if bits == 32 else []) + [
                '-drive', f'if=pflash,format=raw,readonly=on,file={OVMF + code}',
                '-drive', f'if=pflash,format=raw,file={option_value(own)}']
    raise Failure(f'no UEFI firmware of {bits} bits in {OVMF}: scripts/setup uefi')


def program(bits):
    """UEFI of 64 bits takes a processor that has them."""
    return 'qemu-system-x86_64' if bits == 64 else 'qemu-system-i386'


def repeatable(shift):
    return ['-icount', f'shift={shift},sleep=off', '-rtc', 'base=2026-01-01T00:00:00,clock=vm',
            '-seed', '0']


def drive(image, index=0, scratch=False):
    snapshot = ',snapshot=on' if scratch else ''
    return ['-drive', f'file={option_value(image)},format=raw,if=ide,index={index},media=disk'
            + snapshot]


class Scratch:
    """A folder for this run's files, gone at its end; also those of runs that were killed."""

    def __enter__(self):
        for name in os.listdir(BUILD):
            if name.startswith('run.') and name[4:].isdigit() and not os.path.exists('/proc/' + name[4:]):
                shutil.rmtree(os.path.join(BUILD, name), ignore_errors=True)
        self.path = os.path.join(BUILD, f'run.{os.getpid()}')
        os.makedirs(self.path, exist_ok=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)


class Qemu:
    """A running QEMU; leaving the `with` block ends and reaps it."""

    def __init__(self, arguments, program='qemu-system-i386', **popen):
        # setpriv: the kernel kills QEMU should we be killed without a chance to do it.
        command = ['setpriv', '--pdeathsig', 'KILL', program, *arguments]
        if os.environ.get('ORRERY_VERBOSE'):
            print('run:', *command[3:], file=sys.stderr)
        self.process = subprocess.Popen(command, **popen)

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()  # flushes an image that is to persist
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


def exit_on_signals():
    """Turns the usual signals into SystemExit, so that `with` blocks are left in order."""
    def leave(number, _):
        raise SystemExit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
