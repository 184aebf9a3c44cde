import json

import pytest

from pcdet_kd.apis.doctor.report import Finding, Report
from pcdet_kd.utils.errors import DataError, UserError


def test_a_report_reads_well():
    report = Report('Thing')
    report.sections['Facts'] = dict(size_bytes=54_000_000, is_whole=True, names=['a', 'b'])
    report.sections['Rows'] = [dict(name='x', time_s=90.0), dict(name='yy', time_s=0.02)]
    report.sections['Empty'] = []
    report.add('note', '', 'nice')
    report.add('warning', 'key', 'slow', 'do this')
    assert not report.is_broken and report.text().endswith('nothing is broken, 1 warning')
    report.add('broken', 'file', 'gone')
    lines = report.text().splitlines()
    assert report.is_broken and lines[-1] == '1 broken, 1 warning'
    assert (
        '  size      54.0 MB' in lines
        and '  is whole  yes' in lines
        and '  names     a, b' in lines
    )
    assert '| x    | 90.0 s |' in lines and '| yy   | 20 ms  |' in lines and 'Empty' not in lines
    order = [line.split()[0] for line in lines if line.startswith('  ') and ':' in line]
    assert order == ['broken', 'warning', 'fix:'] and lines.index('  broken   file: gone')
    assert lines.index('  note     nice') > lines.index('  warning  key: slow')
    found = json.loads(json.dumps(report.to_dict()))
    assert found['broken'] and found['sections']['Facts']['size_bytes'] == 54_000_000
    assert found['findings'][1] == dict(level='warning', about='key', text='slow', fix='do this')


def test_long_values_are_wrapped_below_themselves():
    report = Report('Thing', {'Facts': dict(names=[f'name{i}' for i in range(40)])})
    lines = report.text().splitlines()
    assert max(map(len, lines)) <= 100 and lines[4].startswith(' ' * 9 + 'name')


def test_errors_become_findings():
    report = Report('Thing')
    report.add_error(DataError('a.h5', '0 bytes', 'an array', 'get it again'))
    report.add_error(UserError('two\n  lines'), 'a.pth')
    assert report.findings == [
        Finding('broken', 'a.h5', 'found 0 bytes, expected an array', 'get it again'),
        Finding('broken', 'a.pth', 'two lines'),
    ]
    report.add_error(UserError('two lines'), 'a.pth')  # the same again
    report.add_error(UserError('b.pth is cut'), 'b.pth')
    assert report.findings[2:] == [Finding('broken', '', 'b.pth is cut')]
    with pytest.raises(ValueError, match='level'):
        report.add('bad', '', '')
