"""The ops inside graphs: registration, torch.compile and torch.export."""

import pytest
import torch
from torch import nn
from torch._dynamo.testing import CompileCounterWithBackend

from pcdet_kd import ops
from pcdet_kd.ops import backend

GENERATOR = torch.Generator().manual_seed(0)
POINTS = torch.randn(2, 24, 3, generator=GENERATOR)
INDEX = torch.randint(24, (2, 6, 4), generator=GENERATOR)


def features(*shape):
    return torch.randn(*shape, generator=GENERATOR, requires_grad=True)


SAMPLES = {
    'ball_query': [
        (POINTS[:, :5], POINTS, 0.5, 4, False),
        (POINTS[:, :5], POINTS, 0.5, 4, True),
    ],
    'edge_max_sum': [(features(2, 24, 5), INDEX)],
    'edge_max_sum_backward': [
        (features(2, 6, 5), features(2, 6, 5), INDEX.repeat(1, 1, 2)[..., :5], INDEX, 24)
    ],
    'emd_match': [
        (POINTS, POINTS.flip(0), 1e-5, False),
        (POINTS, POINTS.flip(0), 1e-5, True),
    ],
    'farthest_point_sample': [
        (POINTS, INDEX[:, 0, 0], 5, -1.0),
        (POINTS, INDEX[:, 0, 0] % 9, 12, 1e-3),
    ],
    'group': [(features(2, 24, 5), INDEX), (features(2, 24, 5), INDEX[..., 0])],
    'group_backward': [(features(2, 6, 4, 5), INDEX, 24)],
    'interpolate': [(features(2, 24, 5), INDEX[..., :3], torch.rand(2, 6, 3))],
    'interpolate_backward': [(features(2, 6, 5), INDEX[..., :3], torch.rand(2, 6, 3), 24)],
    'knn': [(POINTS[:, :5], POINTS, 4), (features(2, 7, 6), features(2, 24, 6), 3)],
    'msn_match': [(POINTS, POINTS.flip(0), 0.05, 100)],
    'nearest_pairs': [
        (POINTS[:, :7], POINTS),
    ],
    'project_points': [
        (POINTS, None, 6, 8, 3.0, 1, 'y', False),
        (POINTS, POINTS, 2, 8, 3.0, 2, 'z', True),
    ],
    'rasterize_mesh': [
        (
            POINTS[0],
            INDEX[0, :, :3],
            torch.eye(3, 4)[None],
            torch.full((1, 3), 4.0),
            8,
            2,
            0.1,
            0.3,
            0.6,
            1.0,
        )
    ],
    'three_nn': [(POINTS[:, :5], POINTS), (POINTS[:, :5], POINTS[:, :2])],
}


@pytest.mark.parametrize('op', backend.KERNELS)
def test_an_op_is_well_registered(op):
    for args in SAMPLES[op]:
        torch.library.opcheck(getattr(torch.ops.pcdet_kd, op).default, args)


class Net(nn.Module):
    """Everything that a backbone does with the ops."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(3, 8)

    def forward(self, points):
        chosen = ops.farthest_point_sample(points, 9, compat='pointnet2')
        centres = ops.group(points, chosen)
        x = self.linear(
            ops.group(points, ops.ball_query(centres, points, 0.7, 5)) - centres.unsqueeze(2)
        ).amax(2)
        x = ops.group(x, ops.knn(x, x, 3)).amax(2)
        x = torch.cat(ops.edge_max_sum(x, ops.knn(x, x, 3))[::2], dim=2)
        x = ops.three_interpolate(points, centres, x)
        return x.mean(1) + ops.earth_mover_distance(centres, centres.flip(1))[:, None]


def test_a_network_is_exported_and_keeps_the_ops():
    net = Net().eval()
    batch = torch.export.Dim('batch', min=1, max=64)
    program = torch.export.export(net, (POINTS,), dynamic_shapes=({0: batch},))
    names = {str(node.target) for node in program.graph.nodes}
    assert {
        f'pcdet_kd.{op}.default' for op in ('farthest_point_sample', 'ball_query', 'knn', 'group')
    } <= names
    other = torch.randn(3, 24, 3)
    torch.testing.assert_close(program.module()(other), net(other))


def test_a_network_compiles_without_a_break():
    net = Net()
    compiled = torch.compile(net, fullgraph=True, backend='aot_eager')
    net(POINTS).sum().backward()
    expected = net.linear.weight.grad.clone()
    net.zero_grad()
    out = compiled(POINTS)
    torch.testing.assert_close(out, net(POINTS))
    out.sum().backward()
    torch.testing.assert_close(net.linear.weight.grad, expected)


def test_a_ball_without_copies_in_a_graph():
    points = POINTS[:, torch.arange(24) % 9]
    find = torch.compile(
        lambda x: ops.ball_query(x, x, 0.9, 5, skip_copies=True),
        fullgraph=True,
        backend='aot_eager',
    )
    assert torch.equal(find(points), ops.ball_query(points, points, 0.9, 5, skip_copies=True))


def test_one_graph_serves_every_batch_size():
    torch._dynamo.reset()
    backend, net = CompileCounterWithBackend('aot_eager'), Net()
    compiled = torch.compile(net, fullgraph=True, dynamic=True, backend=backend)
    made = []
    for batch in (2, 3, 5):
        points = torch.randn(batch, 24, 3, generator=GENERATOR)
        torch.testing.assert_close(compiled(points), net(points))
        compiled(points).sum().backward()
        made.append(backend.frame_count)
    assert made[0] == made[-1]


@pytest.mark.parametrize(
    'call',
    [
        lambda x: ops.group(x, INDEX),
        lambda x: ops.edge_max_sum(x, INDEX)[0],
        lambda x: ops.three_interpolate(POINTS, POINTS, x),
        lambda x: ops.chamfer_distance(POINTS, x),
    ],
)
def test_forward_mode_is_refused_instead_of_being_0(call):
    with pytest.raises(NotImplementedError, match='no forward-mode derivative'):
        torch.func.jvp(call, (POINTS,), (POINTS,))
    assert call(POINTS).isfinite().all()
