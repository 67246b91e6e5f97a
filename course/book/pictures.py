"""Pictures of runs. A run whose output is a chart in characters (a Gantt chart, a table of frames) is drawn from these very lines,
which a test keeps equal to a real run. `<!-- picture states NAME… -->` below a command runs it again with a trace and draws
who had the CPU, and the states of the processes of these names (all, without names)."""
import hashlib
import os
import re
import shlex
import subprocess
import tempfile

from source import ROOT  # first: it says where the others are
from picture import label, svg
from trace_svg import COLOURS, GAP, ROW, STATES, Picture

SAYS = {'gantt': {'en': 'Gantt chart of this run', 'zh': '这次运行的甘特图'},
        'frames': {'en': 'What was in each frame', 'zh': '各物理块中的页'},
        'states': {'en': 'Who had the CPU, and the states over time', 'zh': 'CPU 的归属与各进程的状态'}}
WORDS = {'en': {'running': 'running', 'ready': 'ready'}, 'zh': {'running': '执行', 'ready': '就绪'}}


class BadPicture(Exception):
    """A wish that cannot be met."""


def of_run(body, wish, language, cache):
    """(caption, SVG) of a command and its output, or None. `cache`: a folder for traced runs; None: none is made."""
    if wish:
        words = wish.split()
        if words[0] != 'states':
            raise BadPicture(f'no picture {words[0]}; there are: states')
        return (SAYS['states'][language], states(body.split('\n')[0][2:], words[1:], cache)) if cache else None
    for kind, draw in (('gantt', gantt), ('frames', frames)):
        drawn = draw(body.split('\n'), language)
        if drawn:
            return SAYS[kind][language], drawn
    return None


def gantt(lines, language):
    """From lines like `P1  |  ..###  |`; the charts of several policies one below the other."""
    rows = [re.fullmatch(r'(\S+) +\|([#. ]+)\| *', line) for line in lines]
    chosen = [match for match in rows if match and '#' in match[2]]
    if not chosen:
        return None
    end = max(len(match[2]) for match in chosen) * 1e6
    out = Picture(0, end)
    for before, match in zip([None, *rows], rows):
        if not match:
            out.y += GAP if before else 0
            continue
        out.row(match[1])
        for turn in re.finditer(r'#+|\.+', match[2]):
            out.bar(turn.start() * 1e6, turn.end() * 1e6, STATES['running' if turn[0][0] == '#' else 'ready'])
        out.y += ROW
    out.axis(end, 't')
    out.y += GAP
    for i, state in enumerate(('running', 'ready')):
        x = 90 + 100 * i
        out.parts.append(f'<rect x="{x}" y="{out.y + 3}" width="14" height="14" fill="{STATES[state]}"/>')
        out.text(x + 20, WORDS[language][state])
    return str(out)


def frames(lines, _):
    """From lab-paging's table: a column is an access."""
    found = {match[1]: line for line in lines if (match := re.match(r'(page|frame \d+|fault) ', line))}
    if not {'page', 'frame 0', 'fault'} <= found.keys():
        return None
    ends = [match.end() for match in re.finditer(r'\S+', found['page'])][1:]
    cell, left, y, parts = 30, 70, 0, []
    for name, line in found.items():
        parts.append(label(left - 8, y + 19, name, 'end'))
        for i, end in enumerate(ends):
            x, word = left + i * cell, line[end - 3:end].strip(' .')
            if name.startswith('frame') and word:
                parts.append(f'<rect x="{x}" y="{y}" width="{cell - 3}" height="{cell - 3}" fill="{COLOURS[int(word) % len(COLOURS)]}"/>')
            parts.append(label(x + cell / 2 - 1, y + 19, word, colour='white' if name.startswith('frame') else '#333'))
        y += cell
    return svg(left + cell * len(ends) + 10, y + 6, parts)


def states(command, names, cache):
    """The command once more, traced; kept as long as kernel and image are the same."""
    words = shlex.split(command)
    if words[0] != './scripts/run' or '--exec' not in words:
        raise BadPicture(f'a picture needs ./scripts/run … --exec: {command}')
    digest = hashlib.sha256(command.encode() + repr(names).encode())
    build = os.environ.get('ORRERY_BUILD', 'build')
    for name in ('kernel.elf', 'disk.img'):
        with open(os.path.join(ROOT, build, name), 'rb') as file:
            digest.update(hashlib.file_digest(file, 'sha256').digest())
    kept = os.path.join(cache, 'runs', digest.hexdigest()[:24] + '.svg')
    if not os.path.exists(kept):
        from trace_file import load
        from trace_model import Model
        from trace_svg import picture
        with tempfile.TemporaryDirectory() as folder:
            trace = os.path.join(folder, 'run.json')
            fewer = [] if '--append' in words else ['--append', 'trace=process,sched']  # so that none are lost
            run = subprocess.run([*words[:1], '--trace', trace, *fewer, *words[1:]], cwd=ROOT, stdin=subprocess.DEVNULL,
                                 capture_output=True, timeout=300)
            if run.returncode:
                raise BadPicture(f'status {run.returncode}: {command}')
            drawn = picture(Model(load(trace)), names)
        os.makedirs(os.path.dirname(kept), exist_ok=True)
        with open(kept, 'w') as file:
            file.write(drawn)
    with open(kept) as file:
        return file.read()
