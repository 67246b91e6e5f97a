"""Makes the pages of the book, for VitePress, from the course's Markdown:  pages.py OUT [--teacher] [--no-runs]

OUT/pages/ gets the pages, OUT/pages/public/ the source and pictures, OUT/plan.json order and titles. A link to a file
of the repository becomes one to its page in the book; a path or function in backticks becomes a link to file and line, if
only one can be meant. `<!-- picture … -->` below a command becomes a picture of that run (pictures.py); a run whose output
is a chart is drawn without asking. print.md is the whole book on one page, for the PDF.
"""
import argparse
import html
import json
import os
import re
import sys

import pictures
import source
from source import ROOT, put, read
from spec import labs

LANGUAGES = {'en': '', 'zh': '.zh'}
WORDS = {'en': {'title': 'Orrery: operating systems by a kernel that runs', 'short': 'Orrery', 'course': 'The course', 'chapters': 'Chapters',
                'reference': 'Reference', 'lab': 'Lab', 'answers': 'Answers', 'contents': 'Contents', 'description':
                'Chapters and labs of the teaching kernel Orrery'},
         'zh': {'title': 'Orrery：在运行的内核上学操作系统', 'short': 'Orrery', 'course': '课程', 'chapters': '各章', 'reference': '参考',
                'lab': '实验', 'answers': '答案', 'contents': '目录', 'description': '教学内核 Orrery 的课程与实验'}}
TELLS = ('user/lab-partitions/',)  # programs that are in no lab's folder, for they tell answers
FENCE = re.compile(r'^(```|~~~)[^\n]*\n.*?^\1[ \t]*$', re.M | re.S)
INDENTED = re.compile(r'(?:^|(?<=\n\n))(?: {4,}[^\n]*\n+)+', re.M)
INLINE = re.compile(r'(?P<image>!?)\[(?P<text>(?:[^\[\]`]|`[^`]*`)*)\]\((?P<to>[^)\s]+)\)|(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)', re.S)
NAME = re.compile(r'(?:[A-Za-z_]\w*::)*[A-Za-z_]\w{3,}(?:\(\))?')
HAN = '\u3000-\u303f\u4e00-\u9fff\uff00-\uffef'


class Page:
    def __init__(self, path, language):
        self.path, self.language, self.text = path, language, read(path)
        self.out = ('zh/' if language == 'zh' else '') + re.sub(r'(?:\.zh)?\.md$', '.md', path.removeprefix('course/'))
        self.out = re.sub(r'(^|/)README\.md$', r'\1index.md', self.out)
        self.title = re.search(r'^# (.+)$', self.text, re.M)[1].replace('`', '')
        number = re.match(r'course/(\d\d)-', path)
        self.number = int(number[1]) if number else None

    @property
    def anchor(self):
        """Its place in print.md."""
        return 'page-' + re.sub(r'\W+', '-', self.out.removesuffix('.md').removeprefix('zh/'))


class Book:
    def __init__(self, out, teacher, runs):
        self.out, self.teacher, self.runs = out, teacher, runs
        answers = () if teacher else (*TELLS, *(other['file'] for lab in labs(ROOT) for other in lab.without))
        self.files = [path for path in source.all_files() if not path.startswith(answers)]
        self.known, self.extra, self.problems = set(self.files), set(), []
        self.symbols = source.Symbols(self.files)
        self.pages = {language: self.chosen(language) for language in LANGUAGES}
        self.of = {(page.path, language): page for language in LANGUAGES for page in self.pages[language]}

    def chosen(self, language):
        """The pages in the book's order."""
        def found(path):
            translated = re.sub(r'\.md$', LANGUAGES[language] + '.md', path)
            path = translated if os.path.exists(os.path.join(ROOT, translated)) else path
            return Page(path, language) if os.path.exists(os.path.join(ROOT, path)) else None
        folders = sorted(f'course/{name}' for name in os.listdir(os.path.join(ROOT, 'course')) if re.match(r'\d\d-', name)
                         and os.path.exists(os.path.join(ROOT, 'course', name, 'chapter.md')))
        paths = ['course/README.md', 'course/teaching.md', *(['course/exam.md'] if self.teacher else [])]
        for folder in folders:
            paths += [f'{folder}/chapter.md', f'{folder}/lab.md', *([f'{folder}/answers.md'] if self.teacher else [])]
        paths += ['course/glossary.md', 'docs/concepts.md']
        pages = [page for page in map(found, paths) if page]
        known = {re.sub(r'\.zh\.md$', '.md', page.path) for page in pages}
        for page in list(pages):
            for target in re.findall(r'\]\(([^)#\s]+\.md)', page.text):
                target = os.path.normpath(os.path.join(os.path.dirname(page.path), target))
                target = re.sub(r'\.zh\.md$', '.md', target)
                if target.startswith('docs/') and target not in known and os.path.exists(os.path.join(ROOT, target)):
                    known.add(target)
                    pages.append(found(target))
        return pages

    def source_link(self, path, line=None):
        """The page of a file or folder of the repository, from the site's top; None if it is not in the book."""
        if os.path.isdir(os.path.join(ROOT, path)):
            return f'source/{path.rstrip("/")}/index.html' if (path + '/').startswith(source.TOPS) else None
        if not os.path.isfile(os.path.join(ROOT, path)):
            return None
        if path.startswith(source.TOPS) and path not in self.known:
            return None
        if not path.startswith(source.TOPS):
            if path.startswith('course/') and not self.teacher:
                return None
            self.extra.add(path)
        return f'source/{path}.html' + (f'#L{line}' if line else '')

    def write(self):
        for language, pages in self.pages.items():
            for page in pages:
                put(self.out, 'pages/' + page.out, self.convert(page))
            self.write_print(language, pages)
        public = os.path.join(self.out, 'pages', 'public')
        source.write(os.path.join(public, 'source'), self.files + sorted(self.extra), self.teacher)
        put(public, 'source.css', read('course/book/source.css'))
        put(public, 'icon.svg', read('web/src/icon.svg'))
        put(self.out, 'plan.json', json.dumps({language: self.plan(language) for language in LANGUAGES}, ensure_ascii=False, indent=1))

    def plan(self, language):
        words = WORDS[language]
        link = {page: '/' + re.sub(r'(?:(?<=/)index)?\.md$|^index\.md$', '', page.out) for page in self.pages[language]}
        groups = {'course': [], 'chapters': [], 'reference': []}
        for page in self.pages[language]:
            name = os.path.basename(page.out)
            item = {'text': page.title, 'link': link[page]}
            if page.number is None:
                groups['reference' if page.out.endswith('glossary.md') or 'docs/' in page.out else 'course'].append(item)
            elif name == 'chapter.md':
                groups['chapters'].append({**item, 'text': f'{page.number} {page.title}', 'items': []})
            else:
                text = f'{words["lab"]} {page.number}' if name == 'lab.md' else words['answers']
                groups['chapters'][-1]['items'].append({**item, 'text': text})
        return {'title': words['short'], 'description': words['description'],
                'sidebar': [{'text': words[name], 'items': items} for name, items in groups.items() if items]}

    def write_print(self, language, pages):
        """The whole book as one page; its links stay inside it."""
        words = WORDS[language]
        pages = [page for page in pages if not page.path.startswith('docs/')]
        listed = '\n'.join(f'- [{label(page, words)}](#{page.anchor})' for page in pages)
        parts = [f'---\nsidebar: false\naside: false\nsearch: false\nnavbar: false\nprev: false\nnext: false\n---\n\n# {words["title"]}\n\n'
                 f'## {words["contents"]}\n\n{listed}\n']
        for page in pages:
            text = self.convert(page, printed=True)
            parts.append(re.sub(r'^# .+$', lambda _, p=page: f'# {label(p, words)} {{#{p.anchor}}}', text, count=1, flags=re.M))
        put(self.out, 'pages/' + ('zh/' if language == 'zh' else '') + 'print.md', '\n\n'.join(parts))

    def convert(self, page, printed=False):
        text = re.sub(r'^<!-- rows [^>]*-->\n', '', page.text, flags=re.M)
        text = self.with_pictures(page, text)
        near = [os.path.normpath(os.path.join(os.path.dirname(page.path), to)) for to in re.findall(r'\]\(([^)#\s]+)', text)]
        near += re.findall(rf'`((?:{"|".join(source.TOPS)})[\w./-]+)`', text)
        if os.path.basename(page.path).startswith('lab.') or os.path.basename(page.path).startswith('answers'):
            near += re.findall(r'"([\w./-]+)"', ' '.join(re.findall(r'^files = .*', read(os.path.dirname(page.path) + '/lab.toml'), re.M)))
        out, at = [], 0
        blocks = sorted([m.span() for m in FENCE.finditer(text)])
        for start, end in [*blocks, (len(text), len(text))]:
            out.append(self.prose(page, text[at:start], near, printed))
            out.append(re.sub(r'^```gdb', '```text', text[start:end]))  # no colours for it
            at = end
        return ''.join(out)

    def prose(self, page, text, near, printed):
        out, at = [], 0
        for match in [*INDENTED.finditer(text), None]:
            part = text[at:match.start() if match else len(text)]
            if page.language == 'zh':
                part = chinese(part)
            lines = re.split(r'(^#+ .*\n)', part, flags=re.M)
            out += [piece if piece.startswith('#') else INLINE.sub(lambda m: self.inline(page, m, near, printed), piece)
                    for piece in lines]
            if match:
                out.append(match[0])
                at = match.end()
        return ''.join(out)

    def inline(self, page, match, near, printed):
        if match['code'] is not None:
            target = None if printed else self.meant(match['code'].strip(), near)
            if not target:
                return code(match['code']) if '{{' in match['code'] else match[0]  # which means something to Vue
            return anchor(self.up(page) + target, code(match['code']))
        to, _, fragment = match['to'].partition('#')
        if re.match(r'[a-z]+:', to) or not to or to.startswith('/pictures/'):
            return match[0]
        path = os.path.normpath(os.path.join(os.path.dirname(page.path), to))
        if match['image']:
            name = path.replace('/', '-')
            put(self.out, f'pages/public/pictures/{name}', read(path))
            return f'![{match["text"]}](/pictures/{name})'
        other = self.of.get((path, page.language)) or next((p for p in self.pages[page.language] if p.path == path), None) \
            or next((p for (known, _), p in self.of.items() if known == path), None)
        if other:
            if printed:
                inside = other.language == page.language and not other.path.startswith('docs/')
                return f'[{match["text"]}](#{other.anchor})' if inside else match['text']
            return f'[{match["text"]}](/{other.out}{"#" + fragment if fragment else ""})'
        line = None
        if fragment:
            place = self.symbols.find(fragment, [path])
            line = place[1] if place and place[0] == path else None
            if not line:
                self.problems.append(f'{page.path}: {path} defines no {fragment}, or several')
        target = self.source_link(path, line)
        if not target and not os.path.exists(os.path.join(ROOT, path)):
            self.problems.append(f'{page.path}: a link that leads nowhere: {match["to"]}')
        if not target or printed:
            return match['text']
        text = re.sub(r'`([^`]*)`', lambda m: code(m[1]), html.escape(match['text'], quote=False))
        return anchor(self.up(page) + target, text)

    def meant(self, text, near):
        """Where a path or a function in backticks is, if only one place can be meant."""
        if re.fullmatch(r'[\w.-]+(?:/[\w.+-]*)+', text):
            return self.source_link(text) if text.startswith(source.TOPS) else None
        if not NAME.fullmatch(text):
            return None
        place = self.symbols.find(text, near) or ('_' in text and self.symbols.only(text)) or None
        return self.source_link(*place) if place else None

    @staticmethod
    def up(page):
        return '../' * page.out.count('/')

    def with_pictures(self, page, text):
        """A picture below each run that is a chart, and below each that asks for one."""
        def block(match):
            body, wish = match['body'], match['wish']
            drawn = pictures.of_run(body, wish and wish.strip(), page.language, self.runs and self.out)
            if drawn is None:
                return match['block']
            name = f'{page.out.replace("/", "-").removesuffix(".md")}-{len(names) + 1}.svg'
            names.append(name)
            put(self.out, f'pages/public/pictures/{name}', drawn[1])
            return f'{match["block"]}\n![{drawn[0]}](/pictures/{name})\n'
        names = []
        return re.sub(r'(?P<block>^```\n(?P<body>\$ .*?)^```\n)(?:<!-- picture(?P<wish>[^>]*)-->\n)?', block, text, flags=re.M | re.S)


def label(page, words):
    if page.number is None:
        return page.title
    return f'{page.number} {page.title}' if page.out.endswith('chapter.md') else page.title


def code(text):
    return f'<code v-pre>{html.escape(text, quote=False)}</code>'


def anchor(to, text):
    return f'<a href="{to}" target="_self">{text}</a>'


def chinese(text):
    """Lines of a paragraph are joined without a blank between characters; emphasis may touch them."""
    text = re.sub(rf'(?<=[{HAN},;:?!)])\n {{0,3}}(?=[{HAN}])|(?<=[{HAN}])\n {{0,3}}(?=\()', '', text)
    paragraphs = re.split(r'(\n\s*\n)', text)
    for i, paragraph in enumerate(paragraphs):
        pieces = re.split(r'(`[^`]*`)', paragraph)
        if sum(piece.count('**') for piece in pieces[::2]) % 2 == 0:
            marks = iter(['<strong>', '</strong>'] * paragraph.count('**'))
            pieces[::2] = [re.sub(r'\*\*', lambda _: next(marks), piece) for piece in pieces[::2]]
            paragraphs[i] = ''.join(pieces)
    return ''.join(paragraphs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('out')
    parser.add_argument('--teacher', action='store_true')
    parser.add_argument('--no-runs', action='store_true')
    options = parser.parse_args()
    book = Book(options.out, options.teacher, not options.no_runs)
    try:
        book.write()
    except pictures.BadPicture as error:
        book.problems.append(str(error))
    for problem in book.problems:
        print(f'book: {problem}', file=sys.stderr)
    return 1 if book.problems else 0


if __name__ == '__main__':
    sys.exit(main())
