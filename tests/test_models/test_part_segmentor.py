from itertools import pairwise

import numpy as np
import pytest
import torch

from pcdet_kd.datasets import ShapeNetPart
from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.datasets.transforms import PackPointInputs, ScoreEveryPoint
from pcdet_kd.evaluation import PartIoU
from pcdet_kd.models import PartSegmentor
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.testing import random_clouds

PARTS = ((0, 1), (2, 3, 4))
BACKBONE = dict(
    type='PointNet2SSG',
    num_points=(16, 8),
    radii=(0.3, 0.6),
    num_neighbors=(4, 4),
    mlp_channels=((8,), (8,)),
    global_channels=(16,),
)
HEAD = dict(type='PointNet2DecodeHead', propagations=((8,), (8,), (8,)), hidden_channels=(8,))


def tiny(**options):
    torch.manual_seed(0)
    return PartSegmentor(
        **{**dict(backbone=BACKBONE, decode_head=HEAD, class_parts=PARTS), **options}
    )


def batch(size=4, num_points=24):
    torch.manual_seed(1)
    samples = []
    for i in range(size):
        sample = PointDataSample(metainfo=dict(sample_idx=i)).set_gt_label(i % 2)
        own = torch.tensor(PARTS[i % 2])
        samples.append(sample.set_gt_parts(own[torch.randint(len(own), (num_points,))]))
    return dict(points=random_clouds(size, num_points)), samples


def test_the_modes_agree():
    model, (inputs, samples) = tiny().eval(), batch()
    out = model(inputs, samples)
    assert isinstance(out, ModelOutput) and out.logits.shape == (4, 24, 5)
    predicted = model(inputs, samples, mode='predict')
    scores = torch.stack([sample.part_score for sample in predicted])
    torch.testing.assert_close(scores, out.logits.softmax(2))
    for i, sample in enumerate(predicted):
        assert set(sample.pred_parts.tolist()) <= set(PARTS[i % 2])
    target = torch.stack([sample.gt_parts for sample in samples])
    expected = torch.nn.functional.cross_entropy(out.logits.flatten(0, 1), target.flatten())
    losses = model(inputs, samples, mode='loss')
    torch.testing.assert_close(losses, dict(loss_seg=expected))
    with pytest.raises(ValueError, match="mode is 'train'"):
        model(inputs, samples, mode='train')


def test_the_class_is_an_input():
    model, (inputs, samples) = tiny().eval(), batch()
    as_input = dict(inputs, category=torch.tensor([0.0, 1, 0, 1]))
    expected = model(inputs, samples).logits
    torch.testing.assert_close(model(as_input).logits, expected, rtol=0, atol=0)
    other = model(dict(inputs, category=torch.tensor([1, 0, 1, 0]))).logits
    assert (other - expected).abs().amax(dim=(1, 2)).min() > 1e-4
    predicted = model(as_input, mode='predict')
    assert [sample.pred_parts.shape for sample in predicted] == [(24,)] * 4
    for unknown in (None, [PointDataSample() for _ in range(4)]):
        with pytest.raises(ValueError, match='the class of each cloud'):
            model(inputs, unknown)


def test_all_parameters_learn():
    model, (inputs, samples) = tiny().train(), batch()
    model(inputs, samples, mode='loss')['loss_seg'].backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_the_weights_of_a_classifiers_encoder_fit_unchanged(tmp_path):
    classifier = MODELS.build(
        dict(type='PointClassifier', backbone=BACKBONE, head=dict(type='MLPHead', num_classes=3))
    )
    file = tmp_path / 'classifier.pth'
    torch.save(dict(state_dict=classifier.state_dict()), file)
    init = dict(type='PretrainedBackbone', checkpoint=str(file))
    model = tiny(backbone=dict(BACKBONE, init_cfg=init))
    model.init_weights()
    for name, value in classifier.backbone.state_dict().items():
        assert torch.equal(model.backbone.state_dict()[name], value), name


@pytest.mark.parametrize('parts', [None, (), ((0, 1), (3,)), ((1, 2),), ((0,), ())])
def test_parts_have_numbers_from_0_on(parts):
    with pytest.raises(ValueError, match='class_parts is'):
        tiny(class_parts=parts)


def test_a_backbone_without_levels_is_refused():
    with pytest.raises(ValueError, match='PointNet has no levels'):
        tiny(backbone=dict(type='PointNet'))


def linear(*widths, bias=False, norm=True):
    """Numbers of a chain of linear layers, each with a BatchNorm."""
    return sum(a * b + b * bias + 2 * b * norm for a, b in pairwise(widths))


def residual(width, bias):
    return 2 * linear(width, width, bias=bias)


ENCODER = 1_075_680  # of PointNet++ MSG
YANX27 = dict(
    radii=((0.1, 0.2, 0.4), (0.4, 0.8)),
    num_neighbors=((32, 64, 128), (64, 128)),
    mlp_channels=(
        ((32, 32, 64), (64, 64, 128), (64, 96, 128)),
        ((128, 128, 256), (128, 196, 256)),
    ),
    bias=True,
)
NETWORKS = {
    # PointCMT's encoder with a decoder built for it
    'PointNet++ MSG': (dict(type='PointNet2MSG'), dict(type='PointNet2DecodeHead'), 1_808_018),
    # the reference, yanx27/Pointnet_Pointnet2_pytorch
    'reference MSG': (
        dict(type='PointNet2MSG', in_channels=6, **YANX27),
        dict(type='PointNet2DecodeHead', bias=True),
        1_740_958,
    ),
    'reference MSG, normals': (
        dict(type='PointNet2MSG', in_channels=9, **YANX27),
        dict(type='PointNet2DecodeHead', bias=True),
        1_741_822,
    ),
    'reference SSG': (  # its layers: three set abstractions, three propagations, two layers
        dict(type='PointNet2SSG', in_channels=6, bias=True),
        dict(
            type='PointNet2DecodeHead',
            propagations=((256, 256), (256, 128), (128, 128, 128)),
            bias=True,
        ),
        linear(6, 64, 64, 128, bias=True)
        + linear(131, 128, 128, 256, bias=True)
        + linear(259, 256, 512, 1024, bias=True)
        + linear(1280, 256, 256, bias=True)
        + linear(384, 256, 128, bias=True)
        + linear(150, 128, 128, 128, 128, bias=True)
        + linear(128, 50, bias=True, norm=False),
    ),
    # the classification encoder and the decoder of antao97/dgcnn.pytorch
    'DGCNN': (
        dict(type='DGCNN'),
        dict(type='DGCNNDecodeHead'),
        sum(linear(2 * a, b) for a, b in ((3, 64), (64, 64), (64, 128), (128, 256)))
        + linear(512, 1024)
        + linear(16, 64)
        + linear(512 + 2048 + 64, 256, 256, 128)
        + 128 * 50,
    ),
    # the classification encoder and the decoder of ma-xu/pointMLP-pytorch
    'PointMLP': (
        dict(type='PointMLP'),
        dict(type='PointMLPDecodeHead'),
        linear(3, 64)
        + sum(
            2 * a + linear(2 * a, b) + 4 * residual(b, False)
            for a, b in ((64, 128), (128, 256), (256, 512), (512, 1024))
        )
        + sum(
            linear(a + b, c, bias=True) + 4 * residual(c, True)
            for a, b, c in ((1024, 512, 512), (512, 256, 256), (256, 128, 128), (128, 64, 128))
        )
        + linear(16, 64, 64, bias=True)
        + sum(linear(width, 64, bias=True) for width in (64, 128, 256, 512, 1024))
        + linear(320, 64, bias=True)
        + linear(256, 128, bias=True)
        + linear(128, 50, bias=True, norm=False),
    ),
    # Pang-Yatian/Point-MAE, whose encoder has no class token here
    'Point-MAE': (
        dict(type='PointViT', class_token=False, pool=('mean', 'max')),
        dict(type='PointViTDecodeHead'),
        21_825_792
        - 2 * 384
        + linear(16, 64)
        + linear(1152 + 3, 1536, 1024, bias=True)
        + linear(1024 + 2 * 1152 + 64, 512, 256, bias=True)
        + linear(256, 50, bias=True, norm=False),
    ),
}


@pytest.mark.parametrize('name', NETWORKS)
def test_parameters_of_the_networks(name):
    backbone, head, expected = NETWORKS[name]
    parts = ShapeNetPart.METAINFO['class_parts']
    with torch.device('meta'):
        model = PartSegmentor(backbone, head, parts)
    assert sum(p.numel() for p in model.parameters()) == expected
    if name == 'PointNet++ MSG':
        assert sum(p.numel() for p in model.backbone.parameters()) == ENCODER


@torch.no_grad()
def test_every_point_of_a_larger_cloud_is_scored_once():
    """From stored clouds of 40 points, of which the network sees 16, to the metric."""
    model, rng = tiny().eval(), np.random.default_rng(0)
    steps = [
        ScoreEveryPoint(dict(type='FarthestPoints', num_points=16)),
        PackPointInputs(parts=True),
    ]
    clouds = rng.normal(size=(4, 40, 3)).astype(np.float32)
    packed = []
    for i, cloud in enumerate(clouds):
        labels = rng.choice(PARTS[i % 2], 40)
        results = dict(points=cloud, part_labels=labels, gt_label=i % 2, sample_idx=i)
        for step in steps:
            results = step(results)
        packed.append(results)
    metric = PartIoU()
    metric.dataset_meta = dict(classes=('a', 'b'), class_parts=PARTS)
    batch = collate_points(packed)
    assert batch['inputs']['points'].shape == (4, 16, 3)
    predicted = model(batch['inputs'], batch['data_samples'], mode='predict')
    metric.process(None, [sample.to_dict() for sample in predicted])
    alone = model(batch['inputs'], batch['data_samples']).logits
    expected = []
    for i, cloud in enumerate(clouds):
        own, target = list(PARTS[i % 2]), packed[i]['data_samples'].gt_parts.numpy()
        away = ((cloud[:, None] - batch['inputs']['points'][i].numpy()) ** 2).sum(2)
        score = alone[i].detach().numpy()[away.argmin(1)][:, own]
        pred = np.array(own)[score.argmax(1)]
        assert predicted[i].pred_parts.tolist() == pred.tolist() and len(pred) == 40
        ious = [
            ((pred == k) & (target == k)).sum() / ((pred == k) | (target == k)).sum() for k in own
        ]
        expected.append(np.mean(ious))
    assert metric.evaluate(4)['instance_miou'] == pytest.approx(100 * np.mean(expected))
