"""The folder that Gradescope takes as a zip: setup.sh installs, run_autograder grades one hand-in.

Gradescope unpacks the zip in /autograder/source, runs setup.sh once as root while it makes its image, puts
each submission in /autograder/submission, runs /autograder/run_autograder, and reads
/autograder/results/results.json. All paths hang on AUTOGRADER, so that a test can use another folder.
"""
import os
import shutil

import tree
from spec import Failure

SETUP = '''#!/usr/bin/env bash
# Installs what building and running Orrery needs, and builds the pristine tree once, so that each
# submission builds only what it changes.
set -eu
root=${{AUTOGRADER:-/autograder}}/source/orrery
cd "$root"
./scripts/setup
mkdir -p build/nothing
./scripts/lab grade {lab} --submission build/nothing --seed {seed} >build/warm.log 2>&1 || true
test -e build/lab/grade.json || {{ cat build/warm.log >&2; exit 1; }}
'''

RUN = '''#!/usr/bin/env bash
# Grades what is in submission/: the archive that `scripts/lab hand-in` made, or the files themselves.
root=${{AUTOGRADER:-/autograder}}
cd "$root/source/orrery"
mkdir -p "$root/results"
./scripts/lab grade {lab} --submission "$root/submission" --seed {seed} --gradescope "$root/results"
exit 0
'''


def make(lab, folder, seed):
    if os.path.lexists(folder):
        raise Failure(f'{folder} exists; name a folder that does not')
    os.makedirs(folder)
    for name, text in (('setup.sh', SETUP), ('run_autograder', RUN)):
        path = os.path.join(folder, name)
        with open(path, 'w') as file:
            file.write(text.format(lab=lab.number, seed=seed))
        os.chmod(path, 0o755)
    # The whole tree: the reference makes the expectations of any seed.
    target = os.path.join(folder, 'orrery')
    for path in tree.sources(lab.root):
        there = os.path.join(target, path)
        os.makedirs(os.path.dirname(there), exist_ok=True)
        shutil.copy(os.path.join(lab.root, path), there)
    tree.bring_busybox(lab, target)
    print(f'{folder}: zip its contents (cd {folder} && zip -qr ../autograder.zip .) and upload that')
