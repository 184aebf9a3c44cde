"""Probing a backbone from Python: a linear SVM and nearest neighbours on its frozen features."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import initialize
from mmengine.runner import set_random_seed
from torch import nn

from pcdet_kd.apis.models import model_config
from pcdet_kd.apis.test import short_path
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.stages import plan
from pcdet_kd.evaluation import backbone_features, probe_features, probe_pool
from pcdet_kd.evaluation.feature_probe import METHODS, check_methods
from pcdet_kd.registry import BACKBONES, DATASETS
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.student import student_config


@dataclass
class ProbeResult:
    """What a probe found.

    Attributes:
        accuracy: In percent on the test split, by method.
        config: The config.
        weights: File of the backbone's weights; empty for random ones.
        sha256: Its hash.
        seed: Seed of random weights.
        pool: What the feature is made of; empty where the backbone has one global feature.
        channels: Numbers in a feature.
        train_samples: Clouds that the methods were fitted to.
        test_samples: Clouds that the accuracy is of.
    """

    accuracy: dict[str, float]
    config: str
    weights: str
    sha256: str
    seed: int
    pool: list[str]
    channels: int
    train_samples: int
    test_samples: int

    def as_dict(self) -> dict[str, Any]:
        """Return it in plain values, with the settings of the methods."""
        settings = dict(svm='LinearSVC, C = 1.0, features of length 1', knn='5, cosine, majority')
        return dict(asdict(self), settings={name: settings[name] for name in self.accuracy})


def probe(
    config: str | os.PathLike,
    load_backbone: str | os.PathLike | None = None,
    options: dict[str, Any] | None = None,
    *,
    seed: int = 0,
    methods: Sequence[str] = METHODS,
    pool: Sequence[str] | None = None,
    batch_size: int = 64,
    num_workers: int = 0,
    device: str | torch.device | None = None,
) -> ProbeResult:
    """Tell how well the frozen features of a config's backbone separate classes.

    The methods are fitted to the config's training split and tested on its test split, both as the
    test pipeline makes them: without augmentation.

    Args:
        config: A config's file, a model's name, or ``pcdet_kd::`` and the path of a shipped config.
        load_backbone: Checkpoint with the backbone's weights; see
            :class:`~pcdet_kd.models.pretrained_backbone.PretrainedBackbone`. None: those that the
            config starts from, or random ones.
        options: As ``--cfg-options``.
        seed: Seed of random weights.
        methods: ``'svm'`` (needs scikit-learn) and ``'knn'``.
        pool: What the feature of a transformer is made of; None: [CLS; mean], or [mean; max]
            without a class token.
        batch_size: Clouds at a time.
        num_workers: Processes that read the samples.
        device: Of the backbone; None: a GPU if there is one.

    Raises:
        UserError: What a person can put right: the config, the checkpoint, the data, a missing
            package.
    """
    check_methods(methods)
    path = model_config(config)
    cfg = plan(path, options, load_backbone=load_backbone)[-1].resolved()
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    backbone = build_backbone(cfg, seed).to(device)
    train, test = (
        backbone_features(backbone, dataset, batch_size, pool, num_workers)
        for dataset in probe_data(cfg)
    )
    start = backbone.init_cfg if isinstance(backbone.init_cfg, dict) else {}
    weights = str(start.get('checkpoint') or '')
    return ProbeResult(
        accuracy=probe_features(train, test, methods),
        config=short_path(path),
        weights=short_path(weights) if weights else '',
        sha256=file_sha256(weights) if os.path.isfile(weights) else '',
        seed=seed,
        pool=list(probe_pool(backbone) if pool is None else pool),
        channels=train.values.shape[1],
        train_samples=len(train.labels),
        test_samples=len(test.labels),
    )


def build_backbone(cfg: Config, seed: int) -> nn.Module:
    """Build the backbone of a config's model (of a distiller's student) with its first weights.

    Args:
        cfg: The config.
        seed: Seed of random weights.

    Raises:
        ConfigError: The model has no backbone.
        CheckpointError: The file that it starts from does not fit.
    """
    model = student_config(cfg.model)
    if not isinstance(model.get('backbone'), dict):
        raise ConfigError(cfg.filename, [f'model: {model.get("type")} has no backbone to probe'])
    set_random_seed(seed)
    backbone = BACKBONES.build(model.backbone)
    if backbone.init_cfg:  # and not init_weights, which logs a line for every parameter
        initialize(backbone, backbone.init_cfg)
    return backbone


def probe_data(cfg: Config) -> list[Any]:
    """Build the training and the test data set of a config, both with the test pipeline."""
    train, test = cfg.train_dataloader.dataset, cfg.test_dataloader.dataset
    return [DATASETS.build({**part, 'pipeline': test.pipeline}) for part in (train, test)]
