import json

import pytest
import torch

onnx = pytest.importorskip('onnx')

from pcdet_kd.apis.export import onnx_file  # noqa: E402
from pcdet_kd.apis.export.description import ExportError  # noqa: E402
from pcdet_kd.apis.export.onnx_file import OnnxModel, to_onnx  # noqa: E402
from pcdet_kd.apis.export.program import example  # noqa: E402
from pcdet_kd.utils.checkpoint import CheckpointError  # noqa: E402
from pcdet_kd.utils.errors import MissingPackageError  # noqa: E402

pytestmark = pytest.mark.filterwarnings('ignore:.*LeafSpec:FutureWarning')  # torch's own


@pytest.fixture(scope='module')
def content(program, description):
    return to_onnx(program, description)


def test_a_file_gives_the_same_for_any_batch(deployed, content, description, tmp_path):
    (tmp_path / 'net.onnx').write_bytes(content)
    for model in (OnnxModel(content, 'net'), OnnxModel(tmp_path / 'net.onnx', 'net')):
        assert model.description == description
        for size in (1, 3):
            points = example(deployed, size, 24)
            for one, other in zip(model(points), deployed(points)):
                torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    proto = onnx.load_from_string(content)
    assert [i.name for i in proto.graph.input] == ['points']
    assert [o.name for o in proto.graph.output] == ['logits', 'feature']
    dims = proto.graph.input[0].type.tensor_type.shape.dim
    assert dims[0].dim_param and [d.dim_value for d in dims[1:]] == [24, 3]
    assert {node.domain for node in proto.graph.node} == {''}  # nothing of this package
    assert json.loads({p.key: p.value for p in proto.metadata_props}['classes']) == list('abcde')


def test_what_is_no_onnx_or_does_not_describe_itself(content):
    with pytest.raises(CheckpointError, match=r'x\.onnx cannot be read by onnxruntime'):
        OnnxModel(b'no graph', 'x.onnx')
    proto = onnx.load_from_string(content)
    del proto.metadata_props[:]
    with pytest.raises(CheckpointError, match=r'x\.onnx does not describe itself'):
        OnnxModel(proto.SerializeToString(), 'x.onnx')


class Twice(torch.nn.Module):
    def forward(self, points):
        return points * 2, points


class Special(torch.nn.Module):
    def forward(self, points):
        return torch.special.bessel_j0(points), points


def test_what_onnx_cannot_hold(description, monkeypatch):
    monkeypatch.setattr(onnx_file, '_MOST_BYTES', 10)
    program = torch.export.export(Twice(), (torch.randn(2, 24, 3),))
    with pytest.raises(ExportError, match='an ONNX file at most 10'):
        to_onnx(program, description)

    program = torch.export.export(Special(), (torch.randn(2, 24, 3),))
    with pytest.raises(ExportError, match='has no form in ONNX'):
        to_onnx(program, description)


def test_what_to_install(program, description, monkeypatch):
    monkeypatch.setitem(__import__('sys').modules, 'onnx', None)
    monkeypatch.setitem(__import__('sys').modules, 'onnxruntime', None)
    for use in (lambda: to_onnx(program, description), lambda: OnnxModel(b'', 'x.onnx')):
        with pytest.raises(MissingPackageError, match=r'pip install .pcdet_kd\[export\]'):
            use()
