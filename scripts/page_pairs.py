"""Each page and its Chinese: what a script sees of whether both say the same (scripts/pages.py runs it).

Headings, rows and columns of tables with their figures, blocks of code, names in backticks and links are those of the
English page; the Chinese has full-width punctuation, and leads to Chinese pages. In code, lines with Chinese words may differ.
"""
import os
import re

FENCE = re.compile(r'^(```[^`\n]*\n.*?)^```$', re.M | re.S)
INDENTED = re.compile(r'(?<=\n\n)(?: {4}[^\n]*\n|\n(?= {4}))+')
QUOTED = re.compile(r'(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)', re.S)
LINK = re.compile(r'\]\(([^)\s]+)\)')
TO_ENGLISH = re.compile(r'(?<!\[English)\]\(([^)\s#]+)(?<!\.zh)\.md\b')
FIGURE = re.compile(r'[\d.,%/ *−-]*\d[\d.,%/ *−-]*')
HALF_WIDTH = re.compile(r'[\u4e00-\u9fff][,:;?!(].{0,12}|`[,:;?!](?=[\u4e00-\u9fff`]).{0,9}|.{0,9}\)[\u4e00-\u9fff]')
# Here the names are the student's: what stands in that language's files, and placeholders.
STUDENTS = ('welcome.md', '/lab.md')
OWN_ORDER = 'glossary.md'


class Page:
    def __init__(self, path):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        self.to_english = TO_ENGLISH.findall(text)
        text = text.replace('.zh.md', '.md')
        self.words = ' '.join(text.split())
        self.blocks = FENCE.findall(text)
        text = FENCE.sub('', text)
        self.blocks += INDENTED.findall(text)
        text = INDENTED.sub('', text)
        self.headings = re.findall(r'^#+(?= )', text, re.M)
        self.rows = [re.split(r'(?<!\\)\|', line) for line in re.findall(r'^\|.*', text, re.M)]
        self.names = {' '.join(name.split()) for _, name in QUOTED.findall(text)}
        self.links = {target.partition('#')[0] for target in LINK.findall(text)}
        self.prose = LINK.sub(']', QUOTED.sub('`', text))


def same_code(block, other):
    lines, others = block.strip().split('\n'), other.strip().split('\n')
    return len(lines) == len(others) and all(a.split() == b.split() or re.search('[\u4e00-\u9fff]', b)
                                             for a, b in zip(lines, others))


def wrong_figures(page, chinese):
    for row, other in zip(page.rows, chinese.rows):
        for cell, found in zip(row, other):
            if FIGURE.fullmatch(cell) and cell.split() != found.replace('、', ', ').split():
                yield f'a table has {found.strip()} where the English one has {cell.strip()}'


def differences(path):
    """What the Chinese page beside this English one lacks, or has otherwise."""
    twin = path.replace('.md', '.zh.md')
    if not os.path.exists(twin):
        return ['is missing']
    page, chinese = Page(path), Page(twin)
    found = [f'half-width punctuation: {text}' for text in HALF_WIDTH.findall(chinese.prose)]
    found += [f'links to {name}.md, which is English' for name in chinese.to_english]
    found += [f'does not link to {link}' for link in sorted(page.links - chinese.links)]
    if not path.endswith(STUDENTS):
        found += [f'does not name `{name}`' for name in sorted(page.names) if name not in chinese.words]
    if page.headings != chinese.headings:
        found.append(f'has other headings: {len(chinese.headings)}, not {len(page.headings)}, or other levels')
    if [len(row) for row in page.rows] != [len(row) for row in chinese.rows]:
        found.append('its tables have other rows or columns')
    elif not path.endswith(OWN_ORDER):
        found += wrong_figures(page, chinese)
    if len(page.blocks) != len(chinese.blocks):
        found.append(f'has {len(chinese.blocks)} blocks of code, not {len(page.blocks)}')
    found += [f'has this otherwise:\n{block}' for block, other in zip(page.blocks, chinese.blocks) if not same_code(block, other)]
    return found
