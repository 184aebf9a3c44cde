from types import SimpleNamespace

import torch
from mmengine.optim import OptimWrapper

from pcdet_kd.engine import EMATeacherHook


class Model(torch.nn.Linear):
    moved = 0

    def update_followers(self):
        self.moved += 1


def test_once_per_step_of_the_optimiser():
    """Seven iterations of which two make a step, and the last one by itself."""
    model = Model(1, 1)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1), accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 7)
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper)
    moved = []
    for i in range(7):
        wrapper.update_params(model(torch.ones(1, 1)).sum())
        EMATeacherHook().after_train_iter(runner, i)
        moved.append(model.moved)
    assert moved == [0, 1, 1, 2, 2, 3, 4]
