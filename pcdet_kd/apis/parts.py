"""Pictures of what a part segmentor predicts."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pcdet_kd.apis.models import init_model, model_config
from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.evaluation import part_ious
from pcdet_kd.models import PartSegmentor
from pcdet_kd.registry import DATASETS
from pcdet_kd.visualization import draw_parts


def draw_part_predictions(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    samples: Sequence[int],
    out: str | os.PathLike = 'parts.png',
    options: dict[str, Any] | None = None,
    device: str | torch.device = 'cpu',
) -> Path:
    """Draw test clouds with their true parts and the predicted ones beside each other.

    Args:
        config: A config's file, or a model's name.
        checkpoint: Weights of the model.
        samples: Numbers of the clouds in the test split.
        out: The picture.
        options: As ``--cfg-options``.
        device: Where the model runs.

    Returns:
        ``out``.

    Raises:
        ConfigError: The config is not one of a part segmentor, or there is no such sample.
    """
    path = model_config(config)
    cfg = load_config(path, options)
    model = init_model(cfg, checkpoint, device)
    if not isinstance(model, PartSegmentor):
        found = f'model.type: {type(model).__name__}, expected PartSegmentor'
        raise ConfigError(path, [found])
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    wrong = [i for i in samples if not 0 <= i < len(dataset)]
    if wrong:
        problem = f'{wrong[0]}: no such number, expected 0 to {len(dataset) - 1}'
        raise ConfigError('--samples', [problem])
    meta = dataset.metainfo
    clouds, true, predicted, parts, titles = [], [], [], [], []
    for i in samples:
        batch = collate_points([dataset[i]])
        with torch.no_grad():
            sample = model.test_step(batch)[0]
        seen = batch['inputs']['points'][0, :, :3].numpy()
        clouds.append(dataset.get_data_info(i)['points'] if 'nearest' in sample else seen)
        label = int(sample.gt_label)
        own = meta['class_parts'][label]
        true.append(sample.gt_parts.cpu().numpy())
        predicted.append(sample.pred_parts.cpu().numpy())
        parts.append(own)
        iou = 100 * part_ious(true[-1], predicted[-1], own).mean()
        titles.append((f'{meta["classes"][label]}: ground truth', f'predicted, IoU {iou:.1f}'))
    names, up_axis = meta['part_names'], meta['up_axis']
    return draw_parts(clouds, true, predicted, parts, names, titles, out, up_axis)
