"""Patches, the tokeniser, masks."""

import pytest
import torch

from pcdet_kd.layers import (
    MiniPointNet,
    PatchGrouper,
    PositionEmbedding,
    take_patches,
    take_visible,
)
from pcdet_kd.ops import farthest_point_sample


def test_patches_are_the_nearest_points_around_farthest_points():
    torch.manual_seed(0)
    points = torch.rand(2, 40, 5)
    patches, centres = PatchGrouper(6, 4)(points)
    for b in range(2):
        chosen = farthest_point_sample(points[b : b + 1, :, :3], 6)[0]
        assert torch.equal(centres[b], points[b, chosen, :3])
        for p in range(6):
            near = (
                (points[b, :, :3] - centres[b, p]).square().sum(-1).topk(4, largest=False).indices
            )
            expected = torch.cat([points[b, near, :3] - centres[b, p], points[b, near, 3:]], -1)
            torch.testing.assert_close(patches[b, p], expected)
    assert not patches[:, :, 0, :3].any()  # the centre itself comes first


def test_small_clouds_use_all_points():
    patches, centres = PatchGrouper(64, 32)(torch.rand(2, 5, 3))
    assert patches.shape == (2, 5, 5, 3) and centres.shape == (2, 5, 3)
    assert PatchGrouper()(torch.rand(1, 1, 3))[0].shape == (1, 1, 1, 3)


def test_first_centre():
    points = torch.rand(1, 11, 3)
    assert torch.equal(PatchGrouper(2, 2)(points)[1][0, 0], points[0, 0])
    grouper = PatchGrouper(2, 2, fps_start='random')
    assert len({grouper(points)[1][0, 0].sum().item() for _ in range(50)}) > 3
    assert torch.equal(grouper.eval()(points)[1][0, 0], points[0, 5])
    with pytest.raises(ValueError, match="fps_start is 'middle'"):
        PatchGrouper(fps_start='middle')


def test_hole_at_the_origin():
    points = torch.tensor([[[1.0, 0, 0], [0, 0, 0.01], [0.9, 0, 0]]])
    assert torch.equal(PatchGrouper(2, 1)(points)[1][0, 1], points[0, 1])
    assert torch.equal(PatchGrouper(2, 1, compat='pointnet2')(points)[1][0, 1], points[0, 2])


def test_take_patches_of_given_indices():
    points = torch.rand(1, 4, 3)
    patches, centres = take_patches(points, torch.tensor([[2]]), torch.tensor([[[0, 3]]]))
    assert torch.equal(centres, points[:, 2:3])
    torch.testing.assert_close(patches, points[:, None, [0, 3]] - points[:, None, 2:3])


@pytest.mark.parametrize(
    'form',
    [
        dict(),
        dict(norm='rms', act='gelu', bias=False, pooled_first=False),
        dict(first=(6, 8, 10), second=(14,), norm='rms', act='gelu', pooled_first=False),
    ],
)
def test_tokeniser_is_a_pointnet_on_joined_features(form):
    torch.manual_seed(0)
    net = MiniPointNet(4, **{**dict(first=(6, 8), second=(12,), out_channels=5), **form}).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    patches = torch.randn(2, 3, 7, 4)
    h = net.first_out(net.first(patches))
    g = h.max(2, keepdim=True).values.expand_as(h)
    joined = net.join(torch.cat([h, g] if form.get('norm') == 'rms' else [g, h], -1))
    torch.testing.assert_close(net(patches), net.second_out(net.second(joined)).max(2).values)


def test_tokeniser_does_not_see_the_order_of_points():
    net = MiniPointNet(3, (6, 8), (12,), 5).eval()
    patches = torch.randn(2, 3, 7, 3)
    torch.testing.assert_close(net(patches.flip(2)), net(patches))


def test_parameters_of_the_published_tokenisers():
    # AsymDSD's code: S, B and L with positions; Point-MAE's code
    with torch.device('meta'):

        def count(*modules):
            return sum(p.numel() for m in modules for p in m.parameters())

        free = dict(norm='rms', act='gelu', pooled_first=False)
        assert count(MiniPointNet(**free, bias=False), PositionEmbedding(384)) == 542_592
        deep = dict(free, first=(256, 512, 1024), second=(2048,))
        assert count(MiniPointNet(**deep, out_channels=768), PositionEmbedding(768)) == 6_530_304
        assert count(MiniPointNet(**deep, out_channels=1024), PositionEmbedding(1024)) == 7_087_872
        assert count(MiniPointNet()) == 494_464


def test_visible_tokens_of_several_masks():
    tokens = torch.rand(2, 5, 3)
    mask = torch.tensor([[1, 0, 0, 1, 1], [0, 1, 1, 1, 0], [1, 1, 0, 0, 1], [0, 0, 1, 1, 1]]).bool()
    expected = torch.stack(
        [tokens[0, [1, 2]], tokens[0, [0, 4]], tokens[1, [2, 3]], tokens[1, [0, 1]]]
    )
    assert torch.equal(take_visible(tokens, mask), expected)


@pytest.mark.parametrize(
    ('mask', 'message'),
    [
        (torch.zeros(3, 5).bool(), r'expected \(B \* M, 5\)'),
        (torch.zeros(2, 5), 'torch.bool'),
        (torch.tensor([[1, 1, 1, 1, 0], [0, 0, 1, 1, 1]]).bool(), '1 to 2 tokens'),
        (torch.ones(2, 5).bool(), '0 to 0 tokens'),
    ],
)
def test_wrong_masks(mask, message):
    with pytest.raises(ValueError, match=message):
        take_visible(torch.rand(2, 5, 3), mask)
