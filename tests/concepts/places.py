"""Where each row is in the course: a line `<!-- rows S1 S2 -->` below a heading of a chapter says that this section
shows these rows. The table in course/README.md is made from them."""
import dataclasses
import re

from row import ROOT

MARKED = re.compile(r'^(#+) (.+)\n<!-- rows ([^>]+?) *-->$', re.M)
HEADING = re.compile(r'^#+ .+$', re.M)
FENCE = re.compile(r'^```.*?^```$', re.M | re.S)
ENDS = {'en': '', 'zh': '.zh'}
# The chapter that each row belongs to, by its first letters; the longest that fits.
CHAPTERS = {'B': 1, 'B1': 5, 'B2': 5, 'B5': 2, 'P': 6, 'P1': 3, 'P2': 3, 'P3': 3, 'P8': 3, 'P7': 4, 'S': 5, 'Y': 8, 'Y1': 7, 'Y2': 7,
            'D': 9, 'M': 11, 'M1': 10, 'M2': 10, 'M3': 10, 'M9': 12, 'M10': 12, 'M11': 12, 'M12': 12, 'F': 13, 'I': 14}


@dataclasses.dataclass
class Section:
    chapter: str  # its folder
    file: str
    heading: str
    ids: list
    text: str  # up to the next heading

    @property
    def link(self):
        """From course/, with the place that GitHub and the book give to a heading."""
        place = re.sub(r'[^\w\- ]', '', self.heading.replace('`', '').lower()).replace(' ', '-')
        return f'{self.chapter}/{self.file}#{place}'


def chapter_of(row):
    return CHAPTERS.get(row, CHAPTERS[row[0]])


def chapters():
    return sorted(path.parent for path in (ROOT / 'course').glob('[0-9][0-9]-*/chapter.md'))


def sections(language):
    found = []
    for folder in chapters():
        file = folder / f'chapter{ENDS[language]}.md'
        text = file.read_text() if file.exists() else ''
        plain = FENCE.sub(lambda m: re.sub(r'(?m)^#', ' ', m[0]), text)  # a comment in a shell is no heading
        for mark in MARKED.finditer(plain):
            after = HEADING.search(plain, mark.end())
            found.append(Section(folder.name, file.name, mark[2], mark[3].split(), text[mark.end():after.start() if after else None]))
    return found


def wrong(rows):
    """What is not right about the marks, a line each."""
    known = {row.id: row for row in rows}
    both = {language: sections(language) for language in ENDS}
    if [(s.chapter, s.ids) for s in both['en']] != [(s.chapter, s.ids) for s in both['zh']]:
        yield 'the rows that the English chapters mark are not those of the Chinese ones'
    for section in both['en'] + both['zh']:
        for name in section.ids:
            if name not in known:
                yield f'{section.link}: there is no row {name}'
                continue
            # The section has to show something of the row: its program or one of its files.
            programs = re.findall(r'\b(?:lab-\w+|vtop)\b', known[name].shown())
            if not any(word in section.text for word in [*programs, *known[name].source.split()]):
                yield f'{section.link}: names neither a program nor a file of {name}: {programs} {known[name].source}'
    marked = {name for section in both['en'] for name in section.ids}
    if len(chapters()) == 14:
        for name in known:
            if name not in marked:
                yield f'{name} is in no chapter; chapter {chapter_of(name)} would be the one'


def table(rows, language):
    """Row, section, source, command."""
    head, chapter_word, missing = {'en': ('| id | concept | read | source | see |', 'chapter', 'not yet'),
                                   'zh': ('| 编号 | 概念 | 读 | 源码 | 命令 |', '第', '尚未完成')}[language]
    lines = [head, '| --- ' * 5 + '|']
    marked = sections(language)
    for row in rows:
        places = [f'[{int(s.chapter[:2])}: {s.heading}]({s.link})' for s in marked if row.id in s.ids]
        absent = f'*{chapter_word} {chapter_of(row.id)}{" 章" if language == "zh" else ""}: {missing}*'
        files = ' '.join(f'[`{path.rsplit("/", 1)[1]}`](../{path})' for path in row.source.split())
        command = row.for_people().replace('|', '\\|')
        concept = row.concept if language == 'en' else row.concept_zh
        lines.append(f'| {row.id} | {concept} | {", ".join(places) or absent} | {files} | `{command}` |')
    return '\n'.join(lines)
