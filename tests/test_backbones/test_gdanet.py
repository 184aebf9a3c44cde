"""GDANet: the graph filter, the attention, blocks."""

import inspect
import math

import torch

from pcdet_kd.backbones import GDANet
from pcdet_kd.backbones.gdanet import ComplementaryAttention, LocalOperator, disentangle
from pcdet_kd.ops import group, knn

TINY = dict(channels=(6, 6, 8), num_neighbors=5, num_select=7, embed_channels=10)


def variation_by_hand(x, num_neighbors, threshold, sigma):
    """Formula of the filter, point by point."""
    gap = (x[:, None] - x[None]).norm(dim=-1)
    weight = torch.where(gap < threshold, torch.exp(-(gap / sigma).square()), 0)
    out = []
    for i in range(len(x)):
        near = sorted(range(len(x)), key=lambda j: gap[i, j])[1:num_neighbors]
        out.append((x[i] - sum(weight[i, j] * x[j] for j in near) / weight[i].sum()).square().sum())
    return torch.stack(out)


def test_disentangle():
    torch.manual_seed(0)
    x = 0.2 * torch.randn(1, 30, 4, dtype=torch.float64)
    variation = variation_by_hand(x[0], 6, 0.35, 1.5)
    sharp, gentle = disentangle(x, 8, num_neighbors=6, threshold=0.35, sigma=1.5)
    order = variation.argsort(descending=True)
    assert torch.equal(sharp[0], order[:8]) and torch.equal(gentle[0], order.flip(0)[:8])
    assert sorted(disentangle(x[:, :5], 8)[0][0].tolist()) == list(range(5))


def test_published_filter():
    defaults = {name: p.default for name, p in inspect.signature(disentangle).parameters.items()}
    names = ('num_select', 'num_neighbors', 'threshold', 'sigma')
    assert [defaults[name] for name in names] == [256, 64, 0.2, 2.0]


def test_selection_passes_no_gradient():
    net = GDANet(**TINY).eval()
    x = torch.rand(1, 20, 3, requires_grad=True)
    sharp, gentle = disentangle(x, 4)
    assert not sharp.requires_grad and not gentle.requires_grad
    net(x).global_feat.sum().backward()
    assert x.grad.abs().sum() > 0


def test_local_operator_by_hand():
    torch.manual_seed(0)
    layer, x = LocalOperator(4, 6, 5).eval(), torch.randn(2, 20, 4)
    index = knn(x, x, 5)
    near = group(x, index)
    expected = layer.mlp(layer.edge(torch.cat([near - x.unsqueeze(2), near], -1))).max(2).values
    torch.testing.assert_close(layer(x), expected)


def test_attention_is_that_of_the_paper_without_softmax():
    torch.manual_seed(0)
    layer = ComplementaryAttention(6).eval()
    x, y = torch.randn(2, 9, 6), torch.randn(2, 4, 6)
    look = torch.einsum('bnc,bmc->bnm', layer.theta(x), layer.phi(y)) / 4
    torch.testing.assert_close(layer(x, y), x + layer.w(look @ layer.g(y)))
    assert layer.theta.out_features == 3


def test_forward_by_hand():
    torch.manual_seed(0)
    net = GDANet(in_channels=4, **TINY).eval()
    points = torch.rand(2, 30, 4)
    out, x, outputs = net(points), points, []
    for block in net.blocks[:2]:
        y = block.local(x)
        sharp, gentle = disentangle(y, 7)
        z = block.fuse(
            torch.cat([block.sharp(y, group(y, sharp)), block.gentle(y, group(y, gentle))], -1)
        )
        x = torch.cat([x, z], -1)
        outputs.append(z)
    outputs.append(net.blocks[2][1](net.blocks[2][0](x)))
    features = net.embedding(torch.cat(outputs, -1))
    torch.testing.assert_close(
        out.global_feat, torch.cat([features.max(1).values, features.mean(1)], -1)
    )
    for stage, expected in zip(out.stages, outputs):
        torch.testing.assert_close(stage, expected.transpose(1, 2))
    assert torch.equal(out.coords, points[..., :3])


def test_published_geometry_and_initial_weights():
    net = GDANet()
    assert [m.num_neighbors for m in net.modules() if isinstance(m, LocalOperator)] == [30] * 3
    assert [block.num_select for block in net.blocks[:2]] == [256] * 2
    for linear in (net.embedding.linear, net.blocks[1].sharp.theta):
        expected = math.sqrt(2 / (linear.in_features + linear.out_features))
        assert abs(linear.weight.std().item() / expected - 1) < 0.1 and not linear.bias.any()


def test_order_of_points_does_not_matter():
    torch.manual_seed(0)
    net, points = GDANet(**TINY).eval(), torch.rand(2, 30, 3)
    order = torch.randperm(30)
    torch.testing.assert_close(
        net(points[:, order]).global_feat, net(points).global_feat, atol=1e-5, rtol=1e-4
    )
