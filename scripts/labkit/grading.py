"""Builds a tree, runs its cases, and has them judged."""
import os
import re
import shutil
import time

import guest
from spec import ROOT, Failure

ERROR = re.compile(r'^(?:.*?/)?((?:boot|kernel|mm|fs|drivers|user)/[^\s:]+:\d+:(?:\d+:)? (?:fatal )?error: .*)$', re.M)
LINK = re.compile(r'^.*(undefined reference to .*|multiple definition of .*)$', re.M)
COMPILER = re.compile(r'^(?:cc1plus|\S*g\+\+): (.*)$', re.M)  # about itself: out of memory, killed
BUILD_SECONDS = 120  # of CPU, for each process of a build
BUILD_OUTPUT = 4 << 20  # bytes that compilers may print


class Verdict:
    """What a judge says: whether it is right; if not, why, in both languages; a picture of both runs,
    as HTML; and, for a debugger, the number of an event of the traced run."""

    command = None  # that shows it, where the case is made of several

    def __init__(self, passed, why=None, picture='', stop=None):
        self.passed, self.why, self.picture, self.stop = passed, why, picture, stop


def both(en, zh):
    """What a judge says, in both languages."""
    return {'en': en, 'zh': zh}


def hinted(case, why):
    """The same, and the hint of the case behind it, if it has one."""
    hint = case.hint or {}
    return {language: text + (' ' + hint[language] if language in hint else '') for language, text in why.items()}


class Check:
    """One case as a judge wants it run: a command of the guest, and check(Output) -> Verdict."""

    def __init__(self, case, command, check, stop=None, disk=None):
        self.case, self.command, self.check = case, command, check
        self.stop = stop  # stop(Trace of a run, Verdict) -> number of an event, or None
        # A boot of its own: 'root', on a disk that e2fsck looks at afterwards; 'slow', beside one that takes its time.
        self.disk = disk


class Result:
    def __init__(self, case, verdict, check=None):
        self.case, self.verdict, self.check = case, verdict, check

    @property
    def points(self):
        return self.case.points if self.verdict.passed else 0

    @property
    def command(self):
        """That shows it, alone."""
        return self.verdict.command or (self.check and self.check.command)


class Graded:
    """`broken`: the first error of a tree that doesn't build, or why nothing could be judged."""

    def __init__(self, lab, seed, results, broken=None):
        self.lab, self.seed, self.results, self.broken = lab, seed, results, broken

    @property
    def points(self):
        return sum(result.points for result in self.results)

    def failed(self):
        return [result for result in self.results if not result.verdict.passed]


def first_error(text):
    found = ERROR.search(text) or LINK.search(text)
    if found:
        return re.sub(r'^.*?(?=undefined|multiple|[a-z]+/)', '', found[1].strip(), count=1)
    found = COMPILER.search(text)
    if found:
        return f'the compiler: {found[1].strip()}'
    lines = [line for line in text.splitlines()
             if line.strip() and not line.startswith(('[', '--', 'ninja:', 'FAILED:'))]
    return lines[0].strip() if lines else 'the build failed without a word'


def build(tree):
    """None, or the first error."""
    script = os.path.join(tree, 'scripts', 'build')
    environment = {name: value for name, value in os.environ.items() if name != 'ORRERY_BUILD'}
    # What differs from this tree in nothing is not compiled again, if it is built here: scripts/seeds.py.
    seed = os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build'))
    if os.path.exists(os.path.join(seed, 'compile_commands.json')) and os.path.realpath(tree) != ROOT and ' ' not in seed:
        environment['ORRERY_OPTIONS'] = f"{environment.get('ORRERY_OPTIONS', '')} -DORRERY_SEED={seed}"
    done = guest.bounded([script, '--quiet', 'kernel.elf', 'disk'], BUILD_SECONDS, tree, environment, BUILD_OUTPUT)
    if done.stopped == 'output':
        return 'the compiler printed without end'
    if done.stopped and done.status < 0:
        return f'the build took more than {guest.PATIENCE * BUILD_SECONDS} s'
    return first_error(done.errors + done.output) if done.status else None


def nothing(lab, seed, why):
    text = {'en': why, 'zh': why}
    return Graded(lab, seed, [Result(case, Verdict(False, text)) for case in lab.cases], why)


def grade(lab, tree, seed, expectations=None, only=None):
    """`lab`: the pristine one, with the judge; `tree`: what is judged."""
    for tool in ('qemu-system-i386', 'e2fsck'):
        if not shutil.which(tool, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin'):
            raise Failure(f'{tool} is missing; ./scripts/setup installs it', zh=f'缺少 {tool}；用 ./scripts/setup 安装')
    expected = lab.expectations(seed) if expectations is None else expectations
    broken = build(tree)
    if broken:
        return nothing(lab, seed, broken)
    checks = lab.module('judge').checks(lab, expected)
    missing = {case.id for case in lab.cases} ^ {check.case.id for check in checks}
    if missing:
        raise Failure(f'lab {lab.number}: judge.py and lab.toml disagree about {" ".join(sorted(missing))}')
    if only:
        checks = [check for check in checks if check.case.id.startswith(only)]
    outputs = guest.together(tree, [(check.case.id, check.command) for check in checks if not check.disk],
                             seed, lab.limits)
    alone = {'root': guest.on_root_disk, 'slow': guest.on_slow_disk}
    outputs.update((check.case.id, alone[check.disk](tree, check.command, lab.limits)) for check in checks if check.disk)
    results = [Result(check.case, judged(check, outputs[check.case.id]), check) for check in checks]
    order = [case.id for case in lab.cases]
    results.sort(key=lambda result: order.index(result.case.id))
    return Graded(lab, seed, results)


def judged(check, output):
    if output.trouble:
        return Verdict(False, output.trouble)
    try:
        return check.check(output)
    except (ValueError, KeyError, IndexError, TypeError) as error:
        # What the kernel printed is not in the form of the program that was run.
        said = ' '.join(output.text.split())[:200] or 'nothing'
        return Verdict(False, {'en': f'the run printed what cannot be read ({type(error).__name__}): {said}',
                               'zh': f'运行的输出无法解读（{type(error).__name__}）：{said}'})


def trace_of(place, case):
    return os.path.join(place, f'{case.id}.trace.json')


def locate(graded, tree, place):
    """For those that differ at a moment: runs the command again, alone and traced, and finds the event
    at which a debugger is to stop. The traces stay in `place`."""
    from trace_file import BadTrace, load
    for result in graded.failed():
        if not result.check or not result.check.stop or not result.verdict.picture:
            continue
        path = trace_of(place, result.case)
        ended = guest.run(tree, result.command, graded.lab.limits, path)
        if guest.trouble_of(ended, graded.lab.limits):
            continue
        try:
            trace = load(path)
            number = result.check.stop(trace, result.verdict)
            if number is not None:
                trace.slot_of(number)
                result.verdict.stop = number
        except (BadTrace, OSError, ValueError, KeyError, IndexError, TypeError):
            continue
