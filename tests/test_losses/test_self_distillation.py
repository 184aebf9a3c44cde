import math

import pytest
import torch

from pcdet_kd.losses import SelfDistillationLoss


def test_cross_entropy_of_centred_and_sharpened_posteriors():
    """Every pair of views by itself, in float64."""
    torch.manual_seed(0)
    loss = SelfDistillationLoss(6, 0.1, 0.05, loss_weight=2.0).double()
    loss.centre.copy_(torch.randn(6))
    student = torch.randn(3, 4, 6, dtype=torch.float64)
    teacher = torch.randn(3, 2, 6, dtype=torch.float64)
    total = 0.0
    for b in range(3):
        for t in range(2):
            for s in range(4):
                p = ((teacher[b, t] - loss.centre) / 0.05).softmax(0)
                q = (student[b, s] / 0.1).log_softmax(0)
                total -= float((p * q).sum())
    torch.testing.assert_close(float(loss(student, teacher)), 2 * total / 24, rtol=1e-10, atol=0)
    rows = loss(student[:, 0], teacher[:, 0])
    torch.testing.assert_close(rows, loss(student[:, :1], teacher[:, :1]))


def test_no_gradient_to_the_teacher():
    loss = SelfDistillationLoss(5)
    student, teacher = (torch.randn(2, 5, requires_grad=True) for _ in range(2))
    loss(student, teacher).backward()
    assert teacher.grad is None and student.grad.abs().sum() > 0
    # the gradient to scores is (q - p) / temperature, over the rows
    q, p = (student / 0.1).softmax(1), loss.posterior(teacher)
    torch.testing.assert_close(student.grad, ((q - p) / 0.1 / 2).detach())


def test_the_centre_moves_after_use():
    loss = SelfDistillationLoss(3, momentum=0.9)
    loss.update_centre(torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(loss.centre, torch.tensor([0.1, 0.2, 0.3]))
    loss.update_centre(torch.tensor([1.0, 0.0, 0.0]))
    torch.testing.assert_close(loss.centre, torch.tensor([0.19, 0.18, 0.27]))
    assert 'centre' in loss.state_dict()


def test_entropies_tell_both_kinds_of_collapse():
    uniform = torch.full((4, 3, 8), 1 / 8)
    one = torch.nn.functional.one_hot(torch.zeros(4, 3, dtype=torch.int64), 8).float()
    each = torch.nn.functional.one_hot(torch.arange(8).view(4, 2), 8).float()
    found = [[float(v) for v in SelfDistillationLoss.entropies(p)] for p in (uniform, one, each)]
    full = math.log(8)
    torch.testing.assert_close(found, [[full, full], [0.0, 0.0], [0.0, full]])


def test_what_does_not_fit_is_named():
    with pytest.raises(ValueError, match='temperatures are 0.1'):
        SelfDistillationLoss(3, 0.1, 0.0)
    with pytest.raises(ValueError, match=r'student_logits \(2, 3\).*\(3, 3\)'):
        SelfDistillationLoss(3)(torch.randn(2, 3), torch.randn(3, 3))
