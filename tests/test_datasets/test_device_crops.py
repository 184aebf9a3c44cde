import numpy as np
import pytest
import torch

from pcdet_kd.datasets.counter_random import SampleDraws
from pcdet_kd.datasets.device_crops import by_distance, crop_indices, random_boxes
from pcdet_kd.datasets.transforms.multi_crop import CropSpec, MultiCrop, choose

ASPECT = (0.33, 3.0)


def draws(samples, seed=0):
    return SampleDraws(seed, 0, torch.arange(samples))


def cloud_batch(samples, n, seed=0):
    return torch.from_numpy(
        np.random.default_rng(seed).normal(size=(samples, n, 3)).astype(np.float32)
    )


def test_order_is_that_of_the_plain_form():
    points, boxes = cloud_batch(5, 600), random_boxes(ASPECT, draws(5))
    centre = torch.tensor([[3], [0], [599], [17], [300]])
    order = by_distance(points, boxes, centre, 200)
    for i in range(5):
        turned = points[i].numpy().astype(np.float64) @ boxes[i].numpy().astype(np.float64)
        distance = np.abs(turned - turned[int(centre[i])]).max(1)
        assert order[i].tolist() == np.argsort(distance, kind='stable')[:200].tolist()


def test_boxes_are_rotated_and_stretched_with_constant_volume():
    boxes = random_boxes(ASPECT, draws(4000)).double()
    assert torch.allclose(torch.linalg.det(boxes), torch.ones(4000).double(), atol=1e-4)
    lengths = boxes.norm(dim=1)  # of the columns: the stretch along each axis
    middle = lengths.sort(dim=1).values[:, 1]
    assert torch.allclose(middle, torch.ones(4000).double(), atol=1e-4)
    aspects = lengths.amax(1).square()
    assert aspects.max() < 3.04 and 1.6 < aspects.mean() < 2  # U(0.33, 3), or its inverse below 1
    for axis in range(3):  # each is as often the longest as the shortest
        for extreme in (lengths.amax(1), lengths.amin(1)):
            assert 0.3 < (lengths[:, axis] == extreme).double().mean() < 0.37
    assert (boxes / lengths[:, None]).mean(0).abs().max() < 0.05  # no preferred direction
    directions = boxes / lengths[:, None]
    product = directions.transpose(1, 2) @ directions
    assert torch.allclose(product, torch.eye(3).double().expand(4000, 3, 3), atol=1e-4)


def test_points_once_each_and_inside_the_box():
    points = torch.zeros(300, 1000, 3)
    points[..., 0] = torch.arange(1000)
    spec = CropSpec(1, 20, (0.1, 0.3))
    index = crop_indices(points, spec, ASPECT, draws(300))
    assert index.shape == (300, 20)
    assert all(len(set(row)) == 20 for row in index.tolist())
    spans = (index.amax(1) - index.amin(1) + 1).double()
    rng = np.random.default_rng(0)
    crop = MultiCrop(dict(count=1, num_points=20, fraction=(0.1, 0.3)))
    plain = np.array(
        [
            np.ptp(choose(spec, crop._random_box(rng) @ points[0].T.numpy(), rng)) + 1
            for _ in range(300)
        ]
    )
    # The same distribution: means within four standard errors, and the same limits.
    error = np.hypot(spans.std().item() / 300**0.5, plain.std() / 300**0.5)
    assert abs(spans.mean().item() - plain.mean()) < 4 * error and spans.max() <= 301


def test_how_many_points_lie_inside():
    points = torch.zeros(1, 100, 3)
    points[..., 0] = torch.arange(100)
    for fraction, num_points, inside in ((0.25, 10, 25), (0.25, 30, 30), (1.0, 5, 100)):
        spec = CropSpec(1, num_points, (fraction, fraction))
        seen = set()
        for seed in range(60):
            # a crop in the middle of the line: `inside` points around its centre
            index = crop_indices(points, spec, ASPECT, draws(1, seed))[0]
            assert int(index.max() - index.min()) < inside
            seen.add(int(index[0]))
        assert len(seen) > 20  # any order, any centre


def test_a_small_cloud_is_repeated():
    index = crop_indices(cloud_batch(4, 10), CropSpec(1, 25, (0, 1)), ASPECT, draws(4))
    for row in index.tolist():
        assert sorted(row) == sorted([*range(10), *range(10), *range(5)])
    assert len({tuple(row) for row in index.tolist()}) == 4


@pytest.mark.parametrize('fraction', [0.2, 0.4])
def test_exactly_the_nearest_where_as_many_lie_inside_as_are_kept(fraction, monkeypatch):
    uniform = SampleDraws.uniform

    def fixed(self, low, high, *shape):
        drawn = uniform(self, low, high, *shape)
        return torch.full_like(drawn, fraction) if (low, high) == (0.1, 0.9) else drawn

    monkeypatch.setattr(SampleDraws, 'uniform', fixed)
    points = torch.zeros(50, 100, 3)
    points[..., 0] = torch.arange(100)
    index = crop_indices(points, CropSpec(1, 40, (0.1, 0.9)), ASPECT, draws(50))
    spans = index.amax(1) - index.amin(1) + 1
    assert (spans == 40).all()  # 40 neighbours on the line
