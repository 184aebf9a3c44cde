import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip('onnxscript')
onnxruntime = pytest.importorskip('onnxruntime')

from pcdet_kd import ops  # noqa: E402
from pcdet_kd.ops.onnx_functions import onnx_decompositions, onnx_translations  # noqa: E402

pytestmark = pytest.mark.filterwarnings('ignore:.*LeafSpec:FutureWarning')  # torch's own


def run(net, inputs, *others):
    """Export with a free batch size; return what onnxruntime gives for each input."""
    program = torch.export.export(
        net, (inputs,), dynamic_shapes=({0: torch.export.Dim('batch', min=1, max=64)},)
    ).run_decompositions(onnx_decompositions())
    exported = torch.onnx.export(
        program, dynamo=True, verbose=False, custom_translation_table=onnx_translations()
    )
    session = onnxruntime.InferenceSession(exported.model_proto.SerializeToString())
    name = session.get_inputs()[0].name
    found = [session.run(None, {name: x.numpy()}) for x in (inputs, *others)]
    return [[torch.from_numpy(x) for x in one] for one in found], exported.model_proto


class Farthest(nn.Module):
    def __init__(self, *settings):
        super().__init__()
        self.settings = settings

    def forward(self, points):
        num_samples, start, compat = self.settings
        return ops.farthest_point_sample(points, num_samples, start, compat)


@pytest.mark.parametrize('settings', [(30, 0, None), (12, 7, 'pointnet2'), (1, 3, None)])
def test_farthest_points_are_one_loop(settings):
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.normal(scale=0.1, size=(3, 40, 3)).astype(np.float32))
    points[1, 20:] = points[1, :20]  # equally far: the lower index
    net = Farthest(*settings)
    found, proto = run(net, points, points[1:2], points.flip(1))
    for (one,), given in zip(found, (points, points[1:2], points.flip(1))):
        assert torch.equal(one, net(given))
    assert len(proto.graph.node) < 40 and not proto.functions


class Order(nn.Module):
    def forward(self, values):
        return values.argsort(dim=-1, stable=True), values.argsort(
            dim=-1, descending=True, stable=True
        )


def test_a_stable_sort_keeps_the_order_of_equals():
    values = torch.tensor([[1.0, 0, 1, 0, 2, 0], [3.0, 3, 3, 1, 1, 1]])
    ((up, down),), _ = run(Order(), values)
    assert up.tolist() == [[1, 3, 5, 0, 2, 4], [3, 4, 5, 0, 1, 2]]
    assert down.tolist() == [[4, 0, 2, 1, 3, 5], [0, 1, 2, 3, 4, 5]]
