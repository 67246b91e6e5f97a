"""scripts/lab check: everything that has to be true of a lab before it is handed out.

Fast (CI): one tree with all programs is built; in it are graded the solutions of all labs, then of each lab
the stubs, and one round of mistakes (the first of each task, all at once, for tasks do not share files).
Full: the student's own tree of each lab; besides, each task alone as a stub, all mistakes, five seeds, every
grading twice, and hand-ins through grade-all beside grade.
"""
import fcntl
import glob
import os
import re
import subprocess
import tempfile
import time

import formats
import grading
import guest
import handin
import spec
import stubs
import tree

SEEDS = (1, 7, 42, 1001, 65537)
STARTS_IN = 5  # seconds, on a machine that does nothing else


class Mistake:
    """wrong/TASK-NAME.patch: what students write, the case that has to catch it, and what is then said."""

    def __init__(self, lab, path):
        self.name = os.path.basename(path)[:-6]
        self.patch = read(path).decode()
        head = dict(re.findall(r'^([A-Z][a-z ]+): (.*)$', self.patch.split('\n--- ')[0], re.M))
        try:
            self.what, self.caught, self.says = head['Mistake'], head['Caught by'], head['Says']
        except KeyError as missing:
            raise spec.Failure(f'{path}: the head has no line {missing}') from None
        self.task = lab.case(self.caught).task
        if not self.says:
            raise spec.Failure(f'{path}: Says is empty, which fits every message')

    def applied(self, files):
        """The files with the mistake in them."""
        with tempfile.TemporaryDirectory() as folder:
            tree.write(folder, [(path, data, 0o644) for path, data in files.items()])
            done = subprocess.run(['git', 'apply', '--unidiff-zero', '-'], cwd=folder, input=self.patch.encode(),
                                  capture_output=True, env={**os.environ, 'GIT_CEILING_DIRECTORIES': folder})
            if done.returncode:
                raise spec.Failure(f'{self.name}: {done.stderr.decode().strip()}')
            changed = {}
            for path in files:
                with open(os.path.join(folder, path), 'rb') as file:
                    changed[path] = file.read()
            return changed

    def fits(self, files):
        try:
            return self.applied(files) != files
        except spec.Failure:
            return False


class SharedSlot(handin.Slot):
    """The solution of all labs, with the programs of all: what one lab takes out of it, or gets wrong, is a small build."""

    def __init__(self, labs, folder, seed):
        self.folder, self.seed, self.given = folder, seed, {}
        self.choose(labs[0])
        # As they are in this tree, marks and all: then what is built of it here is not built again (scripts/seeds.py).
        whole = {path for lab in labs for path in [*lab.files, *(other['list'] for other in lab.without)]}
        for lab in labs:
            for path, data, mode in tree.contents(lab, seed, 'en', {}):
                self.given[path] = (read(os.path.join(lab.root, path)) if path in whole else data, mode)
            for other in lab.without:
                self.given[other['file']] = (read(os.path.join(lab.root, other['file'])), 0o644)

    def choose(self, lab):
        self.lab, self.expectations = lab, lab.expectations(self.seed)


def read(path):
    with open(path, 'rb') as file:
        return file.read()


class Report:
    def __init__(self):
        self.bad = 0

    def __call__(self, right, what, why=''):
        self.bad += not right
        print(f"{'ok  ' if right else 'BAD '} {what}" + (f': {why}' if why and not right else ''), flush=True)


def failed(graded):
    return sorted(result.case.id for result in graded.failed())


def named(cases):
    return ' '.join(cases) or 'none'


def solution_of(lab):
    return {path: read(os.path.join(lab.root, path)) for path in lab.files}


def mistakes_of(lab):
    return [Mistake(lab, path) for path in sorted(glob.glob(os.path.join(lab.folder, 'wrong', '*.patch')))]


def check_marks(lab, solution, report):
    for task in lab.tasks:
        found = [mark for path in task.files for mark in stubs.marks(solution[path].decode())
                 if mark.task == task.id]
        report(bool(found), f'{task.id} has a mark', f'none in {", ".join(task.files)}')
    known = {task.id for task in lab.tasks}
    strange = {mark.task for text in solution.values() for mark in stubs.marks(text.decode())
               if lab.owns(mark.task)} - known
    report(not strange, f'lab {lab.number}: no mark without a task', named(sorted(strange)))


def check_start(lab, folder, solution, report):
    """It is quick, and gives nothing away: not in files, not in git's history, not in what is built."""
    began = time.monotonic()
    tree.start(lab, folder, 'en', 1)
    took = time.monotonic() - began
    report(took < STARTS_IN * (1 if os.getloadavg()[0] < 2 else 4), 'start is quick', f'{took:.1f} s')
    commits = tree.git(folder, 'rev-list', '--all').split()
    report(len(commits) == 1, 'one commit', f'{len(commits)}')
    forbidden = ('/answers.', '/wrong/', 'reference.py', 'labkit/check.py')
    names = tree.listed(folder)
    leaked = [name for name in names if any(part in '/' + name for part in forbidden)]
    report(not leaked, "no teacher's files", named(leaked))
    found = []
    for path, data in solution.items():
        given = squeezed(tree.git(folder, 'show', f'HEAD:{path}').decode())
        for mark in stubs.marks(data.decode()):
            if lab.owns(mark.task):
                lines = telling(mark.solution(data.decode()))
                found += [f'{mark.task}: {line}' for line in lines
                          if squeezed(line) in given and squeezed(line) not in squeezed(mark.stub)]
    report(not found, 'no line of a solution is left', '; '.join(found))


def telling(body):
    """Lines of a solution that say something: not braces, a bare return, the head of a loop over numbers."""
    lines = (re.sub(r'//.*', '', line).strip() for line in body.split('\n'))
    return [line for line in lines if len(line) > 24 and not line.startswith(('//', '}', 'for (uint32_t'))]


def squeezed(text):
    return re.sub(r'\s+', '', text)


def stubs_of(lab, solution):
    return {path: stubs.cut(data.decode(), lab.owns).encode() for path, data in solution.items()}


def check_boots(slot, report):
    ended = guest.run(slot.folder, 'echo alive', slot.lab.limits)
    report(ended.status == 0 and ended.output == 'alive\n', 'the stubs boot to a shell',
           str(guest.trouble_of(ended, slot.lab.limits) or ended.output[-200:]))


def check_round(slot, solution, mistakes, report):
    """Some mistakes at once, of different tasks: each is caught, and nothing else fails."""
    files = solution
    for mistake in mistakes:
        files = mistake.applied(files)
    graded = slot.grade(files)
    tasks = {mistake.task for mistake in mistakes}
    for mistake in mistakes:
        result = next((r for r in graded.results if r.case.id == mistake.caught), None)
        why = result.verdict.why['en'] if result and not result.verdict.passed else 'it passed'
        report(bool(re.search(mistake.says, why)), f'{mistake.name} is caught by {mistake.caught}',
               graded.broken or why)
    others = [r.case.id for r in graded.failed() if r.case.task not in tasks]
    report(not others, '    and no other task fails', named(others))
    return graded


def rounds(mistakes):
    """As many at once as there are files: of each file the first mistake of its first task, then of its
    second, ..., then the second mistakes."""
    queues = {}
    for mistake in mistakes:
        queues.setdefault(mistake.task.files[0], {}).setdefault(mistake.task.id, []).append(mistake)
    lines = []
    for tasks in queues.values():
        most = max(map(len, tasks.values()))
        lines.append([queue[i] for i in range(most) for queue in tasks.values() if i < len(queue)])
    for i in range(max(map(len, lines), default=0)):
        yield [line[i] for line in lines if i < len(line)]


def check_alone(slot, solution, task, report):
    """A stub of one task fails the cases of that task, all of them and no others."""
    files = {path: stubs.cut(data.decode(), lambda other: other == task.id).encode()
             for path, data in solution.items()}
    graded = slot.grade(files)
    report(failed(graded) == sorted(case.id for case in task.cases), f'{task.id} as a stub fails its own cases',
           graded.broken or named(failed(graded)))


def check_hand_ins(lab, folder, slot, files, graded, place, report):
    """hand-in and grade-all agree with grade."""
    for path, data in files.items():
        with open(os.path.join(folder, path), 'wb') as file:
            file.write(data)
    with tempfile.TemporaryDirectory(dir=place) as archives:
        handin.pack(lab, folder, os.path.join(archives, 'a.tar.gz'))
        results = handin.grade_all(lab, archives, slot.seed, 1, os.path.join(place, 'all'), told=lambda _: None)
    same = formats.as_json(results['a.tar.gz'], 'en') == formats.as_json(graded, 'en')
    report(same, 'hand-in and grade-all agree with grade', f"{results['a.tar.gz'].points} and {graded.points} points")


def check_given(slot, files, report):
    """The stubs: they build, boot, and fail every case."""
    graded = slot.grade(files)
    report(not graded.broken, 'the stubs build', graded.broken or '')
    check_boots(slot, report)
    report(not graded.points, 'the stubs fail every case', named(r.case.id for r in graded.results if r.verdict.passed))


def check_solution(slot, solution, report):
    graded = slot.grade(solution)
    report(graded.points == slot.lab.points, f'lab {slot.lab.number}: the solution passes, seed {slot.seed}', explained(graded))
    return graded


def check_texts(lab, place, solution, mistakes, report):
    """What needs no build."""
    check_marks(lab, solution, report)
    for task in lab.tasks:
        count = sum(mistake.task is task for mistake in mistakes)
        report(count >= 4, f'{task.id} has four mistakes', f'{count}')
    stale = [mistake.name for mistake in mistakes if not mistake.fits(solution)]
    report(not stale, 'each mistake can be made in the solution', named(stale))
    folder = os.path.join(place, 'student')
    check_start(lab, folder, solution, report)
    return folder


def check_whole(lab, place, report):
    print(f'--- lab {lab.number}: {lab.title["en"]}', flush=True)
    solution, mistakes = solution_of(lab), mistakes_of(lab)
    with tempfile.TemporaryDirectory(dir=place) as scratch:
        folder = check_texts(lab, scratch, solution, mistakes, report)
        slot = handin.Slot(lab, os.path.join(place, 'slot'), 1)
        check_given(slot, {}, report)
        graded = check_solution(slot, solution, report)
        for some in rounds(mistakes):
            check_round(slot, solution, some, report)
        again = slot.grade(solution)
        report(formats.as_json(again, 'en') == formats.as_json(graded, 'en'), 'two gradings are the same bytes')
        check_hand_ins(lab, folder, slot, solution, graded, place, report)
        for seed in SEEDS[1:]:
            check_solution(handin.Slot(lab, slot.folder, seed), solution, report)
        for task in lab.tasks:
            check_alone(slot, solution, task, report)


def check_fast(labs, place, report):
    slot = SharedSlot(spec.labs(), os.path.join(place, 'shared'), 1)
    solutions = {lab: solution_of(lab) for lab in labs}
    for lab in labs:
        slot.choose(lab)
        check_solution(slot, {}, report)
    for lab in labs:
        print(f'--- lab {lab.number}: {lab.title["en"]}', flush=True)
        mistakes = mistakes_of(lab)
        with tempfile.TemporaryDirectory(dir=place) as scratch:
            check_texts(lab, scratch, solutions[lab], mistakes, report)
        slot.choose(lab)
        check_given(slot, stubs_of(lab, solutions[lab]), report)
        check_round(slot, solutions[lab], next(rounds(mistakes)), report)


def explained(graded):
    return graded.broken or '; '.join(f"{r.case.id}: {r.verdict.why['en']}" for r in graded.failed())


def run(options):
    chosen = [spec.find(options.lab)] if options.lab else spec.labs()
    report = Report()
    # One tree for all labs, so that each builds only what differs from the one before.
    place = os.path.join(spec.ROOT, 'build', 'lab', 'check')
    os.makedirs(place, exist_ok=True)
    with open(os.path.join(place, 'lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if options.fast:
            check_fast(chosen, place, report)
        for lab in () if options.fast else chosen:
            check_whole(lab, place, report)
    print(f'{"PASS" if not report.bad else "FAIL"}: {report.bad} things are not as they should be'
          if report.bad else 'PASS')
    return 1 if report.bad else 0
