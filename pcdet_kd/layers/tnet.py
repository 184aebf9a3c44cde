"""The alignment network of PointNet."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from pcdet_kd.layers.grouped_mlp import pooled_mlp
from pcdet_kd.layers.inputs import at_least_float32
from pcdet_kd.layers.mlp import MLP


class TNet(nn.Module):
    """Predict one (size, size) matrix per cloud, the identity plus a correction (Qi et al.,
    PointNet, CVPR 2017).

    Args:
        size: Rows and columns of the matrix.
        in_channels: Channels of the points that it looks at.
        mlp_channels: Widths of the point-wise layers before the max pooling.
        fc_channels: Widths of the layers after it.
        bias: Whether layers that are followed by BatchNorm have a bias.
    """

    def __init__(
        self,
        size: int,
        in_channels: int,
        mlp_channels: Sequence[int] = (64, 128, 1024),
        fc_channels: Sequence[int] = (512, 256),
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.size = size
        self.mlp = MLP([in_channels, *mlp_channels], bias=bias)
        self.fc = MLP([mlp_channels[-1], *fc_channels], bias=bias)
        self.last = nn.Linear(fc_channels[-1], size * size)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, in_channels) to (B, size, size)."""
        matrix = self.last(self.fc(pooled_mlp(self.mlp, x))).unflatten(-1, (self.size, self.size))
        return matrix + torch.eye(self.size, device=matrix.device, dtype=matrix.dtype)


def orthogonality_loss(matrices: Tensor) -> Tensor:
    r"""Return the mean over the batch of :math:`\|A A^T - I\|_F` for A (B, n, n); the gradient at 0
    is 0.
    """
    with torch.autocast(matrices.device.type, enabled=False):
        a = at_least_float32(matrices)
        gap = a @ a.transpose(1, 2) - torch.eye(a.shape[-1], device=a.device, dtype=a.dtype)
        return gap.flatten(1).norm(dim=1).mean()
