#!/usr/bin/env python3
"""The book: it builds, has every chapter in both languages and no answers, every link leads somewhere (into the source: to the
line that defines what the link says), nothing is fetched from elsewhere, search finds words of both languages, and it can be
printed. Left out, and said so, without Node.js (`scripts/setup book`).
timeout: 600
"""
import html
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
PLACE = ROOT / os.environ.get('ORRERY_BUILD', 'build') / 'book'
SITE = PLACE / 'site'
ROW = re.compile(r'^(?:.*<pre class=source>)?<a id=L(\d+) [^>]*>\d+</a>(.*)$', re.M)
sys.path.insert(0, str(ROOT / 'scripts' / 'labkit'))
import stubs  # noqa: E402

failures = []
SEARCH = r"""
import { readdirSync } from 'node:fs';
import MiniSearch from 'minisearch';
import { tokenize } from './.vitepress/tokens.mjs';
const found = {};
for (const [language, word] of JSON.parse(process.argv[2])) {
  const name = readdirSync('site/assets/chunks').find(name => name.startsWith(`@localSearchIndex${language}.`));
  const index = (await import(`./site/assets/chunks/${name}`)).default;
  const search = MiniSearch.loadJSON(index, { fields: ['title', 'titles', 'text'], storeFields: ['title', 'titles'], tokenize,
    searchOptions: { combineWith: 'AND', prefix: true } });
  found[word] = search.search(word).map(hit => hit.id);
}
console.log(JSON.stringify(found));
"""


def check(condition, what):
    if not condition:
        failures.append(what)
        print('FAIL', what)


def book(*options):
    return subprocess.run([ROOT / 'scripts/book', *options], capture_output=True, text=True, stdin=subprocess.DEVNULL)


class Links(html.parser.HTMLParser):
    """What a page loads, where it leads (with the words of each link), and what it has names for."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.leads, self.ids, self.open = [], [], set(), None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.add(attributes.get('id'))
        if tag == 'a' and 'href' in attributes:
            self.open = [attributes['href'], '']
            self.leads.append(self.open)
        for name in ('src', 'srcset', 'data', 'poster') + (('href',) if tag in ('link', 'use', 'image') else ()):
            if attributes.get(name):
                self.loads.append(attributes[name])

    def handle_data(self, data):
        if self.open:
            self.open[1] += data

    def handle_endtag(self, tag):
        if tag == 'a':
            self.open = None


def file_of(page, link):
    """The file of the site that a link of a page means."""
    path = urllib.parse.unquote(urllib.parse.urlsplit(link).path)
    target = SITE / path[1:] if path.startswith('/') else (page.parent / path if path else page)
    target = pathlib.Path(os.path.normpath(target))
    for name in (target, target / 'index.html', target.with_name(target.name + '.html')):
        if name.is_file():
            return name
    return None


def check_links():
    pages = {page: Links(page.read_text()) for page in SITE.rglob('*.html')}
    lines = 0
    for page, links in pages.items():
        name = page.relative_to(SITE)
        for load in links.loads:
            check(not re.match(r'(?:\w+:)?//', load), f'{name} fetches {load}')
            check(file_of(page, load), f'{name} lacks {load}')
        for to, words in links.leads:
            if re.match(r'(https?|mailto):', to):
                continue
            target, fragment = file_of(page, to), urllib.parse.unquote(urllib.parse.urlsplit(to).fragment)
            check(target, f'{name} leads nowhere: {to}')
            if target and fragment:
                check(fragment in pages[target].ids, f'{name}: no such place: {to}')
            place = re.search(r'source/(.*)\.html#L(\d+)$', to)
            if place and page.parts[len(SITE.parts)] != 'source':
                line = (ROOT / place[1]).read_text().split('\n')[int(place[2]) - 1]
                check(re.search(rf'\b{re.escape(words.removesuffix("()").split("::")[-1])}\b', line),
                      f'{name}: {place[1]}:{place[2]} does not define {words}')
                lines += 1
    check(lines > 50, f'only {lines} links to lines of the source')
    for style in SITE.rglob('*.css'):
        for url in re.findall(r'(?:url\(|@import)\s*["\']?([^"\')\s;]+)', style.read_text()):
            check(url.startswith('data:') or file_of(style, url), f'{style.relative_to(SITE)} fetches {url}')
    print(f'{len(pages)} pages, {lines} links to lines of the source')


def check_contents():
    chapters = sorted(path.parent.name for path in ROOT.glob('course/[0-9][0-9]-*/chapter.md'))
    check(len(chapters) == 14, f'chapters: {chapters}')
    for language, end in (('', ''), ('zh/', '.zh')):
        listed = (SITE / f'{language}index.html').read_text()
        for name in ['index', 'glossary', *(f'{chapter}/{page}' for chapter in chapters for page in ('chapter', 'lab')
                                            if (ROOT / 'course' / chapter / f'{page}.md').exists())]:
            page = SITE / f'{language}{name}.html'
            check(page.exists(), f'no page {language}{name}')
            if page.exists() and '/' in name:
                title = re.search(r'^# (.*)', (ROOT / f'course/{name}{end}.md').read_text())[1]
                check(title in page.read_text(), f'{language}{name} has not the title {title}')
                check(f'/{language}{name}' in listed, f'{language}{name} is not in the contents')
    check('/pictures/05-scheduling-chapter-1' in (SITE / '05-scheduling/chapter.html').read_text(), 'chapter 5 has no picture')
    check('<rect' in (SITE / 'pictures/05-scheduling-chapter-1.svg').read_text(), 'the picture of chapter 5 is empty')


def check_secrets():
    """Students' pages have no answers and no solutions; a teacher's have."""
    check(not list(SITE.rglob('answers*')) and not list(SITE.rglob('exam*')), 'answers are in the book')
    check(not list(SITE.rglob('hrrn_fast*')), 'a file that no student gets is in the book')
    cut = 0
    for path in [*ROOT.glob('kernel/**/*.?pp'), *ROOT.glob('mm/**/*.?pp'), *ROOT.glob('fs/**/*.?pp'), *ROOT.glob('user/**/*.?pp')]:
        text = path.read_text()
        for mark in stubs.marks(text) if '// Lab ' in text else []:
            page = SITE / f'source/{path.relative_to(ROOT)}.html'
            page = page.read_text() if page.exists() else ''
            shown = {int(number): html.unescape(re.sub('<[^>]*>', '', line)) for number, line in ROW.findall(page)}
            for number in range(mark.line, mark.line + mark.lines):
                line = text.split('\n')[number - 1]
                if len(line.strip()) > 8 and number > text.count('\n', 0, mark.open) + 1:
                    check(shown.get(number) != line, f'{path.relative_to(ROOT)}:{number} shows lab {mark.task}')
                    cut += 1
    check(cut > 100, f'{cut} lines are left out')
    made = subprocess.run([sys.executable, '-B', ROOT / 'course/book/pages.py', PLACE / 'teacher', '--teacher', '--no-runs'])
    check(made.returncode == 0, "the teacher's pages")
    for name in ('05-scheduling/answers', 'zh/09-deadlock/answers', 'exam', 'zh/exam'):
        check((PLACE / f'teacher/pages/{name}.md').exists(), f'a teacher has no {name}')
    check('SchedEntity*' in (PLACE / 'teacher/pages/public/source/kernel/sched/policies/sjf.hpp.html').read_text(), 'a teacher has no source')
    shutil.rmtree(PLACE / 'teacher')


def check_pictures():
    """One of a traced run, and two wishes that cannot be met."""
    sys.path.insert(0, str(ROOT / 'course/book'))
    import pictures
    run = "$ ./scripts/run --icount --exec 'lab-batch 1:6:1 1:3:3'\n"
    with tempfile.TemporaryDirectory() as folder:
        drawn = pictures.of_run(run, 'states J1 J2', 'zh', folder)[1]
    check(drawn.count('>J1<') >= 3 and drawn.count('>J2<') >= 3 and '>执行<' in drawn, f'the picture of a run: {drawn[:500]}')
    for wish in ('pie', 'bars nothing'):
        try:
            pictures.of_run(run, wish, 'en', None)
            check(False, f'a picture of {wish}')
        except pictures.BadPicture:
            pass


def check_search():
    (PLACE / 'search.mjs').write_text(SEARCH)
    words = [('root', 'quantum'), ('root', 'semaphore'), ('zh', '时间片'), ('zh', '响应比'), ('zh', '位示图')]
    run = subprocess.run(['node', 'search.mjs', json.dumps(words)], cwd=PLACE, capture_output=True, text=True)
    check(run.returncode == 0, run.stderr[-1000:])
    found = json.loads(run.stdout or '{}')
    for word, page in (('quantum', '/05-scheduling/chapter'), ('semaphore', '/07-locks/chapter'), ('时间片', '/zh/05-scheduling/chapter'),
                       ('响应比', '/zh/05-scheduling/chapter'), ('位示图', '/zh/13-files/chapter')):
        check(any(place.startswith(page) for place in found.get(word, [])), f'search finds {word} in {found.get(word)}')


def check_pdf():
    if not any(map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))):
        print('the PDF is left out: no Chromium')
        return
    if not shutil.which('fc-list') or not subprocess.run(['fc-list', ':lang=zh'], capture_output=True).stdout:
        print('the PDF is left out: no Chinese font')
        return
    run = book('--pdf', '--no-runs')
    check(run.returncode == 0, f'--pdf: {run.stderr}')
    for name in ('orrery.pdf', 'orrery.zh.pdf'):
        data = (PLACE / name).read_bytes() if (PLACE / name).exists() else b''
        check(data.startswith(b'%PDF-') and len(re.findall(rb'/Type ?/Page\b', data)) > 25, f'{name} is no book: {len(data)} bytes')


def main():
    for tool in ('node', 'npm'):
        if not shutil.which(tool):
            print(f'left out: no {tool}')
            return 77
    run = book('--paper')
    check(run.returncode == 2 and run.stderr.count('\n') == 1 and '--paper' in run.stderr, f'an unknown option: {run.stderr}')
    run = book('--base', 'os')
    check(run.returncode == 2 and run.stderr.count('\n') == 1, f'a wrong base: {run.stderr}')
    check('--teacher' in book('--help').stdout, '--help')
    run = book('--build', '--no-runs')
    check(run.returncode == 0, f'the build: {run.stderr}')
    if not failures:
        check_contents()
        check_links()
        check_secrets()
        check_search()
        check_pictures()
        check_pdf()
    print(f'{len(failures)} failures')
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main())
