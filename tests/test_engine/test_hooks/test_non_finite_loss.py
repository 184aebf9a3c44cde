import pytest
import torch

from pcdet_kd.engine import NonFiniteLossError


def nan_at(iteration):
    return dict(custom_hooks=[dict(type='ActHook', at=iteration, act='nan')])


def test_stops_at_the_first_and_names_terms_and_samples(runner_of, tmp_path):
    with pytest.raises(NonFiniteLossError, match=r'epoch 2, iteration 2: .*loss_cls=nan') as error:
        runner_of(**nan_at(3)).train()
    assert str(error.value).count('toy/') == 4  # the samples of the batch
    assert [p.name for p in tmp_path.glob('epoch_*')] == ['epoch_1.pth']


def test_no_checkpoint_with_nan_weights_although_the_loss_was_finite(runner_of, tmp_path):
    with pytest.raises(NonFiniteLossError, match=r"'net\.0\.weight' is not finite after epoch 1"):
        runner_of(
            val_dataloader=None, val_cfg=None, val_evaluator=None, **nan_at(2)
        ).train()  # the epoch's last iteration
    assert not list(tmp_path.glob('*.pth'))


def test_infinite_buffers_are_allowed(runner_of):
    runner = runner_of(epochs=1)
    runner.model.register_buffer('mask', torch.tensor([0.0, -torch.inf]))
    runner.train()
