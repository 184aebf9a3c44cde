"""Normalisation by the root mean square."""

from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers.inputs import at_least_float32


class RMSNorm(nn.RMSNorm):
    """:class:`torch.nn.RMSNorm` with an epsilon of 1e-5 (Zhang and Sennrich, 2019), in float32 at
    least: under autocast torch's own leaves its weights in float32 and warns.

    Args:
        channels: Of the last dimension.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-5)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., channels) to the same shape; half precision becomes float32."""
        return F.rms_norm(at_least_float32(x), self.normalized_shape, self.weight, self.eps)
