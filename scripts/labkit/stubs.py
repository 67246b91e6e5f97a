"""The marks that turn a solution into a task.

    // Lab 5.2: stub { return nullptr; }

stands alone on the line above a function; the student's tree is made by putting what is in the braces
in place of the function's body. The solution stays the only copy of everything else.
"""
import re

MARK = re.compile(r'^[ \t]*// Lab (\d+\.\d+): stub \{(.*)\}[ \t]*\n', re.M)
# Comments, raw strings, strings, numbers (which may hold ' between digits), characters, brackets.
LEXEME = re.compile(r'''//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\b\d[\w.']*|'''
                    r''''(?:\\.|[^'\\\n])*'|[{}()]''', re.S)
YOURS = {'en': 'Your code here.', 'zh': '在这里写你的代码。'}


class BadMark(Exception):
    """A mark that is above no function."""


class Mark:
    """start .. end: the mark's line; open .. close: the body with its braces."""

    def __init__(self, text, match):
        self.task, self.stub, self.start, self.end = match[1], match[2].strip(), match.start(), match.end()
        self.open, self.close = body(text, self.end, match[1])
        head = re.sub(r'//[^\n]*', '', text[self.end:self.open])
        named = re.search(r'([~\w:]+|operator\S+)\s*\(', head)
        self.function = named[1] if named else head.strip()
        self.line = text.count('\n', 0, self.end) + 1
        self.lines = text.count('\n', self.open, self.close) + 1

    def solution(self, text):
        return text[self.open + 1:self.close - 1].strip('\n')


def body(text, at, task):
    """Where the body of the function that begins at `at` opens and closes."""
    parentheses = braces = 0
    opened = None
    for lexeme in LEXEME.finditer(text, at):
        token = lexeme[0]
        if token == '(':
            parentheses += 1
        elif token == ')':
            parentheses -= 1
        elif token == '{':
            if opened is None and parentheses == 0:
                opened = lexeme.start()
            braces += 1
        elif token == '}':
            braces -= 1
            if braces == 0 and opened is not None:
                return opened, lexeme.end()
            if braces < 0:
                break
    raise BadMark(f'Lab {task}: no function follows the mark')


def marks(text):
    return [Mark(text, match) for match in MARK.finditer(text)]


def cut(text, chosen, language='en'):
    """The text with the functions of the chosen tasks (chosen(id) says which) as stubs, and the marks of
    others gone."""
    for mark in reversed(marks(text)):
        if not chosen(mark.task):
            text = text[:mark.start] + text[mark.end:]
            continue
        indent = re.match(r'[ \t]*', text[mark.end:])[0]
        lines = [f'// {YOURS[language]}', *(re.split(r'(?<=;) (?![^(]*\))', mark.stub) if mark.stub else [])]
        stub = '{\n' + ''.join(f'{indent}    {line}\n' for line in lines) + indent + '}'
        head = f'{indent}// Lab {mark.task}\n'
        text = text[:mark.start] + head + text[mark.end:mark.open] + stub + text[mark.close:]
    return text


def contracts(text, task):
    """(line, comment above, first lines of the function) of each function of a task, in a student's
    file or in the solution."""
    lines = text.split('\n')
    for i, line in enumerate(lines):
        if re.match(rf'[ \t]*// Lab {re.escape(task)}(:|$)', line):
            first = i
            while first > 0 and lines[first - 1].lstrip().startswith('//'):
                first -= 1
            last = i + 1
            while last + 1 < len(lines) and '{' not in lines[last]:
                last += 1
            comment = [text.strip().lstrip('/').strip() for text in lines[first:i]]
            head = ' '.join(text.strip() for text in lines[i + 1:last + 1]).split('{')[0].strip()
            yield i + 2, comment, head
