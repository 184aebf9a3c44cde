from pathlib import Path

import numpy as np
import pytest
import torch

from pcdet_kd.apis import draw_part_predictions, parts
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/partseg/pointnet2_syntheticscans.py'
SMALL = dict(num_train=15, num_test=15, num_points=64)


def test_all_points_of_the_chosen_test_clouds_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    cfg = load_config(CONFIG, SMALL)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'a.pth')
    drawn = []
    monkeypatch.setattr(parts, 'draw_parts', lambda *arguments: drawn.append(arguments))
    draw_part_predictions(CONFIG, tmp_path / 'a.pth', [4, 0], 'x.png', SMALL)
    clouds, true, predicted, own, names, titles, path, up_axis = drawn[0]
    data = DATASETS.build(cfg.test_dataloader.dataset)
    for i, cloud, truth, guess, allowed, pair in zip((4, 0), clouds, true, predicted, own, titles):
        info = data.get_data_info(i)
        np.testing.assert_array_equal(cloud, info['points'])
        np.testing.assert_array_equal(truth, info['part_labels'])
        assert len(guess) == 2048 and set(guess) <= set(allowed)
        ious = [
            ((guess == k) & (truth == k)).sum() / ((guess == k) | (truth == k)).sum()
            if ((guess == k) | (truth == k)).any()
            else 1
            for k in allowed
        ]
        assert pair == (
            f'{info["class_name"]}: ground truth',
            f'predicted, IoU {100 * np.mean(ious):.1f}',
        )
    assert (path, up_axis) == ('x.png', 'y') and names[0] == 'bag/body'
    with pytest.raises(ConfigError, match='15: no such number, expected 0 to 14'):
        draw_part_predictions(CONFIG, tmp_path / 'a.pth', [0, 15], 'x.png', SMALL)


def test_other_models_are_named(tmp_path):
    config = ROOT / 'configs/baseline/pointnet_small_modelnet40.py'
    torch.save(MODELS.build(load_config(config).model).state_dict(), tmp_path / 'a.pth')
    with pytest.raises(ConfigError, match=r'model\.type: PointClassifier, expected PartSegmentor'):
        draw_part_predictions(config, tmp_path / 'a.pth', [0])
