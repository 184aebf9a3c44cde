"""Feature propagation of PointNet++ (Qi et al., NeurIPS 2017): from few points back to many."""

from collections.abc import Sequence

from torch import Tensor, nn

from pcdet_kd.layers.linear import linear
from pcdet_kd.layers.mlp import MLP, LinearNormAct
from pcdet_kd.ops import three_interpolate


class JoinedLinear(LinearNormAct):
    """:class:`LinearNormAct` on a point's own features joined with features from elsewhere: of a
    coarser cloud, interpolated, or of the whole cloud, the same for all points.

    A linear layer on [own, spread(other)] is one on ``own`` plus the spread result of one on
    ``other``, because spreading is linear. So the second product is made at the few points, and
    nothing wide is repeated or interpolated. Results are the same to rounding.

    Args:
        own_channels: C of the point's own features.
        other_channels: C' of the others.
        out_channels: Channels of the output.
        compat: As in :func:`pcdet_kd.ops.three_interpolate`.
        options: Other arguments of :class:`LinearNormAct`.
    """

    def __init__(
        self,
        own_channels: int,
        other_channels: int,
        out_channels: int,
        compat: str | None = None,
        **options: object,
    ) -> None:
        super().__init__(own_channels + other_channels, out_channels, **options)
        self.widths = (own_channels, other_channels)
        self.compat = compat

    def forward(
        self,
        own: Tensor,
        other: Tensor,
        coords: Tensor | None = None,
        other_coords: Tensor | None = None,
    ) -> Tensor:
        """Join.

        Args:
            own: (B, N, C).
            other: (B, C') of whole clouds, or (B, M, C') of the points ``other_coords``.
            coords: (B, N, 3); not needed with features of whole clouds.
            other_coords: (B, M, 3).

        Returns:
            (B, N, out_channels).
        """
        near, far = self.linear.weight.split(self.widths, dim=1)
        spread = linear(other, far)
        if other.dim() == 2:
            spread = spread.unsqueeze(1)
        else:
            spread = three_interpolate(coords, other_coords, spread, self.compat)
        return self.finish(linear(own, near, self.linear.bias) + spread)


class FeaturePropagation(nn.Module):
    """A :class:`JoinedLinear` and an MLP.

    Args:
        own_channels: Channels of the finer points' features.
        other_channels: Channels of the coarser points', or of the whole cloud's.
        mlp_channels: Widths of the layers, the joining one first.
        bias: Whether linear layers, all followed by BatchNorm, have a bias.
        compat: As in :class:`JoinedLinear`.
    """

    def __init__(
        self,
        own_channels: int,
        other_channels: int,
        mlp_channels: Sequence[int],
        bias: bool = False,
        compat: str | None = None,
    ) -> None:
        super().__init__()
        self.join = JoinedLinear(own_channels, other_channels, mlp_channels[0], compat, bias=bias)
        self.mlp = MLP(mlp_channels, bias=bias)
        self.out_channels = self.mlp.out_channels

    def forward(
        self,
        own: Tensor,
        other: Tensor,
        coords: Tensor | None = None,
        other_coords: Tensor | None = None,
    ) -> Tensor:
        """Map as :class:`JoinedLinear` does, to (B, N, out_channels)."""
        return self.mlp(self.join(own, other, coords, other_coords))
