"""AsymDSD in the Runner: killed and resumed, and in two processes."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import distributed as dist
from torch.nn.parallel import DistributedDataParallel

from pcdet_kd.distillers import asymdsd
from pcdet_kd.engine import PointRunner
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file

LOSS = dict(type='SelfDistillationLoss', num_prototypes=12)
MODEL = dict(
    type='AsymDSD',
    student=dict(
        type='MaskedPointEncoder',
        backbone=dict(
            type='PointViT',
            preset='asymdsd_s',
            embed_dims=8,
            depth=1,
            num_heads=2,
            num_patches=10,
            patch_size=4,
            drop_path=0.0,
            tokenizer=dict(first=(8, 8), second=(8,)),
        ),
        projection=dict(num_prototypes=12, hidden_channels=(8,), bottleneck=4),
        predictor=dict(embed_dims=4, depth=1, num_heads=1),
    ),
    losses=dict(cls=LOSS, patch=LOSS, koleo=dict(type='KoLeoLoss')),
    num_masks=2,
    local_patches=4,
)


class Stop(Hook):
    """Ends a run in the middle of an epoch, as a kill would."""

    def __init__(self, at):
        self.at = at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == self.at:
            raise KeyboardInterrupt


def config(work_dir, cache):
    crops = dict(type='MultiCrop', transforms=[dict(type='RandomRotate', axis='up')])
    crops['global_crops'] = dict(count=2, num_points=40, fraction=(0.4, 1.0))
    crops['local_crops'] = dict(count=2, num_points=16, fraction=(0.1, 0.4))
    pack = dict(type='PackPointInputs', keys=('global_crops', 'local_crops'))
    return Config(
        dict(
            model=MODEL,
            work_dir=str(work_dir),
            train_dataloader=dict(
                batch_size=4,
                num_workers=0,
                drop_last=True,
                collate_fn=dict(type='collate_points'),
                sampler=dict(type='DefaultSampler', shuffle=True),
                dataset=dict(
                    type='SyntheticScans',
                    split='trainval',
                    num_train=15,
                    num_test=15,
                    num_points=64,
                    cache_dir=str(cache),
                    workers=1,
                    pipeline=[crops, pack],
                ),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=3),
            optim_wrapper=dict(
                type='OptimWrapper',
                optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.05),
                accumulative_counts=2,
                clip_grad=dict(max_norm=10.0),
            ),
            custom_hooks=[
                dict(
                    type='ScheduleHook',
                    attribute='teachers.ema.momentum',
                    start=0.9,
                    end=1.0,
                    curve='cosine',
                ),
                dict(
                    type='ScheduleHook',
                    attribute='losses.cls.teacher_temperature',
                    start=0.04,
                    end=0.07,
                    epochs=2,
                ),
            ],
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
            randomness=dict(seed=3),
            log_level='ERROR',
            default_scope='pcdet_kd',
        )
    )


def test_killed_and_resumed_equals_uninterrupted(tmp_path):
    """Student, teacher, centres and optimiser, with a step of accumulated gradients over the end of
    an epoch.
    """
    whole = PointRunner.from_cfg(config(tmp_path / 'whole', tmp_path))
    whole.train()
    first = PointRunner.from_cfg(config(tmp_path / 'killed', tmp_path))
    first.register_hook(Stop(at=4))
    with pytest.raises(KeyboardInterrupt):
        first.train()
    again = config(tmp_path / 'killed', tmp_path)
    again.resume = True
    resumed = PointRunner.from_cfg(again)
    resumed.train()
    one, other = (
        load_checkpoint_file(tmp_path / name / 'last.pth') for name in ('whole', 'killed')
    )
    assert set(one['state_dict']) == set(other['state_dict'])
    for key, value in one['state_dict'].items():
        assert torch.equal(value, other['state_dict'][key]), key
    for mine, theirs in zip(
        one['optimizer']['state'].values(), other['optimizer']['state'].values()
    ):
        assert torch.equal(mine['exp_avg'], theirs['exp_avg'])
    teacher = [k for k in one['state_dict'] if k.startswith('teachers.ema.model.backbone.')]
    assert teacher and one['state_dict']['losses.cls.centre'].any()
    same = [torch.equal(one['state_dict'][k], one['state_dict'][student_key(k)]) for k in teacher]
    assert not all(same)


def student_key(key):
    return key.replace('teachers.ema.model', 'student')


def farthest_half(centres, masks=1, **_):
    """Hide the same number of patches in each row, without random numbers."""
    order = centres[..., 0].argsort(dim=1).repeat_interleave(masks, 0)
    return torch.zeros(order.shape, dtype=torch.bool).scatter_(1, order[:, :6], True)


def build():
    torch.manual_seed(0)
    cfg = copy.deepcopy(MODEL)
    cfg['student']['backbone']['fps_start'] = 0
    return MODELS.build(cfg).train()


def losses_of(model, rows):
    torch.manual_seed(1)
    inputs = dict(global_crops=torch.randn(4, 2, 40, 3), local_crops=torch.randn(4, 2, 16, 3))
    losses = model({k: v[rows] for k, v in inputs.items()}, [None] * 2, mode='loss')
    return sum(value for key, value in losses.items() if key.startswith('loss_'))


def one_of_two(rank, folder):
    """Train on half of the batch; the results of the first process are written."""
    torch.set_num_threads(1)
    asymdsd.patch_masks = farthest_half
    store = dist.FileStore(str(folder / 'store'), 2)
    dist.init_process_group('gloo', store=store, rank=rank, world_size=2)
    model = build()
    wrapped = DistributedDataParallel(model)  # it must live until the backward pass is over
    losses_of(wrapped, slice(2 * rank, 2 * rank + 2)).backward()
    if rank == 0:
        grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        centres = {name: model.losses[name].centre for name in ('cls', 'patch')}
        torch.save(dict(grads=grads, centres=centres), folder / 'result.pth')
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes_equal_one_with_the_double_batch(forkserver, tmp_path, monkeypatch):
    """Gradients of all terms, KoLeo's across processes included, and centres."""
    processes = [forkserver.Process(target=one_of_two, args=(rank, tmp_path)) for rank in range(2)]
    for process in processes:
        process.start()
    monkeypatch.setattr(asymdsd, 'patch_masks', farthest_half)
    model = build()
    losses_of(model, slice(0, 4)).backward()
    for process in processes:
        process.join(120)
        assert process.exitcode == 0
    found = torch.load(tmp_path / 'result.pth', weights_only=True)
    expected = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    assert set(found['grads']) == set(expected)
    for name, grad in expected.items():
        torch.testing.assert_close(found['grads'][name], grad, rtol=1e-5, atol=1e-5)
    for name, centre in found['centres'].items():
        torch.testing.assert_close(centre, model.losses[name].centre, rtol=1e-5, atol=1e-6)
