import pytest
import torch
from torch import nn

from pcdet_kd import ops
from pcdet_kd.ops import backend, export

pytestmark = pytest.mark.filterwarnings(
    'ignore:.*LeafSpec:FutureWarning'
)  # torch's own, while it exports
GENERATOR = torch.Generator().manual_seed(0)
INDEX = torch.randint(40, (3, 6, 4), generator=GENERATOR)


def rand(*shape):
    return torch.randn(*shape, generator=GENERATOR)


POINTS = rand(3, 40, 3)
SAMPLES = {
    'ball_query': [
        (POINTS[:, :5], POINTS, 0.5, 4, False),
        (POINTS[:, :5] + 0.1, POINTS, 0.3, 50, False),
        (POINTS, POINTS[:, INDEX[0].flatten()], 0.5, 4, True),
        (POINTS, POINTS, 0.5, 50, True),
    ],
    'edge_max_sum': [(rand(3, 40, 5), INDEX)],
    'edge_max_sum_backward': [
        (rand(3, 6, 5), rand(3, 6, 5), INDEX.repeat(1, 1, 2)[..., :5], INDEX, 40)
    ],
    'farthest_point_sample': [
        (POINTS, INDEX[:, 0, 0], 20, -1.0),
        (POINTS, INDEX[:, 1, 0], 12, 1.0),
    ],
    'group': [(rand(3, 40, 5), INDEX), (rand(3, 40, 5), INDEX[..., 0])],
    'group_backward': [(rand(3, 6, 4, 5), INDEX, 40)],
    'interpolate': [(rand(3, 40, 5), INDEX, torch.rand(3, 6, 4))],
    'interpolate_backward': [(rand(3, 6, 5), INDEX, torch.rand(3, 6, 4), 40)],
    'knn': [
        (POINTS[:, :5], POINTS, 7),
        (rand(3, 7, 6), rand(3, 40, 6), 7),
        (POINTS, POINTS, 1),
    ],
    'nearest_pairs': [
        (POINTS[:, :7], POINTS),
    ],
    'project_points': [
        (POINTS, None, 6, 8, 3.0, 1, 'y', False),
        (POINTS, POINTS, 2, 8, 3.0, 2, 'z', True),
    ],
    'three_nn': [
        (POINTS[:, :5], POINTS),
        (POINTS, POINTS[:, :2]),
    ],
}


class Call(nn.Module):
    """One op, with the arguments that are no tensors fixed."""

    def __init__(self, op, args):
        super().__init__()
        self.op, self.args = op, args

    def forward(self, *tensors):
        tensors = iter(tensors)
        return self.op(*[next(tensors) if isinstance(a, torch.Tensor) else a for a in self.args])


def test_every_op_has_a_decomposition_or_a_reason_to_have_none():
    assert {op._schema.name.split('::')[1] for op in export.decompositions()} == set(SAMPLES)
    assert set(SAMPLES) | set(export.WITHOUT) == set(backend.KERNELS)
    assert not set(SAMPLES) & set(export.WITHOUT)


@pytest.mark.parametrize(
    'name, number', [(name, i) for name, samples in SAMPLES.items() for i in range(len(samples))]
)
def test_an_op_becomes_aten_and_gives_the_same(name, number):
    args = SAMPLES[name][number]
    module, tensors = (
        Call(getattr(torch.ops.pcdet_kd, name), args),
        tuple(a for a in args if isinstance(a, torch.Tensor)),
    )
    program = torch.export.export(module, tensors).run_decompositions(export.decompositions())
    assert not [node for node in program.graph.nodes if 'pcdet_kd' in str(node.target)]
    torch.testing.assert_close(program.module()(*tensors), module(*tensors))


class Net(nn.Module):
    """A set abstraction, an EdgeConv's reduction and a feature propagation."""

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
        high, _, total = ops.edge_max_sum(x, ops.knn(x, x, 3))
        return (
            ops.three_interpolate(points, centres, high + total).mean(1)
            + ops.chamfer_distance(points, centres)[:, None]
        )


def test_a_network_loses_every_op_and_keeps_its_dynamic_batch():
    net = Net().eval()
    program = torch.export.export(
        net, (POINTS,), dynamic_shapes=({0: torch.export.Dim('batch', min=1, max=64)},)
    )
    assert any('pcdet_kd' in str(node.target) for node in program.graph.nodes)
    program = program.run_decompositions(export.decompositions())
    assert not [node for node in program.graph.nodes if 'pcdet_kd' in str(node.target)]
    for batch in (1, 5):
        points = rand(batch, 40, 3)
        torch.testing.assert_close(program.module()(points), net(points))
