"""scripts/lab: hands out the course's labs and grades them. --help, and COMMAND --help, tell the rest."""
import argparse
import json
import os
import shlex
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import formats  # noqa: E402
import grading  # noqa: E402
import guest  # noqa: E402
import handin  # noqa: E402
import spec  # noqa: E402
import stubs  # noqa: E402
import tree  # noqa: E402
from spec import ROOT, Failure, spoken  # noqa: E402

SEED = 1           # of students
TEACHERS_SEED = 7  # another one, so that numbers learnt by heart are of no use
PLACE = os.path.join(ROOT, 'build', 'lab')


def language_of(options):
    return getattr(options, 'lang', None) or (spec.student() or {}).get('language', 'en')


def said_in(options):
    """The language of an error: what was asked for, even if the tree's own file cannot be read."""
    try:
        return language_of(options)
    except Failure:
        return getattr(options, 'lang', None) or 'en'


def lab_of(options):
    """The student's lab, or the one that was named."""
    about = spec.student()
    if about:
        if options.lab and str(options.lab) != str(about['lab']):
            raise Failure(f"this is the tree of lab {about['lab']}; for another, make one with scripts/lab start",
                          zh=f"这里是实验 {about['lab']} 的目录；做别的实验，请用 scripts/lab start 另建一个")
        return spec.find(about['lab'])
    if not options.lab:
        raise Failure('which lab? name its number (scripts/lab list)', 2)
    return spec.find(options.lab)


def seed_of(options, default):
    return options.seed if options.seed is not None else (spec.student() or {}).get('seed', default)


def teachers_only(command):
    if spec.student():
        raise Failure(f"{command} is the teacher's: it takes the tree that the labs are made from")


def show_list(options):
    """the labs, their tasks, points, and the time one needs"""
    known = {lab.number: lab for lab in spec.labs()}
    language = language_of(options)
    for number, *titles in spec.TITLES:
        title = titles[spec.LANGUAGES.index(language)]
        lab = known.get(number)
        if not lab:
            if not spec.student():
                print(f'{number:>3}  {title}: {"not yet" if language == "en" else "尚未完成"}')
            continue
        unit = ('points', 'minutes') if language == 'en' else ('分', '分钟')
        print(f'{number:>3}  {title}: {lab.points} {unit[0]}, {lab.minutes} {unit[1]}')
        for task in lab.tasks:
            print(f'       {task.id}  {task.points:>3}  {spoken(task.title, language)}  ({", ".join(task.files)})')


def start(options):
    """make a git repository for a student: the lab's functions as stubs"""
    teachers_only('start')
    lab = spec.find(options.lab)
    folder = os.path.abspath(options.folder)
    tree.start(lab, folder, options.lang or 'en', options.seed if options.seed is not None else SEED)
    print(f'{folder}: lab {lab.number}, {spoken(lab.title, options.lang or "en")}; begin with README.md')


def own_tree(lab, language):
    """What grade looks at: the tree itself if only files of the lab differ from what was given out, else
    a copy of what was given out with these files."""
    ours, others = tree.changes(ROOT, lab) if spec.student() else ([], [])
    if not others:
        return ROOT
    print(('not part of the lab, so graded as they were given out: ' if language == 'en' else
           '下列文件不属于本实验，按老师发下来的版本评分： ') + ', '.join(others), file=sys.stderr)
    copy = os.path.join(PLACE, 'pristine')
    os.makedirs(copy, exist_ok=True)
    mine = {path: handin.read(os.path.join(ROOT, path)) for path in ours}
    tree.write(copy, [(path, mine.get(path, data), mode) for path, data, mode in tree.pristine(ROOT)])
    tree.bring_busybox(lab, copy)
    return copy


def graded_here(options, lab):
    """(the grading, the tree that was graded)."""
    seed = seed_of(options, SEED)
    if not options.submission:
        folder = own_tree(lab, language_of(options))
        pristine = lab if folder == ROOT else spec.find(lab.number, folder)
        return grading.grade(pristine, folder, seed, only=options.only), folder
    teachers_only('--submission')
    slot = handin.Slot(lab, os.path.join(PLACE, f'{lab.number:02}', 'slot0'), seed)
    return handin.grade_archive(slot, options.submission), slot.folder


def grade(options):
    """build, run, and say what each case is worth and why"""
    lab = lab_of(options)
    language = language_of(options)
    if options.only and not any(case.id.startswith(options.only) for case in lab.cases):
        known = ' '.join(case.id for case in lab.cases)
        raise Failure(f'no case begins with {options.only}; there are: {known}', 2,
                      zh=f'没有以 {options.only} 开头的用例；有：{known}')
    os.makedirs(PLACE, exist_ok=True)
    graded, folder = graded_here(options, lab)
    grading.locate(graded, folder, PLACE)
    page = os.path.join(PLACE, 'grade.html')
    written = [(page, formats.as_page(graded, language)),
               (os.path.join(PLACE, 'grade.json'), formats.as_json(graded, language))]
    if options.json:
        written.append((options.json, formats.as_json(graded, language)))
    if options.junit:
        written.append((options.junit, formats.as_junit(graded)))
    if options.gradescope:
        os.makedirs(options.gradescope, exist_ok=True)
        written.append((os.path.join(options.gradescope, 'results.json'), formats.as_gradescope(graded, language)))
    for path, text in written:
        with open(path, 'w') as file:
            file.write(text)
    print(formats.as_table(graded, language, os.path.relpath(page)), end='')
    if options.github:
        print(formats.as_github(graded), end='')
    return 1 if graded.failed() else 0


def show(options):
    """what a task asks for: contract, callers, chapter, and how to stop there"""
    lab = spec.find(options.task)
    task = next((task for task in lab.tasks if task.id == options.task), None)
    if not task:
        known = ' '.join(task.id for task in lab.tasks)
        raise Failure(f'no task {options.task}; lab {lab.number} has: {known}',
                      zh=f'没有任务 {options.task}；实验 {lab.number} 有：{known}')
    language = language_of(options)
    end = '.md' if language == 'en' else f'.{language}.md'
    words = {'en': ('called by', 'read', 'stop there', 'judged by', 'points'),
             'zh': ('由谁调用', '阅读', '在那里停下', '评分用例', '分')}[language]
    print(f'{task.id} {spoken(task.title, language)}: {task.points} {words[4]}')
    for path in task.files:
        with open(os.path.join(ROOT, path)) as file:
            for line, comment, head in stubs.contracts(file.read(), task.id):
                print(f'\n{path}:{line}\n    {head}')
                for text in comment:
                    print(f'    // {text}')
    print(f'\n{words[0]}: {", ".join(task.called)}')
    print(f'{words[1]}: course/{lab.name}/chapter{end}, {spoken(task.section, language)}')
    print(f'{words[2]}: ./scripts/debug, (gdb) break {task.stop}')
    print(f'{words[3]}:')
    for case in task.cases:
        print(f'    {case.id:<18} {case.points:>2}  {spoken(case.title, language)}')


def debug(options):
    """stop a debugger where a case of the last grading first went wrong"""
    try:
        with open(os.path.join(PLACE, 'grade.json')) as file:
            last = json.load(file)
    except FileNotFoundError:
        raise Failure('nothing is graded yet; ./scripts/lab grade comes first',
                      zh='还没有评过分；请先运行 ./scripts/lab grade') from None
    lab = spec.find(last['lab'])
    case = next((case for task in last['tasks'] for case in task['cases'] if case['id'] == options.case), None)
    if not case or 'stop' not in case:
        raise Failure(f'{options.case}: the last grading found no moment to stop at',
                      zh=f'{options.case}：上一次评分没有找到可以停下的时刻')
    trace = os.path.relpath(grading.trace_of(PLACE, lab.case(options.case)))
    words = [os.path.relpath(os.path.join(ROOT, 'scripts', 'debug')), '--at', trace, str(case['stop']),
             '--icount', '2', '--mem', str(guest.megabytes(ROOT, lab.limits)), '--trace', os.devnull,
             *(['--batch', options.batch] if options.batch else []), '--exec', case['command']]
    if options.print:
        print(shlex.join(words))
        return 0
    os.execv(words[0], words)


def hand_in(options):
    """pack your files into an archive"""
    if not spec.student():
        raise Failure('hand-in is for a tree that scripts/lab start made',
                      zh='hand-in 只用于 scripts/lab start 建立的目录')
    lab = lab_of(options)
    target = options.archive or f'lab{lab.number}.tar.gz'
    for path in handin.pack(lab, ROOT, target):
        print(f'    {path}')
    print(f'{target}: ' + ('hand this in' if language_of(options) == 'en' else '请提交这个文件'))


def grade_all(options):
    """grade every archive in a folder, each on a pristine tree"""
    teachers_only('grade-all')
    lab = spec.find(options.lab)
    seed = options.seed if options.seed is not None else TEACHERS_SEED
    if not os.path.isdir(options.folder):
        raise Failure(f'{options.folder} is no folder')
    before = handin.cpu_seconds()
    results = handin.grade_all(lab, options.folder, seed, options.jobs,
                               os.path.join(PLACE, f'{lab.number:02}'))
    handin.write_csv(lab, results, options.csv)
    if options.reports:
        os.makedirs(options.reports, exist_ok=True)
        for name, graded in results.items():
            with open(os.path.join(options.reports, name + '.html'), 'w') as file:
                file.write(formats.as_page(graded, options.lang or 'en'))
            with open(os.path.join(options.reports, name + '.json'), 'w') as file:
                file.write(formats.as_json(graded, options.lang or 'en'))
    print(f'{options.csv}: {len(results)} archives, seed {seed}; '
          f'{(handin.cpu_seconds() - before) / len(results):.0f} s of CPU each')


def autograder(options):
    """make the folder that Gradescope takes as a zip: setup.sh and run_autograder"""
    teachers_only('autograder')
    import gradescope
    gradescope.make(spec.find(options.lab), os.path.abspath(options.folder),
                    options.seed if options.seed is not None else TEACHERS_SEED)


def check(options):
    """for us: everything that has to be true of a lab"""
    teachers_only('check')
    import check as checking
    return checking.run(options)


def parse(arguments):
    parser = argparse.ArgumentParser(prog='scripts/lab', description="The course's labs.")
    commands = parser.add_subparsers(dest='command', required=True, metavar='COMMAND')

    def command(name, function, *words):
        made = commands.add_parser(name, help=function.__doc__, description=function.__doc__ + '.')
        made.set_defaults(function=function)
        for word in words:
            made.add_argument(*word[0], **word[1])

    lab = (['lab'], {'help': "the lab's number"})
    maybe_lab = (['lab'], {'nargs': '?', 'help': "the lab's number (in a student's tree: its own)"})
    language = (['--lang'], {'choices': spec.LANGUAGES, 'help': 'language of what is said and made'})
    seed = (['--seed'], {'type': int, 'help': 'random workloads are drawn from it'})
    command('list', show_list, language)
    command('start', start, lab, (['folder'], {'help': 'a folder that does not exist yet'}), language, seed)
    command('grade', grade, maybe_lab, language, seed,
            (['--only'], {'metavar': 'CASE', 'help': 'only cases whose name begins so (5.2, 5.2.ties)'}),
            (['--submission'], {'metavar': 'PATH', 'help': "the teacher's: a hand-in, or a folder with it or its "
                                'files, on a pristine tree'}),
            (['--json'], {'metavar': 'F', 'help': 'the result as JSON'}),
            (['--junit'], {'metavar': 'F', 'help': 'the result as JUnit XML'}),
            (['--gradescope'], {'metavar': 'DIR', 'help': "Gradescope's results.json in DIR"}),
            (['--github'], {'action': 'store_true', 'help': 'annotations and output for a GitHub workflow'}))
    command('show', show, (['task'], {'help': 'a task, such as 5.2'}), language)
    command('debug', debug, (['case'], {'help': 'a case that failed, such as 5.2.ties'}),
            (['--batch'], {'metavar': 'FILE', 'help': 'GDB commands instead of a prompt'}),
            (['--print'], {'action': 'store_true', 'help': 'only print the command'}))
    command('hand-in', hand_in, maybe_lab, language, (['--archive'], {'metavar': 'F', 'help': 'default labN.tar.gz'}))
    command('grade-all', grade_all, lab, (['folder'], {'help': 'the archives'}),
            (['--csv'], {'required': True, 'metavar': 'F', 'help': 'the table of points'}),
            (['--reports'], {'metavar': 'DIR', 'help': 'a page and a JSON file for each archive'}),
            (['--jobs'], {'type': int, 'default': os.cpu_count() or 1, 'help': 'how many at once'}),
            seed, language)
    command('autograder', autograder, lab, (['folder'], {'help': 'a folder that does not exist yet'}), seed)
    command('check', check, maybe_lab,
            (['--fast'], {'action': 'store_true', 'help': "what CI does: one seed, a round of mistakes"}))
    return parser.parse_args(arguments)


def main():
    options = parse(sys.argv[1:])
    try:
        return options.function(options)
    except Failure as failure:
        print('lab: ' + failure.said(said_in(options)), file=sys.stderr)
        return failure.status
    except stubs.BadMark as fault:
        print(f'lab: {fault}', file=sys.stderr)
    except OSError as error:
        print(f'lab: {error.filename or "?"}: {error.strerror}', file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


if __name__ == '__main__':
    sys.exit(main())
