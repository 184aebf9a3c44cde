import numpy as np
import pytest
import torch

from pcdet_kd.losses.relational_kd import (
    RelationalKDLoss,
    relational_angle,
    relational_distance,
)


def smooth_l1(x):
    x = np.abs(x)
    return np.where(x < 1, x**2 / 2, x - 0.5)


def reference_distance(student, teacher):
    found = []
    for feat in (student, teacher):
        d = np.array([[np.linalg.norm(a - b) for b in feat] for a in feat])
        found.append(d / d[d > 0].mean())
    return smooth_l1(found[0] - found[1]).mean()


def reference_angle(student, teacher):
    def cosines(feat):
        n = len(feat)
        c = np.zeros((n, n, n))
        for i, j, k in np.ndindex(n, n, n):
            a, b = feat[j] - feat[i], feat[k] - feat[i]
            if a.any() and b.any():
                c[i, j, k] = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        return c

    return smooth_l1(cosines(student) - cosines(teacher)).mean()


# with 20 smooth L1 has its linear part, with 1e-5 all distances are close to the least one
@pytest.mark.parametrize('factor', [1.0, 20.0, 1e-5])
def test_they_are_the_papers_formulas(student, teacher, factor):
    student = student.detach().clone()
    student[: 1 if factor > 1 else None] *= factor
    arrays = student.numpy(), teacher.numpy()
    for function, reference in (
        (relational_distance, reference_distance),
        (relational_angle, reference_angle),
    ):
        assert function(student, teacher).item() == pytest.approx(reference(*arrays), rel=1e-11)


def test_a_scaled_and_moved_copy_of_the_teacher_is_the_minimum(teacher):
    turned = torch.linalg.qr(torch.randn(7, 7, dtype=torch.float64))[0]
    copy = 3 * teacher @ turned + 5
    assert relational_distance(copy, teacher).item() == pytest.approx(0, abs=1e-12)
    assert relational_angle(copy, teacher).item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize('kind', ['two equal', 'all equal', 'all zero'])
def test_equal_samples_give_finite_gradients(student, teacher, kind):
    feat = student.detach().float()
    feat = dict(
        zip(
            ('two equal', 'all equal', 'all zero'),
            (feat[[0, 0, 2, 3, 4, 5]], feat[:1].repeat(6, 1), torch.zeros(6, 5)),
        )
    )[kind].requires_grad_()
    loss = RelationalKDLoss()(feat, teacher.float())
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(feat.grad).all()
    assert feat.grad.abs().max() < 1e3


def test_precision(student, teacher, keeps_float32):
    for function in (relational_distance, relational_angle):
        keeps_float32(function, student, teacher)


def test_weights_and_mistakes(student, teacher):
    parts = relational_distance(student, teacher), relational_angle(student, teacher)
    assert torch.equal(RelationalKDLoss()(student, teacher), 25 * parts[0] + 50 * parts[1])
    only = RelationalKDLoss(distance_weight=0.0, angle_weight=2.0, loss_weight=3.0)
    assert torch.equal(only(student, teacher), 3 * (2 * parts[1]))
    only = RelationalKDLoss(angle_weight=0.0)
    assert torch.equal(only(student, teacher), 25 * parts[0])
    with pytest.raises(ValueError, match='both 0'):
        RelationalKDLoss(0.0, 0.0)
    with pytest.raises(ValueError, match='a batch of 2 or more, got 1: set drop_last'):
        RelationalKDLoss()(student[:1], teacher[:1])
    with pytest.raises(ValueError, match=r'\(6, 5\) and teacher_feat \(3, 7\)'):
        RelationalKDLoss()(student, teacher[:3])
