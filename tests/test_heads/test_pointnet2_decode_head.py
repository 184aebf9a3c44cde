import numpy as np
import pytest
import torch

from pcdet_kd.heads import PointNet2DecodeHead
from pcdet_kd.structures import Level, PointFeatures


def test_it_goes_from_the_cloud_through_the_levels_to_the_points():
    """Against loops over concatenated, interpolated features."""
    torch.manual_seed(0)
    head = PointNet2DecodeHead(
        propagations=((7, 6), (5,), (4,)),
        hidden_channels=(3,),
        num_parts=5,
        num_classes=2,
        level_channels=(4, 8, 9),
        global_channels=10,
    ).eval()
    points = torch.randn(2, 12, 4)
    coords = [points[..., :3], torch.randn(2, 6, 3), torch.randn(2, 4, 3)]
    levels = [Level(c, torch.randn(2, c.shape[1], w)) for c, w in zip(coords, (4, 8, 9))]
    levels[0] = Level(coords[0], points)
    features = PointFeatures(torch.randn(2, 10), levels=tuple(levels))
    category = torch.tensor([1, 0])
    found = head(points, features, category)

    def layer(block, x):
        return block.finish(block.linear(x))

    for b in range(2):
        kind = torch.tensor([[0.0, 1.0], [1.0, 0.0]])[b]
        x = features.global_feat[b].expand(4, -1)
        for i, (fine, propagation) in enumerate(zip(levels[::-1], head.propagations)):
            own = fine.feats[b]
            if i == 2:
                own = torch.cat([kind.expand(12, -1), own], dim=1)
            if i:
                x = spread(fine.coords[b], levels[::-1][i - 1].coords[b], x)
            x = layer(propagation.join, torch.cat([own, x], dim=1))
            for block in propagation.mlp:
                x = layer(block, x)
        expected = head.fc(layer(head.hidden[0], x))
        torch.testing.assert_close(found[b], expected, atol=1e-4, rtol=1e-4)


def spread(coords, other_coords, other):
    """Mean of the three nearest, weighted by inverse squared distance."""
    squared = ((coords[:, None].double() - other_coords[None].double()) ** 2).sum(2).numpy()
    index = np.argsort(squared, axis=1)[:, :3]
    weight = 1 / (np.take_along_axis(squared, index, 1) + 1e-8)
    weight = torch.from_numpy(weight / weight.sum(1, keepdims=True)).float()
    return (other[torch.from_numpy(index)] * weight[..., None]).sum(1)


def test_one_propagation_per_level():
    with pytest.raises(ValueError, match='3 propagations, 2 level_channels'):
        PointNet2DecodeHead(num_parts=5, num_classes=2, level_channels=(3, 8), global_channels=10)
