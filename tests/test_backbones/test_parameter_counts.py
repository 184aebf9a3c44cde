"""Trainable parameters of the published networks, to the unit, with 40 classes and with 15."""

import pytest
import torch

from pcdet_kd.registry import BACKBONES, HEADS

# Counted in the code of: fxia22/pointnet.pytorch; PointNet (Qi et al., 2017) as described;
# yanx27/Pointnet_Pointnet2_pytorch (with biases) and erikwijmans' layers (without);
# ma-xu/pointMLP-pytorch; ZhanHeshen/PointCMT; WangYueFt/dgcnn. Point-MAE's and AsymDSD's from the
# released code; PCT, GDANet, CurveNet and Point Transformer from the layer sizes of the code that
# each class names. guochengqian/openpoints; hancyran/RepSurf; Yochengliu/Relation-Shape-CNN;
# princeton-vl/SimpleView.
_ASYMDSD = dict(hidden_channels=(256, 256), bias=False, last_bias=False)
PUBLISHED = [
    ('PointNet, fxia22', dict(type='PointNet', variant='fxia22'), {}, 3_471_473, 3_465_048),
    ('PointNet, paper', dict(type='PointNet'), {}, 3_480_049, 3_473_624),
    ('PointNet++ SSG', dict(type='PointNet2SSG'), dict(bias=False), 1_472_360, 1_465_935),
    ('PointNet++ SSG with biases', dict(type='PointNet2SSG', bias=True), {}, 1_475_688, 1_469_263),
    ('PointNet++ MSG', dict(type='PointNet2MSG'), dict(bias=False), 1_742_856, 1_736_431),
    ('PointNet++ MSG with biases', dict(type='PointNet2MSG', bias=True), {}, 1_747_368, 1_740_943),
    (
        'PointNet++ MSG, head of PointCMT',
        dict(type='PointNet2MSG'),
        dict(hidden_channels=(512,), bias=False),
        1_621_512,
        1_608_687,
    ),
    ('PointMLP', dict(type='PointMLP'), {}, 13_238_504, 13_232_079),
    ('PointMLP-elite', dict(type='PointMLPElite'), {}, 716_232, 709_807),
    (
        'PointMLP, head of PointCMT',
        dict(type='PointMLP'),
        dict(hidden_channels=(512,)),
        None,
        13_104_079,
    ),
    ('DGCNN', dict(type='DGCNN'), dict(bias=(False, True)), 1_809_576, 1_803_151),
    (
        'DGCNN, head of PointCMT',
        dict(type='DGCNN'),
        dict(hidden_channels=(512,), bias=False),
        1_687_976,
        None,
    ),
    ('Point-MAE', dict(type='PointViT'), dict(hidden_channels=(256, 256)), 22_099_752, 22_093_327),
    ('AsymDSD-S', dict(type='PointViT', preset='asymdsd_s'), _ASYMDSD, 22_157_952, None),
    ('AsymDSD-B', dict(type='PointViT', preset='asymdsd_b'), _ASYMDSD, 92_151_552, None),
    ('PCT', dict(type='PCT'), dict(bias=(False, True)), 2_876_136, 2_869_711),
    ('GDANet', dict(type='GDANet'), {}, 936_616, 930_191),
    (
        'CurveNet',
        dict(type='CurveNet'),
        dict(hidden_channels=(512,), bias=False),
        2_140_672,
        2_127_847,
    ),
    (
        'Point Transformer',
        dict(type='PointTransformer'),
        dict(hidden_channels=(256, 128)),
        3_964_394,
        3_961_169,
    ),
    ('PointNeXt-S', dict(type='PointNeXt'), dict(bias=False), 1_373_512, None),
    (
        'PointNeXt-S with heights',
        dict(type='PointNeXt', in_channels=4),
        dict(bias=False),
        None,
        1_367_119,
    ),
    ('PointNeXt-S, C = 64', dict(type='PointNeXt', width=64), dict(bias=False), 4_523_112, None),
    ('RepSurf-U', dict(type='RepSurf'), {}, 1_483_216, 1_476_791),
    ('RepSurf-U, twice as wide', dict(type='RepSurf', variant='2x'), {}, 6_806_288, 6_799_863),
    ('RS-CNN SSN', dict(type='RSCNN'), dict(bias=False), 1_289_505, 1_283_080),
    (
        'RS-CNN SSN, head of PointCMT',
        dict(type='RSCNN'),
        dict(hidden_channels=(512,), bias=False),
        1_168_161,
        None,
    ),
    ('SimpleView', dict(type='SimpleView'), dict(hidden_channels=(128,)), 803_992, 800_767),
    (
        'SimpleView, full width',
        dict(type='SimpleView', base_width=64),
        dict(hidden_channels=(512,)),
        12_763_624,
        None,
    ),
    (
        'MVCNN ResNet-18',
        dict(type='MultiViewResNet'),
        dict(hidden_channels=()),
        11_197_032,
        11_184_207,
    ),
    (
        "DGCNN's PointNet",
        dict(type='PointNet', input_transform=False, feature_transform=False, bias=False),
        dict(hidden_channels=(512,), bias=False),
        696_168,
        None,
    ),
]


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ('backbone', 'head', 'of_40', 'of_15'),
    [row[1:] for row in PUBLISHED],
    ids=[row[0] for row in PUBLISHED],
)
def test_backbone_and_head(backbone, head, of_40, of_15):
    with torch.device('meta'):
        net = BACKBONES.build(backbone)
        for classes, expected in ((40, of_40), (15, of_15)):
            if expected is not None:
                own = HEADS.build(
                    dict(type='MLPHead', num_classes=classes, in_channels=net.out_channels, **head)
                )
                assert count(net) + count(own) == expected


@pytest.mark.parametrize(
    ('preset', 'expected'),
    [
        ('point_mae', 21_825_792),
        ('asymdsd_s', 21_786_240),
        ('asymdsd_b', 91_484_928),
        ('asymdsd_l', 309_128_960),
    ],
)
def test_point_vit_alone(preset, expected):
    with torch.device('meta'):
        assert count(BACKBONES.build(dict(type='PointViT', preset=preset))) == expected


def test_trunk_of_the_image_teacher():
    with torch.device('meta'):
        assert count(BACKBONES.build(dict(type='MultiViewResNet'))) == 11_176_512
