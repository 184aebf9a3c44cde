import numpy as np
import pytest

from pcdet_kd.apis import init_model
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture
def run(command, tmp_path, monkeypatch):
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), tmp_path / 'last.pth')
    np.save(tmp_path / 'a.npy', np.random.default_rng(0).normal(size=(40, 3)))
    monkeypatch.chdir(tmp_path)
    options = ('--device', 'cpu', '--cfg-options', 'num_points=32')
    return lambda *more: command('saliency', CONFIG, 'last.pth', *more, *options)


def test_a_page(run, tmp_path):
    (tmp_path / 'b.ply').write_text('no cloud')
    code, out, err = run('a.npy', 'b.ply', '--out', 's.html')
    assert code == 1 and out.startswith('s.html\nnot read: b.ply'), err
    html = (tmp_path / 's.html').read_text()
    assert 'a.npy' in html and 'b.ply' in html and CONFIG in html


def test_a_picture_and_a_wrong_share(run, tmp_path):
    assert run('a.npy', '--out', 's.png', '--drop', '0.5', '--target', 'sofa')[0] == 0
    assert (tmp_path / 's.png').stat().st_size > 5000
    code, _, err = run('a.npy', '--drop', '2')
    assert code == 2 and '--drop is 2.0, expected a share between 0 and 1' in err
