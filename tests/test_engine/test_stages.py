from pathlib import Path

import pytest

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.stages import baseline_of, plan, work_dir_of

ROOT = Path(__file__).parents[2]
LEAF = 'tiny_pointcmt.py'


def names(stages):
    return [s.name for s in stages]


def test_the_plan_is_in_order_and_has_each_stage_once(tiny_configs):
    stages = plan(tiny_configs / LEAF)
    assert names(stages) == ['teacher', 'generator', 'tiny_pointcmt']
    assert stages[2].requires['teacher'] is stages[1].requires['teacher'] is stages[0]
    assert [str(s.work_dir) for s in stages] == [
        f'work_dirs/{n}' for n in ('tiny_teacher', 'tiny_generator', 'tiny_pointcmt')
    ]
    assert [
        str(s.work_dir) for s in plan(tiny_configs / LEAF, work_dir='out', with_baseline=True)
    ] == [
        'out/stages/tiny_teacher',
        'out/stages/tiny_generator',
        'out/stages/tiny_pointcmt_baseline',
        'out',
    ]
    assert (
        str(plan(tiny_configs / LEAF, with_baseline=True)[2].work_dir)
        == 'work_dirs/tiny_pointcmt_baseline'
    )


def test_variables_reach_the_stages_and_paths_only_the_leaf(tiny_configs):
    stages = plan(
        tiny_configs / LEAF,
        {'num': 12, 'optim_wrapper.optimizer.lr': 0.5},
        {'teacher.train_cfg.max_epochs': 7},
    )
    assert [s.cfg.train_dataloader.dataset.num for s in stages] == [12, 12, 12]
    assert [s.cfg.optim_wrapper.optimizer.lr for s in stages] == [0.01, 0.01, 0.5]
    assert [s.cfg.train_cfg.max_epochs for s in stages] == [7, 2, 2]


def test_mistakes_in_requires_are_found_before_training(tiny_configs):
    with pytest.raises(ConfigError, match=r"no stage 'techer'.*'teacher'"):
        plan(tiny_configs / LEAF, stage_options={'techer.num': 1})
    leaf = tiny_configs / LEAF
    text = leaf.read_text()
    leaf.write_text(text.replace('stage:generator', 'stage:genrator'))
    with pytest.raises(ConfigError, match=r"model\.helpers\.generator\.checkpoint.*'generator'"):
        plan(leaf)
    leaf.write_text(text)
    teacher = tiny_configs / 'tiny_teacher.py'
    teacher.write_text(teacher.read_text() + f"requires = dict(leaf='{LEAF}')\n")
    with pytest.raises(ConfigError, match='requires itself'):
        plan(leaf)


def test_a_frozen_model_of_a_stage_is_not_described_again(tiny_configs):
    leaf = tiny_configs / LEAF
    text = leaf.read_text()
    leaf.write_text(text.replace("'stage:generator'", "'stage:generator', model=_base_.student"))
    with pytest.raises(
        ConfigError,
        match=r"model\.helpers\.generator\.model: leave it out: the stage 'generator' says",
    ):
        plan(leaf)


def test_a_plain_config_has_no_baseline(tiny_configs):
    with pytest.raises(ConfigError, match='not a distiller'):
        baseline_of(plan(tiny_configs / 'tiny_teacher.py')[0])


def test_a_config_lives_where_its_own_path_says(tiny_configs):
    assert str(work_dir_of('configs/pointcmt/pointmlp_scanobjectnn.py')) == (
        'work_dirs/pointcmt/pointmlp_scanobjectnn'
    )
    assert str(work_dir_of('/a/configs/b/configs/c/d.py')) == 'work_dirs/c/d'
    assert str(work_dir_of('mine.v2.py')) == 'work_dirs/mine.v2'
    base = tiny_configs / 'tiny_teacher.py'
    base.write_text(base.read_text() + "work_dir = 'elsewhere'\n")
    derived = tiny_configs / 'sub' / 'derived.py'
    derived.parent.mkdir()
    derived.write_text("_base_ = '../tiny_teacher.py'\n")
    assert [str(plan(path)[0].work_dir) for path in (base, derived)] == [
        'elsewhere',
        'work_dirs/sub/derived',
    ]
    assert str(plan(derived, {'work_dir': 'here'})[0].work_dir) == 'here'


def test_a_frozen_model_is_the_one_that_its_stage_trains(tiny_configs):
    stages = plan(tiny_configs / LEAF, stage_options={'teacher.model.backbone.base_width': 4})
    trained = [stages[0].cfg.model, stages[1].cfg.model]
    found = stages[2].cfg.model.teachers.image.teacher.model, stages[2].cfg.model.helpers
    assert found[0] == trained[0] and found[0].backbone.base_width == 4
    kept = {k: v for k, v in trained[1].items() if k not in ('teacher', 'loss')}
    assert found[1].generator.model == kept and found[1].generator.model.in_channels == 16
    assert stages[1].cfg.model.teacher.teacher.model == trained[0]


def test_the_student_alone_has_no_hooks_of_the_method(tiny_configs):
    leaf = tiny_configs / 'tiny_hooked.py'
    leaf.write_text(
        "_base_ = 'tiny_pointcmt.py'\n"
        'custom_hooks = [\n'
        "    dict(type='LossWarmupHook', loss='feature', epochs=2),\n"
        "    dict(type='ScheduleHook', attribute='losses.feature.loss_weight', start=0, end=1),\n"
        "    dict(type='BatchNormMomentumHook'),\n"
        ']\n'
    )
    baseline, distilled = plan(leaf, with_baseline=True)[-2:]
    assert [hook.type for hook in baseline.cfg.custom_hooks] == ['BatchNormMomentumHook']
    assert len(distilled.cfg.custom_hooks) == 3


def test_labels_and_the_students_points_are_for_the_leaf_and_its_baseline():
    options = {'labels': 7, 'train_size': 50, 'subset_seed': 3, 'student_points': 32}
    stages = plan(
        ROOT / 'configs/few_labels/pointcmt_modelnet40.py',
        {**options, 'num_points': 96, 'batch_size': 8},
        {'teacher.labels': 0.5},
        with_baseline=True,
    )
    for stage, labels, size, seed, points, share in zip(
        stages,
        (0.5, None, 7, 7),
        (None, None, 50, 50),
        (0, 0, 3, 3),
        (96, 256, 32, 32),
        (1.0, None, 1.0, 0.5),
    ):
        loader = stage.cfg.train_dataloader
        data = loader.dataset
        assert (data.labels, data.subset, data.subset_seed) == (labels, size, seed)
        assert data.pipeline[0].num_points == points
        assert loader.sampler.get('share') == share and loader.batch_size == 8
    bank = stages[-1].cfg.model.teachers.image.data
    assert [part.pipeline[0].num_points for part in bank] == [96] * 3
    assert bank[0].subset == 50 and bank[0].get('labels') is None and bank[1].subset is None


@pytest.mark.parametrize(
    ('options', 'splits'),
    [
        ({}, ['train', 'val', 'test']),
        ({'train_split': 'trainval'}, ['trainval', 'test']),
        ({'train_split': 'trainval', 'train_size': 9}, ['trainval', 'val', 'test']),
        ({'test_split': 'val'}, ['train', 'val']),
    ],
)
def test_a_bank_holds_what_is_trained_on_validated_and_tested(options, splits):
    stages = plan(ROOT / 'configs/few_labels/hinton_modelnet40.py', options)
    bank = stages[-1].cfg.model.teachers.main.data
    assert [part.split for part in bank] == splits


def test_a_classifier_without_a_teacher_draws_labelled_clouds_only():
    for name, share in (('alone', 1.0), ('mean_teacher', 0.5)):
        (stage,) = plan(ROOT / f'configs/few_labels/{name}_modelnet40.py')
        assert stage.cfg.train_dataloader.sampler.share == share
