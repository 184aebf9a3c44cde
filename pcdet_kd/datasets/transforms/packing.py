"""From a sample's arrays to model inputs."""

from collections.abc import Sequence

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.structures import PointDataSample

META_KEYS = ('sample_idx', 'sample_id', 'num_points', 'up_axis')


@TRANSFORMS.register_module()
class PackPointInputs(BaseTransform):
    """Make ``inputs`` (float32 tensors by name) and ``data_samples`` (label and identity); the last
    step of a pipeline.

    Entries that are uint8, such as images, stay uint8: a quarter of the bytes are copied to the
    device.

    Args:
        keys: Entries that become inputs: ``'points'``, ``'points_2'``, ``'views'``, ...
        features: Per-point entries that are appended to ``points`` as columns, in this order:
            ``'heights'``, ``'normals'``, ``'rgb'``. Their ``_2`` counterparts are appended to
            ``points_2``.
        parts: Whether samples get ``gt_parts``, from ``part_labels``. After
            :class:`ScoreEveryPoint` they are those of the whole cloud, and ``nearest`` goes with
            them.
    """

    def __init__(
        self, keys: Sequence[str] = ('points',), features: Sequence[str] = (), parts: bool = False
    ) -> None:
        if not keys:
            raise ValueError('keys is empty, must name at least one input')
        self.keys, self.features = tuple(keys), tuple(features)
        self.parts = parts

    def transform(self, results: dict) -> dict:
        """Pack.

        Raises:
            KeyError: The sample lacks an entry of ``keys`` or ``features``, or part labels that
                are wanted.
        """
        inputs = {}
        for key in self.keys:
            columns = [key]
            if key in ('points', 'points_2'):
                columns += [feature + key[len('points') :] for feature in self.features]
            arrays = [self._get(results, name) for name in columns]
            inputs[key] = torch.from_numpy(
                np.concatenate(arrays, axis=1) if len(arrays) > 1 else arrays[0].copy()
            )
        sample = PointDataSample(
            metainfo={key: results[key] for key in META_KEYS if key in results}
        )
        if 'gt_label' in results:
            sample.set_gt_label(results['gt_label'])
        if self.parts:
            whole = 'nearest' in results
            parts = self._entry(results, 'whole_part_labels' if whole else 'part_labels')
            sample.set_gt_parts(torch.tensor(parts, dtype=torch.int64))
            if whole:
                sample.set_nearest(torch.from_numpy(results['nearest']))
        return dict(inputs=inputs, data_samples=sample)

    @classmethod
    def _get(cls, results: dict, key: str) -> np.ndarray:
        array = cls._entry(results, key)
        return array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)

    @staticmethod
    def _entry(results: dict, key: str) -> np.ndarray:
        if key not in results:
            raise KeyError(f"the sample has no '{key}'; it has {', '.join(sorted(results))}")
        return np.asarray(results[key])
