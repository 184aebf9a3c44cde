from pcdet_kd.engine.shared_stages import names_in, needed_by, share_stages
from pcdet_kd.engine.stages import plan


def folders(config, options=None, stage_options=None, **kwargs):
    stages = share_stages(plan(config, options, stage_options, **kwargs), 'runs')
    assert all(stage.cfg.work_dir == str(stage.work_dir) for stage in stages)
    return {stage.name: str(stage.work_dir) for stage in stages}


def test_equal_stages_have_one_directory_and_others_another(tiny_configs):
    leaf = tiny_configs / 'tiny_pointcmt.py'
    first = folders(leaf, with_baseline=True)
    assert first['teacher'].startswith('runs/MultiViewResNet_seed0_')
    assert first['generator'].startswith('runs/PointGenerator_seed0_')
    assert first['tiny_pointcmt'].startswith('runs/PointCMT_PointNet_seed0_')
    assert first['tiny_pointcmt_baseline'].startswith('runs/PointNet_seed0_')
    assert folders(leaf, with_baseline=True) == first

    weaker = folders(leaf, {'model.feature_enhancement': False}, with_baseline=True)
    assert changed(first, weaker) == ['tiny_pointcmt']
    assert changed(first, folders(leaf, {'randomness.seed': 3}, with_baseline=True)) == [
        'tiny_pointcmt',
        'tiny_pointcmt_baseline',
    ]
    teacher = folders(leaf, None, {'teacher.max_epochs': 3}, with_baseline=True)
    assert changed(first, teacher) == ['generator', 'teacher', 'tiny_pointcmt']


def changed(one, other):
    assert one.keys() == other.keys()
    return sorted(name for name in one if one[name] != other[name])


def test_runs_that_are_tested_on_something_else_are_told_apart(tiny_configs):
    leaf = tiny_configs / 'tiny_teacher.py'
    first = folders(leaf)
    assert folders(leaf, {'test_dataloader.batch_size': 2}) == first
    assert folders(leaf, {'test_dataloader.dataset.noise': 0.2}) != first
    assert folders(leaf, {'test_evaluator.prefix': 'x'}) != first


def test_where_the_data_are_does_not_count(tiny_configs):
    leaf = tiny_configs / 'tiny_teacher.py'
    assert folders(leaf, {'train_dataloader.num_workers': 1}) == folders(leaf)


def test_what_the_student_alone_needs(tiny_configs):
    stages = plan(tiny_configs / 'tiny_pointcmt.py', with_baseline=True)
    assert [stage.name for stage in needed_by(stages[-2])] == ['tiny_pointcmt_baseline']
    assert needed_by(stages[-1]) == [*stages[:-2], stages[-1]]


def test_names_of_stages_and_variables(tiny_configs):
    text = (tiny_configs / 'tiny_teacher.py').read_text()
    (tiny_configs / 'tiny_teacher.py').write_text(text + 'width = 3\nmodel.update(init_cfg=None)\n')
    names, variables = names_in(tiny_configs / 'tiny_pointcmt.py')
    assert names == {'teacher', 'generator'} and {'num', 'max_epochs', 'width'} <= variables
    assert 'width' not in names_in(tiny_configs / 'tiny_pointcmt.py')[0]
    assert names_in(tiny_configs / 'tiny_teacher.py')[0] == set()
