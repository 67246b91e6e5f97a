#!/usr/bin/env python3
"""What scripts/lab writes for those who collect grades, against the documented forms: Gradescope's
results.json (gradescope-autograders.readthedocs.io, "Output format"), JUnit XML, and the base64 `result`
that GitHub Classroom's grading reporter decodes. Failures hold characters that each form must escape."""
import base64
import json
import os
import pathlib
import sys
import tempfile
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'scripts' / 'labkit'), str(ROOT / 'scripts')]
sys.dont_write_bytecode = True
import formats  # noqa: E402
import gradescope  # noqa: E402
import grading  # noqa: E402
import spec  # noqa: E402

NASTY = 'a <b> & "c" ]]> \x1b[31m 100%\n::error::forged\r\n老师'
TEST_FIELDS = {'score': (int, float), 'max_score': (int, float), 'status': str, 'name': str, 'name_format': str,
               'number': str, 'output': str, 'output_format': str, 'tags': list, 'visibility': str, 'extra_data': dict}
TOP_FIELDS = {'score': (int, float), 'execution_time': (int, float), 'output': str, 'output_format': str,
              'test_output_format': str, 'test_name_format': str, 'visibility': str, 'stdout_visibility': str,
              'extra_data': dict, 'tests': list, 'leaderboard': list}
VISIBLE = ('hidden', 'after_due_date', 'after_published', 'visible')


def typed(entry, fields):
    for name, value in entry.items():
        assert name in fields and isinstance(value, fields[name]), (name, value)


def check_gradescope(graded):
    data = json.loads(formats.as_gradescope(graded))
    typed(data, TOP_FIELDS)
    assert data['score'] == graded.points and data['visibility'] in VISIBLE and data['stdout_visibility'] in VISIBLE
    assert len(data['tests']) == len(graded.results)
    for test in data['tests']:
        typed(test, TEST_FIELDS)
        assert test['status'] in ('passed', 'failed') and test['visibility'] in VISIBLE
    assert sum(test['score'] for test in data['tests']) == data['score']
    assert sum(test['max_score'] for test in data['tests']) == 100


def check_junit(graded):
    suites = xml.fromstring(formats.as_junit(graded).encode())
    assert suites.tag == 'testsuites' and [child.tag for child in suites] == ['testsuite']
    suite = suites[0]
    cases = suite.findall('testcase')
    failed = [case for case in cases if case.find('failure') is not None]
    assert int(suite.get('tests')) == len(cases) == len(graded.results)
    assert int(suite.get('failures')) == len(failed) == len(graded.failed())
    assert all(case.get('name') and case.get('classname') and float(case.get('time')) >= 0 for case in cases)
    assert all('老师' in case.find('failure').get('message') for case in failed)


def check_github(graded):
    with tempfile.NamedTemporaryFile('r') as output:
        os.environ['GITHUB_OUTPUT'] = output.name
        lines = formats.as_github(graded).splitlines()
        text = output.read()
    assert text.startswith('result=') and text.count('\n') == 1
    result = json.loads(base64.b64decode(text[len('result='):]))
    assert result['version'] == 1 and result['status'] in ('pass', 'fail', 'error') and result['max_score'] == 100
    assert sum(test['score'] for test in result['tests']) == graded.points
    # A student's text must not become a workflow command of its own.
    assert all(line.startswith(('::error file=', '::notice ')) for line in lines), lines
    assert sum(line.startswith('::error') for line in lines) == len(graded.failed())


def check_autograder(lab):
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder) / 'zip'
        gradescope.make(lab, str(place), 5)
        for name in ('setup.sh', 'run_autograder'):
            text = (place / name).read_text()
            assert text.startswith('#!') and os.access(place / name, os.X_OK), name
        assert 'results' in (place / 'run_autograder').read_text()
        assert (place / 'orrery/scripts/lab').exists() and not (place / 'orrery/build/kernel.elf').exists()
        assert spec.find(lab.number, str(place / 'orrery')).expectations(5) == lab.expectations(5)


def main():
    lab = spec.find(5)
    wrong = grading.Verdict(False, {'en': NASTY, 'zh': NASTY})
    results = [grading.Result(case, grading.Verdict(True) if i % 3 else wrong) for i, case in enumerate(lab.cases)]
    for graded in (grading.Graded(lab, 1, results), grading.nothing(lab, 1, 'x.hpp:1: error: ' + NASTY)):
        check_gradescope(graded)
        check_junit(graded)
        check_github(graded)
        assert formats.as_json(graded, 'en') == formats.as_json(graded, 'en')
        page = formats.as_page(graded, 'zh')
        assert '<b> &' not in page
    check_autograder(lab)
    print('all as documented')


if __name__ == '__main__':
    main()
