import torch

from pcdet_kd.heads import PointViTDecodeHead
from pcdet_kd.ops import three_interpolate
from pcdet_kd.structures import Level, PointFeatures


def test_points_see_their_tokens_and_all_tokens():
    torch.manual_seed(0)
    head = PointViTDecodeHead(
        propagation=(8, 7),
        class_channels=3,
        hidden_channels=(6, 5),
        num_parts=4,
        num_classes=2,
        level_channels=(4, 4, 4),
        global_channels=8,
    ).eval()
    points, centres = torch.randn(2, 12, 3), torch.randn(2, 5, 3)
    levels = tuple(Level(centres, torch.randn(2, 5, 4)) for _ in range(3))
    found = head(points, PointFeatures(torch.randn(2, 8), levels=levels), torch.tensor([1, 0]))

    tokens = torch.cat([level.feats for level in levels], dim=-1)
    x = torch.cat([points, three_interpolate(points, centres, tokens)], dim=-1)
    join = head.propagation.join
    x = head.propagation.mlp(join.finish(join.linear(x)))
    kind = head.embed_class(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    shared = torch.cat([tokens.amax(1), tokens.mean(1), kind], dim=1)[:, None].expand(-1, 12, -1)
    x = head.join.finish(head.join.linear(torch.cat([x, shared], dim=-1)))
    torch.testing.assert_close(found, head.fc(head.hidden(x)), atol=1e-4, rtol=1e-4)
    assert head.join.drop.p == 0.5 and head.hidden[0].drop is None
