#!/usr/bin/env python3
"""What is set up for editors fits the tree: tasks run scripts that exist, the launch names a task and a file of commands,
the container installs by scripts/setup's own groups; and clangd, where there is one, reads a kernel file without errors."""
import json
import pathlib
import re
import shutil
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
for launch in read('.vscode/launch.json')['configurations']:
    machine = tasks.get(launch['preLaunchTask'])
    check(machine, f'{launch["name"]}: no task {launch["preLaunchTask"]}')
    check(machine and launch['miDebuggerServerAddress'] in machine['command'], 'the task and the launch agree about the port')
    for command in launch['setupCommands']:
        found = re.fullmatch(r'source \$\{workspaceFolder\}/(.*)', command['text'])
        check(not found or (ROOT / found[1]).exists(), command['text'])
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
