"""Noise on each point."""

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomJitter(BaseTransform):
    """Move every point by Gaussian noise, clipped (PointNet, Qi et al., CVPR 2017: sigma 0.01,
    clip 0.05, in a unit sphere). Normals stay.

    Args:
        sigma: Standard deviation per axis, in the cloud's unit.
        clip: Largest move per axis.
    """

    def __init__(self, sigma: float = 0.01, clip: float = 0.05) -> None:
        if sigma < 0 or clip <= 0:
            raise ValueError(
                f'sigma is {sigma} and clip is {clip}, must be sigma >= 0 and clip > 0'
            )
        self.sigma, self.clip = sigma, clip

    def transform(self, results: dict) -> dict:
        points = results['points']
        noise = np.clip(self.sigma * np.random.standard_normal(points.shape), -self.clip, self.clip)
        return {**results, 'points': (points + noise).astype(np.float32)}
