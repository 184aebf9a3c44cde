import pytest
import torch

from pcdet_kd.registry import MODELS

BACKBONE = dict(
    type='PointViT', preset='asymdsd_s', embed_dims=8, depth=1, num_heads=2, pool=('mean', 'max')
)
SMALL = dict(num_prototypes=6, hidden_channels=(8,), bottleneck=4)


@pytest.mark.parametrize(
    ('class_token', 'predictor', 'parts'),
    [
        (True, dict(embed_dims=4, num_heads=1), {'backbone', 'cls_head', 'patch_head'}),
        (True, None, {'backbone', 'cls_head'}),
        (False, dict(embed_dims=4, num_heads=1), {'backbone', 'patch_head'}),
    ],
)
def test_its_parts_follow_from_class_token_and_predictor(class_token, predictor, parts):
    model = MODELS.build(
        dict(
            type='MaskedPointEncoder',
            backbone=dict(BACKBONE, class_token=class_token),
            projection=SMALL,
            predictor=predictor,
        )
    )
    followed = model.followed()
    assert set(followed) == parts and followed.backbone is model.backbone
    assert (model.mask_token is None) == (predictor is None)
    out = model(dict(points=torch.randn(2, 40, 3)))
    assert out.logits is None and out.feat.shape == (2, 16)


def test_what_it_cannot_do_is_said():
    with pytest.raises(ValueError, match='nothing can be trained'):
        MODELS.build(dict(type='MaskedPointEncoder', backbone=dict(BACKBONE, class_token=False)))
    model = MODELS.build(dict(type='MaskedPointEncoder', backbone=BACKBONE, projection=SMALL))
    with pytest.raises(ValueError, match='no labels.*--load-backbone'):
        model(dict(points=torch.randn(2, 40, 3)), [], mode='predict')


def test_sizes():
    """remcofl/AsymDSD: student with the mask token; B and L by the published dimensions."""
    for size, count in (('s', 30_117_376), ('b', 109_010_944)):
        head = dict(num_prototypes=4096, hidden_channels=(1024, 1024), bottleneck=256)
        predictor = dict(s=dict(), b=dict(embed_dims=384, num_heads=6))[size]
        with torch.device('meta'):
            model = MODELS.build(
                dict(
                    type='MaskedPointEncoder',
                    backbone=dict(type='PointViT', preset=f'asymdsd_{size}'),
                    projection=head,
                    predictor=predictor,
                )
            )
        assert sum(p.numel() for p in model.parameters()) == count
