import numpy as np
import pytest
import torch

from pcdet_kd.registry import LOSSES


def test_it_is_the_mean_squared_distance_of_equal_numbers():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 4, 7, 3))
    expected = np.mean([np.sum((a - b) ** 2) for a, b in zip(x.reshape(-1, 3), y.reshape(-1, 3))])
    loss = LOSSES.build(dict(type='PointL2Loss', loss_weight=2.5))
    found = loss(student_points=torch.from_numpy(x), teacher_points=torch.from_numpy(y))
    assert found.item() == pytest.approx(2.5 * expected)
