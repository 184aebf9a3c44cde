"""The recipes of part segmentation are those of the published code, and the small one learns."""

from pathlib import Path

import pytest
import torch

from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.hooks import BatchNormMomentumHook
from pcdet_kd.engine.stages import plan
from pcdet_kd.registry import MODELS, PARAM_SCHEDULERS

_PORT = ['UnitSphere', 'RandomPoints', 'RandomScale', 'RandomShift', 'PackPointInputs']
CONFIGS = Path(__file__).parents[1] / 'configs/partseg'


def rates(name):
    """Return the learning rate of every epoch."""
    cfg = load_config(CONFIGS / f'{name}.py')
    optimizer = torch.optim.SGD(
        [torch.nn.Parameter(torch.zeros(1))], cfg.optim_wrapper.optimizer.lr
    )
    schedules = cfg.param_scheduler
    schedules = schedules if isinstance(schedules, list) else [schedules]
    built = [PARAM_SCHEDULERS.build(dict(s, optimizer=optimizer)) for s in schedules]
    found = []
    for _ in range(cfg.train_cfg.max_epochs):
        found.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for schedule in built:
            schedule.step()
    return found


def test_pointnet2_is_trained_as_in_yanx27():
    found = rates('pointnet2_msg_shapenetpart')
    expected = [max(1e-3 * 0.5 ** (epoch // 20), 1e-5) for epoch in range(251)]
    assert found == pytest.approx(expected, rel=1e-9)
    cfg = load_config(CONFIGS / 'pointnet2_msg_shapenetpart.py')
    (hook,) = (
        BatchNormMomentumHook(**{k: v for k, v in h.items() if k != 'type'})
        for h in cfg.custom_hooks
    )
    momenta = [max(0.1 * 0.5 ** (epoch // 20), 0.01) for epoch in range(251)]
    assert [hook.momentum(epoch) for epoch in range(251)] == pytest.approx(momenta)
    assert (cfg.optim_wrapper.optimizer.type, cfg.optim_wrapper.optimizer.weight_decay) == (
        'Adam',
        1e-4,
    )
    data = cfg.train_dataloader.dataset
    assert cfg.train_dataloader.batch_size == 16
    steps = {step.type: step for step in data.pipeline}
    assert list(steps) == _PORT
    assert steps['RandomPoints'].num_points == 2048 and not steps['RandomScale'].per_axis
    assert (steps['RandomScale'].low, steps['RandomScale'].high) == (0.8, 1.25)
    assert steps['RandomShift'].max_shift == 0.1
    loss = MODELS.build(cfg.model).decode_head.loss_seg
    assert loss.label_smoothing == 0


def test_the_initial_weights_are_xavier_normal():
    model = MODELS.build(load_config(CONFIGS / 'pointnet2_msg_shapenetpart.py').model)
    torch.manual_seed(0)
    model.init_weights()
    checked = 0
    for layer in model.modules():
        if isinstance(layer, torch.nn.Linear) and layer.weight.numel() > 10_000:
            expected = (2 / sum(layer.weight.shape)) ** 0.5
            assert layer.weight.std().item() == pytest.approx(expected, rel=0.05)
            assert layer.bias is None or layer.bias.abs().max() == 0
            checked += 1
    assert checked >= 8


@pytest.mark.parametrize(
    ('name', 'first', 'last', 'epochs', 'batch', 'smoothing'),
    [
        ('dgcnn_shapenetpart', 0.1, 1e-3, 200, 32, 0.2),
        ('pointmlp_shapenetpart', 3e-3, 3e-3 / 2**8, 350, 32, 0),
        ('point_mae_shapenetpart', 1e-6, 1e-6, 300, 16, 0),
    ],
)
def test_other_recipes(name, first, last, epochs, batch, smoothing):
    found = rates(name)
    assert len(found) == epochs and found[0] == pytest.approx(first)
    assert found[-1] == pytest.approx(last, rel=0.02)
    cfg = load_config(CONFIGS / f'{name}.py')
    assert cfg.train_dataloader.batch_size == batch
    loss = (cfg.model.decode_head.get('loss') or {}).get('label_smoothing', 0)
    assert loss == smoothing
    if name.startswith('point_mae'):
        assert max(found) == pytest.approx(2e-4)
        assert 'UnitSphere' in str(cfg.train_dataloader.dataset.pipeline)
    else:  # coordinates as stored
        kinds = {step.type for step in cfg.train_dataloader.dataset.pipeline}
        assert not kinds & {'UnitSphere', 'RandomScale', 'RandomShift'}


@pytest.mark.parametrize('leaf', sorted(CONFIGS.glob('*.py')), ids=lambda p: p.stem)
def test_the_official_lists_are_kept_and_every_point_is_scored(leaf):
    cfg = load_config(leaf)
    assert cfg.default_hooks.checkpoint.save_best == 'instance_miou'
    data = {split: cfg[f'{split}_dataloader'].dataset for split in ('train', 'val', 'test')}
    assert [data[split].split for split in data] == ['train', 'val', 'test']
    for split in ('val', 'test'):
        assert cfg[f'{split}_evaluator'].type == 'PartIoU'
        assert 'ScoreEveryPoint' in [step.type for step in data[split].pipeline]
    if 'shapenetpart' in leaf.stem:
        assert data['val'].val_fraction == 0
        assert [len(parts) for parts in cfg.model.class_parts] == [
            4,
            2,
            2,
            4,
            4,
            3,
            3,
            2,
            4,
            2,
            6,
            2,
            3,
            3,
            3,
            3,
        ]


def test_pointcmts_encoder_is_the_one_that_stage_iii_trains():
    stages = plan(CONFIGS / 'pointnet2_msg_pointcmt_shapenetpart.py')
    assert [stage.name for stage in stages] == [
        'teacher',
        'generator',
        'encoder',
        'pointnet2_msg_pointcmt_shapenetpart',
    ]
    leaf, encoder = stages[-1].resolved(), stages[-2]
    init = leaf.model.backbone.init_cfg
    assert init == dict(type='PretrainedBackbone', checkpoint=str(encoder.work_dir / 'last.pth'))
    ours = MODELS.build(leaf.model).backbone.state_dict()
    theirs = MODELS.build(encoder.cfg.model.student).backbone.state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}
    assert stages[-1].cfg.model.decode_head.init_cfg.type == 'Xavier'


def test_options_of_the_data_do_not_reach_the_stages_on_modelnet40():
    options = dict(data_root='parts', batch_size=2, max_epochs=3)
    file = CONFIGS / 'pointnet2_msg_pointcmt_shapenetpart.py'
    *before, leaf = plan(file, options, {'encoder.data_root': 'shapes'})
    assert leaf.cfg.train_dataloader.dataset.data_root == 'parts'
    assert (leaf.cfg.train_dataloader.batch_size, leaf.cfg.train_cfg.max_epochs) == (2, 3)
    roots = {stage.name: stage.cfg.train_dataloader.dataset.data_root for stage in before}
    assert roots['encoder'] == 'shapes' and 'parts' not in roots.values()
    assert all(stage.cfg.train_dataloader.batch_size > 2 for stage in before)
