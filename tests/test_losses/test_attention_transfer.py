import numpy as np
import pytest
import torch

from pcdet_kd.losses.attention_transfer import AttentionTransferLoss, attention_transfer

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = (torch.randn(4, c, 9, dtype=torch.float64, generator=GENERATOR) for c in (5, 7))


def test_it_is_the_papers_formula():
    maps = []
    for feat in (STUDENT.numpy(), TEACHER.numpy()):
        attention = (feat**2).mean(1)
        maps.append(attention / np.linalg.norm(attention, axis=1, keepdims=True))
    expected = ((maps[0] - maps[1]) ** 2).mean()
    found = attention_transfer(STUDENT, TEACHER)
    assert found.item() == pytest.approx(expected, rel=1e-12)
    assert torch.equal(AttentionTransferLoss()(STUDENT, TEACHER), 1000 * found)
    images = [feat.unflatten(2, (3, 3)) for feat in (STUDENT, TEACHER)]
    torch.testing.assert_close(attention_transfer(*images), found)


def test_a_dead_map_gives_finite_gradients():
    feat = torch.zeros(4, 5, 9, requires_grad=True)
    attention_transfer(feat, TEACHER.float()).backward()
    assert torch.isfinite(feat.grad).all()


def test_precision(keeps_float32):
    keeps_float32(attention_transfer, STUDENT, TEACHER)


@pytest.mark.parametrize('teacher', [TEACHER[..., :8], TEACHER[:3]])
def test_maps_at_other_places_are_an_error(teacher):
    with pytest.raises(ValueError, match='needs maps at the same places'):
        attention_transfer(STUDENT, teacher)
    with pytest.raises(ValueError, match='needs maps at the same places'):
        attention_transfer(STUDENT[..., 0], TEACHER[..., 0])
