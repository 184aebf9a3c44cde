"""Networks as usually implemented: channel-first 1x1 convolutions over the plain ops of
``peers.py``.

They are written from the descriptions of the networks, apart from :mod:`pcdet_kd.backbones`, and
hold exactly the same parameters, so that weights can be carried over and outputs compared. Each
returns logits (B, K) of clouds (B, N, 3); the image network takes views unless it draws them
itself, and AsymDSD's encoder returns its feature.
"""

import copy
from typing import Any

import torch
from torch import nn

from pcdet_kd.apis import model_infos
from pcdet_kd.apis.official import convert_official
from pcdet_kd.apis.official_archs import OFFICIAL as OURS
from pcdet_kd.engine.config import load_config
from pcdet_kd.registry import MODELS

from . import (
    curvenet,
    dgcnn,
    gdanet,
    pct,
    point_transformer,
    point_vit,
    pointmlp,
    pointnet,
    pointnet2,
    pointnext,
    repsurf,
    rscnn,
    views,
)
from .parts import Usual

FAMILIES = (
    pointnet,
    pointnet2,
    dgcnn,
    pointmlp,
    gdanet,
    rscnn,
    curvenet,
    repsurf,
    pointnext,
    views,
    point_vit,
    pct,
    point_transformer,
)
USUAL: dict[str, Usual] = {
    name: entry for family in FAMILIES for name, entry in family.USUAL.items()
}  # by the zoo's names
# With a published state dict's keys, by the names of `pcdet-kd from-official`
OFFICIAL: dict[str, Usual] = {
    name: entry for family in FAMILIES for name, entry in getattr(family, 'OFFICIAL', {}).items()
}


def build(name: str, tiny: bool = False, official: bool = False) -> tuple[nn.Module, nn.Module]:
    """Return our model and its usual form with equal weights.

    Args:
        name: One of :data:`USUAL`, or of :data:`OFFICIAL` with ``official``.
        tiny: Tiny networks, for tests.
        official: The form with a published state dict's keys.
    """
    entry, config = (OFFICIAL if official else USUAL)[name], config_of(name, tiny, official)
    ours, usual = (
        MODELS.build(config),
        entry.network(**{**entry.settings, **(entry.tiny if tiny else {})}),
    )
    carry_over(entry, usual, ours, config)
    return ours.train(), usual.train()


def config_of(name: str, tiny: bool = False, official: bool = False) -> dict[str, Any]:
    """Return the config of our model in :func:`build`."""
    config = (
        copy.deepcopy(OURS[name].model)
        if official
        else (load_config(model_infos()[f'{name}_modelnet40'].config).model.to_dict())
    )
    entry = (OFFICIAL if official else USUAL)[name]
    if tiny:
        config.get('backbone', config).update(entry.ours)
    if 'head' in config:
        config['head'].setdefault(
            'num_classes', {**entry.settings, **(entry.tiny if tiny else {})}.get('num_classes', 40)
        )
    return config


def carry_over(entry: Usual, usual: nn.Module, ours: nn.Module, config: dict[str, Any]) -> None:
    """Give our model, built from ``config``, the weights and running statistics of its usual form.

    Raises:
        ValueError: The architectures differ.
        CheckpointError: The same, where the weights go by the rules for published ones.
    """
    if entry.arch:
        ours.load_state_dict(
            convert_official(usual.state_dict(), OURS[entry.arch]._replace(model=config)).weights
        )
        return
    for kind in ('parameters', 'buffers'):
        theirs, mine = list(getattr(usual, kind)()), list(getattr(ours, kind)())
        if [p.numel() for p in mine] != [p.numel() for p in theirs]:
            raise ValueError(f'{type(ours).__name__} and {type(usual).__name__} have other {kind}')
        with torch.no_grad():
            for a, b in zip(mine, theirs):
                a.copy_(b.view_as(a))
