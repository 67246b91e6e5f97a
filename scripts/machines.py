"""scripts/machines [WORD...]: boots the kernel on machines of many kinds, and prints a table of what became of
each. --help tells the options.

A row passes if the machine gets where its row says: to the shell (and then off), or to the line that says what it
lacks. Its facts are read from what the kernel itself says on the serial line. Status 1 if a row does not pass.
"""
import argparse
import concurrent.futures
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

import qemu
from qemu import Failure

PROMPT = 'root@orrery:'
PATIENCE = 120  # seconds for a boot, 15 for the end
BOCHS, VGABIOS = '/usr/share/bochs/', '/usr/share/seabios/vgabios-stdvga.bin'
SYSLINUX = ('/usr/lib/ISOLINUX/isolinux.bin', '/usr/lib/syslinux/modules/bios/mboot.c32')
UEFI = {bits: qemu.OVMF + files[0][1] for bits, files in qemu.FIRMWARE.items()}


@dataclass
class Row:
    """One machine. `wanted`: what it has to say; the prompt means that it is also told to switch off."""
    machine: str = 'pc'
    cpu: str = ''
    firmware: str = 'BIOS'
    memory: int = 128
    cpus: int = 1
    loader: str = "QEMU's own"
    disk: str = 'ide'  # nvme, virtio, ram, none
    wanted: str = PROMPT
    stays_on: bool = False
    quick: bool = False  # in the suite
    said: str = field(default='', init=False)

    def name(self):
        words = [self.machine, self.cpu or 'default CPU', self.firmware, f'{self.memory} MiB',
                 f'{self.cpus} CPU' + 's' * (self.cpus > 1), self.loader, self.disk]
        return ', '.join(words)

    def bits(self):
        return int(self.firmware[4:]) if self.firmware.startswith('UEFI') else None

    def lacks(self):
        """The package that this row takes and that is not here."""
        needs = []
        if self.machine == 'Bochs':
            needs = [('/usr/bin/bochs', 'bochs'), (BOCHS + 'BIOS-bochs-latest', 'bochsbios'),
                     ('/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_term_gui.so', 'bochs-term')]
        elif self.loader == 'isolinux':
            needs = [(SYSLINUX[0], 'isolinux'), (SYSLINUX[1], 'syslinux-common')]
        elif self.loader == 'iPXE':
            needs = [('/usr/lib/ipxe/qemu/pxe-e1000.rom', 'ipxe-qemu')]
        elif self.bits():
            needs = [(UEFI[self.bits()], 'ovmf' if self.bits() == 64 else 'ovmf-ia32')]
        return next((package for file, package in needs if not os.path.exists(file)), None)


ROWS = [
    # Machines.
    Row(quick=True), Row('q35', cpus=4, quick=True), Row(cpus=4), Row('q35', disk='ide', loader='GRUB'),
    Row('isapc', cpu='pentium3', stays_on=True, quick=True),
    Row('microvm', disk='ram', stays_on=True, cpus=2),
    # Processors.
    Row(cpu='486', wanted='Orrery needs a Pentium Pro or newer', quick=True),
    Row(cpu='pentium', wanted='Orrery needs a Pentium Pro or newer', quick=True),
    Row(cpu='pentium2'), Row(cpu='pentium3'), Row(cpu='athlon'), Row(cpu='n270'), Row(cpu='core2duo', cpus=2),
    Row(cpu='max'),
    # Memory.
    Row(memory=8, wanted='no root|cannot start|root@orrery:'), Row(memory=16), Row(memory=1024), Row(memory=3072),
    Row('q35', memory=4096),
    # Loaders and firmware.
    Row(loader='GRUB', quick=True), Row(loader='isolinux'), Row(loader='iPXE'),
    Row(firmware='UEFI64', loader='GRUB', cpus=2), Row('q35', firmware='UEFI64', loader='GRUB', cpus=4, memory=512),
    Row('q35', firmware='UEFI32', loader='GRUB', cpus=2), Row(firmware='UEFI64', loader='GRUB', memory=2048),
    # Disks.
    Row(disk='virtio', wanted='virtio disk: not supported'), Row(disk='nvme', wanted='NVMe disk: not supported'),
    Row(disk='none', wanted='no root file system'),
    # Another emulator.
    Row('Bochs', cpu='bx_generic', memory=64, loader='GRUB', stays_on=True),
]


def grub(row, scratch):
    del row, scratch
    return ['-cdrom', qemu.ISO, '-boot', 'd']


def isolinux(row, scratch):
    """An ISO with SYSLINUX's loader for Multiboot kernels."""
    del row
    folder, iso = scratch.file('syslinux'), scratch.file('syslinux.iso')
    os.makedirs(folder, exist_ok=True)
    modules = os.path.dirname(SYSLINUX[1])
    for file in (SYSLINUX[0], SYSLINUX[1], f'{modules}/ldlinux.c32', f'{modules}/libcom32.c32', stripped()):
        shutil.copy(file, folder)
    with open(folder + '/isolinux.cfg', 'w') as file:
        file.write('SERIAL 0 115200\nDEFAULT mboot.c32 /kernel.elf root=/dev/hda\n')
    subprocess.run(['xorriso', '-as', 'mkisofs', '-quiet', '-b', 'isolinux.bin', '-c', 'boot.cat', '-no-emul-boot',
                    '-boot-load-size', '4', '-boot-info-table', '-o', iso, folder], check=True, stderr=subprocess.DEVNULL)
    return ['-cdrom', iso, '-boot', 'd']


def ipxe(row, scratch):
    """The ROM of an emulated network card loads the kernel from QEMU's own TFTP server."""
    del row
    folder = scratch.file('tftp')
    os.makedirs(folder, exist_ok=True)
    shutil.copy(stripped(), folder)
    with open(folder + '/boot.ipxe', 'w') as file:
        file.write('#!ipxe\nkernel tftp://10.0.2.2/kernel.elf root=/dev/hda\nboot\n')
    return ['-nic', f'user,model=e1000,tftp={qemu.option_value(folder)},bootfile=/boot.ipxe,restrict=on', '-boot', 'n']


def own(row, scratch):
    del scratch
    if row.disk == 'ram':
        return ['-kernel', qemu.KERNEL, '-append', 'root=/dev/ram0', '-initrd', f'{qemu.DISK} disk']
    return ['-kernel', qemu.KERNEL, '-append', 'root=/dev/hda']


LOADERS = {"QEMU's own": own, 'GRUB': grub, 'isolinux': isolinux, 'iPXE': ipxe}


def stripped():
    return os.path.join(qemu.BUILD, 'iso/boot/kernel.elf')


def qemu_command(row, scratch):
    arguments = qemu.machine(row.memory, row.cpus, row.machine)
    if row.machine in ('microvm', 'isapc'):
        arguments[arguments.index('std')] = 'none' if row.machine == 'microvm' else 'std'
    if row.loader == 'iPXE':
        at = arguments.index('-nic')
        del arguments[at:at + 2]
    if row.cpu:
        arguments += ['-cpu', row.cpu]
    if row.bits():
        arguments += qemu.uefi(row.bits(), scratch)
    arguments += LOADERS[row.loader](row, scratch)
    image = qemu.option_value(qemu.DISK)
    if row.disk == 'ide':
        arguments += qemu.drive(qemu.DISK, 0, scratch=True)
    elif row.disk in ('virtio', 'nvme'):
        arguments += ['-drive', f'if=none,id=d,format=raw,snapshot=on,file={image}', '-device',
                      'virtio-blk-pci,drive=d' if row.disk == 'virtio' else 'nvme,drive=d,serial=1']
    program = qemu.program(row.bits() or (64 if row.cpu in ('max', 'core2duo') else None))
    return [program, *arguments, '-display', 'none', '-serial', 'stdio']


def bochs_command(row, scratch):
    """Bochs has no snapshots: it gets a copy of the disk, of whole cylinders, in a folder of its own."""
    disk, settings, commands = scratch.file('bochs.img'), scratch.file('bochsrc'), scratch.file('bochs.commands')
    shutil.copyfile(qemu.DISK, disk)
    cylinder = 16 * 63 * 512
    cylinders = -(-os.path.getsize(disk) // cylinder)
    os.truncate(disk, cylinders * cylinder)
    os.mkfifo(scratch.file('serial'))
    with open(settings, 'w') as file:
        file.write(f'megs: {row.memory}\nromimage: file={BOCHS}BIOS-bochs-latest\n'
                   f'vgaromimage: file={VGABIOS}\ncpu: model={row.cpu}, ips=50000000\n'
                   'clock: sync=none\ndisplay_library: term\nboot: cdrom\npanic: action=fatal\n'
                   f'log: {scratch.file("bochs.log")}\ncom1: enabled=1, mode=file, dev={scratch.file("serial")}\n'
                   f'ata0-master: type=disk, mode=flat, path={disk}, cylinders={cylinders}, heads=16, spt=63\n'
                   f'ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15\n'
                   f'ata1-master: type=cdrom, path={qemu.ISO}, status=inserted\n')
    with open(commands, 'w') as file:
        file.write('continue\n')
    # Its display takes a terminal.
    return ['script', '-qec', f'bochs -q -f {settings} -rc {commands}', '/dev/null']


class Boot:
    """A running machine: what it says, and what is said to it."""

    def __init__(self, row, scratch):
        bochs = row.machine == 'Bochs'
        command = bochs_command(row, scratch) if bochs else qemu_command(row, scratch)
        self.errors = open(scratch.file('errors'), 'w+b')
        self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *command], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL if bochs else subprocess.PIPE, stderr=self.errors)
        self.output = os.open(scratch.file('serial'), os.O_RDONLY | os.O_NONBLOCK) if bochs else \
            self.process.stdout.fileno()
        self.text = ''

    def wait_for(self, pattern, seconds):
        """True once the pattern has been said. False: the machine ended, or the time is over."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            ready, _, _ = select.select([self.output], [], [], max(0, min(1, end - time.monotonic())))
            data = os.read(self.output, 65536) if ready else b''
            self.text += data.decode(errors='replace').replace('\r', '')
            if time.monotonic() > end or (not data and self.process.poll() is not None):
                return bool(re.search(pattern, self.text))
            if ready and not data:
                time.sleep(0.1)  # its writer is not there yet
        return True

    def off(self):
        """Tells the shell to switch off; whether the machine ended."""
        self.process.stdin.write(b'poweroff\n')
        self.process.stdin.flush()
        end = time.monotonic() + 15
        while self.process.poll() is None and time.monotonic() < end:
            self.wait_for('stays on', 1)
            if 'stays on' in self.text:
                return False
        return self.process.poll() is not None

    def end(self):
        self.process.kill()
        self.process.wait()
        self.errors.seek(0)
        return self.errors.read().decode(errors='replace')


def facts(text):
    """What the kernel says of the machine, in few words."""
    found = []
    processors = re.search(r'smp: (\d+) processors', text)
    found.append(f'{processors[1]} CPUs' if processors else '1 CPU')
    found.append('APIC' if re.search(r'apic: \d+ proc', text) else '8259')
    disk = re.search(r'\] (hd[a-z]|ram0): (.*)', text)
    if disk:
        kind = 'RAM disk' if disk[1] == 'ram0' else 'DMA' if 'DMA' in disk[2] else 'PIO'
        found.append(f'{disk[1]}' + ('' if kind == 'RAM disk' else f' by {kind}'))
    screen = re.search(r'framebuffer: (\d+x\d+), (\d+) bits', text)
    found.append(f'{screen[1]}, {screen[2]} bits' if screen else 'no screen' if 'no screen' in text else 'text screen')
    return found


def attempt(row):
    """Fills in `said`; True if the row passes."""
    with qemu.Scratch() as scratch:
        boot = Boot(row, scratch)
        try:
            reached = boot.wait_for(row.wanted, PATIENCE)
            words = facts(boot.text) if 'cpu: ' in boot.text else []
            if not reached:
                last = [line for line in boot.text.splitlines() if line.strip()][-1:] or [boot.end().strip() or 'nothing']
                row.said = 'FAILED: ' + re.sub(r'\x1b\[[0-9;?]*[A-Za-z]', '', last[0])[:100]
                return False
            if PROMPT not in boot.text:
                boot.wait_for(f'(?:{row.wanted}).*\n', 2)  # to the line's end
                line = next(line for line in boot.text.splitlines() if re.search(row.wanted, line))
                row.said = '"' + re.sub(r'^.*?\] (pci: \S+ )?', '', line).strip()[:110] + '"'
                return True
            if row.machine != 'Bochs':  # its serial line is a file, nothing can be typed
                ended = boot.off()
                words.append('goes off' if ended else 'stays on')
            row.said = ', '.join(words)
            return row.machine == 'Bochs' or ended != row.stays_on
        finally:
            boot.end()


def frequency(disturbed, scratch):
    """One boot: the TSC's kilohertz as the kernel has measured them. `disturbed`: as on a busy host, the machine is
    stopped every few milliseconds, often for longer than its PIT can count."""
    row = Row(disk='none')
    boot = Boot(row, scratch)
    chance = random.Random(boot.process.pid)
    try:
        end = time.monotonic() + PATIENCE
        while not (found := re.search(r'TSC at (\d+) kHz', boot.text)):
            if time.monotonic() > end:
                raise Failure('a machine that did not measure its clock')
            boot.wait_for(r'TSC at \d+ kHz', chance.uniform(0.002, 0.02) if disturbed else 1)
            if disturbed:
                boot.process.send_signal(signal.SIGSTOP)
                time.sleep(chance.uniform(0.001, 0.08))
                boot.process.send_signal(signal.SIGCONT)
        return int(found[1])
    finally:
        boot.end()


def clocks(boots):
    """The TSC measured in so many disturbed boots, four at a time, against quiet ones."""
    with qemu.Scratch() as scratch:
        def one(number, disturbed=True):
            own = scratch.file(str(number))
            os.makedirs(own)
            inner = qemu.Scratch()
            inner.path = own
            return frequency(disturbed, inner)
        right = sorted(one(-i, False) for i in range(1, 6))[2]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            found = list(pool.map(one, range(boots)))
    off = sorted(abs(value - right) / right * 100 for value in found)
    wrong = sum(value > 1 for value in off)
    print(f'{boots} disturbed boots against {right} kHz: half of them within {off[len(off) // 2]:.3f} %, nine of ten within '
          f'{off[len(off) * 9 // 10]:.3f} %, the worst {off[-1]:.3f} % off; {wrong} more than 1 %')
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(prog='scripts/machines', description='Boots the kernel on machines of many kinds, '
                                     'and prints what became of each, as a table for docs/machines.md.')
    parser.add_argument('words', metavar='WORD', nargs='*', help='only rows that have all these words')
    parser.add_argument('--quick', action='store_true', help='the cheap rows, as the test suite does')
    parser.add_argument('--clock', metavar='BOOTS', type=int, help='instead: how well the clock is calibrated in so many '
                        'boots on a busy host; status 1 if one is more than 1 %% off')
    parser.add_argument('--list', action='store_true', help='only names them')
    options = parser.parse_args()
    qemu.exit_on_signals()
    if options.clock is not None:
        if options.clock < 1:
            parser.error('--clock: at least one boot')
        return clocks(options.clock)
    rows = [row for row in ROWS if (row.quick or not options.quick)
            and all(word.lower() in row.name().lower() for word in options.words)]
    if not rows:
        parser.error('no machine has all these words; --list names them')
    if options.list:
        print('\n'.join(row.name() for row in rows))
        return 0
    print('| machine | CPU | firmware | MiB | loader | disk | what becomes of it |')
    print('| --- | --- | --- | ---: | --- | --- | --- |')
    failed = 0
    for row in rows:
        package = row.lacks()
        if package:
            row.said = f'not tried: package {package} is missing'
        else:
            failed += not attempt(row)
        cpu = (row.cpu or 'default') + (f' x {row.cpus}' if row.cpus > 1 else '')
        print(f'| {row.machine} | {cpu} | {row.firmware} | {row.memory} | {row.loader} | {row.disk} | {row.said} |',
              flush=True)
    print(f'{len(rows)} machines, {failed} not as they should be', file=sys.stderr)
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
