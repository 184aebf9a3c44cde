import numpy as np
import pytest
import torch

from pcdet_kd.apis import init_model
from pcdet_kd.evaluation import point_saliency, radial_saliency


@pytest.mark.parametrize('alpha', [0.5, 1.0, 2.0])
def test_against_differences_along_the_radius(alpha):
    """L is a known function; its derivative by rho = r^-alpha is taken numerically in float64."""
    rng = np.random.default_rng(0)
    points, weights = rng.normal(size=(7, 3)), rng.normal(size=(7, 3))

    def loss(x):
        return np.sin(x * weights).sum()

    middle = np.median(points, axis=0)
    expected = []
    for i in range(7):
        direction = (points[i] - middle) / np.linalg.norm(points[i] - middle)
        rho = np.linalg.norm(points[i] - middle) ** -alpha
        values = []
        for step in (1e-6, -1e-6):
            moved = points.copy()
            moved[i] = middle + direction * (rho + step) ** (-1 / alpha)
            values.append(loss(moved))
        by_rho = (values[0] - values[1]) / 2e-6
        r = rho ** (-1 / alpha)
        # dL/drho = -dL/dr r^(1 + alpha) / alpha
        expected.append(by_rho * alpha)
        assert np.isfinite(r)
    gradient = torch.tensor(weights * np.cos(points * weights))[None]
    found = radial_saliency(torch.tensor(points)[None], gradient, alpha)
    np.testing.assert_allclose(found[0], expected, rtol=1e-6)


def test_clouds_of_even_size_have_the_mean_of_the_middle_two():
    points = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 0, 0]]])
    gradient = torch.zeros(1, 4, 3)
    gradient[..., 0] = 1
    offset = torch.tensor([-1.5, -0.5, 0.5, 7.5])
    assert torch.equal(radial_saliency(points, gradient)[0], -offset * offset.abs())


def test_of_a_model():
    torch.manual_seed(0)
    model = init_model('pointnet_small_modelnet40').double()
    points = torch.randn(2, 20, 3, dtype=torch.float64)
    labels = torch.tensor([3, 5])
    with torch.no_grad():  # as in an evaluation
        found = point_saliency(model, dict(points=points), labels)
    given = points.clone().requires_grad_()
    logits = model.extract(dict(points=given))[1].logits
    loss = -logits.log_softmax(1)[[0, 1], labels].sum()
    gradient = torch.autograd.grad(loss, given)[0]
    assert torch.allclose(found, radial_saliency(points, gradient), rtol=1e-9)
    assert found.shape == (2, 20) and found.abs().max() > 0
    assert not points.requires_grad and all(p.grad is None for p in model.parameters())
    torch.testing.assert_close(
        point_saliency(model, dict(points=points[:1]), labels[:1])[0], found[0]
    )
