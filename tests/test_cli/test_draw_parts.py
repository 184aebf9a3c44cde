from pathlib import Path

import torch

from pcdet_kd.engine.config import load_config
from pcdet_kd.registry import MODELS

ROOT = Path(__file__).parents[2]


def test_it_writes_a_picture(command, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    config = ROOT / 'configs/partseg/pointnet2_syntheticscans.py'
    torch.save(MODELS.build(load_config(config).model).state_dict(), tmp_path / 'a.pth')
    options = ('--cfg-options', 'num_train=15', 'num_test=15', 'num_points=64')
    picture = tmp_path / 'a.png'
    code, out, err = command(
        'draw_parts', config, tmp_path / 'a.pth', '--samples', 14, 3, '--out', picture, *options
    )
    assert code == 0, err
    assert out.strip() == str(picture) and picture.stat().st_size > 10_000
    code, _, err = command('draw_parts', config, tmp_path / 'a.pth', '--samples', 15, *options)
    assert code == 1 and '15: no such number, expected 0 to 14' in err
