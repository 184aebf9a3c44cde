"""Which points of clouds a trained model goes by."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pcdet_kd.apis.inferencer import PointCloudClassificationInferencer
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.evaluation.saliency import point_saliency
from pcdet_kd.registry import did_you_mean
from pcdet_kd.visualization.saliency import Dropped, SaliencyMap


@dataclass
class SaliencyMaps:
    """Saliency of some clouds.

    Attributes:
        maps: One for each cloud, in the order given.
        failed: Dicts with ``name`` and ``reason``.
        up_axis: Of the points.
        says: What was done with each cloud, in words.
    """

    maps: list[SaliencyMap]
    failed: list[dict[str, str]]
    up_axis: str
    says: list[str]


def saliency_maps(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    inputs: Any,
    *,
    target: str | None = None,
    drop: float = 0.1,
    alpha: float = 1.0,
    seed: int = 0,
    batch_size: int = 8,
    device: str | None = None,
    up_axis: str | None = None,
    columns: Sequence[str] | None = None,
    options: dict[str, Any] | None = None,
) -> SaliencyMaps:
    """Compute the saliency of each point, and what the model says without the most salient ones.

    All points to drop are chosen at once; the paper drops a few at a time.

    Args:
        config: A config's file, or a model's name.
        checkpoint: Weights of the model, or of a distiller that trained it.
        inputs: Files, folders, patterns, arrays or tensors, see
            :func:`~pcdet_kd.apis.given_clouds.list_inputs`.
        target: Class that the points speak for; None: the predicted one.
        drop: Share of the points to drop, in (0, 1).
        alpha: See :func:`~pcdet_kd.evaluation.radial_saliency`.
        seed: Of the points that are dropped by chance, to compare with.
        batch_size: Most clouds at a time.
        device: Where the model runs; None: a GPU if there is one.
        up_axis, columns: As of :class:`PointCloudClassificationInferencer`.
        options: As ``--cfg-options``.

    Raises:
        ConfigError: The model does not look at points, or has no such class.
        ValueError: ``drop`` is not in (0, 1).
    """
    if not 0 < drop < 1:
        raise ValueError(f'drop is {drop}, must be in (0, 1)')
    user = PointCloudClassificationInferencer(
        config, checkpoint, device, up_axis, options=options, show_progress=False
    )
    looks_at = getattr(user.model, 'input_key', None)
    if looks_at != 'points':
        problem = f"model.input_key: '{looks_at}', saliency needs a model of points"
        raise ConfigError(config, [problem])
    if target is not None and target not in user.classes:
        hint = did_you_mean(target, user.classes)
        raise ConfigError(config, [f"no class '{target}'.{hint}"])
    wanted = None if target is None else user.classes.index(target)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for batch in user.preprocess(user._inputs_to_list(inputs), batch_size, columns):
        data = user.model.data_preprocessor(batch, False)
        points = data['inputs']['points']
        scores = _scores(user.model, points)
        labels = scores.argmax(dim=1) if wanted is None else scores.new_full((len(points),), wanted)
        labels = labels.long()
        saliency = point_saliency(user.model, data['inputs'], labels, alpha).cpu()
        size = points.shape[1]
        kept = max(1, size - max(1, round(drop * size)))
        chance = torch.rand(saliency.shape, generator=generator)
        without, by_chance = (
            _scores(user.model, _lowest(points, order, kept)) for order in (saliency, chance)
        )
        for i, sample in enumerate(data['data_samples']):
            label = int(labels[i])
            row = SaliencyMap(
                name=sample.sample_id,
                points=points[i, :, :3].cpu().numpy(),
                saliency=saliency[i].numpy(),
                label=user.classes[label],
                score=float(scores[i, label]),
                salient=_dropped(user.classes, without[i], label),
                chance=_dropped(user.classes, by_chance[i], label),
                share=drop,
            )
            found.append((sample.sample_idx, row))
    found.sort(key=lambda pair: pair[0])
    failed = [dict(name=name, reason=reason) for name, reason in user.failed.items()]
    return SaliencyMaps([row for _, row in found], failed, user.up_axis or 'z', user.says)


@torch.no_grad()
def _scores(model: torch.nn.Module, points: Tensor) -> Tensor:
    return model.extract(dict(points=points))[1].logits.softmax(dim=1)


def _lowest(points: Tensor, order: Tensor, kept: int) -> Tensor:
    """Return the points (B, kept, C) whose values (B, N) are lowest, in their order."""
    index = order.argsort(dim=1)[:, :kept].sort(dim=1).values.to(points.device)
    return points.gather(1, index[..., None].expand(-1, -1, points.shape[2]))


def _dropped(classes: Sequence[str], scores: Tensor, label: int) -> Dropped:
    return Dropped(classes[int(np.argmax(scores.cpu().numpy()))], float(scores[label]))
