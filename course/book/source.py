"""The source as pages of the book: one for each file and folder, with a number to link to at each line."""
import bisect
import html
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[:0] = [os.path.join(ROOT, 'scripts', 'labkit'), os.path.join(ROOT, 'scripts')]
import stubs  # noqa: E402
import tree  # noqa: E402

TOPS = ('boot/', 'drivers/', 'fs/', 'kernel/', 'mm/', 'user/')
CODE = ('.cpp', '.hpp', '.c', '.h', '.S', '.inc')
WORDS = ('alignas auto bool break case catch char class concept const consteval constexpr constinit continue default delete do '
         'double else enum explicit extern false final for friend if inline int long namespace new noexcept nullptr operator '
         'override private protected public requires return short signed sizeof static static_assert struct switch template '
         'this true typedef typename union unsigned using virtual void volatile while').split()
TOKEN = re.compile(r'(?P<c>//[^\n]*|/\*.*?\*/)|(?P<s>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\')|(?P<d>(?m:^[ \t]*#[ \t]*\w+))|'
                   rf'(?P<k>\b(?:{"|".join(WORDS)})\b)|[\w\']+|[^\w"\'/#]+|.', re.S)
TYPE = re.compile(r'^[ \t]*(?:class|struct|union|enum class|enum|concept)\s+(?:alignas\([^)]*\)\s*)?(\w+)[^;()]*[{=]', re.M)
FUNCTION = re.compile(r'^[ \t]*(?:[\w:]+(?:<[^;(){}]*>)?[*& ]+|\[\[\w+\]\] ?)+((?:\w+::)*~?\w+)\(', re.M)
NOT_TYPES = re.compile(r'^[ \t]*(?:return|else|case|new|delete|throw|using|goto|co_return)\b')
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="icon" href="{up}icon.svg"><link rel="stylesheet" href="{up}source.css"></head>
<body><p><a href="{up}index.html">Orrery</a> / {trail}</p>
{body}
</body></html>
"""


def read(path):
    with open(os.path.join(ROOT, path), encoding='utf-8', errors='replace') as file:
        return file.read()


def all_files():
    """Every file that has a page of its own."""
    return [path for path in tree.sources(ROOT) if path.startswith(TOPS) and b'\0' not in start(path)]


def start(path):
    with open(os.path.join(ROOT, path), 'rb') as file:
        return file.read(1000)


class Symbols:
    """Where classes and functions are defined: name -> [(file, line, class or None)]."""

    def __init__(self, files):
        self.places = {}
        for path in files:
            if path.endswith(CODE):
                self.add(path, read(path))

    def add(self, path, text):
        ends = [m.start() for m in re.finditer('\n', text)]
        types = [(m.start(), m[1]) for m in TYPE.finditer(text)]

        def note(name, at, owner):
            self.places.setdefault(name, []).append((path, bisect.bisect_left(ends, at) + 1, owner))
        for match in TYPE.finditer(text):
            note(match[1], match.start(1), None)
        for match in FUNCTION.finditer(text):
            if NOT_TYPES.match(match[0]) or not defines(text, match.end() - 1):
                continue
            *owner, name = match[1].split('::')
            around = [kind for at, kind in types if at < match.start()]
            inside = around[-1] if around and match[0][0] in ' \t' else None
            note(name, match.start(1), owner[-1] if owner else inside)

    def find(self, name, files):
        """(file, line) of `f`, `f()` or `C::f`, if only one place can be meant: in these files, or, for C::f,
        anywhere."""
        *owner, last = name.removesuffix('()').split('::')
        found = [place for place in self.places.get(last, []) if not owner or place[2] == owner[-1]]
        near = [place for place in found if place[0] in files]
        chosen = near or (found if owner else [])
        return chosen[0][:2] if len(chosen) == 1 else None

    def only(self, name):
        """The one place of the whole source that defines it."""
        found = self.places.get(name.removesuffix('()'), [])
        return found[0][:2] if len(found) == 1 else None


def defines(text, at):
    """Is what follows the bracket at `at` a body, and not the end of a declaration?"""
    depth = 0
    for i in range(at, min(at + 1500, len(text))):
        if text[i] == '(':
            depth += 1
        elif text[i] == ')':
            depth -= 1
        elif depth == 0 and text[i] in '{;=':
            return text[i] == '{'
    return False


def coloured(text):
    """The lines of a C++ file as HTML."""
    parts = []
    for match in TOKEN.finditer(text):
        kind = match.lastgroup
        for i, piece in enumerate(match[0].split('\n')):
            if i:
                parts.append('\n')
            if piece:
                piece = html.escape(piece, quote=False)
                parts.append(f'<i class={kind}>{piece}</i>' if kind else piece)
    return ''.join(parts).split('\n')


def hidden(text):
    """{line: what stands there instead, or None} for the functions that labs take out."""
    lines = {}
    for mark in stubs.marks(text):
        first, last = text.count('\n', 0, mark.open) + 1, text.count('\n', 0, mark.close) + 1
        indent = re.match(r'[ \t]*', text[mark.end:])[0]
        lines[mark.line - 1] = f'{indent}// Lab {mark.task}'
        if first == last:
            begin = text.rfind('\n', 0, mark.open) + 1
            end = text.find('\n', mark.close)
            lines[first] = f'{text[begin:mark.open + 1]} … {text[mark.close - 1:end]}'
            continue
        lines[first] = text[text.rfind('\n', 0, mark.open) + 1:mark.open + 1]
        lines.update({number: None for number in range(first + 1, last)})
        lines[first + 1] = f'{indent}    … lab {mark.task}: yours to write'
        lines[last] = indent + text[mark.close - 1:text.find('\n', mark.close)]
    return lines


def page(path, teacher):
    text = read(path)
    lines = coloured(text) if path.endswith(CODE) else html.escape(text, quote=False).split('\n')
    if lines and not lines[-1]:
        lines.pop()
    instead = {} if teacher or not path.endswith(CODE) else hidden(text)
    rows = []
    for number, line in enumerate(lines, 1):
        if number in instead:
            if instead[number] is None:
                continue
            line = f'<i class=y>{html.escape(instead[number], quote=False)}</i>'
        rows.append(f'<a id=L{number} href=#L{number}>{number}</a>{line}\n')
    return whole(path, f'<pre class=source>{"".join(rows)}</pre>')


def folder(path, names):
    return whole(path, '<ul>' + ''.join(
        f'<li><a href="{name + "index" if name.endswith("/") else name}.html">{name}</a>' for name in names) + '</ul>')


def whole(path, body):
    """A page with the way to it: each folder on the way is a link."""
    parts = path.rstrip('/').split('/')
    inside = len(parts) if path.endswith('/') else len(parts) - 1  # folders that the page is in
    trail = [f'<a href="{"../" * (inside - i)}index.html">{part}</a>' for i, part in enumerate(parts[:-1], 1)]
    return PAGE.format(title=html.escape(path), up='../' * (inside + 1), trail=' / '.join([*trail, parts[-1]]), body=body)


def write(out, files, teacher):
    """A page for each file, and for each folder with a file in it."""
    folders = {}
    for path in files:
        put(out, path + '.html', page(path, teacher))
        above, _, name = path.rpartition('/')
        while above:
            folders.setdefault(above + '/', set()).add(name)
            above, _, name = above.rpartition('/')
            name += '/'
    for path, names in folders.items():
        put(out, path + 'index.html', folder(path, sorted(names)))


def put(out, path, text):
    target = os.path.join(out, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, 'w', encoding='utf-8') as file:
        file.write(text)
