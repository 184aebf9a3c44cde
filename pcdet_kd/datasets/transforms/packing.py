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
    """

    def __init__(self, keys: Sequence[str] = ('points',), features: Sequence[str] = ()) -> None:
        if not keys:
            raise ValueError('keys is empty, must name at least one input')
        self.keys, self.features = tuple(keys), tuple(features)

    def transform(self, results: dict) -> dict:
        """Pack.

        Raises:
            KeyError: The sample lacks an entry of ``keys`` or ``features``.
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
        return dict(inputs=inputs, data_samples=sample)

    @staticmethod
    def _get(results: dict, key: str) -> np.ndarray:
        if key not in results:
            raise KeyError(f"the sample has no '{key}'; it has {', '.join(sorted(results))}")
        array = np.asarray(results[key])
        return array if array.dtype == np.uint8 else array.astype(np.float32, copy=False)
