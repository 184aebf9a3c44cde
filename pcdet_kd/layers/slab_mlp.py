"""The later layers of an MLP on edges, and the maximum over neighbours, a slab of rows at a time (CPU)."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from pcdet_kd.layers import batch_norm

SLAB = 1 << 20  # elements of the widest tensor of a slab: 4 MB, which the processor's cache holds


class EdgeRows:
    """The rows relu(u_j - q_i) of all edges, and what they become after further layers; made when asked for.

    Args:
        points: u, (B * N, C).
        centres: q, (B * M, C).
        index: (B * M, k) rows of ``points``.
        widest: Channels of the widest layer, which decides how many rows are a slab.
    """

    def __init__(self, points: Tensor, centres: Tensor, index: Tensor, widest: int) -> None:
        from pcdet_kd.ops.cpu import grouped  # needs numba
        self.kernels = grouped
        self.points, self.centres, self.index = points, centres, index
        self.groups, self.k = index.shape
        self.step = max(1, SLAB // (self.k * widest))
        self.hidden: list[tuple[Tensor, Tensor, Tensor]] = []  # per further layer: rows before BatchNorm, scale, shift
        self._buffers: dict[tuple[int, int], Tensor] = {}

    def slabs(self) -> Iterator[tuple[int, int]]:
        """Yield the first and the last but one group of each slab."""
        return ((low, min(low + self.step, self.groups)) for low in range(0, self.groups, self.step))

    def rows(self, low: int, high: int) -> slice:
        """Return the rows of groups ``low`` to ``high``."""
        return slice(low * self.k, high * self.k)

    def buffer(self, channels: int, low: int, high: int, use: int) -> Tensor:
        """Return memory for a slab's rows; the same for the same ``use`` and width."""
        if (channels, use) not in self._buffers:
            self._buffers[channels, use] = self.points.new_empty(self.step * self.k, channels)
        return self._buffers[channels, use][:(high - low) * self.k]

    def relu(self, level: int, low: int, high: int, shift: Tensor | None = None) -> Tensor:
        """Return relu(BN(z)) of a slab after ``level`` further layers, minus ``shift`` (C,), in a buffer."""
        channels = self.points.shape[1] if level == 0 else self.hidden[level - 1][0].shape[1]
        out = self.buffer(channels, low, high, use=level)
        floor = self.points.new_zeros(channels) if shift is None else -shift
        if level == 0:
            centres = self.centres[low:high] if shift is None else self.centres[low:high] + shift
            self.kernels.share(self.kernels.edge_relu_rows, high - low, self.points, centres, self.index[low:high], floor, out)
        else:
            z, scale, offset = self.hidden[level - 1]
            self.kernels.share(self.kernels.affine_relu_rows, len(out), z[self.rows(low, high)], scale, offset + floor, floor,
                               out)
        return out


def _hidden_layer(edges: EdgeRows, level: int, norm: nn.Module, weight: Tensor, bias: Tensor | None, gamma: Tensor,
                  beta: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Append linear and BatchNorm to ``edges``; return the rows before BatchNorm, its scale, shift, mean and 1/sigma."""
    count, channels = edges.groups * edges.k, weight.shape[0]
    z = weight.new_empty(count, channels)
    total, squares = weight.new_zeros(2, channels, dtype=torch.float64)
    batch, pivot = batch_norm.uses_batch(norm), None
    for low, high in edges.slabs():
        part = z[edges.rows(low, high)]
        torch.mm(edges.relu(level, low, high), weight.t(), out=part)
        if bias is not None:
            part += bias
        if batch:
            pivot = part.mean(dim=0) if pivot is None else pivot
            edges.kernels.share(edges.kernels.moments_columns, channels, part, pivot, total, squares)
    if batch:
        mean = pivot + total / count
        var = (squares / count - (total / count) ** 2).clamp(min=0)
        batch_norm.update_running(norm, mean, var, count)
    else:
        mean, var = norm.running_mean.double(), norm.running_var.double()
    inverse = torch.rsqrt(var + norm.eps)
    scale = gamma * inverse
    out = z, *(t.to(z.dtype) for t in (scale, beta - mean * scale, mean, inverse))
    edges.hidden.append(out[:3])
    return out


class SlabMLP(torch.autograd.Function):
    r"""Linear layers with BatchNorm and ReLU on rows relu(u_j - q_i), one more linear layer, and its maximum over neighbours.

    The rows of one layer's input and of the last layer's output are never stored; the others are stored once, before
    BatchNorm. With :math:`z = W h` the last layer, its mean and variance follow from those of h,
    :math:`\bar z = W \bar h` and :math:`\sigma^2_c = w_c^T \mathrm{Cov}(h) w_c`, and the gradients through them from Cov(h)
    too; the covariance is a sum around a shift close to the mean. The gradient of the maximum touches one row per centre and
    channel.
    """

    @staticmethod
    def forward(ctx: Any, points: Tensor, centres: Tensor, index: Tensor, norms: Sequence[nn.Module], moments: bool,
                weight: Tensor, bias: Tensor | None, *params: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Return maximum (B, M, C), and mean and variance (C,) over all rows (zeros unless ``moments``).

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
        edges = EdgeRows(points.flatten(0, 1).contiguous(), centres.flatten(0, 1).contiguous(), flat, widest)
        saved = [edges.points, edges.centres, flat, weight]
        for level, norm in enumerate(norms):
            layer = params[4 * level:4 * level + 4]
            saved += [layer[0], *_hidden_layer(edges, level, norm, *layer)]
        highest = weight.new_empty(len(flat), channels)
        where = torch.empty(len(flat), channels, dtype=torch.int32)
        level, count = len(norms), flat.numel()
        shift = edges.relu(level, 0, min(edges.step, edges.groups)).mean(dim=0)
        total, gram = weight.new_zeros(width, dtype=torch.float64), weight.new_zeros(width, width, dtype=torch.float64)
        for low, high in edges.slabs():
            h = edges.relu(level, low, high, shift)
            z = torch.mm(h, weight.t(), out=edges.buffer(channels, low, high, use=-1))
            edges.kernels.share(edges.kernels.max_rows, high - low, z, edges.k, highest[low:high], where[low:high])
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
        ctx.moments, ctx.shape, ctx.has_bias = moments, (points.shape, centres.shape), bias is not None
        ctx.batch = [(batch_norm.uses_batch(norm), layer is not None) for norm, layer in zip(norms, params[1::4])]
        ctx.widest = widest
        return (highest + constant).view(*index.shape[:2], channels), mean, var

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, grad_mean: Tensor, grad_var: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients, from those of maximum, mean and variance."""
        points, centres, flat, weight, *layers, where, shift, gram = ctx.saved_tensors
        edges = EdgeRows(points, centres, flat, ctx.widest)
        layers = [layers[i:i + 6] for i in range(0, len(layers), 6)]  # weight, z, scale, shift, mean, inverse
        edges.hidden = [tuple(layer[1:4]) for layer in layers]
        kernels, count = edges.kernels, flat.numel()
        grad = grad.flatten(0, 1).contiguous()
        per_row, spread = grad_mean / count, 2 * grad_var / count
        grad_weight = weight.new_zeros(weight.shape)
        # rows of z = W h: the maximum's gradient, plus per_row + spread * (z - mean) on every row
        mix = (weight * spread[:, None]).t() @ weight
        constant = per_row @ weight

        def last_layer(level: int, low: int, high: int, out: Tensor) -> None:
            h = edges.relu(level, low, high, shift)
            if ctx.moments:
                torch.addmm(constant, h, mix, out=out)
            else:
                out.zero_()
            args = grad[low:high], where[low:high]
            kernels.share(kernels.max_backward_rows, high - low, *args, weight, edges.k, out)
            kernels.share(kernels.max_backward_weight, len(weight), *args, h, edges.k, grad_weight)

        def inner_layer(level: int, low: int, high: int, out: Tensor) -> None:
            rows, (own, z, *_), (a, b, c) = edges.rows(low, high), layers[level], coefficients
            dz = torch.addcmul(c, z[rows], b, out=edges.buffer(z.shape[1], low, high, use=-3)).addcmul_(grad_z[rows], a)
            h = edges.relu(level, low, high)
            grads[level][0].addmm_(dz.t(), h)
            torch.mm(dz, own, out=out)

        step, grads = last_layer, [[torch.zeros_like(layer[0]), None, None, None] for layer in layers]
        for level in range(len(layers), 0, -1):
            own, z, scale, offset, mean, inverse = layers[level - 1]
            total, moment = z.new_zeros(2, z.shape[1], dtype=torch.float64)
            below = torch.empty_like(z)
            for low, high in edges.slabs():
                rows = edges.rows(low, high)
                part = below[rows]
                step(level, low, high, part)
                kernels.share(kernels.relu_backward_columns, z.shape[1], part, z[rows], scale, offset, mean, total, moment)
            total, moment = total.to(z.dtype), moment.to(z.dtype)
            grads[level - 1][1:] = [None, inverse * moment, total]
            uses_batch, has_bias = ctx.batch[level - 1]
            if uses_batch:
                slope = -scale * inverse.square() * moment / count
                coefficients = scale, slope, -scale * total / count - slope * mean
            else:
                coefficients = scale, torch.zeros_like(scale), torch.zeros_like(scale)
            if has_bias:  # BatchNorm with the batch's mean takes a bias away again
                grads[level - 1][1] = torch.zeros_like(scale) if uses_batch else scale * total
            grad_z, step = below, inner_layer
        grad_points, grad_centres = torch.zeros_like(points), torch.zeros_like(centres)
        for low, high in edges.slabs():
            part = edges.buffer(points.shape[1], low, high, use=-2)
            step(0, low, high, part)
            h = edges.relu(0, low, high)
            kernels.share(kernels.edge_relu_backward_columns, points.shape[1], part, h, flat[low:high], grad_points,
                          grad_centres[low:high])
        received = grad.sum(dim=0)
        grad_weight += torch.outer(received, shift)
        if ctx.moments:
            grad_weight += torch.outer(grad_mean, shift) + spread[:, None] * (weight @ gram)
        return (grad_points.view(ctx.shape[0]), grad_centres.view(ctx.shape[1]), None, None, None, grad_weight,
                received + grad_mean if ctx.has_bias else None, *(g for layer in grads for g in layer))
