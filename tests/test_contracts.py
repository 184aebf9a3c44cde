"""Every registered part keeps its contract: registering a part tests it.

A part that cannot be built without arguments, or would be slow at its published size, gets an entry
below.
"""

import atexit
import copy
import functools
import pickle
import shutil
import tempfile

import pytest
import torch
from torch import distributed as dist

from pcdet_kd.registry import BACKBONES, DECODE_HEADS, HEADS, LOSSES, MODELS
from pcdet_kd.structures import PointDataSample
from pcdet_kd.testing import (
    check_backbone,
    check_dataset,
    check_loss,
    check_teacher,
    random_clouds,
    random_views,
)
from pcdet_kd.testing.hugging_face import save_tiny_hf_model


def ours(registry):
    """Names registered by the package itself, not by a test."""
    registry.import_from_location()
    return sorted(
        name
        for name, part in registry.module_dict.items()
        if part.__module__.startswith('pcdet_kd.')
    )


_POINTMLP = dict(
    embed_channels=8, channels=(8, 16, 16, 24), num_points=(32, 16, 8, 4), num_neighbors=8
)
TINY_BACKBONES = {
    'CurveNet': dict(
        embed_channels=8,
        channels=(16, 16),
        num_points=(48, 16),
        radii=(0.3, 0.5),
        num_neighbors=6,
        curves=((10, 3), None),
        out_channels=24,
    ),
    'GDANet': dict(channels=(8, 8, 12), num_neighbors=6, num_select=12, embed_channels=16),
    'PCT': dict(
        embed_channels=8,
        channels=(12, 16),
        num_points=(32, 16),
        num_neighbors=8,
        num_attentions=2,
        out_channels=24,
    ),
    'DGCNN': dict(channels=(8, 8, 12), embed_channels=16, num_neighbors=8),
    'MultiViewResNet': dict(base_width=4, small_input=True),
    'PointMLP': _POINTMLP,
    'PointMLPElite': _POINTMLP,
    'PointNet': dict(
        local_channels=(8,), global_channels=(16, 24), transform_mlp=(8, 16), transform_fc=(16, 8)
    ),
    'PointNet2MSG': dict(
        num_points=(32, 8),
        radii=((0.2, 0.4), (0.6,)),
        num_neighbors=((4, 8), (8,)),
        mlp_channels=(((8,), (8, 12)), ((16, 16),)),
        global_channels=(16, 24),
    ),
    'PointNet2SSG': dict(
        num_points=(32, 8),
        radii=(0.3, 0.6),
        num_neighbors=(8, 8),
        mlp_channels=((8, 16), (16, 16)),
        global_channels=(16, 24),
    ),
    'PointTransformer': dict(
        channels=(8, 16, 24), blocks=(1, 1, 1), strides=(1, 4, 4), num_neighbors=(4, 8, 8)
    ),
    'PointViT': dict(embed_dims=24, depth=3, num_heads=2, num_patches=8, patch_size=8),
    'PointNeXt': dict(width=4, blocks=(0, 1, 0, 0), num_neighbors=8),
    'RSCNN': dict(
        channels=(16, 24),
        num_points=(32, 8),
        num_neighbors=(8, 8),
        lift_channels=4,
        global_channels=24,
    ),
    'RepSurf': dict(
        num_points=(32, 8),
        radii=(0.3, 0.6),
        num_neighbors=(8, 8),
        mlp_channels=((8, 16), (16, 16)),
        global_channels=(16, 24),
    ),
    'SimpleView': dict(base_width=2, image_size=16),
}
LOSS_ARGUMENTS = {  # check_loss has 5 classes and features of 8 channels
    'SelfDistillationLoss': dict(num_prototypes=5),
    'VariationalLoss': dict(channels=8),
}
LOSS_SHAPES = {'AttentionTransferLoss': dict(student_feat=(4, 8, 16), teacher_feat=(4, 6, 16))}
SEE_VIEWS = {'HFImageBackbone', 'MultiViewResNet'}
HEAD_ARGUMENTS = {'CLIPTextHead': dict(hf_model='', classes='abcde')}  # as many as classes
WHOLE = dict(num_neighbors=64)  # a ball query that overflows keeps the points it meets first
ORDER = {  # which order of the points must not matter, and what a tiny network needs for it
    **dict.fromkeys(('DGCNN', 'GDANet', 'PointNet', 'SimpleView', 'WrappedModule'), ('any', {})),
    **dict.fromkeys(
        ('PCT', 'PointMLP', 'PointMLPElite', 'PointTransformer', 'PointViT'), ('behind_first', {})
    ),
    'CurveNet': ('behind_first', WHOLE),
    'PointNeXt': ('behind_first', WHOLE),
    'PointNet2MSG': ('behind_first', dict(num_neighbors=((64, 64), (64,)))),
    **dict.fromkeys(
        ('PointNet2SSG', 'RepSurf', 'RSCNN'), ('behind_first', dict(num_neighbors=(64, 64)))
    ),
}


def tiny(name, in_channels=3):
    if name == 'WrappedModule':
        kwargs = dict(in_features=in_channels, out_features=8)
        return dict(module='torch.nn:Linear', kwargs=kwargs, out_channels=8, output='points')
    if name == 'HFImageBackbone':
        return dict(hf_model=tiny_hf_model(in_channels))
    return TINY_BACKBONES.get(name, {})


@functools.cache
def tiny_hf_model(channels):
    pytest.importorskip('transformers')
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return save_tiny_hf_model(folder, 'dinov2', channels)


@pytest.mark.parametrize('in_channels', [3, 6])
@pytest.mark.parametrize('name', ours(BACKBONES))
def test_backbone(name, in_channels):
    config = dict(type=name, in_channels=in_channels, **tiny(name, in_channels))
    if name in SEE_VIEWS:
        check_backbone(
            config,
            in_channels,
            sizes=(1, 3),
            make_input=lambda b, v, c: random_views(b, v, c, size=16),
        )
    else:
        order, changes = ORDER[name]
        check_backbone(
            dict(config, **changes), in_channels, sizes=(1, 5, 17, 1024, 2048, 64), order=order
        )


@pytest.fixture(scope='module')
def one_process(tmp_path_factory):
    dist.init_process_group(
        'gloo',
        store=dist.FileStore(str(tmp_path_factory.mktemp('ddp') / 'store'), 1),
        rank=0,
        world_size=1,
    )
    yield
    dist.destroy_process_group()


@pytest.mark.parametrize('name', ours(BACKBONES))
def test_distributed(name, one_process):
    """A second step is an error after a parameter without gradient; gradients that lie otherwise
    than weights are a warning.
    """
    net = torch.nn.parallel.DistributedDataParallel(BACKBONES.build(dict(type=name, **tiny(name))))
    for _ in range(2):
        net(
            random_views(4, 3, 3, 16) if name in SEE_VIEWS else random_clouds(4, 64)
        ).global_feat.sum().backward()


def degenerate_clouds(num_points):
    """Points that coincide (away from the origin, and there), on a line, on an axis, in a plane;
    and far and close ones.
    """
    steps = torch.linspace(-1, 1, num_points)[:, None]
    normal = torch.randn(num_points, 3)
    return dict(
        same=torch.full((num_points, 3), 0.3),
        origin=torch.zeros(num_points, 3),
        line=steps * torch.tensor([1.0, 2, 3]),
        axis=steps * torch.tensor([0.0, 0, 1]),
        plane=normal * torch.tensor([1.0, 1, 0]),
        far=normal + 1e4,
        close=normal * 1e-6,
        two=(steps > 0) * torch.ones(3),
    )


@pytest.mark.parametrize('name', sorted(set(ours(BACKBONES)) - SEE_VIEWS))
def test_a_degenerate_cloud_spoils_no_batch(name):
    """Features and gradients stay finite, those of the points too (adversarial training asks for
    them).
    """
    torch.manual_seed(0)
    net = BACKBONES.build(dict(type=name, **tiny(name)))
    for size in (1, 17, 64):
        clouds = degenerate_clouds(size)
        batches = {
            kind: torch.stack([cloud, *random_clouds(2, size)]) for kind, cloud in clouds.items()
        }
        # in evaluation no cloud sees another one
        for kind, points in {**batches, 'all': torch.stack([*clouds.values()])}.items():
            net.train(kind != 'all').zero_grad(set_to_none=True)
            points.requires_grad_(True)
            feature = net(points).global_feat
            assert torch.isfinite(feature).all(), (kind, size)
            (feature * torch.randn_like(feature)).sum().backward()
            grads = [p.grad for p in net.parameters() if p.requires_grad]
            grads += (
                [] if points.grad is None else [points.grad]
            )  # SimpleView's images have no gradient
            assert all(torch.isfinite(grad).all() for grad in grads), (kind, size)


@pytest.mark.parametrize(
    'name',
    sorted(
        {'CurveNet', 'DGCNN', 'GDANet', 'PointNet', 'SimpleView', 'WrappedModule'}
        ^ (set(ours(BACKBONES)) - SEE_VIEWS)
    ),
)
def test_the_sampling_starts_anywhere_in_training_only(name):
    """All that sample farthest points, but CurveNet, which always starts at the first."""
    torch.manual_seed(0)
    net = BACKBONES.build(dict(type=name, fps_start='random', **tiny(name)))
    for part in net.modules():
        if hasattr(part, 'rate'):  # stochastic depth
            part.rate = 0.0
    points = random_clouds(2, 64)
    with torch.no_grad():
        assert all(
            torch.equal(net.eval()(points).global_feat, net(points).global_feat) for _ in range(4)
        )
        first = net.train()(points).global_feat
        assert not all(torch.equal(first, net(points).global_feat) for _ in range(4))


@pytest.mark.parametrize('name', ours(BACKBONES))
def test_a_backbone_is_copied_and_pickled(name):
    net = BACKBONES.build(dict(type=name, **tiny(name))).eval()
    x = random_views(2, 2, size=16) if name in SEE_VIEWS else random_clouds(2, 20)
    with torch.no_grad():
        expected = net(x).global_feat
        for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert torch.equal(twin(x).global_feat, expected)
            assert list(twin.state_dict()) == list(net.state_dict())
            torch.nn.init.zeros_(next(twin.parameters()))
        assert torch.equal(net(x).global_feat, expected)


@pytest.mark.parametrize('name', ours(HEADS))
def test_head(name):
    torch.manual_seed(0)
    config = dict(type=name, in_channels=16, num_classes=5, **HEAD_ARGUMENTS.get(name, {}))
    head = HEADS.build(config)
    x = torch.randn(4, 16, requires_grad=True)
    samples = [PointDataSample().set_gt_label(i) for i in range(4)]
    losses = head.loss(head(x), samples)
    assert 'loss_cls' in losses and all(key.startswith(('loss_', 'stat_')) for key in losses)
    sum(value for key, value in losses.items() if key.startswith('loss_')).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in head.parameters())
    head.eval()
    feature = head.feature(x)
    assert feature.shape == (4, head.feat_channels)
    assert torch.equal(head.classify(feature), head(x))
    for sample, logits in zip(head.predict(head(x).detach(), samples), head(x).detach()):
        torch.testing.assert_close(sample.pred_score, logits.softmax(0))
        assert sample.pred_label.tolist() == [int(logits.argmax())] and 'gt_label' in sample
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.isfinite(head.loss(head(x), samples)['loss_cls'])
    assert HEADS.build(config).load_state_dict(head.state_dict(), strict=True)


DECODERS = {  # a backbone whose levels the head can decode, and small widths
    'DGCNNDecodeHead': ('DGCNN', dict(class_channels=4, hidden_channels=(8, 8, 8))),
    'PointMLPDecodeHead': ('PointMLP', dict(channels=(8, 8, 8, 8), blocks=(1, 1, 1, 1))),
    'PointNet2DecodeHead': ('PointNet2MSG', dict(propagations=((8,), (8,), (8, 8)))),
    'PointViTDecodeHead': ('PointViT', dict(propagation=(8, 8), hidden_channels=(8, 8))),
}


@pytest.mark.parametrize('name', ours(DECODE_HEADS))
def test_decode_head(name):
    torch.manual_seed(0)
    backbone, options = DECODERS[name]
    config = dict(
        type='PartSegmentor',
        backbone=dict(type=backbone, **tiny(backbone)),
        decode_head=dict(type=name, **options),
        class_parts=((0, 1), (2, 3, 4)),
    )
    model = MODELS.build(config)
    inputs = dict(points=random_clouds(4, 64))
    samples = [
        PointDataSample().set_gt_label(i % 2).set_gt_parts(torch.arange(64) % 2 + 2 * (i % 2))
        for i in range(4)
    ]
    losses = model.train()(inputs, samples, mode='loss')
    assert 'loss_seg' in losses
    losses['loss_seg'].backward()
    grads = [p.grad for p in model.decode_head.parameters()]
    assert all(grad is not None and grad.isfinite().all() for grad in grads)
    out = model.eval()(inputs, samples)
    assert out.logits.shape == (4, 64, 5)
    alone = model(dict(points=inputs['points'][1:2]), samples[1:2]).logits
    torch.testing.assert_close(alone, out.logits[1:2], atol=1e-4, rtol=1e-3)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert torch.isfinite(model(inputs, samples, mode='loss')['loss_seg'])
    for size in (1, 5):  # fewer points than any level
        assert model(dict(points=random_clouds(4, size)), samples).logits.shape == (4, size, 5)
    MODELS.build(config).load_state_dict(model.state_dict(), strict=True)


@pytest.mark.parametrize('name', ours(LOSSES))
def test_loss(name):
    shapes = LOSS_SHAPES.get(name)
    inputs = shapes and {key: torch.randn(shape) for key, shape in shapes.items()}
    check_loss(dict(type=name, **LOSS_ARGUMENTS.get(name, {})), inputs)


@pytest.mark.parametrize('name', ours(BACKBONES))
def test_any_classifier_is_a_frozen_teacher(name, tmp_path):
    views = name in SEE_VIEWS
    model = dict(
        type='PointClassifier',
        backbone=dict(type=name, **tiny(name)),
        head=dict(type='MLPHead', num_classes=5, hidden_channels=(8,)),
        input_key='views' if views else 'points',
    )
    torch.save(MODELS.build(model).state_dict(), tmp_path / 'teacher.pth')
    inputs = dict(points=random_clouds(4, 16), views=random_views(4, 2, size=16))
    check_teacher(
        dict(type='FrozenTeacher', model=model, checkpoint=str(tmp_path / 'teacher.pth')),
        inputs,
        [PointDataSample() for _ in range(4)],
    )


@pytest.mark.parametrize('split', ['train', 'test'])
def test_the_data_set_that_needs_no_files(split, tmp_path):
    check_dataset(
        dict(
            type='SyntheticScans',
            split=split,
            num_train=16,
            num_test=15,
            num_points=64,
            cache_dir=str(tmp_path),
            workers=1,
            pipeline=[dict(type='RandomJitter')],
        )
    )
