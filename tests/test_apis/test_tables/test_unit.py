import shlex
from pathlib import Path

import pytest

from pcdet_kd.apis.tables import Settings, Unit, read_table
from pcdet_kd.apis.tables.unit import check_options
from pcdet_kd.cli.options import parse_value
from pcdet_kd.engine.config_check import ConfigError


def unit(table, row='both', column='few', seed=3, **settings):
    return Unit(read_table(table).cells[row, column], seed, Settings(Path('runs'), **settings))


def test_options_of_table_and_command_come_together(tiny_table):
    options, of_stages = unit(
        tiny_table,
        options={'max_epochs': 1, 'num': 20, 'elsewhere': 3},
        stage_options={'teacher.max_epochs': 2, 'other.max_epochs': 2},
    ).options()
    assert options == {'num': 20, 'max_epochs': 1, 'randomness.seed': 3}
    assert of_stages == {'teacher.max_epochs': 2}


def test_an_option_may_follow_the_seed(tiny_table):
    tiny_table.write_text(tiny_table.read_text().replace('num=num', "num='{seed}'"))
    found = unit(tiny_table, seed=15, stage_options={'teacher.num': '{seed}'})
    assert found.options() == ({'num': 15, 'randomness.seed': 15}, {'teacher.num': 15})


def test_teachers_keep_their_seed_unless_asked(tiny_table):
    seeds = [s.cfg.randomness.seed for s in unit(tiny_table).plan()]
    assert seeds == [0, 0, 3]
    again = unit(tiny_table, teacher_seeds=True).plan()
    assert [s.cfg.randomness.seed for s in again] == [3, 3, 3]


def test_the_student_alone_needs_no_teacher(tiny_table):
    (stage,) = unit(tiny_table, 'alone').plan()
    assert stage.cfg.model.type == 'PointClassifier' and stage.cfg.randomness.seed == 3
    assert stage.work_dir.parent == Path('runs')


def test_the_command_trains_it_by_itself(tiny_table):
    assert unit(tiny_table, 'alone').command() == (
        'pcdet-kd train configs/tiny_pointcmt.py --seed 3 --cfg-options num=18 --with-baseline'
    )
    command = unit(tiny_table, 'CE', teacher_seeds=True).command()
    assert command.startswith('pcdet-kd train configs/tiny_pointcmt.py --seed 3 --cfg-options ')
    assert 'model.feature_enhancement=False' in command
    assert 'teacher.randomness.seed=3' in command.split('--stage-options ')[1]


def test_the_command_can_be_pasted(tiny_table):
    losses = {'classifier': dict(type='LogitKDLoss', loss_weight=0.1)}
    found = unit(tiny_table, options={'model.losses': losses, 'max_epochs': 1}).command()
    parts = shlex.split(found)
    assert parts[-1] == 'max_epochs=1' and '"LogitKDLoss"' in found and '"\'' not in found
    assert parse_value(parts[-2].removeprefix('model.losses=')) == losses


def test_options_that_reach_nothing_are_refused(tiny_table):
    check_options([unit(tiny_table, options={'num': 1}, stage_options={'teacher.num': 1})])
    with pytest.raises(ConfigError, match="no variable 'nun'.*'num'"):
        check_options([unit(tiny_table, options={'nun': 1})])
    with pytest.raises(ConfigError, match="no stage 'techer'.*'teacher'"):
        check_options([unit(tiny_table, stage_options={'techer.num': 1})])


def test_an_unfinished_run_has_no_results(tiny_table, tmp_path):
    assert unit(tiny_table).results(tmp_path) == {}
