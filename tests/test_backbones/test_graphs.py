"""Backbones inside graphs: torch.compile without a break, torch.export with a free batch size, and
files of both kinds that ``pcdet-kd export`` writes.
"""

import json

import pytest
import torch

import pcdet_kd.backbones  # noqa: F401  (registers them)
from pcdet_kd.apis.export import Description, OnnxModel, TorchModel
from pcdet_kd.apis.export.comparison import largest_difference
from pcdet_kd.apis.export.onnx_file import to_onnx
from pcdet_kd.apis.export.program import Deployed, trace
from pcdet_kd.apis.export.torch_file import to_torch
from pcdet_kd.registry import BACKBONES, MODELS

TINY = {
    'PointNeXt': dict(width=4, strides=(2, 2), blocks=(0, 1), num_neighbors=4),
    'RSCNN': dict(
        channels=(8, 12),
        num_points=(6, 4),
        num_neighbors=(4, 4),
        lift_channels=4,
        global_channels=8,
    ),
    'RepSurf': dict(
        num_points=(6,),
        radii=(0.5,),
        num_neighbors=(4,),
        mlp_channels=((8,),),
        global_channels=(8,),
    ),
    'SimpleView': dict(base_width=2, image_size=8),
}


QUICK = ('DGCNN', 'PointNet', 'PointNet2SSG', 'WrappedModule')


def some(names):
    """Return names for ``parametrize``, those of slow tests marked: all together take minutes."""
    return [n if n in QUICK else pytest.param(n, marks=pytest.mark.slow) for n in sorted(names)]


@pytest.mark.parametrize('name', some(TINY))
def test_compiles_ahead_of_time_without_a_break(name):
    torch.manual_seed(0)
    net, points = BACKBONES.build(dict(type=name, **TINY[name])), torch.rand(2, 20, 3) - 0.5
    torch.compile(net, fullgraph=True, backend='aot_eager')(points).global_feat.sum().backward()
    assert all(p.grad is not None for p in net.parameters() if p.requires_grad)


# The rest: traced whole, which is where a break would be; what ahead-of-time autograd asks of the
# ops is tested with the ops
TRACED = {
    'CurveNet': dict(
        embed_channels=4,
        channels=(8,),
        num_points=(8,),
        radii=(0.5,),
        num_neighbors=4,
        curves=((2, 2),),
        out_channels=8,
    ),
    'DGCNN': dict(channels=(4, 4), embed_channels=8, num_neighbors=4),
    'GDANet': dict(channels=(4, 4, 4), num_neighbors=4, num_select=8, embed_channels=8),
    'MultiViewResNet': dict(base_width=2, small_input=True),
    'PCT': dict(
        embed_channels=4,
        channels=(8, 8),
        num_points=(6, 4),
        num_neighbors=4,
        num_attentions=1,
        out_channels=8,
    ),
    'PointMLP': dict(
        embed_channels=4,
        channels=(8,),
        num_points=(6,),
        num_neighbors=4,
        pre_blocks=(1,),
        pos_blocks=(1,),
    ),
    'PointMLPElite': dict(
        embed_channels=4,
        channels=(8,),
        num_points=(6,),
        num_neighbors=4,
        pre_blocks=(1,),
        pos_blocks=(1,),
    ),
    'PointNet': dict(
        local_channels=(4,), global_channels=(8,), transform_mlp=(4,), transform_fc=(4,)
    ),
    'PointNet2MSG': dict(
        num_points=(5,),
        radii=((0.2, 0.4),),
        num_neighbors=((4, 4),),
        mlp_channels=(((4,), (4,)),),
        global_channels=(8,),
    ),
    'PointNet2SSG': dict(
        num_points=(5,),
        radii=(0.3,),
        num_neighbors=(4,),
        mlp_channels=((8,),),
        global_channels=(8,),
    ),
    'PointTransformer': dict(channels=(8, 8), blocks=(1, 1), strides=(1, 4), num_neighbors=(4, 4)),
    'PointViT': dict(embed_dims=12, depth=1, num_heads=2, num_patches=4, patch_size=4),
}


@pytest.mark.parametrize('name', some(TRACED))
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
        'HFImageBackbone',  # another library's networks; see test_hf_image.py
        'WrappedModule',  # whatever it wraps
    }
    ours = {
        name
        for name, part in BACKBONES.module_dict.items()
        if part.__module__.startswith('pcdet_kd.')
    }
    assert ours == {*TINY, *TRACED, *alike}
    assert ours - {*EXPORTED} == {'HFImageBackbone'}


WRAPPED = dict(
    module='torch.nn:Linear',
    kwargs=dict(in_features=3, out_features=8),
    out_channels=8,
    output='points',
)
EXPORTED = {**TINY, **TRACED, 'WrappedModule': WRAPPED}


@pytest.mark.parametrize('name', some(EXPORTED))
@pytest.mark.filterwarnings('ignore:.*LeafSpec:FutureWarning')  # torch's own
def test_files_of_every_backbone_give_the_same(name):
    """ONNX in onnxruntime and a file of torch.export, with batch sizes that no graph has seen, and
    the model that a config makes whose tuples have become lists, as in a file.
    """
    pytest.importorskip('onnxscript')
    torch.manual_seed(0)
    head = dict(type='MLPHead', num_classes=5, hidden_channels=())
    views = name == 'MultiViewResNet'
    config = dict(
        type='PointClassifier',
        backbone=dict(type=name, **EXPORTED[name]),
        head=head,
        input_key='views' if views else 'points',
    )
    shape = (2, 3, 8, 8) if views else (20, 3)
    net = Deployed(MODELS.build(config))
    batches = [torch.randn(size, *shape) / 3 for size in (1, 3, 5)]
    program = trace(net, torch.randn(2, *shape) / 3)
    said = Description(config['input_key'], list(shape), list('abcde'))
    twin = Deployed(MODELS.build(json.loads(json.dumps(config))))
    twin.load_state_dict(net.state_dict())
    exported = (OnnxModel(to_onnx(program, said), name), TorchModel(to_torch(program, said), name))
    for model in (*exported, twin):
        assert largest_difference(net, model, batches) <= 1e-4
