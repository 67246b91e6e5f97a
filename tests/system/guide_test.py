"""The reading guide's GDB sessions, typed as they stand there; what they say is shown is shown.

timeout: 600
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'scripts'))
import pages  # noqa: E402

failed = 0
found = pages.sessions('docs/reading-guide.md')
if len(found) != 12:
    print(f'FAIL {len(found)} sessions, not 12')
    failed += 1
for number, (command, typed, shown) in enumerate(found, 1):
    with tempfile.NamedTemporaryFile('w', suffix='.gdb') as file:
        file.write('\n'.join(typed) + '\n')
        file.flush()
        done = subprocess.run([os.path.join(ROOT, 'scripts', 'debug'), '--timeout', '200', '--batch', file.name,
                               '--exec', command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, errors='replace', check=False)
    missing = [line for line in shown if line not in re.sub(r'\s+', ' ', done.stdout)]
    if done.returncode or missing or not shown:
        print(f'FAIL sitting {number}: status {done.returncode}, not shown: {missing}')
        print(done.stdout[-3000:])
        failed += 1
    else:
        print(f'ok sitting {number}')
sys.exit(1 if failed else 0)
