"""Random crops of a cloud for self-supervised training (AsymDSD)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import POINT_KEYS
from pcdet_kd.datasets.transforms.rotation import rotation_matrix
from pcdet_kd.registry import TRANSFORMS, did_you_mean
from pcdet_kd.utils.arguments import check_choice


@dataclass(frozen=True)
class CropSpec:
    """One kind of crop.

    Attributes:
        count: How many crops of each cloud.
        num_points: Points of a crop.
        fraction: Range of the share of the cloud's points that lie in the crop's box.
    """

    count: int
    num_points: int
    fraction: tuple[float, float]

    @classmethod
    def of(cls, name: str, values: Mapping) -> 'CropSpec':
        """Check the dict of an argument ``name`` and return it as a spec."""
        known = [f.name for f in fields(cls)]
        for key in values:
            if key not in known:
                raise ValueError(
                    f"{name} has an unknown key '{key}', known are {', '.join(known)}."
                    f'{did_you_mean(key, known)}'
                )
        missing = [key for key in known if key not in values]
        if missing:
            raise ValueError(f'{name} lacks {", ".join(missing)}')
        low, high = values['fraction']
        if not 0 <= low <= high <= 1:
            raise ValueError(
                f'fraction of {name} is ({low}, {high}), must be 0 <= low <= high <= 1'
            )
        for key in ('count', 'num_points'):
            if values[key] != int(values[key]) or values[key] < 1:
                raise ValueError(
                    f'{key} of {name} is {values[key]}, must be a whole number of at least 1'
                )
        return cls(int(values['count']), int(values['num_points']), (float(low), float(high)))

    def num_inside(self, fraction: float, num_points: int) -> int:
        """Return how many points of a cloud of ``num_points`` lie in a box of this share of it."""
        return min(max(int(fraction * num_points), self.num_points), num_points)


@TRANSFORMS.register_module()
class MultiCrop(BaseTransform):
    """Cut random boxes out of the cloud, a few large and a few small ones (AsymDSD, NeurIPS 2025,
    after DINO's multi-crop).

    A crop is the points that are nearest, in the maximum norm, to a random point of the cloud,
    after a uniformly random rotation and a stretch by a random permutation of (1, 1 / sqrt(a),
    sqrt(a)): the points in a randomly oriented box of aspect a and constant volume. As many points
    as a random share of the cloud says lie in it, at least ``num_points`` of the crop. Of these a
    random subset of ``num_points`` is kept, in random order and in the orientation of the cloud:
    only the box is rotated. Then ``transforms`` run on each crop by itself. Crops are not
    normalised here.

    Adds ``global_crops`` (count, num_points, 3) and, if asked for, ``local_crops``, both float32.
    Only xyz is cropped: further columns of ``points`` and other per-point arrays are not. The rest
    of the sample stays as it is. Every draw follows from one number of NumPy's global generator,
    and from what ``transforms`` draw from it.

    Source: arXiv 2506.21724 and the released code, which sorts all points for each crop; this
    selects the same points. The released code pads clouds smaller than a crop with
    zeros; here they are an error or are resampled.

    Args:
        global_crops: ``count``, ``num_points`` and ``fraction`` (low, high) of the large crops.
            AsymDSD: 2 of 1,024 points, 0.4 to 1.
        local_crops: The same for the small ones; None: none. AsymDSD: 4 of 256 points, 0.05 to 0.4.
        aspect: Range of a, uniform.
        transforms: What happens to each crop: a sample with the crop as ``points`` and without
            other per-point arrays. They must keep the number of points.
        on_short: What to do with a cloud of fewer points than a crop has: ``'error'``, or
            ``'resample'``: the crop has all points once, then again from the first until there are
            enough, in random order.
    """

    def __init__(
        self,
        global_crops: Mapping,
        local_crops: Mapping | None = None,
        aspect: tuple[float, float] = (0.33, 3.0),
        transforms: Sequence[dict | Callable] = (),
        on_short: str = 'error',
    ) -> None:
        self.crops = {'global_crops': CropSpec.of('global_crops', global_crops)}
        if local_crops is not None:
            self.crops['local_crops'] = CropSpec.of('local_crops', local_crops)
        if not 0 < aspect[0] <= aspect[1]:
            raise ValueError(f'aspect is {tuple(aspect)}, must be 0 < low <= high')
        check_choice('on_short', on_short, ('error', 'resample'))
        self.aspect, self.on_short = (float(aspect[0]), float(aspect[1])), on_short
        self.transforms = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in transforms]

    def transform(self, results: dict) -> dict:
        """Add the crops.

        Raises:
            ValueError: The cloud has fewer points than a crop and ``on_short`` is ``'error'``, or
                it has none; or a transform changed the number of points or returned nothing.
        """
        points = np.ascontiguousarray(results['points'][:, :3], dtype=np.float32)
        self.check_size(len(points), f" '{results['sample_id']}'" if 'sample_id' in results else '')
        rng = np.random.default_rng(np.random.randint(2**63, dtype=np.int64))
        specs = [spec for spec in self.crops.values() for _ in range(spec.count)]
        # One product for all crops, a row of `turned` per axis: it is read row by row below.
        boxes = np.concatenate([self._random_box(rng) for _ in specs]).astype(np.float32)
        turned = (boxes @ np.ascontiguousarray(points.T)).reshape(len(specs), 3, len(points))
        rest = {key: value for key, value in results.items() if key not in POINT_KEYS}
        crops = [
            self._augment(rest, points[choose(spec, axes, rng)], results)
            for spec, axes in zip(specs, turned)
        ]
        out, start = dict(results), 0
        for name, spec in self.crops.items():
            out[name] = np.stack(crops[start : start + spec.count])
            start += spec.count
        return out

    def check_size(self, n: int, name: str = '') -> None:
        """Raise ``ValueError`` if clouds of n points, the one of this name, are too small."""
        for kind, spec in self.crops.items():
            if n < spec.num_points and (self.on_short == 'error' or n == 0):
                raise ValueError(
                    f'the cloud{name} has {n} points, num_points of '
                    f'{kind} is {spec.num_points}: ask for fewer, put a sampling transform with '
                    "on_short='resample' before it, or pass on_short='resample' to repeat points"
                )

    def _random_box(self, rng: np.random.Generator) -> np.ndarray:
        """Return the axes (3, 3) of a random box: one per row, stretched."""
        root = np.sqrt(rng.uniform(*self.aspect))
        stretch = rng.permutation([1.0, 1 / root, root])
        return rotation_matrix(rng.standard_normal(4)).T * stretch[:, None]

    def _augment(self, rest: dict, crop: np.ndarray, results: dict) -> np.ndarray:
        sample = {**rest, 'points': crop}
        for transform in self.transforms:
            sample = transform(sample)
            if sample is None:
                raise ValueError(f'{type(transform).__name__} returned nothing')
            if sample['points'].shape != crop.shape:
                raise ValueError(
                    f'{type(transform).__name__} made points of shape {sample["points"].shape} of '
                    f'a crop {crop.shape}: transforms of crops must keep the shape'
                )
        return sample['points'].astype(np.float32, copy=False)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}({self.crops}, aspect={self.aspect}, '
            f"transforms={self.transforms}, on_short='{self.on_short}')"
        )


def choose(spec: CropSpec, axes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the indices (num_points,) of a crop's points, in random order.

    Args:
        spec: Which kind of crop.
        axes: Coordinates (3, N) of the cloud along the stretched axes of the box.
        rng: Source of the random numbers.
    """
    n = axes.shape[1]
    if n < spec.num_points:
        return rng.permutation(np.arange(spec.num_points) % n)
    inside = nearest(axes, int(rng.integers(n)), spec.num_inside(rng.uniform(*spec.fraction), n))
    return inside[rng.choice(len(inside), spec.num_points, replace=False)]


def nearest(axes: np.ndarray, centre: int, count: int) -> np.ndarray:
    """Return the indices (count,) of the points (3, N) nearest to one of them in the maximum norm,
    in no particular order.
    """
    offset = axes - axes[:, centre, None]
    np.abs(offset, out=offset)
    distance = np.maximum(np.maximum(offset[0], offset[1]), offset[2])
    return np.argpartition(distance, count - 1)[:count]
