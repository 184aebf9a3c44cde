import numpy as np
import pytest
import torch

from pcdet_kd.losses.similarity_preserving import (
    SimilarityPreservingLoss,
    similarity_preserving,
)


def test_it_is_the_papers_formula(student, teacher):
    grams = []
    for feat in (student.detach().numpy(), teacher.numpy()):
        gram = feat @ feat.T
        grams.append(gram / np.sqrt((gram**2).sum(1, keepdims=True)))
    expected = ((grams[0] - grams[1]) ** 2).sum() / 6**2
    found = similarity_preserving(student, teacher)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    loss = SimilarityPreservingLoss()
    assert torch.equal(loss(student, teacher), 3000 * found)


def test_a_dead_sample_gives_finite_gradients(student, teacher):
    feat = student.detach().clone()
    feat[1] = 0
    feat.requires_grad_()
    similarity_preserving(feat, teacher).backward()
    assert torch.isfinite(feat.grad).all() and feat.grad.abs().max() < 10


def test_precision(student, teacher, keeps_float32):
    keeps_float32(similarity_preserving, student, teacher)
