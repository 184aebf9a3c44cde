import pytest
import torch

from pcdet_kd.heads import PointMLPDecodeHead
from pcdet_kd.ops import three_interpolate
from pcdet_kd.structures import Level, PointFeatures


def test_layers_and_context():
    torch.manual_seed(0)
    head = PointMLPDecodeHead(
        channels=(7, 6),
        blocks=(1, 2),
        context_channels=4,
        class_channels=3,
        hidden_channels=8,
        num_parts=5,
        num_classes=2,
        level_channels=(4, 8, 9),
        global_channels=9,
    ).eval()
    points = torch.randn(2, 12, 3)
    coords = (points, torch.randn(2, 6, 3), torch.randn(2, 4, 3))
    levels = tuple(Level(c, torch.randn(2, c.shape[1], w)) for c, w in zip(coords, (4, 8, 9)))
    found = head(points, PointFeatures(torch.randn(2, 9), levels=levels), torch.tensor([1, 0]))

    x, where = levels[2].feats, coords[2]
    for level, step in zip((levels[1], levels[0]), head.propagations):
        x = torch.cat([level.feats, three_interpolate(level.coords, where, x)], dim=-1)
        x = step.blocks(step.join.finish(step.join.linear(x)))
        where = level.coords
    maxima = [f(level.feats).amax(1) for f, level in zip(head.summaries, levels)]
    kind = head.embed_class(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    shared = torch.cat([head.context(torch.cat(maxima, 1)), kind], 1)[:, None].expand(-1, 12, -1)
    x = head.hidden.finish(head.hidden.linear(torch.cat([x, shared], dim=-1)))
    torch.testing.assert_close(found, head.fc(x), atol=1e-4, rtol=1e-4)
    assert [len(step.blocks) for step in head.propagations] == [1, 2]
    assert head.hidden.act is None and head.hidden.drop.p == 0.5


def test_one_propagation_less_than_levels():
    with pytest.raises(ValueError, match='4 channels, 4 blocks, 2 level_channels'):
        PointMLPDecodeHead(num_parts=5, num_classes=2, level_channels=(3, 8, 9), global_channels=10)
