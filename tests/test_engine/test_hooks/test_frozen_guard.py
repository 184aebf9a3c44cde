import hashlib

import pytest
import torch
from mmengine.model import ModuleDict
from torch import nn


class Teacher(nn.Module):
    def __init__(self, persistent=False):
        super().__init__()
        self.net = nn.BatchNorm1d(2).requires_grad_(False)
        self.persistent = persistent

    def weights_hash(self):
        return hashlib.sha256(
            b''.join(v.numpy().tobytes() for v in self.state_dict().values())
        ).hexdigest()


def with_teacher(runner, teacher):
    runner.model.teachers = ModuleDict(dict(image=teacher))
    return runner


def changing(teacher):
    """Make the teacher drift in every training pass, as a batch norm in train mode does."""

    def drift(*args):
        teacher.net.running_mean.add_(1)

    return drift


def test_a_teacher_that_stays_is_fine_and_one_that_drifts_is_not(runner_of, tmp_path):
    with_teacher(runner_of(epochs=2), Teacher()).train()
    teacher = Teacher()
    runner = with_teacher(runner_of(tmp_path / 'b', epochs=2), teacher)
    runner.model.net.register_forward_hook(changing(teacher))
    with pytest.raises(RuntimeError, match="teacher 'image' changed during epoch 1"):
        runner.train()
    assert not list((tmp_path / 'b').glob('*.pth'))


def test_a_persistent_teacher_may_change(runner_of):
    teacher = Teacher(persistent=True)
    runner = with_teacher(runner_of(epochs=1), teacher)
    runner.model.net.register_forward_hook(changing(teacher))
    runner.train()


def test_a_teacher_that_requires_gradients_is_refused(runner_of):
    teacher = Teacher()
    teacher.net.weight.requires_grad_(True)
    with pytest.raises(RuntimeError, match=r"'image' is not frozen: 1 .*net\.weight"):
        with_teacher(runner_of(epochs=1), teacher).train()
    assert torch.is_grad_enabled()


def test_frozen_helpers_and_a_single_teacher_are_guarded_too():
    from types import SimpleNamespace

    from pcdet_kd.engine.hooks.frozen_guard import frozen_teachers

    frozen, trained = SimpleNamespace(weights_hash=lambda: 'x'), SimpleNamespace()
    model = SimpleNamespace(
        teachers=dict(image=frozen),
        helpers=dict(generator=frozen, connector=trained),
        teacher=frozen,
    )
    assert sorted(frozen_teachers(model)) == ['generator', 'image', 'teacher']
