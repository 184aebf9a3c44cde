import numpy as np
import pytest
import torch

from pcdet_kd.registry import MODELS
from pcdet_kd.visualization import crops, draw_crops

LOSS = dict(type='SelfDistillationLoss', num_prototypes=6)


@pytest.fixture
def model():
    torch.manual_seed(0)
    backbone = dict(
        type='PointViT',
        preset='asymdsd_s',
        embed_dims=8,
        depth=1,
        num_heads=2,
        num_patches=10,
        patch_size=4,
    )
    student = dict(
        type='MaskedPointEncoder',
        backbone=backbone,
        projection=dict(num_prototypes=6, hidden_channels=(8,), bottleneck=4),
        predictor=dict(embed_dims=4, depth=1, num_heads=1),
    )
    losses = dict(cls=LOSS, patch=LOSS)
    return MODELS.build(dict(type='AsymDSD', student=student, losses=losses, num_masks=2))


def test_cloud_crops_and_masks(model, monkeypatch):
    drawn = {}

    def draw(clouds, titles, path, up_axis, colors, columns):
        drawn.update(clouds=clouds, titles=titles, colors=colors)
        return path

    monkeypatch.setattr(crops, 'draw_point_clouds', draw)
    inputs = dict(global_crops=torch.randn(2, 40, 3), local_crops=torch.randn(3, 16, 3))
    assert draw_crops(model, np.random.rand(50, 3), inputs, 'x.png') == 'x.png'
    assert [len(c) for c in drawn['clouds']] == [50, 40, 40, 16, 16, 16, 40, 40]
    assert drawn['titles'][0] == 'cloud\n50 points' and '7 of 10 hidden' in drawn['titles'][-1]
    assert drawn['colors'][:6] == [None] * 6
    for colors in drawn['colors'][6:]:
        grey = (colors == 0.86).all(axis=1)
        # three visible patches of four points, which may overlap
        assert 4 <= (~grey).sum() <= 12
