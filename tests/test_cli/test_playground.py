import numpy as np
import pytest

from pcdet_kd.apis import init_model
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture
def run(command, tmp_path, monkeypatch):
    save_checkpoint_file(dict(state_dict=init_model(CONFIG).state_dict()), tmp_path / 'last.pth')
    np.save(tmp_path / 'a.npy', np.random.default_rng(0).normal(size=(700, 3)))
    monkeypatch.chdir(tmp_path)
    options = ('--device', 'cpu', '--cfg-options', 'num_points=32')
    return lambda *more: command('playground', CONFIG, 'last.pth', *more, *options)


def test_a_page(run, tmp_path):
    (tmp_path / 'b.ply').write_text('no cloud')
    code, out, err = run('a.npy', 'b.ply', '--out', 'p.html', '--teacher', CONFIG, 'last.pth')
    assert code == 1 and out.startswith('p.html\nnot read: b.ply'), err
    html = (tmp_path / 'p.html').read_text()
    assert '<option>a.npy</option>' in html and '"models":["student","teacher"]' in html
    assert run('a.npy', '--out', 'p.png')[0] == 2
