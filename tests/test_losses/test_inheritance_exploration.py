import numpy as np
import pytest
import torch

from pcdet_kd.losses.inheritance_exploration import (
    ExplorationLoss,
    InheritanceLoss,
    factor_distance,
)


def test_they_are_the_papers_formulas(student, teacher):
    a, b = student.detach().numpy(), teacher[:, :5].numpy()
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    expected = np.abs(unit[0] - unit[1]).mean()
    assert factor_distance(student, teacher[:, :5]).item() == pytest.approx(expected, rel=1e-12)
    near, far = InheritanceLoss(2.0), ExplorationLoss(3.0)
    assert near(student, teacher[:, :5]).item() == pytest.approx(2 * expected, rel=1e-12)
    assert far(student, teacher[:, :5]).item() == pytest.approx(-3 * expected, rel=1e-12)


def test_only_the_direction_of_a_factor_counts(student, teacher):
    found = factor_distance(5 * student, teacher[:, :5])
    torch.testing.assert_close(found, factor_distance(student, teacher[:, :5]))
    assert factor_distance(2 * student, student).item() == pytest.approx(0, abs=1e-12)


def test_a_dead_factor_gives_finite_gradients(teacher):
    feat = torch.zeros(6, 7, requires_grad=True)
    InheritanceLoss()(feat, teacher.float()).backward()
    assert torch.isfinite(feat.grad).all()


def test_precision(student, teacher, keeps_float32):
    keeps_float32(factor_distance, student, teacher[:, :5])
