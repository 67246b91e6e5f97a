"""The student's run beside the expected one, as HTML, in the colours of scripts/trace."""
import html

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
