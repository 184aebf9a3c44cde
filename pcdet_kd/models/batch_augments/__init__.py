"""Augmentations that mix the clouds of a batch and their labels, before the model sees it.

A batch augment is registered in ``BATCH_AUGMENTS`` and called by
:class:`~pcdet_kd.models.PointDataPreprocessor`, in training only: ``augment(points, score, rng)``
returns new points and new shares of the classes. All its random numbers come from ``rng``, so that
they are the same on every device.
"""

from pcdet_kd.models.batch_augments.base import BatchAugment
from pcdet_kd.models.batch_augments.point_cut_mix import PointCutMix
from pcdet_kd.models.batch_augments.point_mixup import PointMixup
from pcdet_kd.models.batch_augments.random_batch_augment import RandomBatchAugment
from pcdet_kd.models.batch_augments.rsmix import RSMix

__all__ = ['BatchAugment', 'PointCutMix', 'PointMixup', 'RSMix', 'RandomBatchAugment']
