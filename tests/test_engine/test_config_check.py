import pytest
from mmengine.config import Config

from pcdet_kd.engine.config_check import ConfigError, check_config

GOOD = dict(
    model=dict(
        type='PointClassifier',
        backbone=dict(type='PointNet'),
        head=dict(type='MLPHead', num_classes=3, loss=dict(type='CrossEntropyLoss')),
    ),
    train_dataloader=dict(
        batch_size=2,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='collate_points'),
        dataset=dict(
            type='TinyClouds', pipeline=[dict(type='RandomScale'), dict(type='PackPointInputs')]
        ),
    ),
    optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1), clip_grad=dict(max_norm=1.0)),
    param_scheduler=[dict(type='CosineAnnealingLR', T_max=3, convert_to_iter_based=True)],
    train_cfg=dict(by_epoch=True, max_epochs=3),
    val_cfg=dict(),
    val_evaluator=[dict(type='PointAccuracy')],
    default_hooks=dict(seed=dict(type='SeedHook'), nothing=None),
    randomness=dict(seed=0),
)


def changed(path, value):
    cfg = Config(GOOD)
    cfg.merge_from_dict({path: value})
    return cfg


def test_a_good_config_passes():
    check_config(Config(GOOD))


@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        ('modle', dict(), r"^modle: unknown key.*'model'"),
        ('model.type', 'PointClasifier', r"^model\.type: .*'PointClassifier'"),
        ('model.backbone.type', 'PointNext', r"^model\.backbone\.type: .*backbone.*'PointNet'"),
        (
            'model.backbone.type',
            'MLPHead',
            r"^model\.backbone\.type: 'MLPHead' is a head, not a backbone",
        ),
        (
            'model.backbone.varient',
            'x',
            r"^model\.backbone\.varient: PointNet has no such argument.*'variant'",
        ),
        ('model.head.loss.type', 'CrossEntropy', r"^model\.head\.loss\.type: .*'CrossEntropyLoss'"),
        ('model.inputkey', 'x', r"^model\.inputkey: .*'input_key'"),
        ('train_dataloader.batchsize', 2, r"^train_dataloader\.batchsize: .*'batch_size'"),
        (
            'train_dataloader.dataset.type',
            'TinyCloud',
            r"^train_dataloader\.dataset\.type: .*'TinyClouds'",
        ),
        (
            'train_dataloader.dataset.valfraction',
            0.1,
            r"^train_dataloader\.dataset\.valfraction: .*'val_fraction'",
        ),
        (
            'train_dataloader.dataset.pipeline.0.type',
            'RandomScal',
            r"^train_dataloader\.dataset\.pipeline\.0\.type: .*'RandomScale'",
        ),
        (
            'train_dataloader.dataset.pipeline.0.hihg',
            2,
            r"^train_dataloader\.dataset\.pipeline\.0\.hihg: .*'high'",
        ),
        (
            'train_dataloader.sampler.shufle',
            True,
            r"^train_dataloader\.sampler\.shufle: .*'shuffle'",
        ),
        (
            'train_dataloader.collate_fn.type',
            'collate_point',
            r"^train_dataloader\.collate_fn\.type: .*'collate_points'",
        ),
        ('optim_wrapper.optimizer.type', 'SDG', r"^optim_wrapper\.optimizer\.type: .*'SGD'"),
        ('optim_wrapper.optimizer.lrr', 1, r"^optim_wrapper\.optimizer\.lrr: .*'lr'"),
        ('optim_wrapper.clipgrad', dict(), r"^optim_wrapper\.clipgrad: .*'clip_grad'"),
        ('optim_wrapper.type', 'OptimWraper', r"^optim_wrapper\.type: .*'OptimWrapper'"),
        (
            'param_scheduler.0.type',
            'CosineAnealingLR',
            r"^param_scheduler\.0\.type: .*'CosineAnnealingLR'",
        ),
        ('param_scheduler.0.Tmax', 3, r"^param_scheduler\.0\.Tmax: .*'T_max'"),
        ('train_cfg.max_epoch', 3, r"^train_cfg\.max_epoch: .*'max_epochs'"),
        ('val_cfg.fp17', True, r"^val_cfg\.fp17: .*'fp16'"),
        ('val_evaluator.0.type', 'PointAcuracy', r"^val_evaluator\.0\.type: .*'PointAccuracy'"),
        ('val_evaluator.0.perclass', True, r"^val_evaluator\.0\.perclass: .*'per_class'"),
        ('default_hooks.seed.type', 'SeadHook', r"^default_hooks\.seed\.type: .*'SeedHook'"),
        ('randomness.sed', 1, r"^randomness\.sed: .*'seed'"),
        ('env_cfg', dict(cudnn_bench=True), r"^env_cfg\.cudnn_bench: .*'cudnn_benchmark'"),
        ('train_dataloader.batch_size', 'abc', r"^train_dataloader\.batch_size: 'abc' is text"),
        ('train_cfg.max_epochs', '3x', r"^train_cfg\.max_epochs: '3x' is text, must be a number"),
        ('optim_wrapper.optimizer.lr', 'abc', r"^optim_wrapper\.optimizer\.lr: 'abc' is text"),
        ('visualizer', dict(type='Visualiser'), r"^visualizer\.type: .*'Visualizer'"),
    ],
)
def test_each_mistake_is_named_with_its_path_and_the_nearest_right_name(path, value, words):
    import re

    with pytest.raises(ConfigError) as error:
        check_config(changed(path, value))
    problems = error.value.args[1]
    assert len(problems) == 1 and re.search(words, problems[0]), problems


def test_all_mistakes_are_listed_at_once():
    cfg = changed('modle', 1)
    cfg.merge_from_dict({'model.inputkey': 1, 'train_cfg.max_epoch': 1})
    with pytest.raises(ConfigError, match='3 problems'):
        check_config(cfg)


def test_variables_are_no_mistake_if_something_uses_them():
    check_config(changed('widths', 3), used_variables=['widths'])
    with pytest.raises(ConfigError, match='nothing in the config uses it'):
        check_config(changed('widths', 3))
    check_config(changed('widths', 3), offered_variables=['widths'])
    with pytest.raises(ConfigError, match="'train_dataloader'"):
        check_config(changed('train_dataloder', 3), offered_variables=['train_dataloder'])
