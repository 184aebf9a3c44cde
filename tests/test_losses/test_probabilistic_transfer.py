import numpy as np
import pytest
import torch

from pcdet_kd.losses.probabilistic_transfer import (
    ProbabilisticTransferLoss,
    probabilistic_transfer,
)


def test_it_is_the_papers_formula(student, teacher):
    found = []
    for feat in (student.detach().numpy(), teacher.numpy()):
        feat = feat / np.linalg.norm(feat, axis=1, keepdims=True)
        kernel = (feat @ feat.T + 1) / 2
        found.append(kernel / kernel.sum(1, keepdims=True))
    q, p = found
    expected = (p * np.log((p + 1e-7) / (q + 1e-7))).mean()
    value = probabilistic_transfer(student, teacher)
    assert value.item() == pytest.approx(expected, rel=1e-11)
    assert torch.equal(ProbabilisticTransferLoss()(student, teacher), 30000 * value)


def test_opposite_and_dead_samples_give_finite_gradients(teacher):
    feat = torch.tensor([[1.0, 0], [-1, 0], [0, 0], [0, 1], [0, 1], [2, 0]], requires_grad=True)
    loss = probabilistic_transfer(feat, teacher.float())
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(feat.grad).all()


def test_precision(student, teacher, keeps_float32):
    keeps_float32(probabilistic_transfer, student, teacher)
