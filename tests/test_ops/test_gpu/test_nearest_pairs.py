import torch

from pcdet_kd.ops import backend


def test_same_pairs(same, clouds):
    x, y = clouds(70), clouds(70).flip(1)[:, :41] * 0.9
    same('nearest_pairs', x, y)


def test_one_point(same):
    found = same('nearest_pairs', torch.zeros(1, 1, 3), torch.ones(1, 2, 3))
    assert [t.tolist() for t in found] == [[[0]], [[0, 0]]]


def test_where_nothing_is_nearest_the_index_is_a_point(device):
    """A distance that is NaN counts as absent on a GPU; check_values=False and compiled graphs let
    such clouds pass.
    """
    x = torch.full((1, 40, 3), torch.nan, device=device)
    to_y, _ = backend.implementation('nearest_pairs', 'triton')(x, x)
    assert not to_y.any()
