"""The student's run beside the expected one, as HTML, in the colours of scripts/trace."""
import html
import math

from trace_svg import COLOURS, GAP, LEFT, ROW, Picture

MARK = '#e15759'  # the first difference
NAMES = ('expected', 'yours')


def gantt_pair(wanted, got, time, unit_ms):
    """Two Gantt charts, one above the other; `time`, in units, is where they part."""
    ends = [end for _, _, end in wanted + got] or [1]
    jobs = sorted({name for name, _, _ in wanted + got})
    colours = {job: COLOURS[i % len(COLOURS)] for i, job in enumerate(jobs)}
    out = Picture(0, max(ends) * 1e6)
    for label, turns in zip(NAMES, (wanted, got)):
        out.row(label)
        for name, start, end in turns:
            out.bar(start * 1e6 + max(ends) * 800, end * 1e6, colours.get(name, '#888'), name)
        out.y += ROW + GAP
    mark(out, time * 1e6, f't = {time}')
    out.axis(max(ends) * 1e6, 't')
    return str(out)


def mark(out, time, label):
    x = out.x(time)
    out.parts.append(f'<path d="M{x:.1f} 30V{out.y}" stroke="{MARK}" stroke-width="2" stroke-dasharray="4 3"/>')
    out.text(x + 4, label, 'start', MARK)


def table_pair(head, wanted, got, first):
    """Two tables side by side, rows of cells; in row `first` they part."""
    def table(title, rows):
        lines = []
        for i, row in enumerate(rows):
            cells = ''.join(f'<td>{html.escape(str(cell))}</td>' for cell in row)
            lines.append(f'<tr{" class=first" if i == first else ""}>{cells}</tr>')
        heads = ''.join(f'<th>{html.escape(str(cell))}</th>' for cell in head)
        return f'<div><h4>{title}</h4><table><tr>{heads}</tr>{"".join(lines)}</table></div>'
    return '<div class="pair">' + table(NAMES[0], wanted) + table(NAMES[1], got) + '</div>'


def svg(width, height, parts):
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            'font-family="sans-serif" font-size="12"><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" '
            'markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#555"/></marker></defs>'
            + '\n'.join(parts) + '</svg>\n')


def label(x, y, text, anchor='middle', colour='#333'):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(str(text))}</text>'


def frames_pair(string, wanted, got, first):
    """What is in each frame after each access, one table above the other. A run is a list of columns
    (pages by frame, whether it faulted); in column `first` they part."""
    cell, left = 24, 70
    parts, y = [label(left - 8, 16, 'access', 'end')], 24
    for i, page in enumerate(string):
        parts.append(label(left + i * cell + cell / 2, 16, page))
    for name, columns in zip(NAMES, (wanted, got)):
        rows = max((len(frames) for frames, _ in columns), default=1)
        parts.append(label(left - 8, y + 16, name, 'end'))
        for i, (frames, fault) in enumerate(columns):
            for row, page in enumerate(frames):
                if page is not None:
                    x, top = left + i * cell, y + row * cell
                    parts += [f'<rect x="{x}" y="{top}" width="{cell - 2}" height="{cell - 2}" '
                              f'fill="{COLOURS[page % len(COLOURS)]}"/>', label(x + cell / 2 - 1, top + 16, page, colour='white')]
            if fault:
                parts.append(label(left + i * cell + cell / 2, y + rows * cell + 14, 'F'))
        y += rows * cell + GAP * 4
    x = left + first * cell - 2
    parts.append(f'<rect x="{x}" y="2" width="{cell + 2}" height="{y - 4}" fill="none" stroke="{MARK}" stroke-width="2" '
                 'stroke-dasharray="4 3"/>')
    return svg(left + len(string) * cell + 10, y, parts)


class ResourceGraph:
    """Processes (circles) and types of resources (boxes: free of all). An arrow from a box: these units are
    held; a dashed one to it: they are wanted."""

    def __init__(self, total, held, wanted):
        self.total, self.held, self.wanted = total, held, wanted

    def drawn(self, notes, title):
        """`notes`: {process: (colour, text beside it)}."""
        step, parts = 110, [label(10, 16, title, 'start')]
        processes = [(60 + i * step, 60) for i in range(len(self.held))]
        types = [(60 + i * step, 190) for i in range(len(self.total))]
        for p, (x, y) in enumerate(processes):
            for t, (u, v) in enumerate(types):
                parts += self.arrow((u, v - 16), (x, y + 18), self.held[p][t], '') if self.held[p][t] else []
                parts += self.arrow((x + 6, y + 17), (u + 6, v - 17), self.wanted[p][t],
                                    f' stroke-dasharray="5 4" stroke="{MARK}"') if self.wanted[p][t] else []
        for p, (x, y) in enumerate(processes):
            colour, note = notes.get(p, ('#4e79a7', ''))
            parts += [f'<circle cx="{x}" cy="{y}" r="18" fill="{colour}"/>', label(x, y + 4, f'P{p}', colour='white'),
                      label(x, y - 24, note)]
        for t, (x, y) in enumerate(types):
            free = self.total[t] - sum(row[t] for row in self.held)
            parts += [f'<rect x="{x - 24}" y="{y - 16}" width="48" height="32" fill="#f5f7f9" stroke="#555"/>',
                      label(x, y + 4, f'R{t}: {free}/{self.total[t]}')]
        return svg(60 + step * max(len(processes), len(types)), 220, parts)

    @staticmethod
    def arrow(start, end, units, style):
        (x, y), (u, v) = start, end
        length = math.hypot(u - x, v - y)
        at = 0.3 * length
        return [f'<path d="M{x} {y}L{u} {v}" fill="none" marker-end="url(#tip)"'
                + (style or ' stroke="#555"') + '/>',
                label(x + (u - x) * at / length + 8, y + (v - y) * at / length, units, 'start', '#555')]


def graph_pair(graph, wanted, got):
    """One state, and what was made of it: (title, notes) of each run."""
    return ('<div class="pair">' + ''.join(f'<div><h4>{name}</h4>{graph.drawn(notes, title)}</div>'
                                           for name, (title, notes) in zip(NAMES, (wanted, got))) + '</div>')


def way_pair(wanted, got, first):
    """The way from an inode through index blocks: numbers, one after the other; at `first` they part."""
    parts, y = [], 8
    for name, way in zip(NAMES, (wanted, got)):
        parts.append(label(62, y + 19, name, 'end'))
        for i, number in enumerate(way):
            x = 80 + i * 120
            colour = MARK if i == first else COLOURS[i % len(COLOURS)]
            parts += [f'<rect x="{x}" y="{y}" width="84" height="30" fill="{colour}"/>',
                      label(x + 42, y + 19, f'inode[{number}]' if i == 0 else f'[{number}]', colour='white')]
            if i:
                parts.append(f'<path d="M{x - 36} {y + 15}H{x - 3}" stroke="#555" marker-end="url(#tip)"/>')
        y += 46
    return svg(90 + 120 * max(len(wanted), len(got), 1), y, parts)


def holes_pair(wanted, got, first):
    """Memory after each step, the lowest address on the left: rows of (step, [(name or '-', size)]); in row
    `first` they part."""
    def drawn(title, rows, names):
        left, width, row = 70, 420, 22
        parts = []
        for i, (step, pieces) in enumerate(rows):
            y, at, total = i * row, 0, sum(size for _, size in pieces) or 1
            parts.append(label(left - 8, y + 15, step, 'end', MARK if i == first else '#333'))
            for name, size in pieces:
                x, wide = left + width * at / total, width * size / total
                colour = '#eceff2' if name == '-' else COLOURS[names.index(name) % len(COLOURS)]
                parts.append(f'<rect x="{x:.1f}" y="{y + 2}" width="{max(wide - 1, 1):.1f}" height="{row - 4}" fill="{colour}"/>')
                text = str(size) if name == '-' else name
                if wide > 7 * len(text):
                    parts.append(label(x + wide / 2, y + 15, text, colour='#777' if name == '-' else 'white'))
                at += size
        parts.append(f'<rect x="{left - 3}" y="{first * row}" width="{width + 6}" height="{row}" fill="none" stroke="{MARK}" '
                     'stroke-width="2" stroke-dasharray="4 3"/>')
        return f'<div><h4>{title}</h4>{svg(left + width + 10, row * len(rows) + 4, parts)}</div>'
    names = sorted({name for rows in (wanted, got) for _, pieces in rows for name, _ in pieces})
    return '<div class="pair">' + drawn(NAMES[0], wanted, names) + drawn(NAMES[1], got, names) + '</div>'


def head_pair(cylinders, wanted, got, at):
    """The way of a disk's head, downwards in time: (travel, [cylinder, ...]) of each run; `at`: where the first one
    goes when they part."""
    left, width, row = 20, 440, 20

    def drawn(title, travel, places):
        def x(cylinder):
            return left + width * cylinder / max(cylinders - 1, 1)
        parts = [f'<path d="M{left} 24H{left + width}" stroke="#999"/>', label(left, 16, 0), label(left + width, 16, cylinders - 1)]
        points = [(x(place), 30 + i * row) for i, place in enumerate(places)]
        for (u, v), (p, q) in zip(points, points[1:]):
            parts.append(f'<path d="M{u:.1f} {v}L{p:.1f} {q}" fill="none" stroke="#4e79a7" stroke-width="2"/>')
        for (u, v), place in zip(points, places):
            colour = MARK if place == at else '#4e79a7'
            parts += [f'<circle cx="{u:.1f}" cy="{v}" r="3" fill="{colour}"/>', label(u + 6, v + 4, place, 'start', colour)]
        return f'<div><h4>{title}: {travel}</h4>{svg(left + width + 40, 40 + row * len(places), parts)}</div>'
    return '<div class="pair">' + drawn(NAMES[0], *wanted) + drawn(NAMES[1], *got) + '</div>'


PLACES = {'created': (60, 30), 'ready': (210, 30), 'running': (410, 30), 'terminated': (560, 30),
          'suspended-ready': (210, 120), 'blocked': (410, 120), 'suspended-blocked': (310, 200)}


def states_drawn(way, first):
    """The states of a thread; an arrow for each change that it made, with the numbers of the steps. Step `first` is red."""
    arrows, parts = {}, []
    for step, change in enumerate(zip(way, way[1:]), 1):
        if change[0] != change[1]:
            arrows.setdefault(change, []).append(step)
    for name, (x, y) in PLACES.items():
        end = ' stroke-width="3"' if way and name == way[-1] else ''
        parts += [f'<rect x="{x - 58}" y="{y - 14}" width="116" height="28" rx="8" fill="#f5f7f9" stroke="#555"{end}/>',
                  label(x, y + 4, name)]
    for (start, end), steps in arrows.items():
        (x, y), (u, v) = PLACES.get(start, (310, 75)), PLACES.get(end, (310, 75))
        length = math.hypot(u - x, v - y) or 1
        dx, dy = (u - x) / length, (v - y) / length
        edge = min(60 / abs(dx) if dx else 999, 16 / abs(dy) if dy else 999)  # from the middle of a box to its edge
        x, y, u, v = (x + dx * edge - dy * 6, y + dy * edge + dx * 6, u - dx * edge - dy * 6, v - dy * edge + dx * 6)
        colour = MARK if first in steps else '#555'
        parts += [f'<path d="M{x:.1f} {y:.1f}L{u:.1f} {v:.1f}" fill="none" stroke="{colour}" marker-end="url(#tip)"/>',
                  label((x + u) / 2 - dy * 12, (y + v) / 2 + dx * 12 + 4, ' '.join(map(str, steps)), colour=colour)]
    return svg(630, 225, parts)


def states_pair(wanted, got, first):
    """Two lives of a thread, as lists of its states; at state `first` they part."""
    return ('<div class="pair">' + ''.join(f'<div><h4>{name}</h4>{states_drawn(way, first)}</div>'
                                           for name, way in zip(NAMES, (wanted, got))) + '</div>')
