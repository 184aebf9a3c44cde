"""EdgeConv of DGCNN, computed without a tensor of all edges."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import batch_norm
from pcdet_kd.layers.inputs import at_least_float32
from pcdet_kd.layers.linear import Linear, linear
from pcdet_kd.layers.pooling import max_pool
from pcdet_kd.ops import edge_max_sum, group, knn


class EdgeConv(nn.Module):
    r"""Maximum over the k nearest neighbours j of a layer on [x_j - x_i, x_i] (Wang et al., DGCNN,
    TOG 2019).

    The layer is linear, BatchNorm over all edges of the batch, and LeakyReLU:

    .. math:: y_i = \max_j \, \mathrm{act}(\mathrm{BN}(W_1 (x_j - x_i) + W_2 x_i))

    The fused form computes the same, to rounding, in training and in evaluation, gradients and
    running statistics included, from per-point tensors only:

    - an edge is :math:`e_{ij} = u_j + v_i` with :math:`u = W_1 x` and :math:`v = (W_2 - W_1) x`;
    - act(BN(.)) is monotone, so the maximum is taken of u_j first; where gamma is negative, of
      -u_j;
    - mean and variance over the edges come from :math:`\sum_j u_j` and the number of times that a
      point is a neighbour. The variance is a sum around a shift close to the mean and not
      :math:`E[e^2] - E[e]^2`, which cancels (Chan, Golub and LeVeque, Algorithms for computing the
      sample variance, 1983).

    Where gamma is exactly 0, all edges are equal after BatchNorm, and the forms may name different
    ones as the maximum: then gamma's gradient differs, nothing else.

    The fused form computes in float32 under autocast too, since u_j + v_i cancels, and returns
    float32. It takes the weights of ``linear`` and ``norm`` without calling them: forward hooks on
    these two run with ``fused=False`` only. A SyncBatchNorm in ``norm`` shares its statistics
    between processes, on CPU as well; with any other normalisation the layer takes the ordinary
    form.

    The weight is ``linear.weight`` (out_channels, 2 * in_channels), that of the usual 1x1
    convolution.

    Args:
        in_channels: C of the input.
        out_channels: C of the output.
        num_neighbors: k, the point itself included; a cloud with fewer points uses all of them.
        negative_slope: Slope of the LeakyReLU below 0, at least 0.
        bias: Whether the linear layer has a bias.
        fused: Whether to take the fused form. The ordinary one makes tensors of (B, N, k, 2 *
            in_channels) and larger.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_neighbors: int = 20,
        negative_slope: float = 0.2,
        bias: bool = False,
        fused: bool = True,
    ) -> None:
        super().__init__()
        if negative_slope < 0:
            raise ValueError(
                f'negative_slope is {negative_slope}, must be at least 0: the fused form needs a '
                'monotone layer'
            )
        self.in_channels = in_channels
        self.num_neighbors = num_neighbors
        self.fused = fused
        self.linear = Linear(2 * in_channels, out_channels, bias=bias)
        self.norm = nn.BatchNorm1d(out_channels)
        self.act = nn.LeakyReLU(negative_slope)

    def forward(self, x: Tensor, index: Tensor | None = None) -> Tensor:
        """Map (B, N, in_channels) to (B, N, out_channels).

        Args:
            x: Features of the points.
            index: (B, N, k) neighbours of every point; by default its ``num_neighbors`` nearest in
                ``x``.
        """
        if index is None:
            index = knn(x, x, min(self.num_neighbors, x.shape[1]))
        if self.fused and batch_norm.is_plain_batch_norm(self.norm):
            with torch.autocast(x.device.type, enabled=False):
                return self._fused(at_least_float32(x), index)
        return self._ordinary(x, index)

    def _ordinary(self, x: Tensor, index: Tensor) -> Tensor:
        centre = x.unsqueeze(2)
        neighbours = group(x, index)
        edges = self.linear(torch.cat([neighbours - centre, centre.expand_as(neighbours)], dim=-1))
        return max_pool(self.act(self.norm(edges.flatten(0, 2)).view(edges.shape)), dim=2)

    def _fused(self, x: Tensor, index: Tensor) -> Tensor:
        sign = batch_norm.sign_of_scale(self.norm, x)
        weight = sign[:, None] * self.linear.weight.to(x.dtype)
        to_neighbour, to_centre = weight.split(self.in_channels, dim=1)
        u = linear(x, to_neighbour)
        v = linear(
            x,
            to_centre - to_neighbour,
            None if self.linear.bias is None else sign * self.linear.bias.to(x.dtype),
        )
        highest, _, total = edge_max_sum(u, index)
        if batch_norm.uses_batch(self.norm):
            mean, var = self._statistics(u, v, total, index, sign)
        else:
            mean, var = sign * self.norm.running_mean.to(x.dtype), self.norm.running_var.to(x.dtype)
        gamma, beta = batch_norm.affine(self.norm, x)
        scale = sign * gamma * torch.rsqrt(var + self.norm.eps)
        return F.leaky_relu(
            torch.addcmul(beta, highest + (v - mean), scale), self.act.negative_slope
        )

    def _statistics(
        self, u: Tensor, v: Tensor, total: Tensor, index: Tensor, sign: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return mean and variance (C,) of all u_j + v_i, and move the running statistics."""
        k, edges = index.shape[2], index.numel()
        batch_norm.check_rows(self.norm, edges)
        sum_u = total.sum(dim=(0, 1))
        sum_e, count = batch_norm.sum_over_processes(
            self.norm, sum_u + k * v.sum(dim=(0, 1)), u.new_full((1,), edges)
        )
        mean = sum_e / count
        # Any split of the mean into a shift of u and one of v gives the same sum, so that one of
        # them needs no gradient.
        shift_u = sum_u.detach() / edges
        u, v, total = u - shift_u, v - (mean - shift_u), total - k * shift_u
        degree = index.new_zeros(u.shape[:2]).scatter_add_(
            1, index.flatten(1), torch.ones_like(index).flatten(1)
        )
        squares = degree.to(u.dtype).flatten() @ u.square().flatten(0, 1) + (
            v * (2 * total + k * v)
        ).sum(dim=(0, 1))
        var = batch_norm.sum_over_processes(self.norm, squares)[0].clamp(min=0) / count
        batch_norm.update_running(self.norm, sign * mean, var, count)
        return mean, var
