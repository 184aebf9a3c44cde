import pytest

from pcdet_kd.visualization import comparison_table


def test_markdown_that_is_aligned():
    table = comparison_table(
        [
            {'model': 'teacher (6 views)', 'accuracy': 81.236, 'votes': None},
            {'model': 'student', 'accuracy': 7.0, 'votes': 10, 'note': 'a|b'},
        ]
    )
    assert table == (
        '| model             | accuracy | votes | note |\n'
        '|-------------------|---------:|------:|------|\n'
        '| teacher (6 views) |    81.24 |     - | -    |\n'
        '| student           |     7.00 |    10 | a\\|b |'
    )


def test_columns_decimals_and_nan():
    rows = [dict(a=1.26, b='x'), dict(a=float('nan'))]
    assert comparison_table(rows, columns=['a'], decimals=1).splitlines() == [
        '|   a |',
        '|----:|',
        '| 1.3 |',
        '|   - |',
    ]


@pytest.mark.parametrize(
    'rows, columns, message', [([], None, 'at least one row'), ([dict(a=1)], ['b'], "column 'b'")]
)
def test_refuses(rows, columns, message):
    with pytest.raises(ValueError, match=message):
        comparison_table(rows, columns)
