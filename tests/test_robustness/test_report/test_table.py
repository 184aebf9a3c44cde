import re
from xml.etree import ElementTree

import pytest

from pcdet_kd.robustness.report.table import Table, latex_text


@pytest.fixture
def table():
    rows = [['x & y', '1.0 ± 0.2', '−3'], ['<b>', '2.0', 'p|q']]
    return Table('Error in %.', ['model', 'ER', 'a_b'], rows, {(0, 1)}, {1}, 'er')


def test_html(table):
    tree = ElementTree.fromstring(table.html())
    assert [cell.text for cell in tree.iter('th')] == ['model', 'ER', 'a_b', 'x & y', '<b>']
    assert tree.find('.//caption').text == 'Error in %.'
    first = next(tree.iter('td'))
    assert first.find('b').text == '1.0' and first.find('small').text == ' ± 0.2'
    assert [row.get('class') for row in tree.iter('tr')] == [None, None, 'rule']


def test_markdown(table):
    lines = table.markdown().splitlines()
    assert len(lines) == 4 and len({len(line) for line in lines}) == 1
    assert lines[1].startswith('|---') and lines[1].endswith('-:|')
    assert '**1.0 ± 0.2**' in lines[2] and 'p\\|q' in lines[3]


def test_latex(table):
    text = table.latex()
    rows = [line for line in text.splitlines() if line.endswith(r'\\')]
    assert [len(re.split(r'(?<!\\)&', row)) for row in rows] == [3, 3, 3]
    assert (
        r'x \& y & \textbf{1.0 $\pm$ 0.2} & $-$3 \\' in text
        and r'a\_b' in text
        and r'Error in \%.' in text
    )
    assert (
        text.count(r'\midrule') == 2
        and r'\label{tab:er}' in text
        and r'\begin{tabular}{lrr}' in text
    )
    assert text.isascii()


def test_latex_text_has_no_commands():
    assert (
        latex_text(r'\input{x}_$^~#')
        == r'\textbackslash{}input\{x\}\_\$\textasciicircum{}\textasciitilde{}\#'
    )


def test_rows_are_as_long_as_the_header():
    with pytest.raises(ValueError, match='2 cells'):
        Table('', ['a'], [['b', 'c']])
