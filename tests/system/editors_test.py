#!/usr/bin/env python3
"""What is set up for editors fits the tree: tasks run scripts that exist, each launch's task and GDB commands lead where its
name says (GDB plays the editor), the container installs by scripts/setup's own groups; and clangd, where there is one, reads
a kernel file without errors.
timeout: 300
holds: record
"""
import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
failures = []


def check(right, what):
    if not right:
        failures.append(what)
        print('FAIL', what)


def read(path):
    return json.loads((ROOT / path).read_text())


tasks = {task['label']: task for task in read('.vscode/tasks.json')['tasks']}
for label, task in tasks.items():
    scripts = re.findall(r'\./(scripts/\w+)', task['command'])
    check(scripts and all((ROOT / script).exists() for script in scripts), f'task {label}: {task["command"]}')
inputs = {entry['id']: entry['default'] for entry in read('.vscode/tasks.json')['inputs']}
# What the editor's user does next, and what it shows then.
SHOWN = {'machine': ('break kernel_main', 'kernel_main (magic'),
         'machine for a program': ('break *_start', '_start ()'),
         'replay': ('break program_started if $_streq(path, "step")', 'program_started (path=')}


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as one:
        return str(one.getsockname()[1])


def session(launch, task):
    """Its output."""
    port = free_port()
    command = re.sub(r'\$\{input:(\w+)\}', lambda found: inputs[found[1]], task['command']).replace('1234', port)
    first = [entry['text'] for entry in launch['setupCommands']]
    after = [entry['text'] for entry in launch.get('postRemoteConnectCommands', [])]
    way = ['continue'] * len(after) + [SHOWN[task['label']][0], 'continue', 'backtrace', 'kill']
    words = [word.replace('${workspaceFolder}', str(ROOT)) for line in
             [*first, f'target remote {launch["miDebuggerServerAddress"].replace("1234", port)}', *after, *way] for word in ('-ex', line)]
    program = launch['program'].replace('${workspaceFolder}', str(ROOT))
    with subprocess.Popen(['bash', '-c', command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as machine:
        machine.stdout.readline()  # "waiting": from then on the editor connects
        done = subprocess.run(['gdb', '-nx', '-q', '-batch', program, '-ex', 'set tcp connect-timeout 60', *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        machine.send_signal(signal.SIGTERM)
        machine.stdout.read()
    return done.stdout + done.stderr


subprocess.run(['./scripts/debug', '--record', '--timeout', '60', '--exec', 'step'], cwd=ROOT, stdin=subprocess.DEVNULL,
               stdout=subprocess.DEVNULL)
for launch in read('.vscode/launch.json')['configurations']:
    task = tasks.get(launch['preLaunchTask'])
    check(task and launch['miDebuggerServerAddress'].rpartition(':')[2] in task['command'], f'{launch["name"]}: its task, with its port')
    came = session(launch, task)
    check(SHOWN[task['label']][1] in came and 'No such file' not in came, f'{launch["name"]}:\n{came}')
wanted = read('.vscode/extensions.json')['recommendations']
check(wanted == read('.devcontainer/devcontainer.json')['customizations']['vscode']['extensions'], 'one list of extensions')
check((ROOT / '.devcontainer' / read('.devcontainer/devcontainer.json')['build']['dockerfile']).exists(), 'the Containerfile')
groups = re.search(r'scripts/setup ([\w ]+) &&', (ROOT / 'Containerfile').read_text())[1].split()
known = set(re.findall(r' (\w+)$', re.search(r"known='(.*?)'", (ROOT / 'scripts/setup').read_text(), re.S)[1], re.M))
check(set(groups) <= known, f'groups {groups} of {known}')
if shutil.which('clangd') and (ROOT / 'build/compile_commands.json').exists():
    done = subprocess.run(['clangd', '--check=kernel/sync/semaphore.cpp'], cwd=ROOT, capture_output=True, text=True)
    errors = [line for line in done.stderr.splitlines() if re.match(r'E\[.*\] \[', line)]
    check(not errors, '\n'.join(errors[:5]))
sys.exit(1 if failures else 0)
