import os

import pytest
from mmengine.hooks import Hook

from pcdet_kd.engine import CheckpointHook
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.hooks.checkpoint import _best_name
from pcdet_kd.utils.checkpoint import load_checkpoint_file


class Scores(Hook):
    """Replaces the validation metrics by given ones, epoch by epoch."""

    priority = 'VERY_HIGH'

    def __init__(self, *scores):
        self.scores = scores

    def after_val_epoch(self, runner, metrics=None):
        metrics['toy/top1'] = self.scores[runner.epoch - 1]


def files(work_dir):
    return sorted(p.name for p in work_dir.iterdir() if p.suffix == '.pth')


def test_names_links_and_deletion(runner_of, tmp_path):
    runner_of(
        epochs=4,
        checkpoint=dict(save_best='toy/top1', max_keep_ckpts=2),
        hooks=[Scores(1.0, 3.0, 2.0, 3.0)],
    ).train()
    assert files(tmp_path) == [
        'best.pth',
        'best_toy_top1_epoch_2.pth',
        'epoch_3.pth',
        'epoch_4.pth',
        'last.pth',
    ]
    assert os.path.samefile(tmp_path / 'best.pth', tmp_path / 'best_toy_top1_epoch_2.pth')
    assert os.path.samefile(tmp_path / 'last.pth', tmp_path / 'epoch_4.pth')
    assert (tmp_path / 'last_checkpoint').read_text() == 'epoch_4.pth'
    assert load_checkpoint_file(tmp_path / 'best.pth')['meta']['scores']['toy/top1'] == 3.0


def test_one_write_per_epoch_after_its_validation(runner_of, tmp_path, monkeypatch):
    order = []
    scores = Scores(1.0, 2.0)
    runner = runner_of(epochs=2, checkpoint=dict(save_best='toy/top1'), hooks=[scores])
    save, validate = runner.save_checkpoint, CheckpointHook.after_val_epoch
    monkeypatch.setattr(
        runner, 'save_checkpoint', lambda *a, **k: (order.append(a[1]), save(*a, **k))
    )
    monkeypatch.setattr(
        CheckpointHook, 'after_val_epoch', lambda *a, **k: (order.append('val'), validate(*a, **k))
    )
    runner.train()
    assert order == ['val', 'epoch_1.pth', 'val', 'epoch_2.pth']
    scores.scores = (1.0, 9.0)
    runner.message_hub.update_info('loop_stage', 'none')
    runner.val()  # validation outside training chooses no best epoch
    assert runner.message_hub.get_info('best')['toy/top1'] == dict(score=2.0, epoch=2)


def test_the_old_file_goes_only_after_the_new_one_is_whole(runner_of, tmp_path, monkeypatch):
    import pcdet_kd.engine.resuming_runner as module

    save = module.save_checkpoint_file

    def fail_on_second(checkpoint, path):
        if path.name == 'epoch_2.pth':
            assert files(tmp_path) == [
                'best.pth',
                'best_toy_top1_epoch_1.pth',
                'epoch_1.pth',
                'last.pth',
            ]
            raise OSError('disk full')
        save(checkpoint, path)

    monkeypatch.setattr(module, 'save_checkpoint_file', fail_on_second)
    with pytest.raises(OSError, match='disk full'):
        runner_of(
            epochs=3,
            checkpoint=dict(save_best='toy/top1', max_keep_ckpts=1),
            hooks=[Scores(1.0, 2.0, 3.0)],
        ).train()
    assert (
        'epoch_1.pth' in files(tmp_path)
        and (tmp_path / 'last_checkpoint').read_text() == 'epoch_1.pth'
    )


def test_a_kill_before_the_names_were_given_is_mended(runner_of, tmp_path):
    options = dict(
        checkpoint=dict(save_best='toy/top1', max_keep_ckpts=1), hooks=[Scores(1.0, 2.0, 0.0)]
    )
    runner_of(epochs=2, **options).train()
    for name in ('best.pth', 'last.pth', 'best_toy_top1_epoch_2.pth'):
        (tmp_path / name).unlink()
    (tmp_path / 'last_checkpoint').write_text('epoch_1.pth')
    runner_of(epochs=3, resume=True, **options).train()
    assert files(tmp_path) == ['best.pth', 'best_toy_top1_epoch_2.pth', 'epoch_3.pth', 'last.pth']
    assert load_checkpoint_file(tmp_path / 'best.pth')['meta']['epoch'] == 2


def test_interval_keeps_the_best_and_the_last_anyway(runner_of, tmp_path):
    runner_of(
        epochs=5,
        checkpoint=dict(interval=2, save_best='toy/top1', rule='less'),
        hooks=[Scores(5.0, 4.0, 1.0, 2.0, 3.0)],
    ).train()
    assert files(tmp_path) == [
        'best.pth',
        'best_toy_top1_epoch_3.pth',
        'epoch_2.pth',
        'epoch_4.pth',
        'epoch_5.pth',
        'last.pth',
    ]
    assert load_checkpoint_file(tmp_path / 'best.pth')['meta']['epoch'] == 3


def test_several_metrics(runner_of, tmp_path):
    runner_of(
        epochs=2,
        checkpoint=dict(save_best=['toy/top1', 'toy/count'], rule=['less', 'greater']),
        hooks=[Scores(2.0, 1.0)],
    ).train()
    assert {'best_toy_top1_epoch_2.pth', 'best_toy_count_epoch_1.pth'} <= set(files(tmp_path))
    assert load_checkpoint_file(tmp_path / 'best.pth')['meta']['epoch'] == 2


def test_a_score_that_is_not_finite_is_never_the_best(runner_of, tmp_path):
    runner_of(
        epochs=2, checkpoint=dict(save_best='toy/top1'), hooks=[Scores(float('nan'), 1.0)]
    ).train()
    assert load_checkpoint_file(tmp_path / 'best.pth')['meta']['epoch'] == 2


def test_misspelt_metric(runner_of):
    with pytest.raises(ConfigError, match=r"Did you mean 'toy/top1'.*toy/count, toy/top1"):
        runner_of(epochs=1, checkpoint=dict(save_best='toy/top')).train()
    runner = runner_of(epochs=1, checkpoint=dict(save_best='tyo/top1'))
    with pytest.raises(ConfigError, match="'tyo/top1' is not among the metrics.* toy/…"):
        runner.train()
    assert runner.iter == 0  # told before training
    with pytest.raises(ConfigError, match='needs validation'):
        runner_of(
            checkpoint=dict(save_best='toy/top1'),
            val_dataloader=None,
            val_cfg=None,
            val_evaluator=None,
        ).train()


def test_arguments():
    for name, rule in dict(accuracy='greater', loss_cls='less', mCE='less').items():
        assert CheckpointHook(save_best=name).rules == {name: rule}
    for arguments, message in (
        (dict(save_best='quality'), "rule='greater'"),
        (dict(save_best='acc', rule='more'), "'more'"),
        (dict(interval=0), 'interval'),
        (dict(max_keep_ckpts=0), 'max_keep_ckpts'),
        (dict(save_best=['acc', 'loss'], rule=['less']), '1 rules for 2'),
    ):
        with pytest.raises(ValueError, match=message):
            CheckpointHook(**arguments)
    assert _best_name('accuracy/top 1 (%)', 3) == 'best_accuracy_top_1_epoch_3.pth'
