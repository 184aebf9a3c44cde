"""DGCNN against the usual form with 2-D convolutions."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from pcdet_kd.backbones import DGCNN


class Usual(nn.Module):
    """Edge features [x_j - x_i, x_i], 1x1 convolutions, BatchNorm2d; names as in
    WangYueFt/dgcnn.
    """

    def __init__(self, k, channels, embed):
        super().__init__()
        self.k, self.depth = k, len(channels)
        for i, (c, d) in enumerate(zip((3, *channels), channels), 1):
            self.add_module(
                f'conv{i}',
                nn.Sequential(
                    nn.Conv2d(2 * c, d, 1, bias=False), nn.BatchNorm2d(d), nn.LeakyReLU(0.2)
                ),
            )
        self.last = nn.Sequential(
            nn.Conv1d(sum(channels), embed, 1, bias=False), nn.BatchNorm1d(embed), nn.LeakyReLU(0.2)
        )

    def forward(self, points):
        x, outputs = points.transpose(1, 2), []
        for i in range(1, self.depth + 1):
            index = (
                torch.cdist(x.transpose(1, 2), x.transpose(1, 2))
                .topk(self.k, largest=False)
                .indices
            )
            neighbours = torch.stack([c[:, j] for c, j in zip(x, index)])
            edges = torch.cat(
                [neighbours - x.unsqueeze(3), x.unsqueeze(3).expand_as(neighbours)], 1
            )
            x = getattr(self, f'conv{i}')(edges).max(3).values
            outputs.append(x)
        x = self.last(torch.cat(outputs, 1))
        return torch.cat([F.adaptive_max_pool1d(x, 1), F.adaptive_avg_pool1d(x, 1)], 1).squeeze(2)


def pair(channels=(8, 8, 12), embed=16, k=5):
    torch.manual_seed(0)
    usual, net = (
        Usual(k, channels, embed).double(),
        DGCNN(channels=channels, embed_channels=embed, num_neighbors=k).double(),
    )
    for key, value in usual.state_dict().items():
        if value.is_floating_point() and 'var' not in key:
            value.normal_()
    state = {}
    for key, value in usual.state_dict().items():
        module, place, what = key.split('.')
        ours = 'embedding' if module == 'last' else f'edge_convs.{int(module[4:]) - 1}'
        name = f'{ours}.{"linear" if place == "0" else "norm"}.{what}'
        state[name] = value.flatten(1) if place == '0' else value
    net.load_state_dict(state, strict=True)
    return usual, net


@pytest.mark.parametrize('training', [True, False])
def test_equals_the_usual_form(training):
    usual, net = (model.train(training) for model in pair())
    points = torch.randn(3, 40, 3, dtype=torch.float64)
    expected, out = usual(points), net(points).global_feat
    torch.testing.assert_close(out, expected)
    grad = torch.randn_like(expected)
    expected.backward(grad), out.backward(grad)
    for a, b in zip(usual.parameters(), net.parameters()):
        torch.testing.assert_close(b.grad, a.grad.view(b.shape), rtol=1e-6, atol=1e-8)
    for a, b in zip(usual.buffers(), net.buffers()):
        torch.testing.assert_close(b, a)


def test_the_ordinary_form():
    net, plain = (
        pair()[1].eval(),
        DGCNN(channels=(8, 8, 12), embed_channels=16, num_neighbors=5, fused=False).double().eval(),
    )
    plain.load_state_dict(net.state_dict())
    points = torch.randn(2, 30, 3, dtype=torch.float64)
    torch.testing.assert_close(net(points).global_feat, plain(points).global_feat)
    assert not any(layer.fused for layer in plain.edge_convs) and all(
        layer.fused for layer in net.edge_convs
    )


def test_outputs():
    net = DGCNN(in_channels=4, channels=(8, 6), embed_channels=16).eval()
    points = torch.rand(2, 30, 4)
    out = net(points)
    assert out.global_feat.shape == (2, 32) and net.out_channels == 32
    assert [tuple(stage.shape) for stage in out.stages] == [(2, 8, 30), (2, 6, 30)]
    assert torch.equal(out.coords, points[..., :3])
    torch.testing.assert_close(
        out.global_feat, torch.cat([out.point_feats.amax(2), out.point_feats.mean(2)], 1)
    )


def test_the_order_of_the_points_does_not_matter():
    net = pair()[1].eval()
    points = torch.randn(2, 30, 3, dtype=torch.float64)
    torch.testing.assert_close(
        net(points[:, torch.randperm(30)]).global_feat, net(points).global_feat
    )


def test_published_sizes():
    with torch.device('meta'):
        net = DGCNN()
    assert [layer.num_neighbors for layer in net.edge_convs] == [20] * 4
    assert [tuple(layer.linear.weight.shape) for layer in net.edge_convs] == [
        (64, 6),
        (64, 128),
        (128, 128),
        (256, 256),
    ]


def test_wrong_arguments():
    with pytest.raises(ValueError, match='at least one width'):
        DGCNN(channels=())
    with pytest.raises(ValueError, match='num_neighbors 0'):
        DGCNN(num_neighbors=0)


def test_levels_are_the_outputs_of_the_edge_convolutions_at_the_points():
    net = DGCNN(channels=(8, 12), embed_channels=16, num_neighbors=4).eval()
    points = torch.randn(2, 20, 3)
    out = net(points)
    assert len(out.levels) == 2
    for level, stage in zip(out.levels, out.stages):
        assert torch.equal(level.coords, points)
        assert torch.equal(level.feats.transpose(1, 2), stage)
