"""A run that is killed at any moment and started again ends with the weights of the run that was
not.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from pcdet_kd.utils.checkpoint import load_checkpoint_file

CASES = {  # name: (loader, how the run dies)
    'no workers, in an iteration': (
        dict(workers=0),
        dict(custom_hooks=[dict(type='ActHook', at=7, act='kill')]),
    ),
    'workers, while writing': (dict(workers=2), dict(kill_in_write=2)),
    'persistent workers, in an iteration': (
        dict(workers=2, persistent=True),
        dict(custom_hooks=[dict(type='ActHook', at=10, act='kill')]),
    ),
}
SAVE = dict(checkpoint=dict(save_best='toy/top1', max_keep_ckpts=1))


def weights(runner):
    return torch.cat([v.double().flatten() for v in runner.model.state_dict().values()])


def draws(log):
    """Return what each sample drew, as [sample, number] in order of sample."""
    return sorted(map(json.loads, Path(log).read_text().splitlines()))


@pytest.fixture(scope='module')
def uninterrupted(toy, tmp_path_factory):
    """The final weights and all draws of a run without workers."""
    from pcdet_kd.engine import PointRunner

    torch.set_num_threads(1)
    work_dir = tmp_path_factory.mktemp('whole')
    runner = PointRunner.from_cfg(toy.toy_config(work_dir, log=str(work_dir / 'draws'), **SAVE))
    runner.train()
    return weights(runner), draws(work_dir / 'draws')


@pytest.fixture(scope='module')
def killed(in_process, tmp_path_factory):
    """The work directories of killed runs by case; they ran side by side."""
    runs = {}
    for name, (loader, death) in CASES.items():
        work_dir = tmp_path_factory.mktemp('killed')
        runs[name] = (
            work_dir,
            in_process(
                work_dir=str(work_dir), log=str(work_dir / 'draws'), **loader, **death, **SAVE
            ),
        )
    for _, process in runs.values():
        process.join(120)
        assert process.exitcode == -9
    return {name: work_dir for name, (work_dir, _) in runs.items()}


def test_augmentations_never_repeat(uninterrupted):
    drawn = uninterrupted[1]
    assert len(drawn) == len({number for _, number in drawn}) == 4 * 12  # epochs x samples


@pytest.mark.parametrize('case', CASES)
def test_killed_and_resumed_equals_uninterrupted(case, killed, uninterrupted, runner_of):
    work_dir = killed[case]
    stale = list(work_dir.glob('.*.tmp'))
    assert (work_dir / '.lock').is_file() and bool(stale) == ('writing' in case)
    runner = runner_of(work_dir, resume=True, log=str(work_dir / 'draws'), **CASES[case][0], **SAVE)
    runner.train()
    assert torch.equal(weights(runner), uninterrupted[0])
    seen = {tuple(d) for d in draws(work_dir / 'draws')}
    assert seen == {
        tuple(d) for d in uninterrupted[1]
    }  # the broken epoch's draws were repeated, no others made
    names = {p.name for p in work_dir.iterdir() if p.is_file()}
    assert {'epoch_4.pth', 'last.pth', 'best.pth', 'last_checkpoint'} <= names
    assert not list(work_dir.glob('.*.tmp')) and '.lock' not in names and 'epoch_3.pth' not in names
    assert len([n for n in names if n.startswith('best_toy_top1_epoch_')]) == 1


MIXING = dict(
    type='PointClassifier',
    backbone=dict(
        type='PointNet',
        local_channels=(8,),
        global_channels=(16,),
        input_transform=False,
        feature_transform=False,
    ),
    head=dict(type='MLPHead', hidden_channels=(16,), dropout=0.3, num_classes=2),
    data_preprocessor=dict(
        type='PointDataPreprocessor',
        batch_augments=dict(
            augments=[
                dict(type='PointMixup'),
                dict(type='RSMix'),
                dict(type='PointCutMix', variant='K'),
            ],
            probs=[0.4, 0.3, 0.2],
        ),
    ),
)


def test_mixed_batches_are_exact_too(runner_of, in_process, tmp_path):
    whole = runner_of(tmp_path / 'whole', model=MIXING)
    whole.train()
    options = dict(workers=2, model=MIXING, **SAVE)
    process = in_process(
        work_dir=str(tmp_path / 'parts'),
        custom_hooks=[dict(type='ActHook', at=7, act='kill')],
        **options,
    )
    process.join(120)
    assert process.exitcode == -9
    resumed = runner_of(tmp_path / 'parts', resume=True, **options)
    resumed.train()
    assert torch.equal(weights(resumed), weights(whole))
    plain = runner_of(
        tmp_path / 'plain',
        model={**MIXING, 'data_preprocessor': dict(type='PointDataPreprocessor')},
    )
    plain.train()
    assert not torch.equal(weights(plain), weights(whole))


def test_mixing_does_not_depend_on_what_else_draws(runner_of, tmp_path):
    class Draws(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None):
            torch.rand(()), np.random.rand()

    model = {**MIXING, 'head': {**MIXING['head'], 'dropout': 0.0}}
    runs = [
        runner_of(tmp_path / str(len(hooks)), model=model, epochs=2, hooks=hooks)
        for hooks in ([], [Draws()])
    ]
    for run in runs:
        run.train()
    assert torch.equal(weights(runs[0]), weights(runs[1]))


def test_seed_of_the_checkpoint_counts_for_the_order_too(runner_of, tmp_path, uninterrupted):
    first = runner_of(epochs=4, custom_hooks=[dict(type='ActHook', at=7, act='raise')])
    with pytest.raises(TypeError):
        first.train()
    runner = runner_of(resume=True, randomness=dict(seed=99))
    runner.train()
    assert runner.seed == 3 and torch.equal(weights(runner), uninterrupted[0])


def test_wrapped_data_sets_hear_of_the_epoch(runner_of, toy, tmp_path):
    loader = toy.toy_config(tmp_path, log=str(tmp_path / 'draws')).train_dataloader
    one = dict(loader.dataset)
    loader.dataset = dict(
        type='ConcatDataset', datasets=[dict(type='RepeatDataset', times=1, dataset=one)]
    )
    runner_of(epochs=2, train_dataloader=loader).train()
    assert len({number for _, number in draws(tmp_path / 'draws')}) == 24


def test_data_sets_without_random_numbers_of_their_own_are_exact_and_fresh_too(
    runner_of, toy, tmp_path
):
    def options(name):
        loader = toy.toy_config(tmp_path, workers=2, log=str(tmp_path / name)).train_dataloader
        loader.dataset.type = 'ForeignDataset'
        return dict(work_dir=tmp_path / f'{name}_dir', epochs=2, train_dataloader=loader)

    runner_of(**options('whole')).train()
    with pytest.raises(TypeError):
        runner_of(
            **options('parts'), custom_hooks=[dict(type='ActHook', at=4, act='raise')]
        ).train()
    (tmp_path / 'parts').unlink()
    runner_of(**options('parts'), resume=True).train()
    whole, second_epoch = draws(tmp_path / 'whole'), draws(tmp_path / 'parts')
    assert len({number for _, number in whole}) == 24
    assert len(second_epoch) == 12 and all(draw in whole for draw in second_epoch)


def test_validation_sees_the_same_random_numbers_each_time(runner_of, toy, tmp_path):
    cfg = toy.toy_config(tmp_path)
    cfg.val_dataloader.dataset.pipeline[0].log = str(tmp_path / 'draws')
    runner = runner_of(epochs=2, val_dataloader=cfg.val_dataloader)
    runner.train()
    assert (
        len(draws(tmp_path / 'draws')) == 12
        and len({number for _, number in draws(tmp_path / 'draws')}) == 6
    )


def test_checkpoint_content(runner_of, tmp_path):
    runner_of(epochs=1, **SAVE).train()
    checkpoint = load_checkpoint_file(tmp_path / 'last.pth')
    meta = checkpoint['meta']
    assert (meta['epoch'], meta['iter'], meta['seed'], meta['classes']) == (
        1,
        3,
        3,
        ['left', 'right'],
    )
    assert (
        meta['dataset_meta']['up_axis'] == 'z'
        and "type='ToyModel'" in meta['cfg']
        and meta['scores']['toy/count'] == 6
    )
    assert (
        'optimizer' in checkpoint
        and checkpoint['message_hub']['runtime_info']['best']['toy/top1']['epoch'] == 1
    )
