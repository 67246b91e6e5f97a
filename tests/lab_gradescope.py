#!/usr/bin/env python3
"""The pair that Gradescope runs (setup.sh, run_autograder), in a Debian that has nothing yet, as Gradescope
runs it: a root by `debootstrap --variant=minbase`, the zip's contents in /autograder/source, each hand-in
in /autograder/submission. Three of them: the solution as an archive, one file with a mistake, and a kernel
that hangs. Needs root, debootstrap and the network; takes minutes, so it is a command and no test of the
suite: python3 tests/lab_gradescope.py [LAB]"""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / 'scripts' / 'labkit'), str(ROOT / 'scripts'), str(ROOT / 'tests'),
                str(ROOT / 'tests' / 'system')]
sys.dont_write_bytecode = True
import check  # noqa: E402
import gradescope  # noqa: E402
import lab_formats_test  # noqa: E402
import lab_hostile  # noqa: E402
import spec  # noqa: E402

SEED = 11


def mirror():
    sites = subprocess.run(['apt-get', 'indextargets', '--format', '$(SITE)', 'Created-By: Packages'],
                           capture_output=True, text=True, check=True).stdout.split()
    return next(site for site in sites if site.rstrip('/').endswith('/debian'))


class Machine:
    """A bare root; what it mounts goes away with it."""

    def __init__(self, place):
        self.root = place / 'root'
        if not (self.root / 'etc/debian_version').exists():
            self.root.mkdir(parents=True)
            subprocess.run(['debootstrap', '--variant=minbase', 'bookworm', self.root, mirror()], check=True,
                           stdout=subprocess.DEVNULL)

    def __enter__(self):
        for what in ('proc', 'dev', 'dev/pts'):
            subprocess.run(['mount', '--bind', '/' + what, self.root / what], check=True)
        return self

    def __exit__(self, *_):
        for what in ('dev/pts', 'dev', 'proc'):
            subprocess.run(['umount', '-l', self.root / what], check=False)

    def run(self, command):
        return subprocess.run(['chroot', self.root, '/usr/bin/env', '-i', 'HOME=/root',
                               'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', *command],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)


def graded(machine, lab, files, archive):
    """results.json of one submission: an archive, or the files themselves."""
    for name in ('submission', 'results'):
        shutil.rmtree(machine.root / 'autograder' / name, ignore_errors=True)
        (machine.root / 'autograder' / name).mkdir()
    submission = machine.root / 'autograder/submission'
    if archive:
        lab_hostile.pack(submission / 'hand-in.tar.gz', files, lab.number)
    for path, data in {} if archive else files.items():
        (submission / path).parent.mkdir(parents=True, exist_ok=True)
        (submission / path).write_bytes(data)
    done = machine.run(['/autograder/run_autograder'])
    assert done.returncode == 0, done.stderr
    with open(machine.root / 'autograder/results/results.json') as file:
        data = json.load(file)
    lab_formats_test.typed(data, lab_formats_test.TOP_FIELDS)
    for test in data['tests']:
        lab_formats_test.typed(test, lab_formats_test.TEST_FIELDS)
    assert sum(test['score'] for test in data['tests']) == data['score'], data
    return data


def failures(data):
    return sorted(test['number'] for test in data['tests'] if test['status'] == 'failed')


def main():
    lab = spec.find(sys.argv[1] if len(sys.argv) > 1 else 5)
    place = ROOT / 'build' / 'gradescope'
    solution = check.solution_of(lab)
    mistake = check.mistakes_of(lab)[0]
    with Machine(place) as machine:
        source = machine.root / 'autograder/source'
        shutil.rmtree(source, ignore_errors=True)
        source.parent.mkdir(exist_ok=True)
        gradescope.make(lab, str(source), SEED)
        done = machine.run(['/autograder/source/setup.sh'])
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.copy(source / 'run_autograder', machine.root / 'autograder/run_autograder')
        right = graded(machine, lab, solution, True)
        assert right['score'] == 100 and not failures(right), failures(right)
        wrong = graded(machine, lab, mistake.applied(solution), False)
        assert mistake.caught in failures(wrong) and wrong['score'] < 100, failures(wrong)
        if lab.number == 5:
            file, before, after, costs = lab_hostile.HOSTILE['hang']
            path = lab_hostile.POLICIES + file
            text = solution[path].decode().replace(before, after, 1)
            hanging = graded(machine, lab, {**solution, path: text.encode()}, True)
            assert failures(hanging) and all(case.startswith(costs) for case in failures(hanging)), failures(hanging)
    print(f'lab {lab.number} on a bare Debian: the solution has 100 points, {mistake.name} {wrong["score"]}')


if __name__ == '__main__':
    os.umask(0o022)
    main()
