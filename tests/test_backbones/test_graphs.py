"""Backbones inside graphs: torch.compile without a break, and torch.export with a free batch
size.
"""

import pytest
import torch

import pcdet_kd.backbones  # noqa: F401  (registers them)
from pcdet_kd.registry import BACKBONES

TINY = {
    'PointNeXt': dict(width=4, strides=(2, 2), blocks=(0, 1), num_neighbors=4),
    'RSCNN': dict(
        channels=(8, 12),
        num_points=(16, 4),
        num_neighbors=(4, 4),
        lift_channels=4,
        global_channels=8,
    ),
    'RepSurf': dict(
        num_points=(16,),
        radii=(0.5,),
        num_neighbors=(4,),
        mlp_channels=((8,),),
        global_channels=(8,),
    ),
    'SimpleView': dict(base_width=2, image_size=8),
}


@pytest.mark.parametrize('name', TINY)
def test_compiles_without_a_break_and_exports(name):
    torch.manual_seed(0)
    net, points = BACKBONES.build(dict(type=name, **TINY[name])), torch.rand(2, 20, 3) - 0.5
    torch.compile(net, fullgraph=True, backend='aot_eager')(points).global_feat.sum().backward()
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)
    _export_and_compare(net.eval(), points)


# The rest: traced whole, which is where a break would be; what ahead-of-time autograd asks of the
# ops is tested with the ops
TRACED = {
    'CurveNet': dict(
        embed_channels=4,
        channels=(8,),
        num_points=(16,),
        radii=(0.5,),
        num_neighbors=4,
        curves=((4, 2),),
        out_channels=8,
    ),
    'DGCNN': dict(channels=(4, 4), embed_channels=8, num_neighbors=4),
    'GDANet': dict(channels=(4, 4, 4), num_neighbors=4, num_select=8, embed_channels=8),
    'MultiViewResNet': dict(base_width=2, small_input=True),
    'PCT': dict(
        embed_channels=4,
        channels=(8, 8),
        num_points=(16, 8),
        num_neighbors=4,
        num_attentions=1,
        out_channels=8,
    ),
    'PointMLP': dict(
        embed_channels=4,
        channels=(8,),
        num_points=(8,),
        num_neighbors=4,
        pre_blocks=(1,),
        pos_blocks=(1,),
    ),
    'PointNet': dict(
        local_channels=(4,), global_channels=(8,), transform_mlp=(4,), transform_fc=(4,)
    ),
    'PointNet2MSG': dict(
        num_points=(8,),
        radii=((0.2, 0.4),),
        num_neighbors=((4, 4),),
        mlp_channels=(((4,), (4,)),),
        global_channels=(8,),
    ),
    'PointNet2SSG': dict(
        num_points=(8,),
        radii=(0.3,),
        num_neighbors=(4,),
        mlp_channels=((8,),),
        global_channels=(8,),
    ),
    'PointTransformer': dict(channels=(8, 8), blocks=(1, 1), strides=(1, 4), num_neighbors=(4, 4)),
    'PointViT': dict(embed_dims=12, depth=1, num_heads=2, num_patches=4, patch_size=4),
}


@pytest.mark.parametrize('name', TRACED)
def test_compiles_without_a_break(name):
    torch.manual_seed(0)
    net = BACKBONES.build(dict(type=name, **TRACED[name]))
    x = torch.rand(2, 3, 3, 16, 16) if name == 'MultiViewResNet' else torch.rand(2, 20, 3) - 0.5
    compiled = torch.compile(net, fullgraph=True, backend='eager')
    compiled(x).global_feat.sum().backward()
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)
    net.eval()
    torch.testing.assert_close(compiled(x).global_feat, net(x).global_feat)


def test_every_backbone_is_compiled():
    alike = {
        'PointMLPElite',  # PointMLP's class with other defaults
        'HFImageBackbone',  # another library's networks; compiled in test_hf_image.py
        'WrappedModule',  # whatever it wraps
    }
    ours = {
        name
        for name, part in BACKBONES.module_dict.items()
        if part.__module__.startswith('pcdet_kd.')
    }
    assert ours == {*TINY, *TRACED, *alike}


@pytest.mark.parametrize('name', TRACED)
def test_exports(name):
    torch.manual_seed(0)
    net = BACKBONES.build(dict(type=name, **TRACED[name])).eval()
    _export_and_compare(
        net,
        torch.rand(2, 3, 3, 16, 16) if name == 'MultiViewResNet' else torch.rand(2, 20, 3) - 0.5,
    )


def _export_and_compare(net, points):
    program = torch.export.export(
        net, (points,), dynamic_shapes=({0: torch.export.Dim('batch', min=1, max=64)},)
    )
    other = torch.rand(3, *points.shape[1:]) - 0.5
    torch.testing.assert_close(program.module()(other).global_feat, net(other).global_feat)
