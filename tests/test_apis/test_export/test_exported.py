import dataclasses

import pytest
import torch

from pcdet_kd.apis import export_model, init_model
from pcdet_kd.apis.export.description import ExportError
from pcdet_kd.apis.export.exported import ExportedClassifier
from pcdet_kd.apis.export.torch_file import TorchModel
from pcdet_kd.structures import PointDataSample
from pcdet_kd.utils.checkpoint import CheckpointError

CONFIG = 'pointnet_small_modelnet40'
OPTIONS = dict(num_points=32)


@pytest.fixture(scope='module')
def files(weights, tmp_path_factory):
    """The model in each format that is installed."""
    folder, found = tmp_path_factory.mktemp('files'), {}
    for name, package in (('a.onnx', 'onnx'), ('a.pt2', 'torch'), ('a', 'safetensors')):
        if package == 'torch' or pytest.importorskip(package):
            kind = {'onnx': 'onnx', 'torch': 'torch'}.get(package, 'safetensors')
            found[kind] = export_model(
                CONFIG, weights, folder / name, kind, options=OPTIONS, seconds=0
            ).path
    return found


@pytest.mark.parametrize('kind', ['onnx', 'torch', 'safetensors'])
def test_each_format_is_used_as_a_classifier(kind, files, weights):
    model = init_model(CONFIG, weights, options=OPTIONS)
    exported = ExportedClassifier(files[kind], trust=True)
    points = torch.randn(3, 32, 3)
    data = exported.data_preprocessor(
        dict(inputs=dict(points=list(points)), data_samples=[PointDataSample() for _ in points])
    )
    _, out = exported.extract(data['inputs'])
    expected = model(dict(points=points))
    torch.testing.assert_close(out.logits, expected.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(out.feat, expected.feat, atol=1e-4, rtol=1e-4)
    found = exported.head.predict(out.logits, data['data_samples'])
    for one, other in zip(found, model.head.predict(expected.logits)):
        torch.testing.assert_close(one.pred_score, other.pred_score, atol=1e-4, rtol=1e-3)
        assert torch.equal(one.pred_label, other.pred_label)
    assert exported.num_classes == 40


def test_what_is_not_opened(files, tmp_path):
    with pytest.raises(CheckpointError, match='can run code that it holds'):
        ExportedClassifier(files['torch'])
    with pytest.raises(CheckpointError, match=r'none\.onnx is not a file'):
        ExportedClassifier(tmp_path / 'none.onnx')
    with pytest.raises(ExportError, match='runs on the CPU here, the device is cuda'):
        ExportedClassifier(files['onnx'], 'cuda')


def test_views_are_drawn_by_registered_parts_only(files, monkeypatch):
    seen = TorchModel(files['torch'], 'a')
    views = dict(type='PerspectiveProjection', num_views=2, image_size=8)
    monkeypatch.setattr(
        'pcdet_kd.apis.export.exported.TorchModel',
        lambda *_: seen,
    )
    seen.description = dataclasses.replace(seen.description, views=views, input='views')
    exported = ExportedClassifier(files['torch'], trust=True)
    data = exported.data_preprocessor(dict(inputs=dict(points=[torch.rand(9, 3)])))
    assert data['inputs']['views'].shape == (1, 2, 3, 8, 8)
    seen.description = dataclasses.replace(seen.description, views=dict(type='os.system'))
    with pytest.raises(CheckpointError, match='not a registered model'):
        ExportedClassifier(files['torch'], trust=True)
