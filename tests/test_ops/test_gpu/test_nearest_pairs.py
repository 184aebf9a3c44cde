import torch

from pcdet_kd.ops import backend


def test_same_pairs(same, clouds):
    x, y = clouds(70), clouds(70).flip(1)[:, :41] * 0.9
    same('nearest_pairs', x, y, None, None)


def test_padding_is_nobodys_nearest(same):
    draw = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 70, 3, generator=draw), torch.randn(2, 33, 3, generator=draw)
    to_y, to_x = same('nearest_pairs', x, y, torch.tensor([5, 70]), torch.tensor([33, 1]))
    assert to_x[0].max() < 5 and not to_y[1].any()


def test_one_point(same):
    found = same('nearest_pairs', torch.zeros(1, 1, 3), torch.ones(1, 2, 3), None, None)
    assert [t.tolist() for t in found] == [[[0]], [[0, 0]]]


def test_where_nothing_is_nearest_the_index_is_a_point(device):
    """A distance that is NaN counts as absent on a GPU; check_values=False and compiled graphs let
    such clouds pass.
    """
    x, none = torch.ones(1, 40, 3, device=device), torch.zeros(1, dtype=torch.int64, device=device)
    to_y, _ = backend.implementation('nearest_pairs', 'triton')(x, x, None, none)
    assert not to_y.any()
