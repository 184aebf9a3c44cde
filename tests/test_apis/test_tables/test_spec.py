import pytest

from pcdet_kd.apis.tables import read_table
from pcdet_kd.engine.config_check import ConfigError


def test_a_table_is_read(tiny_table):
    spec = read_table(tiny_table)
    assert spec.name == 'tiny_table' and spec.rows == ('alone', 'CE', 'both')
    assert spec.columns == dict(few='few', many='many clouds') and spec.reference == 'alone'
    assert spec.metrics == dict(accuracy='OA', mean_class_accuracy='mAcc') and len(spec.cells) == 6
    cell = spec.cells['CE', 'few']
    assert cell.options == {'num': 18, 'model.feature_enhancement': False} and not cell.alone
    assert cell.config == tiny_table.with_name('tiny_pointcmt.py')
    assert spec.cells['alone', 'many'].alone and not cell.published
    assert spec.cells['both', 'few'].published == dict(accuracy='88.1 ± 0.2')


def test_a_plain_config_is_a_table_of_one_row(tiny_configs):
    path = tiny_configs / 'tiny_pointcmt.py'
    assert read_table(path).rows == ('tiny_pointcmt',)
    spec = read_table(path, with_baseline=True)
    assert spec.rows == ('tiny_pointcmt, student alone', 'tiny_pointcmt')
    assert spec.reference == spec.rows[0] and spec.cells[spec.rows[0], 'value'].alone


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ("title = 'Tiny'", "titel = 'Tiny'", "titel: not a key of a table. Did you mean 'title'"),
        ("title = 'Tiny'", '', 'title: missing'),
        ("label='CE'", "label='both'", "label 'both' is empty or used twice"),
        ("label='CE'", "label='CE', option={}", "no key 'option'.*'options'"),
        ('cells=_cells, options', 'cells=dict(fw={}), options', "no column 'fw'.*'few'"),
        ("config='tiny_pointcmt.py', alone", 'alone', 'alone, few: config: missing'),
        ("config='tiny_pointcmt.py', alone", "config='tiny_pintcmt.py', alone", 'tiny_pointcmt.py'),
        ("reference = 'alone'", "reference = 'aloe'", "reference: no row 'aloe'.*'alone'"),
        ("reference = 'alone'", "axis = 'clouds'", 'axis: every column needs a number x'),
        ('alone=True', "suite='modelnet-d'", "'modelnet-d' is not a suite.*'modelnet-c'"),
    ],
)
def test_mistakes_are_named(tiny_table, old, new, words):
    text = tiny_table.read_text()
    assert old in text
    tiny_table.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=rf'(?s)tiny_table\.py.*{words}'):
        read_table(tiny_table)


def test_columns_may_show_some_metrics_and_cells_only_what_is_published(tiny_table):
    text = tiny_table.read_text()
    text = text.replace("few='few',", "few=dict(label='few', metrics=('mean_class_accuracy',)),")
    text = text.replace("config='tiny_pointcmt.py', alone=True, cells=_cells", 'published=77.0')
    tiny_table.write_text(text)
    spec = read_table(tiny_table)
    assert spec.columns['few'] == 'few'
    assert spec.column_metrics == dict(few=('mean_class_accuracy',))
    few, many = (spec.cells['alone', column] for column in ('few', 'many'))
    assert few.config is None and few.published == dict(mean_class_accuracy=77.0)
    assert many.published == dict(accuracy=77.0)


def test_a_table_says_itself_what_its_baselines_are(tiny_table):
    with pytest.raises(ConfigError, match='which rows it has'):
        read_table(tiny_table, with_baseline=True)
    with pytest.raises(FileNotFoundError, match='no config'):
        read_table(tiny_table.with_name('nothing.py'))
