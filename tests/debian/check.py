#!/usr/bin/env python3
"""scripts/debian --check and --python: Debian's own programs on this kernel. Not in the suite: an image takes the network.

Each program is run as a person would run it and judged by what it says. The image stays as it is (QEMU's -snapshot).
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tests' / 'system'))
sys.dont_write_bytecode = True
from terminal import PROMPT, Terminal  # noqa: E402

MEMORY = ['--mem', '1024']
PROGRAM = 'printf "int f(int n){return n*7;}\\nint main(){return f(6);}\\n" >/tmp/a.c && gcc -g -O0 -o /tmp/a /tmp/a.c; '
# name, command, what it has to say
CHECKS = [
    ('dpkg', 'dpkg -i /srv/hello_*.deb && hello && dpkg -r hello && dpkg -V login; echo $?', r'Hello, world!(?s:.*)^0$'),
    ('apt', 'cd /srv && apt-get install -y ./hello_*.deb 2>&1 | tail -n 3; hello; apt-cache policy gcc | head -n 2',
     r'Hello, world!\ngcc:\n  Installed: \d'),
    ('man', 'MANPAGER=cat man ls | head -n 4; man -k passwd | grep -c .', r'LS\(1\)(?s:.*)^[1-9]\d*$'),
    ('su', 'su student -c id', r'^uid=\d+\(student\)'),
    ('sudo', 'su student -c "echo student | sudo -S -p \'\' id -un"', r'^root$'),
    ('cron', 'pgrep -x cron >/dev/null || service cron start; echo "* * * * * touch /tmp/ticked" | crontab - && '
     'for i in $(seq 75); do [ -e /tmp/ticked ] && break; sleep 1; done; ls /tmp/ticked', r'^/tmp/ticked$'),
    ('gcc', PROGRAM + '/tmp/a; echo gives $?', r'^gives 42$'),
    ('python3', 'python3 -c "import subprocess, threading, sqlite3, ssl, ctypes\n'
     't = threading.Thread(target=lambda: print(subprocess.check_output([\'echo\', \'out\'])))\n'
     't.start(); t.join()"', r"b'out\\n'"),
    ('git', 'cd /tmp && rm -rf r && git init -q r && cd r && echo a >a && git add a && '
     'git -c user.name=a -c user.email=a@b commit -qm first && git clone -q . ../r2 && git -C ../r2 log --format=%s && '
     'git fsck && rm -rf ../r2', r'^first$'),
    ('strace', PROGRAM + 'strace -f sh -c "/tmp/a; true" 2>&1 | tail -n 2', r'exited with 0 \+\+\+'),
    ('ltrace', 'echo "#include <stdlib.h>\nint main(){return atoi(\\"3\\");}" >/tmp/b.c && gcc -no-pie -O0 -fno-builtin '
     '-Wl,-z,lazy -o /tmp/b /tmp/b.c && ltrace /tmp/b 2>&1', r'atoi\((?s:.*)exited \(status 3\)'),
    ('gdb', PROGRAM + 'gdb -q -batch -ex "break f" -ex run -ex bt -ex "watch n" -ex "p n" -ex finish /tmp/a 2>&1',
     r'#1 .* main (?s:.*)\$1 = 6(?s:.*)Value returned is \$2 = 42'),
    ('gdbserver', PROGRAM + 'mkfifo /tmp/w1 2>/dev/null; gdb -q -batch -ex "target remote | gdbserver - /tmp/a" -ex "break f" '
     '-ex continue -ex bt /tmp/a 2>&1', r'#0  f \(n=6\)'),
    ('tmux', 'TERM=xterm tmux new-session -d -s one "echo in tmux; sleep 100" && sleep 1 && tmux capture-pane -p -t one; '
     'tmux kill-server', r'^in tmux$'),
    ('screen', 'TERM=xterm screen -dmS two sh -c "echo in screen >/tmp/said; sleep 50" && sleep 1 && screen -ls; '
     'cat /tmp/said; screen -S two -X quit', r'\.two(?s:.*)^in screen$'),
    ('expect', r"""expect -c 'spawn sh; send "echo 4\$((1+1))\r"; expect 42 {puts found}'""", r'^42\n(?s:.*)found'),
    ('vim', 'printf "one\\n" >/tmp/v; TERM=xterm script -qc "vim.tiny -u NONE -c s/one/two/ -c wq /tmp/v" /dev/null '
     '</dev/null >/dev/null; cat /tmp/v', r'^two$'),
    ('ps, top', 'ps aux | grep -c "[i]nit"; TERM=xterm top -bn1 | head -n 1', r'^[1-9]\d*$(?s:.*)^top - '),
    ('mount, df', 'mount -t tmpfs none /mnt && df -h /mnt | tail -n 1 && umount /mnt && findmnt -n -o FSTYPE /', r'(?s:.*)^ext[23]$'),
]
# Of Python: modules that use the kernel, not the network.
PYTHON = '''os posix subprocess threading select mmap fcntl tempfile shutil pathlib fileio pwd grp resource wait3 wait4 popen
    thread time poll epoll eintr ctypes'''.split()
MARK = '@@debian@@'


def guest(image, script, minutes):
    done = subprocess.run([ROOT / 'scripts' / 'run', '--disk', image, *MEMORY, '--timeout', str(60 * minutes), '--exec', script,
                           '--', '-snapshot'], stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace')
    return done.stdout + done.stderr


def programs(image):
    """Names of those that fail."""
    script = '/etc/rc.local >/dev/null 2>&1\n'
    for name, command, _ in CHECKS:
        script += f'echo {MARK}{name}\n( {command} ) 2>&1\n'
    said = guest(image, script + f'echo {MARK}end', 30).split(MARK)
    came = {part.partition('\n')[0]: part.partition('\n')[2] for part in said[1:]}
    failed = []
    for name, _, wanted in CHECKS:
        right = re.search(wanted, came.get(name, ''), re.M)
        print(f'{"ok  " if right else "BAD "} {name}', flush=True)
        if not right:
            failed.append(name)
            print('     | ' + (came.get(name) or said[0][-500:] or 'not reached').strip().replace('\n', '\n     | '))
    return failed


def log_in(terminal, user, password):
    terminal.expect('login: $', 'a question for the name')
    terminal.type(user + '\n')
    terminal.expect('Password: $', 'a question for the password')
    terminal.type(password + '\n')


def terminals(image):
    with Terminal('--disk', image, *MEMORY, '--terminals', '2', '--', '-snapshot') as first:
        log_in(first, 'root', 'wrong')
        first.expect('Login incorrect')
        log_in(first, 'root', 'orrery')
        first.expect(PROMPT)
        with Terminal('--attach') as second:
            second.expect('Press Enter')
            second.type('\n')
            log_in(second, 'student', 'student')
            second.expect(r'^student@orrery:[^\n]*\$ $')
            first.type('\x01c')
            first.expect(r'\(qemu\) $')
            first.monitor('sendkey alt-f2')
            first.expect_screen('Press Enter')
            first.monitor('sendkey ret')
            for question, word in (('login:', 'root'), ('Password:', 'orrery')):
                first.expect_screen(question)
                for key in (*word, 'ret'):
                    first.monitor(f'sendkey {key}')
            first.expect_screen('root@orrery:~#')
            first.type('\x01c')
            # Not `who`: Debian 13 keeps no utmp.
            first.command('until ps -C bash -o tty= | grep tty2; do sleep 1; done', r'^tty2')
            first.command('ps -C bash -o tty= | sort -u | wc -l', '^3$')
            second.type('logout\n')
            second.expect('Press Enter')
        first.command('ps -C bash -o tty= | sort -u | wc -l', '^2$')
        first.type('kill -USR2 1\n')
        first.end()
    print('ok   three terminals')


def debug_over_a_line(image):
    """False if this machine's GDB does not debug a guest's program over the second serial line."""
    program = ('int total;', 'int add(int n) {', '  total += n;', '  return total;', '}', 'int main(void) {', '  add(40);',
               '  return add(2);', '}')
    steps = ('break add', 'continue', 'next', 'print total', 'continue', 'backtrace 1', 'step', 'print total + n', 'continue',
             'monitor exit')
    with tempfile.TemporaryDirectory() as folder:
        line = f'{folder}/line'
        with Terminal('--disk', image, *MEMORY, '--', '-snapshot', '-serial', f'unix:{line},server=on,wait=off') as guest_side:
            log_in(guest_side, 'root', 'orrery')
            guest_side.expect(PROMPT)
            lines = '\\n'.join(program)
            guest_side.type(f"printf '{lines}\\n' >a.c; gcc -g -O0 -o a a.c; gdbserver /dev/ttyS1 a\n")
            guest_side.expect('^Remote debugging using /dev/ttyS1$')
            words = [word for step in (f'target extended-remote {line}', *steps) for word in ('-ex', step)]
            said = subprocess.run(['gdb', '-q', '-nx', '-batch', *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, errors='replace', timeout=300).stdout
            right = re.search(r'add \(n=40\)(?s:.*)^\$1 = 40$(?s:.*)#0 +add \(n=2\)(?s:.*)^\$2 = 44$(?s:.*)'
                              r'exited with code 052', said, re.M)
            if right:
                guest_side.expect('^Child exited with status 42$')
                guest_side.expect(PROMPT)
                guest_side.command('echo 4$((1 + 1))', '^42$')
            print('ok   gdbserver on a serial line' if right else 'BAD  gdbserver on a serial line\n' + said)
    return bool(right)


def counts(said):
    """Module: (run, skipped, names of those that failed), by what `python3 -m test` says."""
    modules = re.findall(rf'^{MARK}(\w+)\n(.*?)(?=^{MARK}|\Z)', said, re.M | re.S)
    table = {}
    for name, text in modules:
        ran = re.findall(r'^Ran (\d+) tests?', text, re.M)
        table[name] = (sum(map(int, ran)), sum(map(int, re.findall(r'skipped=(\d+)', text))),
                       sorted(set(re.findall(r'^(?:FAIL|ERROR): (\w+)', text, re.M))))
    return table


def python(image, root):
    one = ('for m in %s; do timeout 600 python3 -m test -v test_$m >/tmp/o 2>&1 </dev/null; echo %s$m; cat /tmp/o; done'
           % (' '.join(PYTHON), MARK))
    there = subprocess.run(['chroot', root, '/bin/sh', '-c', f'mount -t proc proc /proc; cd /tmp; {one}; umount /proc'],
                           stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace',
                           env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root', 'TERM': 'dumb'}).stdout
    ours, theirs = counts(guest(image, f'cd /tmp; {one}', 300)), counts(there)
    print(f'{"module":24}{"Orrery: run":>14}{"skipped":>9}{"failed":>8}{"Linux: run":>14}{"skipped":>9}{"failed":>8}')
    for name in PYTHON:
        row = [*ours.get(name, (0, 0, ['?'])), *theirs.get(name, (0, 0, ['?']))]
        print(f'{name:24}{row[0]:14}{row[1]:9}{len(row[2]):8}{row[3]:14}{row[4]:9}{len(row[5]):8}  {" ".join(row[2])}')


def main():
    mode, image, root = sys.argv[1:]
    if mode == '--python':
        python(image, root)
        return 0
    terminals(image)
    right = debug_over_a_line(image)
    return 0 if not programs(image) and right else 1


if __name__ == '__main__':
    sys.exit(main())
