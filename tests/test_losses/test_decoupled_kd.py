import numpy as np
import pytest
import torch

from pcdet_kd.losses import functional
from pcdet_kd.losses.decoupled_kd import DecoupledKDLoss, decoupled_kd

GENERATOR = torch.Generator().manual_seed(0)
STUDENT, TEACHER = (
    3 * torch.randn(6, 5, dtype=torch.float64, generator=GENERATOR) for _ in range(2)
)
TARGET = torch.tensor([0, 4, 2, 2, 1, 3])


def reference(student, teacher, target, t):
    """Both parts per sample, from probabilities (Zhao et al., equations 5 and 7)."""
    q, p = (np.exp(z.numpy() / t) for z in (student, teacher))
    q, p = q / q.sum(1, keepdims=True), p / p.sum(1, keepdims=True)
    own, others = [], []
    for i, c in enumerate(target.tolist()):
        binary = [(x[i, c], 1 - x[i, c]) for x in (p, q)]
        own.append(sum(a * np.log(a / b) for a, b in zip(*binary)))
        p_hat, q_hat = (np.delete(x[i], c) / (1 - x[i, c]) for x in (p, q))
        others.append((p_hat * np.log(p_hat / q_hat)).sum())
    return t**2 * np.array(own), t**2 * np.array(others)


@pytest.mark.parametrize(('alpha', 'beta', 't'), [(1.0, 8.0, 4.0), (1.0, 0.5, 1.0), (0.3, 2.0, 2)])
def test_it_is_the_papers_formula(alpha, beta, t):
    own, others = reference(STUDENT, TEACHER, TARGET, t)
    found = decoupled_kd(STUDENT, TEACHER, TARGET, alpha, beta, t)
    assert found.item() == pytest.approx((alpha * own + beta * others).mean(), rel=1e-12)


def test_the_parts_make_up_hintons_loss():
    """KL = TCKD + (1 - p_c) NCKD (equation 6)."""
    own, others = reference(STUDENT, TEACHER, TARGET, 4.0)
    p = (TEACHER / 4).softmax(1)[torch.arange(6), TARGET].numpy()
    expected = functional.logit_kd(STUDENT, TEACHER, 4.0).item()
    assert (own + (1 - p) * others).mean() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize('scale', [1e2, 1e4, 1e6])
def test_a_sure_teacher_gives_finite_terms_and_gradients(scale):
    """Reports elsewhere: NCKD is inf where the probability of the target rounds to 1."""
    hot = torch.nn.functional.one_hot(TARGET, 5).float()
    for student, teacher in ((hot, hot), (-hot, hot), (hot, -hot)):
        logits = (scale * student).requires_grad_()
        loss = decoupled_kd(logits, scale * teacher, TARGET)
        loss.backward()
        assert torch.isfinite(loss) and torch.isfinite(logits.grad).all()
    assert decoupled_kd(scale * hot, scale * hot, TARGET).item() == 0


def test_precision(keeps_float32):
    keeps_float32(decoupled_kd, STUDENT, TEACHER, TARGET)


def test_defaults_and_mistakes():
    loss = DecoupledKDLoss()
    assert (loss.alpha, loss.beta, loss.temperature, loss.loss_weight) == (1, 8, 4, 1)
    assert loss.needs_target
    assert DecoupledKDLoss(alpha=2.0, beta=3.0, temperature=1.0, loss_weight=0.5)(
        STUDENT, TEACHER, TARGET
    ) == 0.5 * decoupled_kd(STUDENT, TEACHER, TARGET, 2.0, 3.0, 1.0)
    with pytest.raises(ValueError, match='temperature is 0, expected a positive'):
        DecoupledKDLoss(temperature=0)
    with pytest.raises(ValueError, match=r'target has shape \(3,\), expected \(6,\)'):
        loss(STUDENT, TEACHER, TARGET[:3])
    teacher = TEACHER.clone().requires_grad_()
    loss(STUDENT.clone().requires_grad_(), teacher, TARGET).backward()
    assert teacher.grad is None
