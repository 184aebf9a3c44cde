import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pcdet_kd.models.batch_augments import PointCutMix

PARTNER = np.array([3, 0, 5, 1, 4, 2])


@pytest.mark.parametrize('variant', ['R', 'K'])
@pytest.mark.parametrize('drawn, count', [(0.4, 12), (0.999, 31), (1.0, 32), (0.01, 1), (0.0, 1)])
def test_points_become_their_counterparts(variant, drawn, count, clouds, fixed_draws):
    """int(lambda N) points, at least one; every other one stays, and labels are mixed in that
    proportion.
    """
    points, score = clouds
    rng = fixed_draws(beta=[drawn], permutation=[PARTNER])
    mixed, shares = PointCutMix(variant, eps=1e-6)(points, score, rng)
    x = points.double().numpy()
    for i, p in enumerate(PARTNER):
        counterpart = torch.from_numpy(
            x[p][linear_sum_assignment(cdist(x[i, :, :3], x[p, :, :3]))[1]]
        ).float()
        replaced = (mixed[i] != points[i]).any(1)
        if p != i:
            assert int(replaced.sum()) == count
        assert torch.equal(mixed[i], torch.where(replaced[:, None], counterpart, points[i]))
    torch.testing.assert_close(shares, (1 - count / 32) * score + count / 32 * score[PARTNER])


def test_k_replaces_the_nearest_to_a_random_point(clouds, fixed_draws):
    points, score = clouds
    at = np.array([4, 9, 0, 31, 17, 2])
    rng = fixed_draws(beta=[0.4], permutation=[PARTNER], random=[(at + 0.5) / 32])
    mixed, _ = PointCutMix('K')(points, score, rng)
    for i, p in enumerate(PARTNER):
        distance = np.linalg.norm(
            points[i, :, :3].double().numpy() - points[i, at[i], :3].double().numpy(), axis=1
        )
        nearest = set(np.argsort(distance)[:12].tolist())
        if p != i:
            assert set(torch.nonzero((mixed[i] != points[i]).any(1))[:, 0].tolist()) == nearest


def test_r_replaces_points_anywhere_and_others_in_each_cloud(clouds):
    points, score = clouds
    hits = torch.zeros(32)
    different = 0
    for seed in range(300):
        mixed, _ = PointCutMix('R')(points, score, np.random.default_rng(seed))
        replaced = (mixed != points).any(2)
        moved = replaced.any(1)
        hits += replaced.sum(0)
        different += len({tuple(row.tolist()) for row in replaced[moved]}) > 1
    assert hits.min() > 0.8 * hits.max() and different > 200


def test_lambda_is_uniform_by_default(clouds):
    points, score = clouds
    shares = [
        PointCutMix().mix(points, points, np.random.default_rng(seed))[1] for seed in range(400)
    ]
    assert all((share == share[0]).all() for share in shares)  # one for the batch
    counts = np.array([float(share[0]) for share in shares]) * 32
    assert counts.min() == 1 and 29 < counts.max() <= 31 and abs(counts.mean() - 15.5) < 1.2


@pytest.mark.parametrize(
    'args, message', [(dict(variant='k'), "variant is 'k'"), (dict(beta=0), 'beta is 0')]
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        PointCutMix(**args)
