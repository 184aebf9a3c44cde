"""PointWOLF: smooth random deformations, blended from local transformations."""

import math
from collections.abc import Callable

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from pcdet_kd.ops import farthest_point_sample
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.utils.arguments import check_at_least

Uniform = Callable[..., Tensor]


@TRANSFORMS.register_module()
class PointWOLF(BaseTransform):
    r"""Deform the cloud by weighted local transformations (Kim et al., ICCV 2021), then centre it
    and scale it to radius 1.

    Around each of M anchors :math:`a_j`, farthest-point samples from a random start, every point is
    turned, stretched and shifted: :math:`T_j(p) = S_j R_j (p - a_j) + b_j + a_j`. The results are
    blended with the weights :math:`w_j \propto \exp(-\|\Pi (p - a_j)\|^2 / 2 \sigma^2)`, where
    :math:`\Pi` keeps a random non-empty subset of the axes. R turns about x, y and z in this order.
    Stretching and shifting act on a random non-empty subset of the axes, the same for both. Each of
    the three is left out at each anchor with probability ``dropout``.

    The released code turns by a matrix with a slip in one entry (cos z cos y for cos z cos x),
    which is not quite a rotation; here it is one. Normals follow the deformation exactly. ``sigma``
    and ``max_shift`` belong to clouds in the unit sphere.

    Args:
        num_anchors: M; fewer if the cloud has fewer points.
        degrees: Angles are uniform in [-degrees, degrees].
        max_scale: Factors are uniform in [1, max_scale].
        max_shift: Shifts are uniform in [-max_shift, max_shift], per axis.
        sigma: Bandwidth of the weights.
        dropout: In [0, 1].
    """

    def __init__(
        self,
        num_anchors: int = 4,
        degrees: float = 10.0,
        max_scale: float = 3.0,
        max_shift: float = 0.25,
        sigma: float = 0.5,
        dropout: float = 0.5,
    ) -> None:
        check_at_least('num_anchors', num_anchors)
        if degrees < 0 or max_scale < 1 or max_shift < 0 or sigma <= 0 or not 0 <= dropout <= 1:
            raise ValueError(
                f'degrees is {degrees}, max_scale {max_scale}, max_shift {max_shift}, sigma '
                f'{sigma} and dropout {dropout}, must be degrees >= 0, max_scale >= 1, max_shift '
                '>= 0, sigma > 0 and dropout in [0, 1]'
            )
        self.num_anchors, self.degrees, self.max_scale, self.max_shift = (
            num_anchors,
            degrees,
            max_scale,
            max_shift,
        )
        self.sigma, self.dropout = sigma, dropout

    def transform(self, results: dict) -> dict:
        def uniform(low: float, high: float, *shape: int) -> Tensor:
            return torch.from_numpy(np.random.uniform(low, high, (1, *shape)))

        points, normals = (
            torch.from_numpy(results[key].astype(np.float64))[None] if key in results else None
            for key in ('points', 'normals')
        )
        moved, turned = self.warp(points, uniform, normals)
        changed = {'points': moved, **({} if turned is None else {'normals': turned})}
        return {**results, **{key: value[0].float().numpy() for key, value in changed.items()}}

    def warp(
        self, points: Tensor, uniform: Uniform, normals: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Deform clouds (B, N, 3), and their unit normals.

        Args:
            points: (B, N, 3) of any float type, which the result has too.
            uniform: ``uniform(low, high, *shape)`` returns random numbers ``(B, *shape)``,
                for each cloud its own.
            normals: (B, N, 3) or None.
        """
        num_points, m = points.shape[1], min(self.num_anchors, points.shape[1])
        first = (uniform(0, 1, 1) * num_points).long().clamp(max=num_points - 1)
        index = (
            first + torch.arange(num_points, device=points.device)
        ) % num_points  # so that sampling starts at it
        rolled = points.gather(1, index[..., None].expand_as(points))
        anchors = rolled.gather(1, farthest_point_sample(rolled, m)[..., None].expand(-1, -1, 3))
        matrices, shifts = self._local(uniform, m)
        kept = _axes(uniform, 1)  # (B, 1, 3)

        away = points.mT.contiguous()[:, None] - anchors[..., None]  # (B, M, 3, N)
        local = (matrices[..., None] * away[:, :, None]).sum(3) + (shifts + anchors)[..., None]
        weights = (-(away.square() * kept[..., None]).sum(2) / (2 * self.sigma**2)).softmax(1)[
            :, :, None
        ]
        moved = (weights * local).sum(1)
        turned = None
        if (
            normals is not None
            # the derivative of the blend, (B, 3, 3, N): that of its parts, and that of their
            # weights
        ):
            slope = -away * kept[..., None] / self.sigma**2
            slope = weights * (slope - (weights * slope).sum(1, keepdim=True))
            jacobian = (
                weights[:, :, None] * matrices[..., None] + local[:, :, :, None] * slope[:, :, None]
            ).sum(1)
            turned = _follow(jacobian.permute(0, 3, 1, 2), normals)
        moved = moved.mT - moved.mean(2)[:, None]
        radius = moved.square().sum(2).amax(1).sqrt()[:, None, None]
        return (moved / torch.where(radius > 0, radius, 1)).contiguous(), turned

    def _local(self, uniform: Uniform, m: int) -> tuple[Tensor, Tensor]:
        """Draw matrices S R (B, M, 3, 3) and shifts (B, M, 3)."""
        used = uniform(0, 1, m, 3) >= self.dropout
        turn, stretch, shift = (used[..., i, None] for i in range(3))
        axes = _axes(uniform, m)
        angles = uniform(-self.degrees, self.degrees, m, 3) * (math.pi / 180) * turn
        scales = torch.where(stretch & axes, uniform(1, self.max_scale, m, 3), 1)
        return scales[..., None] * _rotations(angles), uniform(
            -self.max_shift, self.max_shift, m, 3
        ) * (shift & axes)


def _axes(uniform: Uniform, m: int) -> Tensor:
    """Return random non-empty subsets of the axes (B, M, 3), bool."""
    number = 1 + (uniform(0, 7, m)).long().clamp(max=6)
    return (number[..., None] >> torch.arange(3, device=number.device)) & 1 > 0


def _rotations(angles: Tensor) -> Tensor:
    """Return matrices (..., 3, 3) that turn columns about x, then y, then z, by angles (..., 3) in
    radians.
    """
    (cx, cy, cz), (sx, sy, sz) = angles.cos().unbind(-1), angles.sin().unbind(-1)
    entries = (
        cz * cy,
        cz * sy * sx - sz * cx,
        cz * sy * cx + sz * sx,
        sz * cy,
        sz * sy * sx + cz * cx,
        sz * sy * cx - cz * sx,
        -sy,
        cy * sx,
        cy * cx,
    )
    return torch.stack(entries, dim=-1).unflatten(-1, (3, 3))


def _follow(jacobian: Tensor, normals: Tensor) -> Tensor:
    """Return unit normals (..., 3) of a surface after a map with the derivative (..., 3, 3); where
    it collapses, the old ones.
    """
    x, y, z = jacobian.unbind(-1)
    faces = torch.stack([y.cross(z, dim=-1), z.cross(x, dim=-1), x.cross(y, dim=-1)], dim=-1)
    side = torch.where(
        (x * faces[..., 0]).sum(-1, keepdim=True) < 0, -1, 1
    )  # a mirrored piece keeps its outside
    turned = side * (faces * normals[..., None, :]).sum(-1)
    length = turned.norm(dim=-1, keepdim=True)
    return torch.where(length > 0, turned / torch.where(length > 0, length, 1), normals)
