from types import SimpleNamespace

import torch
from mmengine.optim import OptimWrapper

from pcdet_kd.distillers import Distiller
from pcdet_kd.engine import EMATeacherHook


class Model(Distiller):
    """A distiller that counts how often its teachers are moved."""

    def __init__(self, student):
        super().__init__(student)
        self.moved = 0

    def distill(self, out, inputs, samples):
        return {}

    def update_followers(self):
        self.moved += 1


def test_once_per_step_of_the_optimiser(tiny_student):
    """Seven iterations of which two make a step, and the last one by itself."""
    model = Model(tiny_student)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1), accumulative_counts=2)
    wrapper.initialize_count_status(model, 0, 7)
    runner = SimpleNamespace(model=model, optim_wrapper=wrapper)
    moved = []
    for i in range(7):
        wrapper.update_params(model.student.head.fc.weight.sum())
        EMATeacherHook().after_train_iter(runner, i)
        moved.append(model.moved)
    assert moved == [0, 1, 1, 2, 2, 3, 4]


def test_models_that_are_no_distillers_are_left_alone():
    runner = SimpleNamespace(model=torch.nn.Linear(1, 1), optim_wrapper=None)
    EMATeacherHook().after_train_iter(runner, 0)
