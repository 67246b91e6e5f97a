#!/usr/bin/env python3
"""scripts/crash: how it judges, and that it finds what is known: without a journal e2fsck asks of a folder that
moves, and of nothing else; with one it never asks, and all is as before the operation or as after it."""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'scripts'))
from crash import MODES, state  # noqa: E402

OLD, NEW = {'a': b'one', 'd': None, 'x': b'kept'}, {'a': b'one two', 'd': None, 'y': b'kept'}


def check(what, fine):
    print(f'{"ok" if fine else "FAIL"} {what}', flush=True)
    if not fine:
        sys.exit(1)


def judged(what, now, wanted):
    check(f'{what}: {wanted}', state(now, OLD, NEW) == wanted)


judged('nothing happened', OLD, 'before')
judged('all happened', NEW, 'after')
judged('half of the bytes', {**NEW, 'a': b'one t'}, 'between')
judged('both names', {**NEW, 'x': b'kept'}, 'between')
judged('a spare name', {**NEW, '.replaced-12': b'one'}, 'between')
judged('neither name', {'a': b'one', 'd': None}, 'damaged')
judged('bytes that nobody wrote', {**NEW, 'a': b'one\0\0\0\0'}, 'damaged')
judged('a folder is gone', {'a': b'one', 'x': b'kept'}, 'damaged')
judged('a file of no known contents', {**OLD, 'z': b'?'}, 'damaged')

crash = [ROOT / 'scripts/crash']
done = subprocess.run([*crash, 'nothing'], capture_output=True, text=True)
check('an unknown operation', done.returncode == 1 and 'no operation nothing; there are: create' in done.stderr)
done = subprocess.run([*crash, '--do', 'false', '--lost', '0'], capture_output=True, text=True)
check('one that fails', done.returncode == 1 and 'false: status 1' in done.stderr)
done = subprocess.run([*crash, '--json', '--lost', '1', 'create', 'append', 'move-folder', '--do', 'chmod 600 log'],
                      capture_output=True, text=True)
check(f'a run {done.stderr}', done.returncode == 0)
rows = json.loads(done.stdout)
check('all of them', [(row['mode'], row['operation']) for row in rows] ==
      [(mode, name) for mode in MODES for name in ('create', 'append', 'move-folder', 'chmod 600 log')])
for row in rows:
    mode, name = row['mode'], f'{row["operation"]}, {row["mode"]}'
    check(f'{name}: each disk is one of three', row['cuts'] == row['clean'] + row['repaired'] + row['asks'])
    check(f'{name}: and one of four',
          row['cuts'] == row['before'] + row['between'] + row['after'] + row['damaged'])
    check(f'{name}: both sides are seen', row['before'] and row['cuts'] > row['writes'] > 2)
    check(f'{name}: nothing is damaged', row['damaged'] == 0)
    check(f'{name}: {row["asks"]} ask', (row['asks'] > 0) == (name == 'move-folder, none'))
    check(f'{name}: {row["between"]} between', mode in ('none', 'writeback') or row['between'] == 0)
