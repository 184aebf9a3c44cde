"""The features of a trained model, laid out in a plane."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Subset

from pcdet_kd.apis.models import init_model, model_config
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.evaluation import backbone_features
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import UserError
from pcdet_kd.visualization.embedding import draw_embedding


def tsne(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    out: str | os.PathLike = 'tsne.png',
    *,
    split: str = 'test',
    num: int = 1000,
    perplexity: float = 30.0,
    seed: int = 0,
    batch_size: int = 64,
    device: str | torch.device | None = None,
    options: dict[str, Any] | None = None,
) -> Path:
    """Draw the t-SNE (van der Maaten and Hinton, JMLR 2008) of a backbone's global features.

    The clouds go through the test pipeline, without augmentation. The layout starts from the first
    two principal components, so that equal seeds give equal pictures.

    Args:
        config: A config's file, or a model's name.
        checkpoint: Weights of the model, or of a distiller that trained it.
        out: The picture.
        split: ``'train'``, ``'val'`` or ``'test'``.
        num: Most clouds; of more, so many are drawn by chance.
        perplexity: About how many neighbours count; at most a third of the clouds.
        seed: Of the choice of clouds and of the layout.
        batch_size: Clouds at a time.
        device: Where the model runs; None: a GPU if there is one.
        options: As ``--cfg-options``.

    Returns:
        ``out``.

    Raises:
        ConfigError: The config has no such data, fewer than 4 clouds, or no backbone of points.
        UserError: scikit-learn is missing.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise UserError(
            "t-SNE needs scikit-learn: install it (pip install 'scikit-learn>=1.3')"
        ) from error
    path = model_config(config)
    cfg = load_config(path, options)
    loaders = {name: cfg.get(f'{name}_dataloader') for name in (split, 'test')}
    missing = [name for name, loader in loaders.items() if not loader]
    if missing:
        raise ConfigError(path, [f'{missing[0]}_dataloader: missing'])
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    model = init_model(cfg, checkpoint, device)
    if getattr(model, 'input_key', None) != 'points':
        raise ConfigError(path, ['model: t-SNE needs a classifier of points'])
    pipeline = loaders['test'].dataset.pipeline
    dataset = DATASETS.build({**loaders[split].dataset, 'pipeline': pipeline})
    chosen = np.flatnonzero(dataset.labelled())
    if len(chosen) < 4:
        raise ConfigError(path, [f'{split}: {len(chosen)} labelled clouds, t-SNE needs 4'])
    if len(chosen) > num:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, num, replace=False))
    features = backbone_features(model.backbone, Subset(dataset, chosen.tolist()), batch_size)
    perplexity = min(perplexity, (len(chosen) - 1) / 3)
    layout = TSNE(perplexity=perplexity, init='pca', random_state=seed)
    places = layout.fit_transform(features.values.numpy())
    title = (
        f't-SNE of the global features of {type(model.backbone).__name__}\n{split} split, '
        f'{len(chosen):,} clouds, perplexity {perplexity:.3g}, seed {seed}'
    )
    return draw_embedding(places, features.labels.numpy(), dataset.metainfo['classes'], out, title)
