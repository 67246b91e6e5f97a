"""needs.py BUILD-FOLDER [FILTER]: what the tests that match need built, from CTest's own list: on the
first line programs of the host (targets of that folder), on the second tests/image's arguments (nothing:
no machine is needed)."""
import json
import subprocess
import sys

command = ['ctest', '--test-dir', sys.argv[1], '--show-only=json-v1']
command += [word for pattern in sys.argv[2:] for word in ('-R', pattern)]
tests = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)['tests']
host, guest = set(), set()
for test in tests:
    kind, name = test['name'].split('.', 1)
    if kind in ('host', 'fuzz'):
        host.add(name + ('_test' if kind == 'host' else '_fuzz'))
    else:
        guest.add(name if kind == 'guest' else '--none')
    for each in test['properties']:
        if each['name'] == 'LABELS':
            guest.update(each['value'])
print(*sorted(host))
print(*(['all'] if 'all' in guest else sorted(guest)))
