import numpy as np
import torch

from pcdet_kd.corruptions.geometry import to_unit_sphere
from pcdet_kd.layers import unit_sphere

CLOUDS = torch.randn(3, 50, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 5


def test_each_cloud_is_scaled_as_it_would_be_by_itself():
    for found, cloud in zip(unit_sphere(CLOUDS), CLOUDS.numpy()):
        np.testing.assert_allclose(found.numpy(), to_unit_sphere(cloud), atol=1e-14)


def test_padding_does_not_count_and_moves_along():
    found = unit_sphere(CLOUDS, torch.tensor([50, 20, 1]))
    for cloud, scaled, count in zip(CLOUDS.numpy(), found.numpy(), (50, 20, 1)):
        centred = cloud - cloud[:count].mean(0)
        radius = np.linalg.norm(centred[:count], axis=1).max()
        np.testing.assert_allclose(scaled, centred / (radius or 1), atol=1e-14)


def test_one_repeated_point_becomes_zeros():
    assert not unit_sphere(torch.full((2, 8, 3), 0.3)).any()
