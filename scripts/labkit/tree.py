"""A student's tree: made by `start`, made again for each hand-in, and compared with what was given out."""
import io
import json
import os
import re
import shutil
import subprocess
import tarfile

import stubs
from spec import LANGUAGES, STUDENT, Failure, spoken

FOLDERS = ('.vscode/', 'boot/', 'docs/', 'drivers/', 'fs/', 'kernel/', 'mm/', 'scripts/', 'user/lab/', 'user/rootfs/')
FILES = ('.clang-format', '.clangd', '.gitignore', 'CMakeLists.txt', 'CMakePresets.json', 'toolchain.cmake', 'user/init.c',
         'course/glossary.md', 'course/glossary.zh.md')
# Of scripts/: for those who work on Orrery, not on a lab.
OTHERS = ('bench', 'bench.py', 'bench_disk.py', 'book', 'concepts', 'format', 'fuzz', 'labkit/check.py', 'lint',
          'lint_plan.py', 'linux_guest.py', 'page_pairs.py', 'pages.py', 'profile', 'references.txt', 'rooms.py', 'rooms.txt',
          'soak', 'test', 'thrashing', 'web')
# No lab needs it: there is less to read, and the first build is shorter.
WING, WITH_WING = 'kernel/linux/', re.compile(rb'(option\(ORRERY_LINUX_WING .*) ON\)')
LESSON = ('chapter.md', 'chapter.zh.md', 'lab.md', 'lab.zh.md', 'lab.toml', 'judge.py')
DATE = '2026-01-01T00:00:00Z'  # two students who start with one seed start from one commit


def git(folder, *arguments, **options):
    environment = {**os.environ, 'GIT_AUTHOR_DATE': DATE, 'GIT_COMMITTER_DATE': DATE}
    try:
        done = subprocess.run(['git', '-C', folder, *arguments], capture_output=True, env=environment,
                              **options)
    except FileNotFoundError:
        raise Failure('git is missing; install the package git', zh='缺少 git；请安装软件包 git') from None
    if done.returncode:
        raise Failure(f'git {arguments[0]}: {done.stderr.decode(errors="replace").strip()}')
    return done.stdout


def listed(folder, *options):
    return [os.fsdecode(name) for name in git(folder, 'ls-files', '-z', *options).split(b'\0') if name]


def sources(root):
    """Every file of the teacher's tree that is not built; a copy of it may be without git."""
    if os.path.exists(os.path.join(root, '.git')):
        names = listed(root, '--cached', '--others', '--exclude-standard')
    else:
        names = [os.path.relpath(os.path.join(place, name), root) for place, folders, files in os.walk(root)
                 if 'build' not in os.path.relpath(place, root).split(os.sep)[:1] for name in files]
    return sorted(name for name in names
                  if '__pycache__' not in name and os.path.isfile(os.path.join(root, name)))


def wanted(path, lab):
    if path.startswith(WING) or (path.startswith('scripts/') and path[len('scripts/'):] in OTHERS):
        return False
    lesson = f'course/{lab.name}/'
    if path.startswith(lesson):
        return path[len(lesson):] in LESSON
    programs = tuple(f'user/{name}{end}' for name in lab.programs for end in ('/', '.c', '.cpp', '.S'))
    return path in FILES or path.startswith(FOLDERS + programs)


def contents(lab, seed, language, expectations=None):
    """Path, bytes and mode of each file of the student's tree."""
    for path in sources(lab.root):
        source = os.path.join(lab.root, path)
        if not wanted(path, lab):
            continue
        with open(source, 'rb') as file:
            data = file.read()
        if any(path == other['file'] for other in lab.without):
            continue
        for other in lab.without:
            if path == other['list']:
                data = re.sub(rb',\s*' + other['word'].encode() + rb'\b', b'', data)
        if path == 'CMakeLists.txt':
            data = WITH_WING.sub(rb'\1 OFF)', data)
        if path.endswith(('.cpp', '.hpp', '.c', '.h')) and b'// Lab ' in data:
            data = stubs.cut(data.decode(), lab.owns, language).encode()
        yield path, data, os.stat(source).st_mode & 0o755
    made = lab.expectations(seed) if expectations is None else expectations
    yield f'course/{lab.name}/expected/{seed}.json', json.dumps(made, indent=1).encode(), 0o644
    about = {'lab': lab.number, 'seed': seed, 'language': language}
    yield STUDENT, (json.dumps(about) + '\n').encode(), 0o644
    yield 'README.md', welcome(lab, language).encode(), 0o644


def welcome(lab, language):
    name = 'welcome.md' if language == 'en' else f'welcome.{language}.md'
    with open(os.path.join(lab.root, 'course', name)) as file:
        text = file.read()
    files = '\n'.join(f'    {task.id}  {file}' for task in lab.tasks for file in task.files)
    end = '' if language == 'en' else '.' + language
    return text.format(number=lab.number, title=spoken(lab.title, language), files=files,
                       chapter=f'course/{lab.name}/chapter{end}.md', lab=f'course/{lab.name}/lab{end}.md')


def write(folder, files):
    """Makes `folder` hold exactly these files, beside build/ and .git. What is the same already keeps
    its time, so that a build after it is a small one."""
    kept = set()
    for path, data, mode in files:
        target = os.path.join(folder, path)
        kept.add(path)
        try:
            with open(target, 'rb') as file:
                if file.read() == data and not os.path.islink(target):
                    continue
        except OSError:
            pass
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.lexists(target):
            os.unlink(target)
        with open(target, 'wb') as file:
            file.write(data)
        os.chmod(target, mode)
    for place, folders, names in os.walk(folder):
        if place == folder:
            folders[:] = [name for name in folders if name not in ('build', '.git')]
        for name in names:
            path = os.path.relpath(os.path.join(place, name), folder)
            if path not in kept:
                os.unlink(os.path.join(folder, path))


def bring_busybox(lab, folder):
    """The guest's shell is the distribution's; what is here already needs no network."""
    here = os.path.join(lab.root, 'build', 'busybox', 'busybox')
    there = os.path.join(folder, 'build', 'busybox', 'busybox')
    if os.path.exists(here) and not os.path.exists(there):
        os.makedirs(os.path.dirname(there), exist_ok=True)
        shutil.copy2(here, there)


def start(lab, folder, language, seed):
    if language not in LANGUAGES:
        raise Failure(f'no language {language}; there are: ' + ' '.join(LANGUAGES), 2)
    if os.path.lexists(folder):
        raise Failure(f'{folder} exists; name a folder that does not')
    os.makedirs(folder)
    write(folder, contents(lab, seed, language))
    bring_busybox(lab, folder)
    git(folder, 'init', '-q', '-b', 'main')
    git(folder, 'add', '-A')
    git(folder, '-c', 'user.name=Orrery', '-c', 'user.email=orrery@localhost', '-c', 'commit.gpgsign=false',
        'commit', '-q', '-m', f'Lab {lab.number}: {spoken(lab.title, "en")}')


def first_commit(folder):
    return git(folder, 'rev-list', '--max-parents=0', 'HEAD').split()[-1].decode()


def changes(folder, lab):
    """What differs from what was given out: (files of the tasks, other files)."""
    changed = git(folder, 'diff', '--name-only', '-z', first_commit(folder)).split(b'\0')
    changed = {os.fsdecode(name) for name in changed if name}
    changed.update(listed(folder, '--others', '--exclude-standard'))
    return [path for path in lab.files if path in changed], sorted(changed.difference(lab.files))


def pristine(folder):
    """Path, bytes and mode of each file as it was given out."""
    with tarfile.open(fileobj=io.BytesIO(git(folder, 'archive', '--format=tar', first_commit(folder)))) as tar:
        for member in tar:
            if member.isfile():
                yield member.name, tar.extractfile(member).read(), 0o755 if member.mode & 0o100 else 0o644
