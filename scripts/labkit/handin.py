"""Hand-ins: an archive of the student's files, and the grading of a folder full of them."""
import csv
import gzip
import io
import json
import os
import queue
import resource
import tarfile
import threading

import formats
import grading
import tree
from spec import STUDENT, Failure

LARGEST = 1 << 20  # bytes of a file, and of an archive


class Refused(Exception):
    """Why an archive is not graded, in one line."""


def pack(lab, folder, target):
    ours, others = tree.changes(folder, lab)
    if others:
        raise Failure('these files are not part of the lab, and were changed: ' + ', '.join(others)
                      + '. Undo that (git checkout FILE; rm FILE), then hand in again',
                      zh='这些文件不属于本实验，却被修改了：' + '、'.join(others)
                      + '。请撤销修改（git checkout 文件；rm 文件），再提交')
    if not ours:
        raise Failure('nothing is changed yet; the files of this lab are: ' + ', '.join(lab.files),
                      zh='还没有修改任何文件；本实验的文件是：' + '、'.join(lab.files))
    about = tree.git(folder, 'show', f'{tree.first_commit(folder)}:{STUDENT}')
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode='w', format=tarfile.USTAR_FORMAT) as tar:
        for name, data in [('lab.json', about)] + [(path, read(os.path.join(folder, path))) for path in ours]:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    with open(target, 'wb') as file:
        file.write(gzip.compress(packed.getvalue(), mtime=0))
    return ours


def read(path):
    if os.path.islink(path):
        raise Failure(f'{path} is a symbolic link; a hand-in takes plain files',
                      zh=f'{path} 是符号链接；只能提交普通文件')
    with open(path, 'rb') as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Failure(f'{path} is larger than 1 MiB', zh=f'{path} 超过 1 MiB')
    return data


def unpack(lab, path):
    """{path: bytes} of the student's files. Nothing is written anywhere."""
    if os.path.getsize(path) > LARGEST:
        raise Refused('larger than 1 MiB')
    files = {}
    try:
        with gzip.open(path) as packed:
            data = packed.read(16 * LARGEST + 1)  # not what a bomb would unpack to
        if len(data) > 16 * LARGEST:
            raise Refused('unpacks to more than 16 MiB')
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            for member in tar:
                if not member.isreg():
                    raise Refused(f'{member.name} is not a plain file')
                if member.size > LARGEST:
                    raise Refused(f'{member.name} is larger than 1 MiB')
                files[member.name] = tar.extractfile(member).read()
    except (OSError, EOFError, tarfile.TarError, ValueError):
        raise Refused('no archive that scripts/lab hand-in made') from None
    try:
        number = json.loads(files.pop('lab.json'))['lab']
    except (KeyError, ValueError, TypeError):
        raise Refused('no archive that scripts/lab hand-in made: it has no lab.json') from None
    if number != lab.number:
        raise Refused(f'a hand-in of lab {number}, not of lab {lab.number}')
    foreign = sorted(set(files) - set(lab.files))
    if foreign:
        raise Refused('changes files that are not part of the lab: ' + ', '.join(foreign))
    return files


class Slot:
    """A tree that is made pristine for each hand-in, and built by what changed."""

    def __init__(self, lab, folder, seed):
        self.lab, self.folder, self.seed = lab, folder, seed
        self.expectations = lab.expectations(seed)
        self.given = {path: (data, mode) for path, data, mode in
                      tree.contents(lab, seed, 'en', self.expectations)}

    def put(self, files):
        os.makedirs(self.folder, exist_ok=True)
        tree.write(self.folder, [(path, files.get(path, data), mode)
                                 for path, (data, mode) in self.given.items()])
        tree.bring_busybox(self.lab, self.folder)

    def grade(self, files, only=None):
        self.put(files)
        return grading.grade(self.lab, self.folder, self.seed, self.expectations, only)


def submitted(lab, path):
    """A file is an archive; a folder has one, or else the files themselves."""
    if not os.path.isdir(path):
        return unpack(lab, path)
    names = sorted(os.listdir(path))
    if len(names) == 1 and os.path.isfile(os.path.join(path, names[0])) and names[0] not in lab.files:
        return unpack(lab, os.path.join(path, names[0]))
    return {name: read(os.path.join(path, name)) for name in lab.files
            if os.path.lexists(os.path.join(path, name))}


def grade_archive(slot, path):
    try:
        return slot.grade(submitted(slot.lab, path))
    except Refused as refusal:
        return grading.nothing(slot.lab, slot.seed, f'not graded: {refusal}')


def grade_all(lab, folder, seed, workers, place, told=print):
    """{archive: Graded}, each on a tree of its own worker."""
    archives = sorted(name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name)))
    if not archives:
        raise Failure(f'{folder} has no files')
    waiting, results, faults = queue.Queue(), {}, []
    for name in archives:
        waiting.put(name)

    def work(number):
        try:
            slot = Slot(lab, os.path.join(place, f'slot{number}'), seed)
            while not faults:
                name = waiting.get_nowait()
                results[name] = grade_archive(slot, os.path.join(folder, name))
                told(f'{name}: {results[name].points} of {lab.points}'
                     + (f' ({results[name].broken})' if results[name].broken else ''))
        except queue.Empty:
            pass
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(min(workers, len(archives)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return {name: results[name] for name in archives}


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def write_csv(lab, results, target):
    with open(target, 'w', newline='') as file:
        table = csv.writer(file)
        table.writerow(['archive', 'points', 'max', *(task.id for task in lab.tasks), 'note'])
        for name, graded in results.items():
            data = formats.as_data(graded)
            failed = ' '.join(result.case.id for result in graded.failed())
            table.writerow([name, graded.points, lab.points, *(task['points'] for task in data['tasks']),
                            graded.broken or (f'failed: {failed}' if failed else '')])
