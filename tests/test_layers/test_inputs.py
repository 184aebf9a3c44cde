"""Input checks that all backbones share."""

import pytest
import torch

from pcdet_kd.layers import (
    at_least_float32,
    check_in_channels,
    split_points,
)


def test_split():
    points = torch.rand(2, 5, 6)
    coords, extra = split_points(points, 6, 'Net')
    assert torch.equal(coords, points[..., :3]) and torch.equal(extra, points[..., 3:])
    assert split_points(points[..., :3], 3, 'Net')[1] is None


@pytest.mark.parametrize(
    ('shape', 'message'),
    [
        ((2, 5, 6), r'Net takes points \(B, N, 3\) with N > 0, got \(2, 5, 6\): set in_channels=6'),
        ((2, 0, 3), r'got \(2, 0, 3\)$'),
        ((5, 3), r'got \(5, 3\)$'),
    ],
)
def test_a_wrong_shape_says_what_to_set(shape, message):
    with pytest.raises(ValueError, match=message):
        split_points(torch.rand(shape), 3, 'Net')


def test_coordinates_are_needed():
    assert check_in_channels(4, 'Net') == 4
    with pytest.raises(ValueError, match='Net: in_channels is 2'):
        check_in_channels(2, 'Net')


def test_precision_is_never_lowered():
    assert at_least_float32(torch.ones(1, dtype=torch.bfloat16)).dtype == torch.float32
    assert at_least_float32(torch.ones(1, dtype=torch.float64)).dtype == torch.float64
