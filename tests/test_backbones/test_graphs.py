"""Backbones inside graphs: torch.compile without a break, and torch.export with a free batch size."""

import pytest
import torch

import pcdet_kd.backbones  # noqa: F401  (registers them)
from pcdet_kd.registry import BACKBONES

TINY = {
    'PointNeXt': dict(width=4, strides=(2, 2), blocks=(0, 1), num_neighbors=4),
    'RSCNN': dict(channels=(8, 12), num_points=(16, 4), num_neighbors=(4, 4), lift_channels=4, global_channels=8),
    'RepSurf': dict(num_points=(16,), radii=(0.5,), num_neighbors=(4,), mlp_channels=((8,),), global_channels=(8,)),
    'SimpleView': dict(base_width=2, image_size=8),
}


@pytest.mark.parametrize('name', TINY)
def test_compiles_without_a_break_and_exports(name):
    torch.manual_seed(0)
    net, points = BACKBONES.build(dict(type=name, **TINY[name])), torch.rand(2, 20, 3) - 0.5
    torch.compile(net, fullgraph=True, backend='aot_eager')(points).global_feat.sum().backward()
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)
    _export_and_compare(net.eval(), points)


# Not of points, nothing by itself, and two that take long and share all layers with others
OTHERS = {'MultiViewResNet', 'WrappedModule', 'CurveNet', 'PointMLP'}


@pytest.mark.parametrize('name', sorted(set(BACKBONES.module_dict) - OTHERS - set(TINY)))
def test_exports(name):
    torch.manual_seed(0)
    _export_and_compare(BACKBONES.build(dict(type=name)).eval(), torch.rand(2, 64, 3) - 0.5)


def _export_and_compare(net, points):
    program = torch.export.export(net, (points,), dynamic_shapes=({0: torch.export.Dim('batch', min=1, max=64)},))
    other = torch.rand(3, *points.shape[1:]) - 0.5
    torch.testing.assert_close(program.module()(other).global_feat, net(other).global_feat)
