"""What a backbone makes of a data set, without a head."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pcdet_kd.backbones import PointViT
from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.utils.random_state import kept_random_state


class Features(NamedTuple):
    """Features of a data set.

    Attributes:
        values: (n, D) float32, on the CPU.
        labels: (n,) int64.
    """

    values: Tensor
    labels: Tensor


def backbone_features(
    backbone: nn.Module,
    dataset: Dataset,
    batch_size: int = 64,
    pool: Sequence[str] | None = None,
    num_workers: int = 0,
) -> Features:
    """Return the global features of all clouds of a data set, in its order.

    The backbone is in eval mode meanwhile, and without gradients; afterwards each of its modules
    has the mode that it had, and no random number has been drawn.

    Args:
        backbone: Maps points (B, N, C) to ``PointFeatures``; the features are computed on its
            device.
        dataset: Packed samples with ``points`` and a label; the clouds of one size.
        batch_size: Clouds at a time.
        pool: What the feature of a :class:`PointViT` is made of, of ``'cls'``, ``'mean'`` and
            ``'max'``; None: :func:`probe_pool`. Other backbones have one global feature.
        num_workers: Processes that read the samples.

    Raises:
        ValueError: A sample has no ``points`` or no label.
    """
    device = next(backbone.parameters()).device
    pool = probe_pool(backbone) if pool is None else tuple(pool)
    values, labels = [], []
    with kept_random_state(), _evaluating(backbone), torch.no_grad():
        for batch in DataLoader(dataset, batch_size, num_workers=num_workers, collate_fn=_checked):
            points = batch['inputs']['points'].to(device)
            values.append(_global_feature(backbone, points, pool).float().cpu())
            labels += [int(sample.gt_label) for sample in batch['data_samples']]
    return Features(torch.cat(values), torch.tensor(labels))


def probe_pool(backbone: nn.Module) -> tuple[str, ...]:
    """Return what AsymDSD's authors give to the SVM and to nearest neighbours: [CLS; mean] of a
    :class:`PointViT`, [mean; max] without a class token; nothing for other backbones.
    """
    if not isinstance(backbone, PointViT):
        return ()
    return ('mean', 'max') if backbone.cls_token is None else ('cls', 'mean')


def _global_feature(backbone: nn.Module, points: Tensor, pool: Sequence[str]) -> Tensor:
    if not isinstance(backbone, PointViT):
        return backbone(points).global_feat
    encoded, _ = backbone.encode(*backbone.embed(*backbone.patchify(points)))
    return backbone.pooled(encoded, pool)


def _checked(samples: list[dict]) -> dict:
    for packed in samples:
        sample = packed['data_samples']
        missing = 'points' if 'points' not in packed['inputs'] else 'label'
        if missing == 'points' or 'gt_label' not in sample:
            raise ValueError(
                f"sample '{sample.get('sample_id')}' has no {missing}: features of clouds with a "
                "label are needed, packed with PackPointInputs(keys=('points',))"
            )
    return collate_points(samples)


@contextmanager
def _evaluating(module: nn.Module) -> Iterator[None]:
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
