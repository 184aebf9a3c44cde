import pytest
import torch

from pcdet_kd.layers import CentreSampler


def test_centres_are_points_of_the_cloud_and_at_most_all_of_them():
    coords = torch.rand(2, 6, 3)
    for wanted in (4, 9):
        centres, chosen = CentreSampler().sample_centres(coords, wanted)
        assert chosen.shape == (2, min(wanted, 6))
        assert torch.equal(centres, coords.gather(1, chosen[..., None].expand(-1, -1, 3)))


def test_the_first_centre_is_random_in_training_alone():
    layer, coords = CentreSampler(fps_start='random'), torch.rand(64, 50, 3)
    torch.manual_seed(0)
    assert layer.sample_centres(coords, 1)[1].unique().numel() > 10
    layer.eval()
    for start in (0, 7):
        assert (layer.sample_centres(coords, 1, start)[1] == start).all()
    for wrong in (1, 'first', None):
        with pytest.raises(ValueError, match=f'fps_start is {wrong!r}, must be one of 0, .random.'):
            CentreSampler(fps_start=wrong)


def test_compat_reaches_the_sampling():
    coords = torch.tensor([[[1.0, 0, 0], [0, 0, 0], [0.9, 0, 0]]])
    assert CentreSampler().sample_centres(coords, 2)[1].tolist() == [[0, 1]]
    assert CentreSampler('pointnet2').sample_centres(coords, 2)[1].tolist() == [[0, 2]]
