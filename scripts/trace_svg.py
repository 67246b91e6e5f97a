"""The charts of a run as one SVG: who had each CPU, and the states of each process over time."""
import html

LEFT, WIDTH, ROW, GAP, TOP = 90, 800, 24, 6, 34
COLOURS = ('#4e79a7', '#f28e2b', '#59a14f', '#b07aa1', '#76b7b2', '#e15759', '#edc948', '#9c755f')
STATES = {'running': '#2e9e5b', 'ready': '#f0a830', 'blocked': '#b9c6d6', 'suspended-ready': '#d9534f',
          'suspended-blocked': '#d9534f'}


class Picture:
    def __init__(self, start, end):
        self.start, self.scale = start, WIDTH / max(end - start, 1)
        self.parts, self.y = [], TOP

    def x(self, time):
        return LEFT + (time - self.start) * self.scale

    def bar(self, start, end, colour, label=''):
        x, width = self.x(start), max(self.x(end) - self.x(start), 0.4)
        self.parts.append(f'<rect x="{x:.1f}" y="{self.y}" width="{width:.1f}" height="{ROW - 4}" '
                          f'fill="{colour}"/>')
        if label and width > 8 * len(label):
            self.text(x + width / 2, label, 'middle', 'white')

    def text(self, x, text, anchor='start', colour='#333'):
        self.parts.append(f'<text x="{x:.1f}" y="{self.y + 14}" text-anchor="{anchor}" fill="{colour}">'
                          f'{html.escape(text)}</text>')

    def row(self, label):
        self.text(LEFT - 8, label, 'end')

    def axis(self, end, unit='ms'):
        """Times in milliseconds (or in `unit`, of which one is a million here), at round figures."""
        span = (end - self.start) / 1e6
        step = next(s for s in (10 ** (e // 3) * (1, 2, 5)[e % 3] for e in range(-9, 30)) if span / s <= 10)
        for i in range(int(span / step) + 1):
            x = self.x(self.start + i * step * 1e6)
            self.parts.insert(0, f'<path d="M{x:.1f} {TOP - 4}V{self.y}" stroke="#ddd"/>')
            self.parts.append(f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle" fill="#666">'
                              f'{i * step:g}</text>')
        self.parts.append(f'<text x="{LEFT - 8}" y="{TOP - 12}" text-anchor="end" fill="#666">{unit}</text>')

    def legend(self):
        x = LEFT
        for state in ('running', 'ready', 'blocked', 'suspended-ready'):
            self.parts.append(f'<rect x="{x}" y="{self.y + 3}" width="14" height="14" fill="{STATES[state]}"/>')
            self.text(x + 20, state.split('-')[0])
            x += 100

    def __str__(self):
        height = self.y + ROW + 8
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" '
                'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
                + '\n'.join(self.parts) + '\n</svg>\n')


def picture(model, names):
    threads = [t for t in model.threads if t.pid and t.intervals and (not names or t.name in names)]
    chosen = set(threads)
    slices = [s for cpu in model.cpus for s in cpu if s[2] in chosen]
    start = min((s[0] for s in slices), default=model.start)
    end = max((s[1] for s in slices), default=model.end)
    out = Picture(start, end)
    colours = {thread: COLOURS[i % len(COLOURS)] for i, thread in enumerate(threads)}
    for number, cpu in enumerate(model.cpus):
        out.row(f'CPU {number}')
        for begin, stop, thread in cpu:
            if thread in colours:
                out.bar(begin, stop, colours[thread], thread.name)
        out.y += ROW
    out.y += GAP
    for thread in threads:
        out.row(f'{thread.name}')
        for begin, stop, state, why in thread.intervals:
            begin, stop = max(begin, start), min(stop, end)
            if begin < stop and state in STATES:
                out.bar(begin, stop, STATES[state])
        out.y += ROW
    out.axis(end)
    out.y += GAP
    out.legend()
    return str(out)
