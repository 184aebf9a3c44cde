import numpy as np
import pytest
import torch

from pcdet_kd.losses.normalized_mse import NormalizedMSELoss, to_scale_of


def reference(student, teacher, variant):
    """PointCMT, appendix B.1."""
    if variant == 'I':
        scaled = (teacher - teacher.mean(0)) / teacher.std(0) * student.std(0) + student.mean(0)
    elif variant == 'II':
        lengths = [np.linalg.norm(feat, axis=1).mean() for feat in (student, teacher)]
        scaled = teacher / lengths[1] * lengths[0]
    else:
        scaled = teacher
    return scaled


@pytest.mark.parametrize('variant', ['none', 'I', 'II'])
def test_it_is_the_appendixs_formula(student, teacher, variant):
    teacher = 7 * teacher[:, :5] + 3
    expected = reference(student.detach().numpy(), teacher.numpy(), variant)
    found = to_scale_of(student, teacher, variant)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-11)
    loss = NormalizedMSELoss(variant, loss_weight=2.0)(student, teacher)
    mean = ((student.detach().numpy() - expected) ** 2).mean()
    assert loss.item() == pytest.approx(2 * mean, rel=1e-11)


@pytest.mark.parametrize('variant', ['none', 'I', 'II'])
def test_the_students_statistics_have_no_gradient(student, teacher, variant):
    target = to_scale_of(student, teacher[:, :5], variant)
    NormalizedMSELoss(variant)(student, teacher[:, :5]).backward()
    torch.testing.assert_close(student.grad, 2 * (student - target).detach() / student.numel())


@pytest.mark.parametrize('variant', ['I', 'II'])
def test_dead_channels_and_a_batch_of_one_are_finite(student, teacher, variant):
    teacher = teacher[:, :5].clone()
    teacher[:, 2] = 1 / 3
    loss = NormalizedMSELoss(variant)
    assert torch.isfinite(loss(student, teacher))
    assert torch.isfinite(loss(student, torch.zeros_like(teacher)))
    assert torch.isfinite(loss(student[:1], teacher[:1]))
    if variant == 'I':
        rounded = torch.tensor([0.1, 0.3, 0.7, 1.1, 123.456]).expand(6, 5)
        own = student.detach().float()
        torch.testing.assert_close(to_scale_of(own, rounded, 'I'), own.mean(0).expand(6, 5))
        for feats in ((student, teacher), (student.float(), teacher.float())):
            constant = feats[0].mean(0)[2].expand(6).detach()
            torch.testing.assert_close(to_scale_of(*feats, 'I')[:, 2], constant)


def test_statistics_are_taken_in_float32(student, teacher):
    half = [feat.detach()[:, :5].bfloat16() for feat in (student, teacher)]
    with torch.autocast('cpu', torch.bfloat16):
        found = [to_scale_of(*half, variant) for variant in ('I', 'II')]
    for value, variant in zip(found, ('I', 'II')):
        assert value.dtype == torch.float32
        assert torch.equal(value, to_scale_of(*(feat.float() for feat in half), variant))


def test_mistakes(student, teacher):
    with pytest.raises(ValueError, match="variant is 'III', must be one of 'none', 'I', 'II'"):
        NormalizedMSELoss('III')
    with pytest.raises(ValueError, match='need the same shape'):
        NormalizedMSELoss()(student, teacher)
