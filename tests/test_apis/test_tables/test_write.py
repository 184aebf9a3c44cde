import json

from pcdet_kd.apis.tables import Figure, write_table
from pcdet_kd.apis.tables.write import short_table


def figures():
    return [
        Figure('alone', 'few', 'accuracy', 'last', {0: 80.0, 1: 82.0}),
        Figure('both', 'few', 'accuracy', 'last', {0: 88.0}),
        Figure('both', 'few', 'accuracy', 'best', {0: 89.0, 1: 89.0}),
    ]


def test_the_short_table_has_published_numbers_beside_ours(result, tiny_table):
    found = result(tiny_table, figures=figures())
    found.failed['CE, few, seed 0'] = 'no more disk\nat all'
    table = short_table(found)
    assert table.header[:4] == ['', 'few OA published', 'few OA last', 'few OA val-best']
    cells = {row[0]: row[1:4] for row in table.rows}
    assert cells == {
        'alone': ['–', '81.0 ± 1.4', 'not run'],
        'CE': ['–', 'failed', 'failed'],
        'both': ['88.1 ± 0.2', '88.0 (1 of 2)', '89.0 ± 0.0'],
    }


def test_columns_without_a_run_show_what_is_published(result, tiny_table):
    text = tiny_table.read_text()
    text = text.replace("few='few',", "few=dict(label='few', metrics=('mean_class_accuracy',)),")
    text = text.replace("config='tiny_pointcmt.py', alone=True, cells=_cells", 'published=77.0')
    tiny_table.write_text(text)
    table = short_table(result(tiny_table, figures=figures()))
    assert table.header[1:4] == ['few mAcc published', 'few mAcc last', 'many clouds OA published']
    assert table.rows[0][:5] == ['alone', '77.0', '–', '77.0', '–']


def test_an_axis_makes_a_picture(result, tiny_table, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        'pcdet_kd.apis.tables.write.draw_lines', lambda *args: drawn.append(args) or args[1]
    )
    text = tiny_table.read_text().replace("few='few'", "few=dict(label='few', x=2)")
    tiny_table.write_text(text.replace("many='many clouds'", 'many=dict(x=5)') + "axis = 'clouds'")
    files = write_table(result(tiny_table, figures=figures()), tmp_path)
    (lines, path, xlabel, ylabel, title), *_ = drawn
    assert files[-1] == path == tmp_path / 'table.png' and (xlabel, title) == ('clouds', 'Tiny')
    assert ylabel == 'OA, %, last epoch, 2 seeds' and lines['alone'] == [(2, 81.0, 2**0.5)]
    assert lines['both'][0][:2] == (2, 88.0) and list(lines) == ['alone', 'both']


def test_three_files(result, tiny_table, tmp_path):
    found = result(tiny_table, figures=figures())
    found.failed['CE, few, seed 0'] = 'no more disk\nat all'
    files = {file.suffix: file.read_text() for file in write_table(found, tmp_path / 'out')}
    assert files['.md'].startswith('# Tiny\n\n| ') and 'over the seeds 0, 1' in files['.md']
    assert 'Nothing is selected on the test set' in files['.md']
    assert (
        'Nothing is published.' in files['.md']
        and '- CE, few, seed 0: no more disk at all\n' in files['.md']
    )
    assert files['.md'].count('pcdet-kd train') == 6
    assert r'\begin{tabular}' in files['.tex'] and r'81.0 $\pm$ 1.4' in files['.tex']
    assert json.loads(files['.json'])['figures'][0]['mean'] == 81.0
