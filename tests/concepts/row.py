"""A row of the course's concepts: what it is called, the command that shows it, what one sees, where
the source is, and how to tell that what it printed is right. The pages docs/concepts*.md and
scripts/concepts are made from these."""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Wrong(Exception):
    """What a command printed is not what it should be."""


@dataclasses.dataclass
class Output:
    """What came of a row's command."""
    text: str
    seed: int
    trace: pathlib.Path | None = None

    def json(self):
        """The objects that it printed, one a line."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith('{')]

    def listing(self, form):
        """The lines that scripts/trace gives of the run's trace."""
        run = subprocess.run(['./scripts/trace', form, self.trace], capture_output=True, text=True,
                             cwd=ROOT, check=True)
        return run.stdout.splitlines()

    def trace_lines(self):
        """The trace's events as text, one a line."""
        return self.listing('text')

    def decisions(self):
        """What the report page says the kernel decided: (what, who, why)."""
        sys.path.insert(0, str(ROOT / 'scripts'))
        from trace_file import load
        from trace_report import report_data
        return [tuple(row[1:]) for row in report_data(load(self.trace))['decisions']]

    def measures(self):
        """What scripts/trace tells of each process by name, in milliseconds."""
        sys.path.insert(0, str(ROOT / 'scripts'))
        from trace_file import load
        from trace_model import KERNEL, Model
        return {process.name: {key: value / (1 if key == 'weighted' else 1e6) if value is not None else None
                               for key, value in process.measures().items()}
                for process in Model(load(self.trace)).processes.values() if process.pid != KERNEL}

    def find(self, pattern):
        """The match of a regular expression; Wrong if there is none."""
        match = re.search(pattern, self.text, re.MULTILINE)
        want(match, f'nothing like {pattern!r} in the output')
        return match

    def find_all(self, pattern):
        """The groups of each match; Wrong if there is none."""
        matches = re.findall(pattern, self.text, re.MULTILINE)
        want(matches, f'nothing like {pattern!r} in the output')
        return matches


@dataclasses.dataclass
class Row:
    id: str
    concept: str
    concept_zh: str
    command: str  # in the guest; {seed} stands for a number
    sees: str
    sees_zh: str
    source: str  # the files, separated by blanks
    check: Callable[[Output], None]  # raises Wrong
    run: str = '--icount'  # options of scripts/run
    memory: int = 0  # MB beside the image, which is a RAM disk; 0: what scripts/run gives
    trace: bool = False  # the check reads a trace of the run
    host: str = ''  # a command of the host in place of `command`
    timeout: int = 120

    def shown(self, seed=1):
        """As the check types it."""
        if self.host:
            return self.host.replace('{seed}', str(seed))
        trace = ' --trace run.json' if self.trace else ''
        options = f' {self.run}' if self.run else ''
        if self.memory:
            options += f' --mem $(($(stat -c %s build/disk.img) / 1048576 + {self.memory}))'
        return f"./scripts/run{options}{trace} --exec '{self.guest_command(seed)}'"

    def for_people(self):
        """As a reader would type it."""
        return self.shown().replace(' --json', '')

    def guest_command(self, seed):
        return self.command.replace('{seed}', str(seed))

    def execute(self, seed):
        """Runs the command and checks what it printed; raises Wrong."""
        with tempfile.TemporaryDirectory() as folder:
            trace = pathlib.Path(folder) / 'run.json'
            if self.host:
                words = ['bash', '-c', self.shown(seed)]
            else:
                words = ['./scripts/run', *self.run.split(), '--timeout', str(self.timeout)]
                words += ['--trace', trace] if self.trace else []
                if self.memory:
                    image = pathlib.Path(os.environ.get('ORRERY_IMAGE', ROOT / 'build/disk.img'))
                    words += ['--mem', str(image.stat().st_size // 2 ** 20 + self.memory)]
                words += ['--exec', self.guest_command(seed)]
            run = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False,
                                 stdin=subprocess.DEVNULL, timeout=self.timeout + 30)
            if run.returncode:
                raise Wrong(f'status {run.returncode}: {(run.stderr or run.stdout)[-300:]}')
            try:
                self.check(Output(run.stdout, seed, trace if self.trace else None))
            except Wrong as wrong:
                raise Wrong(f'{wrong}\n{run.stdout[-1500:]}') from None
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                raise Wrong(f'{type(error).__name__}: {error}\n{run.stdout[-1500:]}') from None


def want(condition, why):
    if not condition:
        raise Wrong(why)


def same(got, wanted, what):
    want(got == wanted, f'{what}: {got}, wanted {wanted}')


def near(got, wanted, part, what):
    want(abs(got - wanted) <= part * max(abs(wanted), 1e-9), f'{what}: {got}, wanted {wanted}')
