"""RSMix against a plain float64 account of it, set by set."""

import math

import numpy as np
import pytest
import torch

from pcdet_kd.models.batch_augments import RSMix

PARTNER = np.array([3, 0, 5, 1, 4, 2])
AT, OTHER_AT = np.array([4, 9, 0, 31, 17, 2]), np.array([1, 1, 30, 8, 22, 5])


def piece(cloud, at, radius, max_points, knn):
    """The indices of the points in a piece."""
    distance = np.linalg.norm(cloud[:, :3] - cloud[at, :3], axis=1)
    if knn:
        return np.argsort(distance, kind='stable')[: max(1, math.ceil(radius * max_points))]
    return np.flatnonzero(distance <= radius)[:max_points]


@pytest.mark.parametrize('neighborhood', ['ball', 'knn'])
@pytest.mark.parametrize('radius', [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize('max_points', [5, 20, 512])
def test_reference(neighborhood, radius, max_points, clouds, fixed_draws):
    points, score = clouds
    rng = fixed_draws(
        beta=[radius], permutation=[PARTNER], random=[(AT + 0.5) / 32, (OTHER_AT + 0.5) / 32]
    )
    mixed, shares = RSMix(max_points=max_points, neighborhood=neighborhood)(points, score, rng)
    x = points.double().numpy()
    for i, p in enumerate(PARTNER):
        out = piece(x[i], AT[i], radius, max_points, neighborhood == 'knn')
        added = piece(x[p], OTHER_AT[i], radius, max_points, neighborhood == 'knn')
        share = len(out) / 32
        np.testing.assert_allclose(
            shares[i], (1 - share) * score[i].numpy() + share * score[p].numpy(), atol=1e-6
        )
        kept = np.setdiff1d(np.arange(32), out)
        assert torch.equal(mixed[i, kept], points[i, kept])
        new = mixed[i, out].double().numpy()
        source = (
            new[:, 3].astype(int) - 32 * p
        )  # the last column is the point's number and comes along
        assert set(source) <= set(added)
        assert len(set(source)) == min(
            len(out), len(added)
        )  # a subset without repetition, or all of them and some again
        moved = x[p][source, :3] + x[i, AT[i], :3] - x[p, OTHER_AT[i], :3]  # rigid
        np.testing.assert_allclose(new[:, :3], moved, atol=1e-6)


def line(spacing):
    cloud = torch.zeros(1, 32, 4)
    cloud[0, :, 0] = spacing * torch.arange(32)
    cloud[0, :, 3] = torch.arange(32)
    return cloud


def test_subsets_and_repetitions_are_random(fixed_draws):
    """A piece of all 32 points meets one of 5: a random one of 5 from 32, or all 5 and 27 random
    ones of them again.
    """
    whole, few = line(0.0), line(0.1)
    whole[0, :, 0] += 1e-3 * torch.arange(32)
    at = np.array([10.5 / 32])

    def mix(points, others, seed):
        drawn = fixed_draws(seed, beta=[0.25], random=[at, at])
        mixed, share = RSMix().mix(points, others, drawn)
        return mixed[0, :, 3].long(), float(share[0])

    inserted, counts, same = torch.zeros(32), [], 0
    for seed in range(200):
        number, share = mix(few, whole, seed)
        assert share == 5 / 32 and [*number[:8].tolist(), *number[13:].tolist()] == [
            *range(8),
            *range(13, 32),
        ]
        inserted += torch.bincount(number[8:13], minlength=32)
        same += sorted(number[8:13].tolist()) == number[8:13].tolist()
        number, share = mix(whole, few, seed)
        assert share == 1 and set(number.tolist()) == {8, 9, 10, 11, 12}
        counts.append(torch.bincount(number - 8, minlength=5))
    assert inserted.min() > 12 and inserted.max() < 60 and same < 20  # 31 each
    counts = torch.stack(counts)
    assert (counts.float().mean(0) - 6.4).abs().max() < 0.7 and counts.max() < 22


@pytest.mark.parametrize(
    'args, message',
    [
        (dict(neighborhood='box'), "neighborhood is 'box'"),
        (dict(beta=-1), 'beta is -1'),
        (dict(max_points=0), 'max_points is 0'),
    ],
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        RSMix(**args)
