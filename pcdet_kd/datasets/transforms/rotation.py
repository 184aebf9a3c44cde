"""Random rotations."""

from typing import TypeVar

import numpy as np
from mmcv.transforms import BaseTransform

from pcdet_kd.datasets.transforms.point_arrays import AXES, transform_normals, up_index
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.utils.arguments import check_choice

T = TypeVar('T')


@TRANSFORMS.register_module()
class RandomRotate(BaseTransform):
    """Rotate the cloud (and its normals) about the origin.

    Args:
        axis: ``'up'``: the sample's up axis; ``'x'``, ``'y'``, ``'z'``: that axis; ``'any'``: a
            random direction; ``'so3'``: a uniformly random orientation, which has no angle range.
        degrees: The angle is uniform in [-degrees, degrees]; 180 is every angle. Must be 180 for
            ``'so3'``.
        up_axis: The up axis that the recipe was written for; a sample with another one is an error.
            None: not checked.
    """

    def __init__(
        self, axis: str = 'up', degrees: float = 180.0, up_axis: str | None = None
    ) -> None:
        check_choice('axis', axis, ('up', *AXES, 'any', 'so3'))
        if not 0 <= degrees <= 180:
            raise ValueError(f'degrees is {degrees}, must be in [0, 180]')
        if axis == 'so3' and degrees != 180:
            raise ValueError(
                "axis 'so3' draws every orientation: leave degrees at 180, or use axis='any'"
            )
        check_choice('up_axis', up_axis, (None, *AXES))
        self.axis, self.degrees, self.up_axis = axis, degrees, up_axis

    def transform(self, results: dict) -> dict:
        """Rotate.

        Raises:
            ValueError: The sample's up axis is not the one expected.
            KeyError: The sample has no ``up_axis`` and it is needed.
        """
        if self.up_axis is not None and AXES[up_index(results)] != self.up_axis:
            raise ValueError(
                f"the data's up axis is '{results['up_axis']}', the pipeline expects "
                f"'{self.up_axis}': correct up_axis, or put ConvertUpAxis before it"
            )
        matrix = self._matrix(results)
        points = (results['points'].astype(np.float64) @ matrix).astype(np.float32)
        return {**results, 'points': points, **transform_normals(results, matrix)}

    def _matrix(self, results: dict) -> np.ndarray:
        if self.axis == 'so3':
            return rotation_matrix(np.random.standard_normal(4))
        if self.axis == 'any':
            direction = np.random.standard_normal(3)
        else:
            direction = np.eye(3)[up_index(results) if self.axis == 'up' else AXES.index(self.axis)]
        half = np.deg2rad(np.random.uniform(-self.degrees, self.degrees)) / 2
        return rotation_matrix(
            np.array([np.cos(half), *(np.sin(half) * direction / np.linalg.norm(direction))])
        )


def rotation_matrix(quaternion: np.ndarray) -> np.ndarray:
    """Return the matrix (3, 3) of the rotation by a quaternion (4,) of any length > 0."""
    return np.array(quaternion_matrix(*(quaternion / np.linalg.norm(quaternion)))).reshape(3, 3)


def quaternion_matrix(w: T, x: T, y: T, z: T) -> tuple[T, ...]:
    """Return the nine entries, row by row, of the matrix for rows, ``p @ matrix``, of the rotation
    by a unit quaternion: of numbers, or of tensors elementwise.
    """
    return (
        1 - 2 * (y * y + z * z),
        2 * (x * y + w * z),
        2 * (x * z - w * y),
        2 * (x * y - w * z),
        1 - 2 * (x * x + z * z),
        2 * (y * z + w * x),
        2 * (x * z + w * y),
        2 * (y * z - w * x),
        1 - 2 * (x * x + y * y),
    )
