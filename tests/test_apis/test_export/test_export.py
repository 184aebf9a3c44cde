import pytest
import torch

from pcdet_kd.apis import export_model, init_model
from pcdet_kd.apis.export import export as module
from pcdet_kd.apis.export.description import ExportError
from pcdet_kd.apis.export.torch_file import TorchModel

CONFIG = 'pointnet_small_modelnet40'
OPTIONS = dict(num_points=32)


@pytest.mark.parametrize('format, end', [('onnx', 'onnx'), ('torch', 'pt2')])
def test_an_export_is_checked_and_timed(weights, tmp_path, format, end):
    if format == 'onnx':
        pytest.importorskip('onnx')
    out = tmp_path / f'net.{end}'
    result = export_model(CONFIG, weights, out, format, options=OPTIONS, seconds=0.01)
    assert result.path == out and out.is_file() and result.difference <= 1e-4
    assert result.description.input_shape == [32, 3]
    assert [t.batch_size for t in result.latencies] == [1, 32]
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_what_differs_is_not_left_behind(weights, tmp_path, monkeypatch):
    class Off(TorchModel):
        def __call__(self, inputs):
            logits, feature = super().__call__(inputs)
            return logits + 2e-4, feature

    monkeypatch.setitem(module._WRITERS, 'torch', (module.to_torch, Off))
    with pytest.raises(ExportError, match=r'was not written: .* differ .* by 2\.0e-04'):
        export_model(CONFIG, weights, tmp_path / 'net.pt2', 'torch', options=OPTIONS, seconds=0)
    assert not list(tmp_path.iterdir())


def test_a_distiller_exports_its_student(tmp_path):
    from pcdet_kd.utils.checkpoint import save_checkpoint_file

    name = 'jgekd_pointnet_small_self_modelnet40'
    torch.manual_seed(0)
    student = init_model(name)
    state = {f'student.{k}': v for k, v in student.state_dict().items()}
    save_checkpoint_file(dict(state_dict=state), tmp_path / 'last.pth')
    out = tmp_path / 'net.pt2'
    export_model(name, tmp_path / 'last.pth', out, 'torch', 16, seconds=0)
    points = torch.randn(3, 16, 3)
    logits, _ = TorchModel(out, 'net')(points)
    torch.testing.assert_close(logits, student(dict(points=points)).logits)


def test_views(tmp_path):
    from pcdet_kd.utils.checkpoint import save_checkpoint_file

    torch.manual_seed(0)
    config = 'pcdet_kd::pointcmt/mvcnn_small_modelnet40.py'
    options = {'image_size': 16, 'model.data_preprocessor.views.num_views': 2}
    options['model.backbone.base_width'] = 4
    state = init_model(config, options=options).state_dict()
    save_checkpoint_file(dict(state_dict=state), tmp_path / 'last.pth')
    args = (config, tmp_path / 'last.pth', tmp_path / 'net.pt2', 'torch')
    result = export_model(*args, options=options, seconds=0)
    assert result.description.input_shape == [2, 3, 16, 16]
    result = export_model(*args, num_views=3, image_size=8, options=options, seconds=0)
    assert result.description.input_shape == [3, 3, 8, 8]


def test_wrong_arguments(weights, tmp_path):
    with pytest.raises(ExportError, match=r'expected a name that ends in \.onnx'):
        export_model(CONFIG, weights, tmp_path / 'net.pt2', 'onnx')
    whole = dict(eval_pipeline=[dict(type='UnitSphere'), dict(type='PackPointInputs')])
    with pytest.raises(ExportError, match='give --num-points'):
        export_model(CONFIG, weights, tmp_path / 'net.onnx', options=whole)
