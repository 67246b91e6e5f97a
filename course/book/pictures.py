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
from picture import ResourceGraph, label, svg
from trace_svg import COLOURS, GAP, ROW, STATES, Picture

SAYS = {'gantt': {'en': 'Gantt chart of this run', 'zh': '这次运行的甘特图'},
        'frames': {'en': 'What was in each frame', 'zh': '各物理块中的页'},
        'elevators': {'en': 'The way of the head', 'zh': '磁头的移动'},
        'holes': {'en': 'The map of memory', 'zh': '内存的占用'},
        'graph': {'en': 'The resource allocation graph: dashed arrows are requests', 'zh': '资源分配图：虚线为请求'},
        'semaphore': {'en': 'The value after each P and V: above the line units, below it those who wait',
                      'zh': '每次 P、V 之后的值：线上为可用单位，线下为等待者'},
        'waiting': {'en': 'Who waits after each act, and where', 'zh': '每一步之后谁在等待、在哪里等待'},
        'bars': {'en': 'The same as bars', 'zh': '用条形表示'},
        'way': {'en': 'The way through the index blocks', 'zh': '经过索引块的路径'},
        'states': {'en': 'Who had the CPU, and the states over time', 'zh': 'CPU 的归属与各进程的状态'}}
STATES_ZH = (('running', '执行'), ('ready', '就绪'), ('blocked', '阻塞'), ('suspended', '挂起'))
WORDS = {'en': {'running': 'running', 'ready': 'ready'}, 'zh': dict(STATES_ZH)}


class BadPicture(Exception):
    """A wish that cannot be met."""


def of_run(body, wish, language, cache):
    """(caption, SVG) of a command and its output, or None. `cache`: a folder for traced runs; None: none is made."""
    if wish:
        words = wish.split()
        if words[0] == 'bars':
            return SAYS['bars'][language], bars(body.split('\n'), ' '.join(words[1:]))
        if words[0] != 'states':
            raise BadPicture(f'no picture {words[0]}; there are: bars states')
        if not cache:
            return None
        drawn = states(body.split('\n')[0][2:], words[1:], cache)
        for word, translated in STATES_ZH if language == 'zh' else ():
            drawn = drawn.replace(f'>{word}<', f'>{translated}<')
        return SAYS['states'][language], drawn
    for kind, draw in (('gantt', gantt), ('frames', frames), ('elevators', elevators), ('holes', holes), ('graph', graph), ('way', way),
                       ('semaphore', semaphore), ('waiting', waiting)):
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


def elevators(lines, _):
    """From lab-disk elevators, of which the command names the head: each policy's way, downwards in time."""
    head = re.search(r'lab-disk elevators.*--head (\d+)', lines[0])
    rows = [(match[1], match[2], [int(word) for word in match[3].split()]) for line in lines
            if (match := re.fullmatch(r'(\w+) +(\d+) +(?:\d+|-) +(?:\d+|-) +[\d.]+  ([\d ]+)', line))]
    if not head or not rows:
        return None
    last = int(next((match[1] for line in lines if (match := re.match(r'head at \d+ of (\d+)', line))), 200)) - 1
    ways = [(f'{name}: {travel}', travelled(int(head[1]), order, int(travel), last)) for name, travel, order in rows]
    parts, wide, step = [], 240, 14
    high = step * (max(len(points) for _, points in ways) + 1) + 30
    for i, (name, points) in enumerate(ways):
        x, y = 20 + i % 3 * (wide + 20), i // 3 * high
        points = [(x + at / last * wide, y + 34 + n * step, stops) for n, (at, stops) in enumerate(points)]
        parts += [label(x, y + 16, name, 'start'),
                  f'<polyline points="{" ".join(f"{u:.1f},{v}" for u, v, _ in points)}" fill="none" stroke="{COLOURS[0]}" stroke-width="1.5"/>']
        parts += [f'<circle cx="{u:.1f}" cy="{v}" r="2.5" fill="{COLOURS[1] if n else COLOURS[5]}"/>'
                  for n, (u, v, stops) in enumerate(points) if stops]
    return svg(20 + min(3, len(ways)) * (wide + 20), (len(ways) + 2) // 3 * high + 10, parts)


def travelled(head, order, travel, last):
    """(cylinder, whether it is served) of the way with this travel: some policies go on to an edge of the disk, or to both."""
    ways = [[(at, True) for at in [head, *order]]]
    for place in range(len(order) + 1, 0, -1):  # as late as may be: what lies on the way is served on the way
        for edges in ([last], [0], [last, 0], [0, last]):
            ways.append([*ways[0][:place], *((edge, False) for edge in edges), *ways[0][place:]])
    return next((way for way in ways if sum(abs(a[0] - b[0]) for a, b in zip(way, way[1:])) == travel), ways[0])


def holes(lines, _):
    """From lab-partitions: a bar of the memory after each step."""
    rows = [(line.split('  ')[0], re.findall(r'(\S+?):(\d+)', match[0])) for line in lines
            if (match := re.search(r'(?:(?:\w+|-):\d+ ?)+$', line.rstrip())) and '=' in line + '=' and not line.startswith('$')]
    if len(rows) < 2:
        return None
    parts, names = [], {}
    for i, (step, pieces) in enumerate(rows):
        x, y, scale = 80, 8 + i * 24, 640 / max(sum(int(size) for _, size in pieces), 1)
        parts.append(label(x - 8, y + 14, step, 'end'))
        for name, size in pieces:
            wide = int(size) * scale
            colour = '#f0f2f5' if name == '-' else names.setdefault(name, COLOURS[len(names) % len(COLOURS)])
            parts.append(f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="20" fill="{colour}" stroke="#999"/>')
            if wide > 26:
                parts.append(label(x + wide / 2, y + 14, size if name == '-' else f'{name} {size}', colour='#333' if name == '-' else 'white'))
            x += wide
    return svg(740, 16 + 24 * len(rows), parts)


def graph(lines, _):
    """From a state that is written out for lab-banker, with requests; who is deadlocked is said in the output."""
    words = dict(re.findall(r' (total|held)=(\S+)', lines[0]))
    wants = re.findall(r' want=(\d+):([\d,]+)', lines[0])
    if len(words) < 2 or not wants:
        return None
    held = [[int(n) for n in row.split(',')] for row in words['held'].split('/')]
    wanted = [[0] * len(held[0]) for _ in held]
    for process, row in wants:
        wanted[int(process)] = [int(n) for n in row.split(',')]
    stuck = re.search(r'^deadlocked .*$', '\n'.join(lines), re.M)
    notes = {int(number): ('#e15759', '') for number in re.findall(r'P(\d+)', stuck[0])} if stuck else {}
    return ResourceGraph([int(n) for n in words['total'].split(',')], held, wanted).drawn(notes, '')


def way(lines, _):
    """From lab-index path: the places that lead to each block."""
    rows = [(match[1], match[2].split()) for line in lines if (match := re.fullmatch(r'block (\d+): ([\d ]+) left \d+', line))]
    if not rows:
        return None
    parts = []
    for i, (block, places) in enumerate(rows):
        y = 6 + i * 34
        for n, place in enumerate([*places, None]):
            x = 10 + n * 120
            text = f'block {block}' if place is None else f'inode[{place}]' if n == 0 else f'[{place}]'
            parts += [f'<rect x="{x}" y="{y}" width="94" height="24" fill="{COLOURS[2] if place is None else COLOURS[n]}"/>',
                      label(x + 47, y + 16, text, colour='white')]
            if n:
                parts.append(f'<path d="M{x - 26} {y + 12}H{x - 2}" stroke="#555" marker-end="url(#tip)"/>')
    return svg(20 + 120 * max(len(places) + 1 for _, places in rows), 10 + 34 * len(rows), parts)


def semaphore(lines, _):
    """From lab-semaphore: a column is a P or a V."""
    rows = [match.groups() for line in lines if (match := re.fullmatch(r'(P\d+|V) +(\S+) +value +(-?\d+) waiting \d+', line))]
    if not rows:
        return None
    wide, unit = 84, 26
    top = unit * max(max(int(value) for _, _, value in rows), 0) + 24
    parts = [f'<path d="M10 {top}H{20 + wide * len(rows)}" stroke="#555"/>']
    for i, (call, came, value) in enumerate(rows):
        x, high = 20 + i * wide, int(value) * unit
        parts += [f'<rect x="{x}" y="{top - max(high, 0)}" width="{wide - 24}" height="{abs(high)}" fill="{STATES["running" if high > 0 else "ready"]}"/>',
                  label(x + wide / 2 - 12, top - high + (-6 if high >= 0 else 15), value)]
    low = top + unit * max(-min(int(value) for _, _, value in rows), 0) + 22
    for i, (call, came, _) in enumerate(rows):
        parts += [label(20 + i * wide + wide / 2 - 12, low + 14, call), label(20 + i * wide + wide / 2 - 12, low + 30, came, colour='#666')]
    return svg(30 + wide * len(rows), low + 38, parts)


def waiting(lines, _):
    """From a script of lab-ipc or lab-sync, act by act: a row for each actor, a column for each act."""
    acts = [(match[1], dict(re.findall(r'(\w+) \((\w+)\)', match[2]))) for line in lines
            if (match := re.fullmatch(r'(\S+) .*; waiting: (.*)', line.rstrip()))]
    actors = list(dict.fromkeys([*(re.match(r'-?(\w+)', act)[1] for act, _ in acts), *(name for _, who in acts for name in who)]))
    if len(acts) < 2:
        return None
    wide, parts = 112, []
    for i, (act, who) in enumerate(acts):
        x = 60 + i * wide
        parts.append(label(x + wide / 2, 14, act))
        for k, name in enumerate(actors):
            acted = re.match(r'-?(\w+)', act)[1] == name
            colour = STATES['ready'] if name in who else STATES['running'] if acted else '#f0f2f5'
            parts.append(f'<rect x="{x}" y="{22 + k * 26}" width="{wide - 2}" height="22" fill="{colour}"/>')
            if name in who:
                parts.append(label(x + wide / 2, 37 + k * 26, who[name], colour='white'))
    parts += [label(52, 37 + k * 26, name, 'end') for k, name in enumerate(actors)]
    return svg(70 + wide * len(acts), 30 + 26 * len(actors), parts)


def bars(lines, column):
    """A column of a table, its rows by their first cells."""
    head = next((line for line in lines if column in re.split(r'  +', line.strip())), None)
    if not head:
        raise BadPicture(f'no column "{column}" below {lines[0]}')
    end, rows = head.index(column) + len(column), []
    for line in lines[lines.index(head) + 1:]:
        number = next((match for match in re.finditer(r'(?<!\S)\d+(?:\.\d+)?(?!\S)', line) if match.end() == end), None)
        if number:
            rows.append((re.split(r'  +', line.strip())[0], float(number[0]), number[0]))
    if not rows:
        raise BadPicture(f'no figures in column "{column}" below {lines[0]}')
    most, parts = max(value for _, value, _ in rows) or 1, []
    for i, (name, value, text) in enumerate(rows):
        y, wide = 6 + i * 24, value / most * 440
        parts += [label(192, y + 14, name, 'end'), f'<rect x="200" y="{y}" width="{max(wide, 1):.1f}" height="18" fill="{COLOURS[0]}"/>',
                  label(206 + wide, y + 14, text, 'start')]
    return svg(720, 12 + 24 * len(rows), parts)


def states(command, names, cache):
    """The command once more, traced; kept as long as kernel and image are the same."""
    words = shlex.split(command)
    if words[0] != './scripts/run' or '--exec' not in words:
        raise BadPicture(f'a picture needs ./scripts/run … --exec: {command}')
    digest = hashlib.sha256(command.encode() + repr(names).encode())
    build = os.path.join(ROOT, os.environ.get('ORRERY_BUILD', 'build'))
    for name in (os.path.join(build, 'kernel.elf'), os.environ.get('ORRERY_IMAGE', os.path.join(build, 'disk.img'))):
        with open(name, 'rb') as file:
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
