"""The later layers of an MLP on edges, and the maximum over neighbours, a slab of rows at a time
(CPU).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from pcdet_kd.layers import batch_norm
from pcdet_kd.layers.linear import linear

SLAB = 1 << 20  # elements of the widest tensor of a slab: 4 MB, which the processor's cache holds


class EdgeRows:
    """The rows relu(u_j - q_i) of all edges, and their values after further layers, computed when
    asked for.

    Args:
        points: u, (B * N, C).
        centres: q, (B * M, C).
        index: (B * M, k) rows of ``points``.
        widest: Channels of the widest layer, which decides how many rows are a slab.
    """

    def __init__(self, points: Tensor, centres: Tensor, index: Tensor, widest: int) -> None:
        from pcdet_kd.ops.cpu import grouped, threads  # needs numba

        threads.to_index(index, len(points))
        self.kernels = grouped
        self.points, self.centres, self.index = points, centres, index
        self.count, self.k = index.numel(), index.shape[1]
        step = max(1, SLAB // (self.k * widest))
        self.slabs = [
            slice(low, min(low + step, len(index))) for low in range(0, len(index), step)
        ]  # of centres
        # Per further layer its rows before BatchNorm, slab by slab, and the scale and shift of
        # BatchNorm.
        self.hidden = []

    def relu(self, level: int, slab: int, shift: Tensor | None = None) -> Tensor:
        """Return relu(BN(z)) of a slab's rows after ``level`` further layers, minus ``shift``
        (C,).
        """
        where = self.slabs[slab]
        centres, index = self.centres[where], self.index[where]
        channels = self.points.shape[1] if level == 0 else len(self.hidden[level - 1][1])
        out = self.points.new_empty(index.numel(), channels)
        floor = self.points.new_zeros(channels) if shift is None else -shift
        if level == 0:
            self.kernels.share(
                self.kernels.edge_relu_rows,
                len(index),
                self.points,
                centres - floor,
                index,
                floor,
                out,
            )
        else:
            z, scale, offset = self.hidden[level - 1]
            self.kernels.share(
                self.kernels.affine_relu_rows, len(out), z[slab], scale, offset + floor, floor, out
            )
        return out


def _hidden_layer(
    edges: EdgeRows,
    level: int,
    norm: nn.Module,
    weight: Tensor,
    bias: Tensor | None,
    gamma: Tensor,
    beta: Tensor,
) -> list[Tensor]:
    """Append linear and BatchNorm to ``edges``; return scale, shift, mean and 1/sigma of BatchNorm,
    and the rows before it.
    """
    count, channels, z = edges.count, weight.shape[0], []
    total, squares = weight.new_zeros(2, channels, dtype=torch.float64)
    batch, pivot = batch_norm.uses_batch(norm), None
    for slab in range(len(edges.slabs)):
        z.append(linear(edges.relu(level, slab), weight, bias))
        if batch:
            pivot = z[0].mean(dim=0) if pivot is None else pivot
            edges.kernels.share(
                edges.kernels.moments_columns, channels, z[-1], pivot, total, squares
            )
    if batch:
        mean = pivot + total / count
        var = (squares / count - (total / count) ** 2).clamp(min=0)
        batch_norm.update_running(norm, mean, var, count)
    else:
        mean, var = norm.running_mean.double(), norm.running_var.double()
    inverse = torch.rsqrt(var + norm.eps)
    scale = gamma * inverse
    scale, offset, mean, inverse = (
        t.to(weight.dtype) for t in (scale, beta - mean * scale, mean, inverse)
    )
    edges.hidden.append((z, scale, offset))
    return [scale, offset, mean, inverse, *z]


class SlabMLP(torch.autograd.Function):
    r"""Linear layers with BatchNorm and ReLU on rows relu(u_j - q_i), one more linear layer, and
    its maximum over neighbours.

    The rows of one layer's input and of the last layer's output are never stored; the others are
    stored once, before BatchNorm. With :math:`z = W h` the last layer, its mean and variance follow
    from those of h, :math:`\bar z = W \bar h` and :math:`\sigma^2_c = w_c^T \mathrm{Cov}(h) w_c`,
    and the gradients through them from Cov(h) too; the covariance is a sum around a shift close to
    the mean. The gradient of the maximum touches one row per centre and channel.
    """

    @staticmethod
    def forward(
        ctx: Any,
        points: Tensor,
        centres: Tensor,
        index: Tensor,
        norms: Sequence[nn.Module],
        moments: bool,
        weight: Tensor,
        bias: Tensor | None,
        *params: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return maximum (B, M, C), and mean and variance (C,) over all rows (zeros unless
        ``moments``).

        Args:
            ctx: Of autograd.
            points: u, (B, N, C_1).
            centres: q, (B, M, C_1).
            index: (B, M, k) int64.
            norms: BatchNorms of the layers before the last; their running statistics are moved.
            moments: Whether mean and variance of the last layer are needed.
            weight: Of the last layer, (C, C_h).
            bias: Of the last layer, or None.
            params: Per layer before the last its weight, bias (or None), gamma and beta.
        """
        batch, num_points, _ = points.shape
        offset = torch.arange(batch).view(-1, 1, 1) * num_points
        flat = (index + offset).flatten(0, 1)
        channels, width = weight.shape
        widest = max(channels, width, *(p.shape[0] for p in params if p is not None))
        edges = EdgeRows(
            points.flatten(0, 1).contiguous(), centres.flatten(0, 1).contiguous(), flat, widest
        )
        saved = [edges.points, edges.centres, flat, weight]
        for level, norm in enumerate(norms):
            layer = params[4 * level : 4 * level + 4]
            saved += [layer[0], *_hidden_layer(edges, level, norm, *layer)]
        highest = weight.new_empty(len(flat), channels)
        where = torch.empty(len(flat), channels, dtype=torch.int32)
        level, count = len(norms), edges.count
        shift = edges.relu(level, 0).mean(dim=0)
        total, gram = (
            weight.new_zeros(width, dtype=torch.float64),
            weight.new_zeros(width, width, dtype=torch.float64),
        )
        for slab, groups in enumerate(edges.slabs):
            h = edges.relu(level, slab, shift)
            args = linear(h, weight), edges.k, highest[groups], where[groups]
            edges.kernels.share(edges.kernels.max_rows, len(highest[groups]), *args)
            if moments:
                total += h.sum(dim=0)
                gram += h.t() @ h
        constant = weight @ shift if bias is None else weight @ shift + bias
        mean, var = weight.new_zeros(channels), weight.new_zeros(channels)
        if moments:
            delta = total / count
            gram -= count * torch.outer(delta, delta)
            wide = weight.double()
            mean = constant + (wide @ delta).to(mean.dtype)
            var = ((wide @ gram) * wide).sum(dim=1).clamp(min=0).div(count).to(var.dtype)
            shift = shift + delta.to(shift.dtype)
        ctx.save_for_backward(*saved, where, shift, gram.to(weight.dtype))
        ctx.moments, ctx.shape, ctx.has_bias = (
            moments,
            (points.shape, centres.shape),
            bias is not None,
        )
        ctx.batch = [
            (batch_norm.uses_batch(norm), layer is not None)
            for norm, layer in zip(norms, params[1::4])
        ]
        ctx.widest = widest
        return (highest + constant).view(*index.shape[:2], channels), mean, var

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, grad: Tensor, grad_mean: Tensor, grad_var: Tensor
    ) -> tuple[Tensor | None, ...]:
        """Return the gradients, from those of maximum, mean and variance."""
        points, centres, flat, weight, *layers, where, shift, gram = ctx.saved_tensors
        edges = EdgeRows(points, centres, flat, ctx.widest)
        size = 5 + len(edges.slabs)  # weight, scale, shift, mean, 1 / sigma, and rows
        layers = [layers[i : i + size] for i in range(0, len(layers), size)]
        edges.hidden = [(layer[5:], layer[1], layer[2]) for layer in layers]
        kernels, count = edges.kernels, edges.count
        grad = grad.flatten(0, 1).contiguous()
        per_row, spread = grad_mean / count, 2 * grad_var / count
        grad_weight = weight.new_zeros(weight.shape)
        # rows of z = W h: the maximum's gradient, plus per_row + spread * (z - mean) on every row
        mix = (weight * spread[:, None]).t() @ weight
        constant = per_row @ weight

        def last_layer(level: int, slab: int) -> Tensor:
            h = edges.relu(level, slab, shift)
            out = linear(h, mix, constant) if ctx.moments else torch.zeros_like(h)
            args = grad[edges.slabs[slab]], where[edges.slabs[slab]]
            kernels.share(kernels.max_backward_rows, len(args[0]), *args, weight, edges.k, out)
            kernels.share(kernels.max_backward_weight, len(weight), *args, h, edges.k, grad_weight)
            return out

        def inner_layer(level: int, slab: int) -> Tensor:
            a, b, c = coefficients
            dz = torch.addcmul(c, edges.hidden[level][0][slab], b).addcmul_(above[slab], a)
            grads[level][0].addmm_(dz.t(), edges.relu(level, slab))
            return linear(dz, layers[level][0].t().contiguous())

        step, grads = (
            last_layer,
            [[torch.zeros_like(layer[0]), None, None, None] for layer in layers],
        )
        for level in range(len(layers), 0, -1):
            _, scale, offset, mean, inverse, *z = layers[level - 1]
            total, moment = mean.new_zeros(2, len(mean), dtype=torch.float64)
            below = []
            for slab, rows in enumerate(z):
                below.append(step(level, slab))
                kernels.share(
                    kernels.relu_backward_columns,
                    len(mean),
                    below[-1],
                    rows,
                    scale,
                    offset,
                    mean,
                    total,
                    moment,
                )
            total, moment = total.to(mean.dtype), moment.to(mean.dtype)
            grads[level - 1][1:] = [None, inverse * moment, total]
            uses_batch, has_bias = ctx.batch[level - 1]
            if uses_batch:
                slope = -scale * inverse.square() * moment / count
                coefficients = scale, slope, -scale * total / count - slope * mean
            else:
                coefficients = scale, torch.zeros_like(scale), torch.zeros_like(scale)
            if has_bias:  # BatchNorm with the batch's mean takes a bias away again
                grads[level - 1][1] = torch.zeros_like(scale) if uses_batch else scale * total
            above, step = below, inner_layer
        grad_points, grad_centres = torch.zeros_like(points), torch.zeros_like(centres)
        for slab, groups in enumerate(edges.slabs):
            args = (
                step(0, slab),
                edges.relu(0, slab),
                flat[groups],
                grad_points,
                grad_centres[groups],
            )
            kernels.share(kernels.edge_relu_backward_columns, points.shape[1], *args)
        received = grad.sum(dim=0)
        grad_weight += torch.outer(received, shift)
        if ctx.moments:
            grad_weight += torch.outer(grad_mean, shift) + spread[:, None] * (weight @ gram)
        return (
            grad_points.view(ctx.shape[0]),
            grad_centres.view(ctx.shape[1]),
            None,
            None,
            None,
            grad_weight,
            received + grad_mean if ctx.has_bias else None,
            *(g for layer in grads for g in layer),
        )
