"""Checks the direction of includes against scripts/rooms.txt. Prints each forbidden one; status 1 if any,
or if an exception is no longer needed."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def read_rules():
    level, exceptions, closed, depth = {}, {}, set(), 0
    with open(os.path.join(ROOT, 'scripts', 'rooms.txt')) as file:
        for line in file:
            rule = line.split('#')[0].split()
            if '->' in rule:
                exceptions[rule[0], rule[2]] = False
            elif rule:
                if rule[-1] == 'closed':
                    closed.add(rule[0])
                    rule.pop()
                level.update((room, depth) for room in rule)
                depth += 1
    return level, exceptions, closed


def room_of(path, level):
    folder = os.path.dirname(path)
    while folder and folder not in level:
        folder = os.path.dirname(folder)
    return folder or None


def sources(top):
    for folder, _, names in os.walk(os.path.join(ROOT, top)):
        for name in names:
            if name.endswith(('.hpp', '.cpp', '.S')):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def main():
    level, exceptions, closed = read_rules()
    failures = 0
    for top in sorted({room.split('/')[0] for room in level}):
        for path in sorted(sources(top)):
            room = room_of(path, level)
            with open(os.path.join(ROOT, path)) as file:
                included = INCLUDE.findall(file.read())
            for target in included:
                other = room_of(target, level)
                if other is None:
                    problem = 'which is in no room of the kernel'
                elif other != room and other in closed:
                    problem = f'which is closed: {room} -> {other}'
                elif other == room or level[other] >= level[room]:
                    continue
                else:
                    problem = f'upwards: {room} -> {other}'
                known = [(a, b) for a in (path, room) for b in (target, other) if (a, b) in exceptions]
                if known:
                    exceptions[known[0]] = True
                    continue
                print(f'{path}: includes "{target}", {problem}')
                failures += 1
    for (a, b), used in exceptions.items():
        if not used:
            print(f'scripts/rooms.txt: {a} -> {b} is no longer needed')
            failures += 1
    return 1 if failures else 0


sys.exit(main())
