"""What course/NN-NAME/lab.toml says: a lab, its tasks, their cases; and the judge beside it.

A judge (judge.py) turns expectations into runs and runs into verdicts; a reference (reference.py, only
in the teacher's tree) makes expectations from a seed. docs/labs.md has the format.
"""
import glob
import importlib.util
import json
import os
import sys

try:
    import tomllib
except ImportError:
    sys.exit('lab: needs Python 3.11 or newer (Debian 12, Ubuntu 24.04)')

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
STUDENT = '.lab.json'  # at the root of a student's tree
LANGUAGES = ('en', 'zh')
TITLES = ((1, 'Modes and traps', '处理机状态与中断'), (2, 'System calls', '系统调用'),
          (3, 'Processes', '进程'), (4, 'Threads', '线程'), (5, 'Scheduling', '处理机调度'),
          (6, 'Communication', '进程通信'), (7, 'Locks and semaphores', '锁与信号量'),
          (8, 'Classic problems and monitors', '经典同步问题与管程'), (9, 'Deadlock', '死锁'),
          (10, 'Partitions', '连续分配'), (11, 'Paging, TLB and segments', '分页、快表与分段'),
          (12, 'Virtual memory', '虚拟存储器'), (13, 'Files', '文件'), (14, 'Disks', '磁盘与 I/O 设备'))


class Failure(Exception):
    """One line for the user that says what to do, in Chinese too if a student may see it; and the exit status."""

    def __init__(self, reason, status=1, zh=None):
        super().__init__(reason)
        self.status, self.zh = status, zh

    def said(self, language):
        return self.zh if language == 'zh' and self.zh else str(self)


class Case:
    """A thing that is judged, and what it is worth."""

    def __init__(self, task, entry):
        self.task, self.id, self.points = task, f"{task.id}.{entry['name']}", entry['points']
        self.title, self.hint = entry['title'], entry.get('hint')


class Task:
    """Functions that the student writes: those under a mark with this id, in these files."""

    def __init__(self, entry):
        self.id, self.title, self.files = entry['id'], entry['title'], entry['files']
        self.section, self.stop, self.called = entry['section'], entry['stop'], entry['called']
        self.cases = [Case(self, case) for case in entry['case']]

    @property
    def points(self):
        return sum(case.points for case in self.cases)


class Lab:
    def __init__(self, folder):
        self.folder = folder
        path = os.path.join(folder, 'lab.toml')
        try:
            with open(path, 'rb') as file:
                data = tomllib.load(file)
            self.number, self.title, self.minutes = data['number'], data['title'], data['minutes']
            self.programs = data['programs']  # of user/, that the student's tree keeps
            self.limits = data['limits']
            self.without = data.get('without', [])  # policies that the student's tree has not
            self.tasks = [Task(entry) for entry in data['task']]
        except (tomllib.TOMLDecodeError, KeyError) as error:
            raise Failure(f'{os.path.relpath(path)}: {error}') from None

    @property
    def name(self):
        return os.path.basename(self.folder)

    @property
    def root(self):
        return os.path.dirname(os.path.dirname(self.folder))

    @property
    def points(self):
        return sum(task.points for task in self.tasks)

    @property
    def files(self):
        """What the student may change, in order."""
        return list(dict.fromkeys(file for task in self.tasks for file in task.files))

    @property
    def cases(self):
        return [case for task in self.tasks for case in task.cases]

    def owns(self, task):
        return task.split('.')[0] == str(self.number)

    def case(self, name):
        for case in self.cases:
            if case.id == name:
                return case
        known = ' '.join(case.id for case in self.cases)
        raise Failure(f'lab {self.number} has no case {name}; it has: {known}',
                      zh=f'实验 {self.number} 没有用例 {name}；有：{known}')

    def module(self, name):
        """judge or reference, from beside lab.toml."""
        path = os.path.join(self.folder, name + '.py')
        if not os.path.exists(path):
            return None
        if self.folder not in sys.path:
            sys.path.insert(0, self.folder)  # a judge may be of several files
        spec = importlib.util.spec_from_file_location(f'lab{self.number}_{name}', path)
        module = importlib.util.module_from_spec(spec)
        sys.dont_write_bytecode = True
        spec.loader.exec_module(module)
        return module

    def expectations(self, seed):
        """Workloads and what is right for them: made by the reference, or, where there is none (a
        student's tree), those that the teacher made at the start."""
        reference = self.module('reference')
        if reference:
            return json.loads(json.dumps(reference.make(seed)))
        made = sorted(glob.glob(os.path.join(self.folder, 'expected', '*.json')))
        path = os.path.join(self.folder, 'expected', f'{seed}.json')
        if path not in made:
            seeds = ' '.join(os.path.basename(file)[:-5] for file in made)
            raise Failure(f'seed {seed}: this tree has expectations for: {seeds or "none"}',
                          zh=f'种子 {seed}：本目录只有这些种子的标准答案：{seeds or "无"}')
        with open(path) as file:
            return json.load(file)


def labs(root=ROOT):
    return [Lab(os.path.dirname(path))
            for path in sorted(glob.glob(os.path.join(root, 'course', '[0-9][0-9]-*', 'lab.toml')))]


def find(number, root=ROOT):
    """By its number, or by that of one of its tasks."""
    known = labs(root)
    for lab in known:
        if str(lab.number) == str(number).split('.')[0].lstrip('0'):
            return lab
    numbers = ' '.join(str(lab.number) for lab in known)
    raise Failure(f'no lab {number}; there are: {numbers}', zh=f'没有实验 {number}；有：{numbers}')


def student(root=ROOT):
    """What a student's tree says of itself; None in the teacher's."""
    try:
        with open(os.path.join(root, STUDENT)) as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except ValueError:
        raise Failure(f'{STUDENT} is damaged; `git checkout {STUDENT}` brings it back',
                      zh=f'{STUDENT} 已损坏；用 `git checkout {STUDENT}` 恢复') from None


def spoken(text, language):
    """From a table of languages, or a text for all."""
    return text if isinstance(text, str) else text.get(language) or text['en']
