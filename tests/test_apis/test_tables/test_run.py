import json

import pytest

from pcdet_kd.apis.tables import run, run_table, write_table
from pcdet_kd.engine import pipeline
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.distributed import WorkDirInUse

SHORT = dict(options={'max_epochs': 1})


def trained(said):
    return [line for line in said if ': trains in' in line]


def test_a_table_from_nothing_to_its_files(tiny_table):
    said = []
    run_table(tiny_table, (0, 1), only=['CE'], shard=(1, 2), say=said.append, **SHORT)
    assert len([line for line in said if line.startswith('---')]) == 2
    rows = ['CE', 'alone']
    found = run_table(tiny_table, (0, 1), only=rows, say=said.append, **SHORT)
    # two sizes of the data: a teacher and a generator each; two students with two seeds each
    assert len(trained(said)) == 2 * (2 + 2 * 2) and not found.failed
    assert len(found.figures) == 2 * 2 * 2 * 2 and found.rows == ['alone', 'CE']
    assert all(set(figure.values) == {0, 1} for figure in found.figures)
    assert len(found.sentences()) == 2

    said.clear()
    again = run_table(tiny_table, (0, 1), only=['CE'], votes=2, say=said.append, **SHORT)
    assert not trained(said) and again.rows == ['CE']
    assert again.figure('CE', 'few', 'accuracy_voted', 'best').values.keys() == {0, 1}
    files = {file.name: file.read_text() for file in write_table(again, 'out')}
    assert (
        'many clouds OA voted last' in files['table.md'] and 'Voted: mean of 2' in files['table.md']
    )
    assert json.loads(files['table.json'])['seeds'] == [0, 1]
    file = found.work_dirs['CE', 'few'][0] / 'voted_2_last.json'
    before = file.stat().st_mtime_ns
    run_table(tiny_table, (0,), only=['CE'], votes=2, **SHORT)
    assert file.stat().st_mtime_ns == before


def test_a_cell_that_fails_does_not_stop_the_others(tiny_table):
    text = tiny_table.read_text()
    for old, new in (
        ("'model.feature_enhancement': False", "'optim_wrapper.optimizer.lr': -1"),
        (", many='many clouds'", ''),
        (', many=24', ''),
        (", many=_cells['many']", ''),
    ):
        assert old in text
        text = text.replace(old, new)
    tiny_table.write_text(text)
    said = []
    found = run_table(tiny_table, say=said.append, **SHORT)
    assert list(found.failed) == ['CE, few, seed 0']
    assert 'learning rate' in found.failed['CE, few, seed 0']
    assert {figure.row for figure in found.figures} == {'alone', 'both'}
    text = write_table(found, 'out')[0].read_text()
    assert 'failed |' in text and 'learning rate' in text


def test_a_dry_run_finds_mistakes_in_all_cells(tiny_table):
    text = tiny_table.read_text()
    assert 'model.feature_enhancement' in text
    tiny_table.write_text(text.replace('model.feature_enhancement', 'model.feature_enhancment'))
    dry = run_table(tiny_table, dry_run=True)
    assert list(dry.failed) == ['CE, few, seed 0', 'CE, many, seed 0']
    assert "'feature_enhancement'" in dry.failed['CE, few, seed 0']


def test_a_bug_in_one_cell_is_told_too(tiny_table, monkeypatch):
    def fails(*args, **kwargs):
        raise ZeroDivisionError('a bug')

    monkeypatch.setattr(run.Unit, 'run', fails)
    found = run_table(tiny_table, only=['CE'])
    assert set(found.failed.values()) == {'ZeroDivisionError: a bug'} and len(found.failed) == 2


def test_a_stage_that_another_process_trains_is_waited_for(tiny_table, monkeypatch):
    calls, waits = [], []

    def busy_once(self, say):
        calls.append(str(self))
        if calls.count(str(self)) == 1:
            raise WorkDirInUse('in use')

    monkeypatch.setattr(run.Unit, 'run', busy_once)
    monkeypatch.setattr(run.time, 'sleep', waits.append)
    found = run_table(tiny_table, only=['CE'])
    assert calls == 2 * ['CE, few, seed 0', 'CE, many, seed 0'] and len(waits) == 1
    assert not found.failed


def test_parts_share_the_work_fairly(tiny_table, monkeypatch):
    runs = []
    monkeypatch.setattr(run.Unit, 'run', lambda self, say: runs.append(str(self)))
    everything = {
        f'{row}, {column}, seed {seed}'
        for row in ('alone', 'CE', 'both')
        for column in ('few', 'many')
        for seed in range(3)
    }
    for parts in (2, 3, 5):
        found = []
        for part in range(1, parts + 1):
            runs.clear()
            run_table(tiny_table, range(3), shard=(part, parts))
            found += runs
            assert parts > 3 or {name.split(',')[0] for name in runs} == {'alone', 'CE', 'both'}
        assert len(found) == len(everything) and {*found} == everything


def test_a_stopped_table_goes_on(tiny_table, monkeypatch):
    def stop(runner):
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, 'test_last_and_best', stop)
    with pytest.raises(KeyboardInterrupt):
        run_table(tiny_table, only=['alone'], **SHORT)
    monkeypatch.undo()
    monkeypatch.chdir(tiny_table.parent.parent)
    said = []
    run_table(tiny_table, only=['alone'], say=said.append, **SHORT)
    assert ['resumes from' in line for line in said if 'in work_dirs' in line] == [True, False]


def test_mistakes_are_named(tiny_table):
    with pytest.raises(ConfigError, match="no row 'bth'.*'both'"):
        run_table(tiny_table, only=['bth'])
    with pytest.raises(ConfigError, match='3/2: the first number'):
        run_table(tiny_table, shard=(3, 2))


def test_a_dry_run_writes_nothing(tiny_table):
    said = []
    run_table(tiny_table, dry_run=True, say=said.append)
    assert not (tiny_table.parent.parent / 'work_dirs').exists()
    assert len([line for line in said if 'would train' in line]) == 2 * (1 + 3 + 3)


def test_a_row_that_is_tested_on_a_suite(tiny_configs, write_suite):
    (tiny_configs / 'tiny_student.py').write_text(
        "_base_ = 'tiny_base.py'\nmodel = _base_.student\n"
    )
    table = tiny_configs / 'tiny_robust.py'
    table.write_text(
        "title = 'Tiny'\nmetrics = ('er', 'clean_er')\n"
        "rows = [dict(label='alone', config='tiny_student.py', suite='modelnet-c', published=20)]\n"
    )
    root = write_suite('modelnet-c', marked=True)
    found = run_table(table, suite_root=str(root), **SHORT)
    assert not found.failed
    er, clean = (found.figure('alone', 'value', name, 'last').mean for name in found.spec.metrics)
    assert 0 <= clean <= 100 and 0 <= er <= 100
    folder = found.work_dirs['alone', 'value'][0]
    content = json.loads((folder / 'suite_modelnet-c_last.json').read_text())
    assert content['metrics']['er'] == er and content['metrics']['clean_er'] == clean
    assert 'ER published' in write_table(found, 'out')[0].read_text()
    missing = run_table(table, (1,), suite_root='nowhere', **SHORT)
    assert 'nowhere' in missing.failed['alone, seed 1']
