import torch

from pcdet_kd.heads import DGCNNDecodeHead
from pcdet_kd.structures import Level, PointFeatures


def test_a_point_sees_its_levels_the_cloud_and_its_class():
    torch.manual_seed(0)
    head = DGCNNDecodeHead(
        class_channels=3,
        hidden_channels=(8, 7, 6),
        num_parts=5,
        num_classes=2,
        level_channels=(4, 5),
        global_channels=9,
    ).eval()
    points = torch.randn(2, 6, 3)
    levels = tuple(Level(points, torch.randn(2, 6, width)) for width in (4, 5))
    features = PointFeatures(torch.randn(2, 9), levels=levels)
    found = head(points, features, torch.tensor([1, 0]))
    kind = head.embed_class(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    shared = torch.cat([features.global_feat, kind], dim=1)[:, None].expand(-1, 6, -1)
    x = torch.cat([levels[0].feats, levels[1].feats, shared], dim=-1)
    expected = head.fc(head.hidden(head.join.finish(head.join.linear(x))))
    torch.testing.assert_close(found, expected)
    assert found.shape == (2, 6, 5)


def test_dropout_is_after_the_first_two_layers():
    head = DGCNNDecodeHead(num_parts=5, num_classes=2, level_channels=(4,), global_channels=9)
    drops = [head.join.drop, *(layer.drop for layer in head.hidden)]
    assert [drop.p if drop else 0 for drop in drops] == [0.5, 0.5, 0]
    assert not any(name.endswith('linear.bias') or name == 'fc.bias' for name in head.state_dict())
