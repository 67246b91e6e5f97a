"""Takes the objects of another build where nothing differs: a hand-in's tree is the teacher's but for a few
files, and the kernel without its wing is the whole one's in most groups. CMakeLists.txt calls it where
ORRERY_SEED names that build folder.

record SEED SOURCES:      when CMake configures: notes in ./seeds what each object of SEED was made from; SOURCES
                          is the folder of the tree that is built here
take COMPILER ARGUMENT..: in front of each compilation in a build folder: copies the object of SEED if the
                          command is the same (but for the folders' names) and so is every file that went
                          in, headers too; else runs the compiler. An object that is older than its files or
                          than the rules of the build, or was made anew since, is not taken.
"""
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

RECORDS = 'seeds'
RULES = ('CMakeLists.txt', 'toolchain.cmake', 'scripts/cmake/kernel.cmake', 'scripts/cmake/user.cmake')


def digest(path, renamed=lambda text: text):
    with open(path, 'rb') as file:
        return hashlib.sha1(renamed(file.read())).hexdigest()


def options(words):
    """The command without its launchers and the paths to the compiler, and without what it says of dependencies."""
    first = next((i for i, word in enumerate(words) if word.startswith('-')), len(words))
    kept, words = [os.path.basename(word) for word in words[first - 1:first]], iter(words[first:])
    for word in words:
        if word in ('-MT', '-MF'):
            next(words, None)
        elif word != '-MD':
            kept.append(word)
    return kept


def output_of(words):
    return words[words.index('-o') + 1] if '-o' in words[:-1] else ''


def home(build):
    """The sources' folder of a build."""
    with open(os.path.join(build, 'CMakeCache.txt')) as file:
        return re.search(r'^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$', file.read(), re.M)[1]


def dependencies(seed):
    """{output: its files, absolute}, as ninja noted them."""
    text = subprocess.run(['ninja', '-C', seed, '-t', 'deps'], capture_output=True, text=True, check=True).stdout
    found, files = {}, []
    for line in text.splitlines():
        if line.startswith('    '):
            files.append(os.path.normpath(os.path.join(seed, line[4:])))
        elif line.endswith('(VALID)'):
            files = found[line.split(': #deps')[0]] = []
        else:
            files = []
    return found


class Folders:
    """How names of the seed's folders are written here."""

    def __init__(self, seed, sources, build):
        # A build folder lies within its sources, so it comes first.
        self.pairs = [(os.path.realpath(seed), build), (os.path.realpath(home(seed)), sources)]
        self.pattern = re.compile('|'.join(f'{re.escape(old)}(?=/|$)' for old, _ in self.pairs))
        self.bytes = re.compile(self.pattern.pattern.encode())

    def path(self, text):
        return self.pattern.sub(lambda found: dict(self.pairs)[found[0]], text)

    def data(self, text):
        new = {old.encode(): new.encode() for old, new in self.pairs}
        return self.bytes.sub(lambda found: new[found[0]], text)


def record(seed, sources):
    seed, build = os.path.realpath(seed), os.getcwd()
    shutil.rmtree(RECORDS, ignore_errors=True)
    if seed == build:
        return
    folders, made, known = Folders(seed, sources, build), dependencies(seed), {}
    rules = max(os.stat(os.path.join(home(seed), name)).st_mtime_ns for name in RULES)
    with open(os.path.join(seed, 'compile_commands.json')) as file:
        commands = [shlex.split(entry['command']) for entry in json.load(file)]
    for words in commands:
        output = output_of(words)
        if output not in made:
            continue
        time = os.stat(os.path.join(seed, output)).st_mtime_ns
        files = set(made[output])
        for word in words:  # a precompiled header has files of its own
            if word.endswith('.hxx'):
                files.update(made[os.path.relpath(word, seed) + '.gch'])
        files = sorted(name for name in files if not name.endswith('.gch'))
        for name in files:
            if name not in known:  # what CMake generates has the folders' names in it
                renamed = folders.data if name.startswith(seed + '/') else lambda text: text
                known[name] = digest(name, renamed), os.stat(name).st_mtime_ns
        if max(rules, *(known[name][1] for name in files)) > time:
            continue
        target = os.path.join(RECORDS, output + '.json')
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, 'w') as file:
            json.dump({'object': os.path.join(seed, output), 'time': time,
                       'options': [folders.path(word) for word in options(words)],
                       'files': {folders.path(name): known[name][0] for name in files}}, file)


def taken(words):
    """Whether the object was another build's: then it is here."""
    output = output_of(words)
    try:
        with open(os.path.join(RECORDS, output + '.json')) as file:
            seed = json.load(file)
        if seed['options'] != options(words) or os.stat(seed['object']).st_mtime_ns != seed['time']:
            return False
        if any(digest(path) != wanted for path, wanted in seed['files'].items()):
            return False
        shutil.copyfile(seed['object'], output)
        if os.stat(seed['object']).st_mtime_ns != seed['time']:
            return False
        if '-MF' in words:
            with open(words[words.index('-MF') + 1], 'w') as file:
                file.write(f'{output}: ' + ' '.join(path.replace(' ', '\\ ') for path in seed['files']) + '\n')
        return True
    except (OSError, ValueError, KeyError):
        return False


if sys.argv[1] == 'record':
    try:
        record(sys.argv[2], sys.argv[3])
    except (OSError, ValueError, KeyError, TypeError, subprocess.SubprocessError) as error:
        shutil.rmtree(RECORDS, ignore_errors=True)
        print(f'seeds.py: {sys.argv[2]} gives no objects: {error}')
elif not taken(sys.argv[2:]):
    os.execvp(sys.argv[2], sys.argv[2:])
