import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pcdet_kd.models.batch_augments import PointMixup


def test_it_is_the_line_along_the_optimal_assignment(clouds, fixed_draws):
    points, score = clouds
    drawn = np.array([0.0, 0.1, 0.5, 0.7, 0.95, 1.0])
    partner = np.array([3, 0, 5, 1, 4, 2])
    mixed, shares = PointMixup(eps=1e-6)(
        points, score, fixed_draws(beta=[drawn], permutation=[partner])
    )
    share = np.array([0.0, 0.1, 0.5, 0.3, 0.05, 0.0])  # 1/2 - |drawn - 1/2|
    x = points.double().numpy()
    for i, p in enumerate(partner):
        match = linear_sum_assignment(cdist(x[i, :, :3], x[p, :, :3]))[1]
        expected = (1 - share[i]) * x[i] + share[i] * x[p][match]
        np.testing.assert_allclose(mixed[i], expected, rtol=1e-5, atol=1e-6)
        label = (1 - share[i]) * score[i].double().numpy() + share[i] * score[p].double().numpy()
        np.testing.assert_allclose(shares[i], label, atol=1e-7)
    assert shares[4].tolist() == [1, 0, 0, 0]  # its own partner


def test_shares_are_those_of_the_folded_beta_distribution():
    points, score = torch.zeros(4000, 1, 3), torch.eye(2).repeat(2000, 1)
    _, share = PointMixup().mix(points, points, np.random.default_rng(0))
    own = np.minimum(b := np.random.default_rng(1).beta(0.4, 0.4, 4000), 1 - b)
    assert share.min() >= 0 and share.max() <= 0.5
    at = [0.1, 0.3, 0.5, 0.7, 0.9]
    np.testing.assert_allclose(np.quantile(share, at), np.quantile(own, at), atol=0.03)
    _, shares = PointMixup()(points, score, np.random.default_rng(0))
    assert (shares.gather(1, score.argmax(1, keepdim=True)) >= 0.5).all()


@pytest.mark.parametrize('alpha', [0, -1, float('inf'), float('nan')])
def test_bad_arguments(alpha):
    with pytest.raises(ValueError, match='alpha is'):
        PointMixup(alpha=alpha)
