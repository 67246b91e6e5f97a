"""What a grading looks like: as a table for people, and in the forms of those who collect grades.

Every form is a function of the grading alone: two gradings of one tree are the same bytes.
"""
import base64
import html
import json
import os
import re
from xml.sax.saxutils import quoteattr

from spec import spoken

WORDS = {
    'en': {'lab': 'lab', 'seed': 'seed', 'points': 'points', 'of': 'of', 'failed': 'FAILED', 'ok': 'ok',
           'broken': 'it does not build, so there are no points. The first error:', 'page': 'the page',
           'debug': 'a debugger that stops there', 'again': 'again'},
    'zh': {'lab': '实验', 'seed': '种子', 'points': '得分', 'of': '/', 'failed': '失败', 'ok': '通过',
           'broken': '编译不通过，因此没有分数。第一个错误：', 'page': '对照页',
           'debug': '让调试器停在那里', 'again': '重新运行'}}


def as_data(graded, language='en'):
    tasks = []
    for task in graded.lab.tasks:
        results = [result for result in graded.results if result.case.task is task]
        tasks.append({
            'id': task.id, 'title': spoken(task.title, language),
            'points': sum(result.points for result in results), 'max': task.points,
            'cases': [{'id': result.case.id, 'title': spoken(result.case.title, language),
                       'passed': result.verdict.passed, 'points': result.points, 'max': result.case.points,
                       **({} if result.verdict.passed else {'why': spoken(result.verdict.why, language)}),
                       **({'command': result.command} if not result.verdict.passed and result.command else {}),
                       **({} if result.verdict.stop is None else {'stop': result.verdict.stop})}
                      for result in results]})
    return {'lab': graded.lab.number, 'title': spoken(graded.lab.title, language), 'seed': graded.seed,
            'points': graded.points, 'max': sum(result.case.points for result in graded.results),
            **({'broken': graded.broken} if graded.broken else {}), 'tasks': tasks}


def as_json(graded, language):
    return json.dumps(as_data(graded, language), indent=1, ensure_ascii=False) + '\n'


def as_table(graded, language, page=None):
    data, words = as_data(graded, language), WORDS[language]
    lines = [f"{words['lab']} {data['lab']}: {data['title']}, {words['seed']} {data['seed']}", '']
    if graded.broken:
        lines += [words['broken'], '    ' + graded.broken, '']
    for task in data['tasks']:
        if not task['cases']:
            continue
        lines.append(f"{task['id']} {task['title']}: {task['points']} {words['of']} {task['max']}")
        for case in task['cases']:
            state = words['ok'] if case['passed'] else words['failed']
            lines.append(f"    {state:<7} {case['id']:<18} {case['points']:>2}/{case['max']:<2} {case['title']}")
            if case['passed'] or graded.broken:
                continue
            lines.append(' ' * 12 + case['why'])
            if 'stop' in case:
                lines.append(' ' * 12 + f"{words['debug']}: ./scripts/lab debug {case['id']}")
    lines += ['', f"{words['points']}: {data['points']} {words['of']} {data['max']}"]
    if page:
        lines.append(f"{words['page']}: {page}")
    return '\n'.join(lines) + '\n'


def as_junit(graded):
    data = as_data(graded)
    cases = [(task, case) for task in data['tasks'] for case in task['cases']]
    failures = sum(not case['passed'] for _, case in cases)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuites tests="{len(cases)}" failures="{failures}" errors="0">',
             f'<testsuite name="lab{data["lab"]}" tests="{len(cases)}" failures="{failures}" errors="0" '
             'skipped="0" time="0">']
    for task, case in cases:
        head = f'<testcase name={quoteattr(case["id"])} classname={quoteattr("lab" + task["id"])} time="0"'
        if case['passed']:
            lines.append(head + '/>')
        else:
            why = clean(case['why'])
            lines.append(f'{head}><failure message={quoteattr(why)} type="wrong">{html.escape(why)}</failure>'
                         '</testcase>')
    return '\n'.join(lines + ['</testsuite>', '</testsuites>']) + '\n'


def clean(text):
    """XML 1.0 has no way to write a control character."""
    return ''.join(c if c >= ' ' or c in '\t\n' else '?' for c in text)


def as_gradescope(graded, language='en'):
    """results.json as gradescope-autograders.readthedocs.io has it."""
    data = as_data(graded, language)
    tests = [{'name': f"{case['id']}: {case['title']}", 'number': case['id'], 'score': case['points'],
              'max_score': case['max'], 'status': 'passed' if case['passed'] else 'failed',
              'output': case.get('why', ''), 'visibility': 'visible'}
             for task in data['tasks'] for case in task['cases']]
    return json.dumps({'score': data['points'], 'output': graded.broken or '', 'visibility': 'visible',
                       'stdout_visibility': 'hidden', 'tests': tests}, indent=1, ensure_ascii=False) + '\n'


def as_github(graded):
    """Lines for a GitHub workflow: an annotation for each failure, and, where the workflow collects
    outputs, `result` as GitHub Classroom's autograding reporter reads it."""
    data = as_data(graded)
    lines, tests = [], []
    files = {task.id: task.files[0] for task in graded.lab.tasks}
    for task in data['tasks']:
        for case in task['cases']:
            why = case.get('why', '')
            tests.append({'name': f"{case['id']}: {case['title']}", 'status': 'pass' if case['passed'] else 'fail',
                          'score': case['points'], 'test_code': f"scripts/lab grade --only {case['id']}",
                          'filename': files[task['id']], 'line_no': 0, 'execution_time': '0s', 'message': why})
            if not case['passed']:
                text = why.replace('%', '%25').replace('\r', '%0D').replace('\n', '%0A')
                lines.append(f"::error file={files[task['id']]},title={case['id']}::{text}")
    lines.append(f"::notice title=points::{data['points']} of {data['max']}")
    passed = all(test['status'] == 'pass' for test in tests)
    result = {'version': 1, 'status': 'pass' if passed else 'fail', 'max_score': data['max'], 'tests': tests}
    if os.environ.get('GITHUB_OUTPUT'):
        with open(os.environ['GITHUB_OUTPUT'], 'a') as file:
            file.write('result=' + base64.b64encode(json.dumps(result).encode()).decode() + '\n')
    return '\n'.join(lines) + '\n'


PAGE = '''<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.5 system-ui, sans-serif; color: #1d2733; max-width: 1000px; margin: 0 auto; padding: 20px; }}
h1 {{ font-size: 22px; }} h2 {{ font-size: 17px; margin-top: 28px; }}
.ok {{ color: #2e9e5b; }} .failed {{ color: #d65f5f; }} code {{ background: #f5f7f9; padding: 1px 5px; }}
.pair {{ display: flex; gap: 40px; }} table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
td, th {{ padding: 2px 9px; text-align: right; border-bottom: 1px solid #d9e0e7; }}
tr.first td {{ background: #fbe3e4; }} svg {{ max-width: 100%; }}
</style></head><body><h1>{title}</h1><p>{points}</p>
{body}</body></html>
'''


# What pictures and heads of tables say.
CHINESE = {'expected': '应有的', 'yours': '你的', 'access': '访问', 'line': '行', 'says': '输出', 'step': '步骤', 'value': '值',
           'waiting': '等待', 'name': '名字', 'inode': '索引结点', 'names before': '前面的名字', 'when': '时刻', 'blocks': '占用块数',
           'name, links, contents': '名字、链接数、内容'}


def pictured(verdict, language):
    if language != 'zh':
        return verdict.picture
    return re.sub('>([a-z][a-z, ]*)<', lambda found: f'>{CHINESE.get(found[1], found[1])}<', verdict.picture)


def as_page(graded, language):
    """Every case; for those that failed, the student's run beside the expected one."""
    data, words = as_data(graded, language), WORDS[language]
    verdicts = {result.case.id: result for result in graded.results}
    body = []
    if graded.broken:
        body.append(f"<p class=failed>{words['broken']} <code>{html.escape(graded.broken)}</code></p>")
    for task in data['tasks']:
        if task['cases']:
            body.append(f"<h2>{task['id']} {html.escape(task['title'])}: {task['points']} {words['of']} {task['max']}</h2>")
        for case in task['cases']:
            state = 'ok' if case['passed'] else 'failed'
            body.append(f"<p><b class={state}>{words[state]}</b> {case['id']} {html.escape(case['title'])}")
            if not case['passed'] and not graded.broken:
                result = verdicts[case['id']]
                body.append('<br>' + html.escape(case['why']) + '</p>' + pictured(result.verdict, language) + '<p>')
                if result.command:
                    body.append(f"{words['again']}: <code>{html.escape(again(result.command))}</code>")
                if 'stop' in case:
                    body.append(f"<br>{words['debug']}: <code>./scripts/lab debug {case['id']}</code>")
            body.append('</p>')
    return PAGE.format(language=language, title=f"{words['lab']} {data['lab']}: {html.escape(data['title'])}",
                       points=f"{words['points']}: {data['points']} {words['of']} {data['max']}; "
                              f"{words['seed']} {data['seed']}", body='\n'.join(body))


def again(command):
    return "./scripts/run --icount 2 --exec '" + command.replace("'", "'\\''") + "'"
