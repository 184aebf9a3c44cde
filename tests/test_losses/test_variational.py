import numpy as np
import pytest
import torch

from pcdet_kd.losses.variational import VariationalLoss, gaussian_regression


def test_it_is_the_papers_formula(teacher):
    mean = teacher.flip(0) + 0.5
    loss = VariationalLoss(7).double()
    loss.raw_variance.data = torch.linspace(-3, 4, 7, dtype=torch.float64)
    variance = np.log1p(np.exp(np.linspace(-3, 4, 7))) + 1e-5
    expected = 0.5 * ((mean - teacher).numpy() ** 2 / variance + np.log(variance)).mean()
    assert loss(mean, teacher).item() == pytest.approx(expected, rel=1e-6)
    exact = gaussian_regression(mean, teacher, torch.as_tensor(variance))
    assert exact.item() == pytest.approx(expected, rel=1e-12)


def test_the_variance_starts_at_five_and_is_learned(teacher):
    loss = VariationalLoss(7)
    torch.testing.assert_close(loss.variance, torch.full((7,), 5.0))
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.1)
    error = torch.linspace(0.1, 3, 7)
    for _ in range(1500):
        optimizer.zero_grad()
        loss(teacher.float() + error, teacher.float()).backward()
        optimizer.step()
    torch.testing.assert_close(loss.variance, error.square(), rtol=1e-2, atol=1e-3)


def test_an_extreme_variance_stays_above_eps(teacher):
    loss = VariationalLoss(7)
    loss.raw_variance.data.fill_(-1000.0)
    value = loss(teacher.float(), teacher.float())
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(loss.raw_variance.grad).all()
    torch.testing.assert_close(loss.variance, torch.full((7,), 1e-5))


def test_precision(teacher, keeps_float32):
    keeps_float32(
        gaussian_regression, teacher.flip(0), teacher, torch.ones(7, dtype=torch.float64) * 2
    )


def test_mistakes(student, teacher):
    with pytest.raises(ValueError, match=r'\(6, 5\) and teacher_feat \(6, 7\)'):
        VariationalLoss(7)(student, teacher)
    with pytest.raises(ValueError, match='init_variance is 0'):
        VariationalLoss(7, init_variance=0)
