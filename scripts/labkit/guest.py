"""Runs a kernel that nobody vouches for: bounded in time, memory and output, whatever it does.

What the kernel says is only ever material for a judge, which compares it with what is right; there is no
line by which a kernel could declare itself good. The separators between commands carry a word that is
made from the seed and never stored in the student's tree. A kernel that reads it from its own command
line can mix up its own cases, and gains nothing by it.
"""
import glob
import hashlib
import os
import re
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time

OUTPUT = 512 << 10     # bytes of standard output and error, together
FILE = 256 << 20       # bytes of any file that the run writes
ADDRESS_SPACE = 3 << 30
PATIENCE = 5           # host seconds for each CPU second that a run may take: the host may have other work
STUDENTS_ROOT = 32 << 20  # bytes that a student's root image has at most
COMMANDS = 9000        # characters of guest commands in one boot; the kernel keeps 16 KiB, encoded


LATE = {'en': 'not run: the cases before it used up the time of the whole grading',
        'zh': '未运行：前面的用例用完了整个评分的时间'}


class Output:
    """What came of one guest command. `trouble`: why there is no more of it, or None. `damage`: what
    e2fsck finds on the disk that it leaves, if it had one."""

    def __init__(self, text='', status=None, trouble=None, damage=None):
        self.text, self.status, self.trouble, self.damage = text, status, trouble, damage


class Ended:
    """A finished run: its output, status and CPU seconds, and what stopped it (None, 'time', 'output')."""

    def __init__(self, output, errors, status, stopped, cpu):
        self.output, self.errors, self.status, self.stopped, self.cpu = output, errors, status, stopped, cpu


def bounds(cpu):
    def apply():
        os.setsid()
        for limit, value in ((resource.RLIMIT_CPU, int(cpu)), (resource.RLIMIT_FSIZE, FILE),
                             (resource.RLIMIT_AS, ADDRESS_SPACE), (resource.RLIMIT_CORE, 0)):
            resource.setrlimit(limit, (value, value))
    return apply


def cpu_of(session):
    """CPU seconds of all processes of a session."""
    ticks = 0
    for path in glob.glob('/proc/[0-9]*/stat'):
        try:
            with open(path) as file:
                fields = file.read().rpartition(')')[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf('SC_CLK_TCK')


def bounded(command, cpu, folder=None, environment=None, output=OUTPUT, silent=None):
    """Runs a command of the host, each process of it for so many CPU seconds, and all of it for no more
    than `silent` without a word; everything it started is gone when this returns. CPU time and not the
    clock's, so that a busy host gives the same result."""
    deadline = time.monotonic() + PATIENCE * cpu
    if environment is None:  # another kernel or image than the tree's own is not what is judged
        environment = {name: value for name, value in os.environ.items() if not name.startswith('ORRERY_')}
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, cwd=folder, env=environment,
                               preexec_fn=bounds(cpu))
    streams = {process.stdout.fileno(): bytearray(), process.stderr.fileno(): bytearray()}
    said, stopped = list(streams.values()), None
    look, spoke = 0, None  # when to look next; what it had used at the first look after its last word
    try:
        poll = select.poll()
        for stream in streams:
            poll.register(stream, select.POLLIN)
        while streams and not stopped:
            left = max(deadline - time.monotonic(), 0)
            ready = poll.poll(1000 * (min(left, 1) if silent else left))
            if silent and time.monotonic() >= look:
                look, used = time.monotonic() + 1, cpu_of(process.pid)
                spoke = used if spoke is None else spoke
                stopped = 'time' if used > cpu or used - spoke > silent else None
            for stream, _ in ready:
                spoke = None
                data = os.read(stream, 1 << 16)
                if not data:
                    poll.unregister(stream)
                    del streams[stream]
                    continue
                streams[stream] += data
            if sum(map(len, said)) > output:
                stopped = 'output'
            elif time.monotonic() >= deadline:
                stopped = 'time'
    finally:
        spent = cpu_of(process.pid) if stopped else 0  # of a child that is killed, nothing is told later
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        _, status, used = os.wait4(process.pid, 0)
        status = process.returncode = os.waitstatus_to_exitcode(status)
        spent = max(spent, used.ru_utime + used.ru_stime)
        if status and not stopped and spent >= 0.9 * cpu:
            stopped = 'time'
        for pipe in (process.stdout, process.stderr):
            pipe.close()
    return Ended(*(bytes(text[:output]).decode(errors='replace') for text in said), status, stopped,
                 spent)


def megabytes(tree, limits):
    """Of the guest. Its root is a RAM disk; the teacher's tree has all programs, and so a larger one than a
    student's."""
    larger = os.path.getsize(os.path.join(tree, 'build', 'disk.img')) - STUDENTS_ROOT
    return limits['megabytes'] + max(larger >> 20, 0)


def run(tree, command, limits, trace=None, disk=None, machine=()):
    """One boot of the kernel of `tree`, for one command of its shell. What it writes persists in
    `disk`, if that is given. `machine`: more words for QEMU."""
    seconds = limits['seconds']
    words = [sys.executable, '-EsS', os.path.join(tree, 'scripts', 'run.py'), '--icount', '2', '--mem',
             str(megabytes(tree, limits)), '--timeout', str(PATIENCE * seconds)]
    if trace:
        words += ['--trace', trace]
    if disk:
        words += ['--disk', disk]
    return bounded([*words, '--exec', command, '--', *machine], seconds, silent=limits['silent'])


UNBOOTED = {'en': 'the boot does not get as far as the shell (./scripts/run shows where it ends): ',
            'zh': '启动到不了 shell（用 ./scripts/run 可以看到停在哪里）：'}


def trouble_of(ended, limits):
    """Why a run is no run: what a person should know of it, in both languages. None: it is one."""
    if ended.stopped == 'output':
        return {'en': f'the kernel printed more than {OUTPUT >> 10} KiB; the run was stopped',
                'zh': f'内核输出超过 {OUTPUT >> 10} KiB，运行被终止'}
    if ended.stopped == 'time' or ended.status == 124:
        return {'en': f'no word for {limits["silent"]} s of CPU, or no end: the kernel hangs, or a process waits for ever',
                'zh': f'{limits["silent"]} 秒 CPU 时间内没有输出，或一直不结束：内核停住了，或有进程永远等待'}
    panic = re.search(r'^.*panic.*$', ended.errors, re.M | re.I)
    if panic:
        return {'en': f'the kernel panicked: {panic[0].strip()}', 'zh': f'内核崩溃（panic）：{panic[0].strip()}'}
    if ended.status == 125 or ended.status < 0:
        return {'en': 'the machine stopped in the middle: a reset (triple fault), or too much output',
                'zh': '机器中途停止：复位（三重故障），或输出过多'}
    return None


def batches(commands):
    batch, length = [], 0
    for name, command in commands:
        if batch and length + len(command) > COMMANDS:
            yield batch
            batch, length = [], 0
        batch.append((name, command))
        length += len(command) + 60
    if batch:
        yield batch


def together(tree, commands, seed, limits):
    """Many commands in few boots: {name: Output}. A boot that ends before its last command costs the
    one at which it ended; those behind it get another boot."""
    word = hashlib.sha256(f'{seed} {sorted(commands)}'.encode()).hexdigest()[:12]
    results, left = {}, limits['total']  # CPU seconds
    for batch in batches(commands):
        while batch:
            if left <= 0:
                results.update((name, Output(trouble=LATE)) for name, _ in batch)
                break
            script = '; '.join(f'echo; echo @{word} {i}; ( {command} ) 2>&1; echo; echo @{word} {i} $?'
                               for i, (_, command) in enumerate(batch))
            ended = run(tree, script, limits)
            left -= ended.cpu
            done = len(results)
            for i, (name, _) in enumerate(batch):
                found = re.search(rf'\n@{word} {i}\n(.*?)\n@{word} {i} (\d+)\n', ended.output, re.S)
                if not found:
                    break
                results[name] = Output(found[1], int(found[2]))
            done = len(results) - done
            batch = batch[done:]
            if not batch:
                break
            trouble = trouble_of(ended, limits) or {
                'en': 'the kernel ended the run before this command was done',
                'zh': '这条命令还没完成，内核就结束了运行'}
            if done == 0 and f'@{word} 0\n' not in ended.output:
                # Not even the first command began: the rest would fare no better.
                trouble = {language: UNBOOTED[language] + text for language, text in trouble.items()}
                results.update((name, Output(trouble=trouble)) for name, _ in batch)
                break
            results[batch[0][0]] = Output(trouble=trouble)
            batch = batch[1:]
    return results


def on_slow_disk(tree, command, limits):
    """A boot of its own for one command, with an empty IDE disk hda that takes 2 ms for each request: however quick
    the host is, a driver that does not wait is found out."""
    with tempfile.NamedTemporaryFile(dir=os.path.join(tree, 'build'), suffix='.img') as disk:
        disk.truncate(4 << 20)
        ended = run(tree, command, limits, machine=(
            '-drive', f'file={disk.name},format=raw,if=ide,index=0,throttling.iops-total=500'))
    return Output(ended.output, ended.status, trouble_of(ended, limits))


def on_root_disk(tree, command, limits):
    """A boot of its own for one command, on a disk that a checker looks at afterwards."""
    with tempfile.TemporaryDirectory(dir=os.path.join(tree, 'build')) as scratch:
        disk = os.path.join(scratch, 'disk.img')
        subprocess.run(['cp', '--sparse=always', os.path.join(tree, 'build', 'disk.img'), disk], check=True)
        ended = run(tree, command, limits, disk=disk)
        # What a kernel has written may lead a checker astray, so that is bounded too.
        checked = bounded(['e2fsck', '-fn', disk], limits['seconds'], environment={'PATH': '/usr/sbin:/sbin', 'LC_ALL': 'C'})
    found = [line for line in checked.output.splitlines() if line.strip() and not line.startswith('Pass ')]
    damage = '' if checked.status == 0 else found[0] if found else 'e2fsck does not come to an end'
    return Output(ended.output, ended.status, trouble_of(ended, limits), damage)
