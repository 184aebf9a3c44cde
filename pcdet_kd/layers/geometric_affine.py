"""Local grouping with the geometric affine module of PointMLP."""

import torch
from torch import Tensor, nn

from pcdet_kd.layers.centres import CentreSampler
from pcdet_kd.layers.inputs import at_least_float32
from pcdet_kd.layers.linear import linear as by_rows
from pcdet_kd.ops import group, knn


class LocalGrouper(CentreSampler):
    r"""Sample centres and normalise the features of their neighbours (Ma et al., PointMLP, ICLR
    2022).

    With f_j the features of the k nearest neighbours (the centre included) of a centre with feature
    f_i,

    .. math:: \hat f_j = \alpha \odot (f_j - f_i) / (\sigma + 10^{-5}) + \beta

    where :math:`\sigma` is the unbiased standard deviation of all f_j - f_i of one sample, over
    groups, neighbours and channels: one number per sample. (The code before February 2022 took it
    over the whole batch.) The output is [:math:`\hat f_j`, f_i].

    Args:
        channels: Channels C of the features.
        num_points: Centres to sample; a smaller cloud keeps all its points.
        num_neighbors: k; a cloud with fewer points uses all of them.
        compat: As in :class:`SetAbstraction`, for the sampling.
        fps_start: As in :class:`SetAbstraction`.
    """

    def __init__(
        self,
        channels: int,
        num_points: int,
        num_neighbors: int,
        compat: str | None = None,
        fps_start: int | str = 0,
    ) -> None:
        super().__init__(compat, fps_start)
        self.num_points = num_points
        self.num_neighbors = num_neighbors
        self.affine_alpha = nn.Parameter(torch.ones(1, 1, 1, channels))
        self.affine_beta = nn.Parameter(torch.zeros(1, 1, 1, channels))

    def forward(self, coords: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, N, 3) and (B, N, C) to centres (B, M, 3) and grouped features (B, M, k, 2C)."""
        centres, chosen, index = self.sample(coords)
        anchor = at_least_float32(group(features, chosen)).unsqueeze(2)
        offset = at_least_float32(group(features, index)) - anchor
        offset = self.affine_alpha * (offset / self.spread(offset)) + self.affine_beta
        return centres, torch.cat([offset, anchor.expand_as(offset)], dim=-1)

    def forward_linear(
        self, coords: Tensor, features: Tensor, linear: nn.Linear
    ) -> tuple[Tensor, Tensor]:
        r"""Return the centres and ``linear`` of the grouped features (B, M, k, D), with the linear
        layer done per point.

        With weight [W_1, W_2] the layer's output is
        :math:`(u_j - u_i) / (\sigma + 10^{-5}) + W_2 f_i + W_1 \beta` for :math:`u = W_1 (\alpha
        \odot f)`: equal to ``linear(forward(...))`` to rounding, with as many times fewer rows as a
        point has groups. The terms cancel, so they are computed in float32 under autocast too; the
        output has the type that ``linear`` would give it.
        """
        centres, chosen, index = self.sample(coords)
        kind = features.device.type
        dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
        with torch.autocast(kind, enabled=False):
            features = at_least_float32(features)
            anchor = group(features, chosen)
            spread = self.spread(group(features, index) - anchor.unsqueeze(2))
            alpha, beta = self.affine_alpha.flatten(), self.affine_beta.flatten()
            to_offset, to_anchor = linear.weight.to(features.dtype).chunk(2, dim=1)
            u = by_rows(features * alpha / spread.squeeze(-1), to_offset)
            constant = (
                to_offset @ beta
                if linear.bias is None
                else to_offset @ beta + linear.bias.to(features.dtype)
            )
            # First the difference, which is exact for neighbours that coincide: 1 / spread may be
            # large.
            out = group(u, index) - group(u, chosen).unsqueeze(2)
            out = out.add_(by_rows(anchor, to_anchor, constant).unsqueeze(2))
        return centres, out if dtype is None else out.to(dtype)

    def sample(self, coords: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the centres (B, M, 3), their indices (B, M) and those of their neighbours (B, M,
        k).
        """
        centres, chosen = self.sample_centres(coords, self.num_points)
        return centres, chosen, knn(centres, coords, min(self.num_neighbors, coords.shape[1]))

    @staticmethod
    def spread(offset: Tensor) -> Tensor:
        """Return sigma plus 1e-5 (B, 1, 1, 1) of offsets (B, M, k, C)."""
        return offset.flatten(1).std(dim=1).view(-1, 1, 1, 1) + 1e-5
