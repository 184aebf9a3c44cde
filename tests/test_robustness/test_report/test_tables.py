import pytest

from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.robustness.report.tables import (
    comparison_table,
    corruption_table,
    label,
    score_table,
    severity_table,
    signed,
    spread,
)


@pytest.mark.parametrize(
    'value, shown', [(1.26, '+1.3'), (-0.31, '−0.3'), (0.04, '0.0'), (-0.04, '0.0'), (0.0, '0.0')]
)
def test_signs(value, shown):
    assert signed(value) == shown


def test_spread():
    assert (
        spread(dict(mean=1.234, std=None)) == '1.2'
        and spread(dict(mean=1.234, std=0.056), 2) == '1.23 ± 0.06'
    )
    assert spread(None) == '–'


def test_scores_of_one_model(report_of):
    report = report_of(options=dict(classes=MODELNET40, count=80))
    table = score_table(report)
    scores = report['models'][0]['scores']
    assert list(table.header) == [
        'model',
        'clean OA',
        'corrupted OA',
        '95 % interval',
        'drop',
        'ER',
        'mCE',
        'RmCE',
    ]
    assert table.rows[0][1:3] == [
        f'{scores["clean_oa"]["mean"]:.1f}',
        f'{scores["oa"]["mean"]:.1f}',
    ]
    assert (
        table.rows[0][6:] == [f'{scores["mce"]["mean"]:.3f}', f'{scores["rmce"]["mean"]:.3f}']
        and not table.bold
    )
    assert 'ModelNet-C (generated)' in table.caption
    corruptions = corruption_table(report)
    assert (
        list(corruptions.header) == ['corruption', 'OA', 'ER', 'CE', 'RCE']
        and len(corruptions.rows) == 8
    )
    found = report['models'][0]['corruptions']['dropout_global']
    assert corruptions.rows[3] == [
        'dropout global',
        *(f'{found[k]["mean"]:.{d}f}' for k, d in (('oa', 1), ('er', 1), ('ce', 3), ('rce', 3))),
    ]
    assert corruptions.rows[-1][3:] == table.rows[0][6:] and corruptions.rules == {7}


def test_the_best_of_several_models_is_bold(report_of):
    report = report_of('modelnet40-c', plain=[0.7, 0.72], ours=[0.95])
    table = score_table(report)
    assert {(1, 1), (1, 2), (1, 5)} <= table.bold and all(
        row == 1 for row, column in table.bold if column in (1, 2, 5)
    )
    assert (
        ' ± ' in table.rows[0][1]
        and ' ± ' not in table.rows[1][1]
        and '1 or 2 runs' in table.caption
    )
    corruptions = corruption_table(report)
    assert (
        list(corruptions.header) == ['corruption', 'plain', 'ours']
        and 'Error rate' in corruptions.caption
    )
    assert {column for _, column in corruptions.bold} == {2} and corruptions.rules == {5, 10, 15}


def test_without_a_clean_set(report_of):
    report = report_of('modelnet40-c', options=dict(clean=False))
    assert list(score_table(report).header) == ['model', 'corrupted OA', '95 % interval', 'ER']


def test_severities(report_of):
    report = report_of()
    table = severity_table(report, report['models'][0])
    assert list(table.header) == ['corruption', '0', '1', '2', '3', '4', 'mean']
    assert table.rows[1][3] == f'{report["models"][0]["sets"]["jitter"]["2"]["oa"]:.1f}'


def test_comparison(report_of):
    report = report_of(plain=[0.6], ours=[0.95])
    comparison = report['comparisons'][0]
    table = comparison_table(report, comparison)
    assert table.rows[0] == ['scale', *table.rows[0][1:3], 'yes'] and table.rows[0][1].startswith(
        '+'
    )
    assert [row[0] for row in table.rows[7:]] == [
        'mean of all',
        'clean',
        'drop',
    ] and table.rules == {7}
    comparison['corruptions']['scale'] = [0.5, -0.5, 1.5]
    assert comparison_table(report, comparison).rows[0] == ['scale', '+0.5', '−0.5 to +1.5', '']


def test_labels():
    assert label('plain (a_b) é') == 'plain--a-b---'
