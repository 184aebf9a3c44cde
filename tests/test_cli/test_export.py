import pytest
import torch

from pcdet_kd.apis import init_model
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), tmp_path / 'last.pth')
    return tmp_path / 'last.pth'


def test_export_says_what_it_wrote(command, weights, tmp_path):
    out = tmp_path / 'net.pt2'
    code, text, _ = command('export', CONFIG, weights, '--out', out, '--num-points', '16')
    assert code == 0 and out.is_file()
    assert f'{out}: input points (batch, 16, 3), output logits (batch, 40)' in text
    assert 'largest difference of the logits: ' in text and 'at most 1e-04' in text
    rows = [line.split('|')[1].strip() for line in text.splitlines() if line.startswith('|')]
    assert rows[2:] == ['1', '32'] and 'threads: ' in text


def test_wrong_names(command, weights, tmp_path):
    out = tmp_path / 'net.pt2'
    code, _, error = command('export', CONFIG, weights, '--out', out, '--format', 'onnx')
    assert code == 1 and 'ends in .onnx' in error and not out.exists()


def test_a_folder(command, weights, tmp_path):
    code, text, _ = command('export', CONFIG, weights, '--out', tmp_path / 'net_1.2')
    assert code == 0 and 'largest difference of the logits: 0.0e+00' in text
    found = {path.name for path in (tmp_path / 'net_1.2').iterdir()}
    assert found == {'README.md', 'config.json', 'model.safetensors'}
