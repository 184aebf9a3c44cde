"""PointViT: published layouts, parts, pooling, initial weights."""

import pytest
import torch

from pcdet_kd.backbones import PointViT

TINY = dict(embed_dims=12, depth=3, num_heads=2, num_patches=6, patch_size=5)
# Shapes of parameters, not in order: Pang-Yatian/Point-MAE (fine-tuning network, without its head)
# and remcofl/AsymDSD (S).
POINT_MAE = {
    **{
        (1, 1, 384): 2,
        (128, 3): 2,
        (128,): 4,
        (256, 128): 1,
        (256,): 1,
        (512, 512): 1,
        (512,): 3,
        (384, 512): 1,
    },
    **{
        (384, 128): 1,
        (1152, 384): 12,
        (384, 384): 12,
        (1536, 384): 12,
        (1536,): 12,
        (384, 1536): 12,
    },
    (384,): 12 * 6 + 2 + 2,
}
ASYMDSD = {
    **{
        (1, 1, 384): 1,
        (128, 3): 2,
        (128,): 2,
        (256, 128): 1,
        (512, 512): 1,
        (512,): 1,
        (384, 512): 1,
        (384, 128): 1,
    },
    **{(1152, 384): 12, (384, 384): 12, (1536, 384): 12, (384, 1536): 12},
    (384,): 12 * 2 + 1 + 1,
}


@pytest.mark.parametrize(('preset', 'shapes'), [('point_mae', POINT_MAE), ('asymdsd_s', ASYMDSD)])
def test_shapes_of_the_published_parameters(preset, shapes):
    with torch.device('meta'):
        ours = [tuple(p.shape) for p in PointViT(preset).parameters()]
    assert {shape: ours.count(shape) for shape in set(ours)} == shapes


@pytest.mark.parametrize(
    ('preset', 'encoder'),
    [('asymdsd_s', 21_243_264), ('asymdsd_b', 84_953_856), ('asymdsd_l', 302_040_064)],
)
def test_parameters_of_the_transformer_alone(preset, encoder):
    with torch.device('meta'):
        assert sum(p.numel() for p in PointViT(preset).encoder.parameters()) == encoder


def test_published_geometry():
    with torch.device('meta'):
        mae, dsd, large = PointViT(), PointViT('asymdsd_s'), PointViT('asymdsd_l')
    assert (
        mae.grouper.num_patches,
        mae.grouper.patch_size,
        mae.grouper.compat,
        mae.grouper.fps_start,
    ) == (64, 32, 'pointnet2', 0)
    assert (dsd.grouper.compat, dsd.grouper.fps_start) == (None, 'random')
    assert mae.out_channels == 768 and dsd.out_channels == 1152
    assert mae.taps == (3, 7, 11) and large.taps == (7, 15, 23)
    assert mae.encoder.blocks[-1].drop_path.rate == pytest.approx(0.1)
    assert {
        b.attn.proj.in_features // b.attn.num_heads
        for net in (mae, dsd, large)
        for b in net.encoder.blocks
    } == {64}


@pytest.mark.parametrize('preset', ['point_mae', 'asymdsd_s', 'asymdsd_b'])
def test_forward_by_hand(preset):
    torch.manual_seed(0)
    extra = dict(tokenizer=dict(first=(4, 6), second=(8,)))
    net = PointViT(preset, in_channels=4, **TINY, **extra, pool=('cls', 'mean', 'max')).eval()
    points = torch.rand(2, 30, 4)
    out = net(points)
    patches, centres = net.grouper(points)
    tokens, positions = net.tokenizer(patches), net.position(centres)
    x = torch.cat([net.cls_token.expand(2, 1, 12), tokens], 1)
    place = torch.zeros(2, 1, 12) if preset != 'point_mae' else net.cls_pos.expand(2, 1, 12)
    positions = torch.cat([place, positions], 1)
    for i, block in enumerate(net.encoder.blocks):
        x = x + positions
        x = x + block.attn(block.norm1(x))
        x = x + block.mlp(block.norm2(x))
        torch.testing.assert_close(out.stages[i], x[:, 1:].transpose(1, 2))
    x = net.encoder.norm(x)
    torch.testing.assert_close(
        out.global_feat, torch.cat([x[:, 0], x[:, 1:].mean(1), x[:, 1:].max(1).values], 1)
    )
    torch.testing.assert_close(out.point_feats, x[:, 1:].transpose(1, 2))
    assert torch.equal(out.coords, centres)


def test_masked_tokens_do_not_reach_the_rest():
    torch.manual_seed(0)
    net = PointViT('asymdsd_s', **TINY).eval()
    tokens, positions = net.embed(*net.patchify(torch.rand(2, 30, 3)))
    mask = torch.tensor([[1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 1, 0]] * 2).bool()  # two masks per cloud
    out, _ = net.encode(tokens, positions, mask)
    assert out.shape == (4, 4, 12)
    for row in range(4):
        keep = ~mask[row]
        alone, _ = net.encode(tokens[row // 2, keep][None], positions[row // 2, keep][None])
        torch.testing.assert_close(out[row : row + 1], alone)


def test_without_class_token():
    net = PointViT('asymdsd_s', **TINY, class_token=False, pool=('mean', 'max')).eval()
    out = net(torch.rand(2, 30, 3))
    assert net.cls_token is None and net.out_channels == 24 and out.point_feats.shape == (2, 12, 6)
    torch.testing.assert_close(
        out.global_feat, torch.cat([out.point_feats.mean(2), out.point_feats.amax(2)], 1)
    )


def test_order_of_points_does_not_matter_after_the_first():
    torch.manual_seed(0)
    net, points = PointViT(**TINY).eval(), torch.rand(2, 30, 3)
    order = torch.cat(
        [torch.tensor([0]), 1 + torch.randperm(29)]
    )  # sampling starts at the first point
    torch.testing.assert_close(
        net(points[:, order]).global_feat, net(points).global_feat, atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize('preset', ['point_mae', 'asymdsd_s'])
def test_initial_weights(preset):
    torch.manual_seed(0)
    net = PointViT(preset, depth=1)
    weights = {name: p for name, p in net.named_parameters() if p.dim() == 2}
    for name, weight in weights.items():
        packed = name.endswith('qkv.weight') and preset == 'asymdsd_s'
        expected = (2 / (384 + 1152)) ** 0.5 if packed else 0.02
        assert weight.std().item() == pytest.approx(expected, rel=0.15), name
        assert not packed or weight.abs().max() <= 3**0.5 * expected * 1.001
    assert net.cls_token.std().item() == pytest.approx(0.02, rel=0.15)
    assert not any(p.any() for name, p in net.named_parameters() if name.endswith('bias'))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="preset is 'vit_s', must be one of"):
        PointViT('vit_s')
    with pytest.raises(ValueError, match=r"pool is \('cls',\)"):
        PointViT(**TINY, class_token=False, pool=('cls',))
    with pytest.raises(ValueError, match='set in_channels=6'):
        PointViT(**TINY)(torch.rand(1, 9, 6))


def test_levels_are_the_normalised_tokens_of_three_depths():
    net = PointViT(embed_dims=24, depth=6, num_heads=2, num_patches=8, patch_size=4).eval()
    out = net(torch.randn(2, 40, 3))
    assert len(out.levels) == len(out.stages) == 3
    for level, stage in zip(out.levels, out.stages):
        assert torch.equal(level.coords, out.coords)
        expected = torch.nn.functional.layer_norm(
            stage.transpose(1, 2), (24,), net.encoder.norm.weight, net.encoder.norm.bias
        )
        torch.testing.assert_close(level.feats, expected)
    assert torch.equal(out.levels[-1].feats.transpose(1, 2), out.point_feats)
