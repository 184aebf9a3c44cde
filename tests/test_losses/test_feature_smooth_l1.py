import torch

from pcdet_kd.losses import FeatureSmoothL1Loss


def test_it_is_quadratic_below_beta_and_linear_above():
    student = torch.tensor([[0.5, 3.0, -5.0]], requires_grad=True)
    teacher = torch.zeros(1, 3)
    loss = FeatureSmoothL1Loss(beta=2.0, loss_weight=2.0)(student, teacher)
    expected = 2.0 * (0.5**2 / 4 + (3 - 1) + (5 - 1)) / 3
    torch.testing.assert_close(loss, torch.tensor(expected))
