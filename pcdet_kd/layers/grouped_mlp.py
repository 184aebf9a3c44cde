"""An MLP on the neighbours of centres, and the maximum over them: the work of a set abstraction."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pcdet_kd.layers import batch_norm
from pcdet_kd.layers.linear import linear
from pcdet_kd.layers.mlp import MLP, LinearNormAct
from pcdet_kd.layers.pooling import max_pool
from pcdet_kd.layers.slab_mlp import SlabMLP
from pcdet_kd.ops import backend, group
from pcdet_kd.ops.checks import check_index


def grouped_mlp(
    mlp: MLP,
    coords: Tensor,
    centres: Tensor,
    features: Tensor | None,
    index: Tensor,
    fused: bool = True,
) -> Tensor:
    r"""Apply an MLP to [x_j - c_i, f_j] for the neighbours j of each centre i, and take the maximum
    over j.

    ``fused=False`` does just that. The fused forms give the same output, gradients and running
    statistics, to rounding, with less work:

    - :math:`W [x_j - c_i, f_j] = W_f f_j + W_x x_j - W_x c_i`, so that the first layer is applied
      to points, of which there are many fewer than neighbours;
    - BatchNorm and ReLU are monotone, so that the maximum over neighbours comes before those of the
      last layer (of -z where gamma is negative; the statistics are still those of all neighbours);
    - on CPU, in float32 or float64 and with numba, the rest runs on slabs of rows that fit the
      cache, and stores only the layers between the first and the last (:class:`.slab_mlp.SlabMLP`;
      no second derivatives).

    They need layers of linear, BatchNorm and ReLU, and take their weights without calling them:
    forward hooks inside of ``mlp`` run with ``fused=False`` only. With other layers, the plain form
    runs.

    Args:
        mlp: The layers; the first has 3 + C inputs.
        coords: x, (B, N, 3).
        centres: c, (B, M, 3).
        features: f, (B, N, C), or None for C = 0.
        index: (B, M, k) neighbours of each centre.
        fused: Whether to take a fused form.

    Returns:
        (B, M, mlp.out_channels).

    Raises:
        ValueError: A wrong shape or type of ``index``, or an index outside the cloud.
    """
    check_index('index', index, coords, dims=(3,))
    if not (fused and len(mlp) and all(_is_usual(layer) for layer in mlp)):
        edges = group(coords, index) - centres.unsqueeze(2)
        if features is not None:
            edges = torch.cat([edges, group(features, index)], dim=-1)
        return max_pool(mlp(edges), dim=2)
    if len(mlp) > 1 and _fits_slabs(mlp, coords, features):
        return _on_slabs(mlp, coords, centres, features, index)
    layers = list(mlp)
    x = _first_linear(layers[0], coords, centres, features, index)
    for layer, following in pairwise(layers):
        x = following.linear(layer.finish(x))
    return _norm_act_max(layers[-1], x)


def pooled_mlp(mlp: MLP, x: Tensor) -> Tensor:
    """Apply an MLP to all points (B, N, C), C >= 3, and take the maximum over them: (B,
    mlp.out_channels).

    Where :func:`grouped_mlp` would work on slabs this does too, with the whole cloud as one group:
    the last layer, the widest as a rule, then has no gradient of every point. Elsewhere it is
    ``max_pool(mlp(x), dim=1)``.
    """
    coords, features = x[..., :3], x[..., 3:] if x.shape[-1] > 3 else None
    if not (
        len(mlp) > 1
        and all(_is_usual(layer) for layer in mlp)
        and _fits_slabs(mlp, coords, features)
    ):
        return max_pool(mlp(x), dim=1)
    everyone = torch.arange(x.shape[1]).expand(len(x), 1, -1)
    return _on_slabs(mlp, coords, x.new_zeros(len(x), 1, 3), features, everyone).squeeze(1)


def _is_usual(layer: nn.Module) -> bool:
    return (
        type(layer) is LinearNormAct
        and batch_norm.is_plain_batch_norm(layer.norm)
        and type(layer.act) is nn.ReLU
        and layer.drop is None
    )


def _fits_slabs(mlp: MLP, coords: Tensor, features: Tensor | None) -> bool:
    tensors = (
        [coords, *mlp.parameters()] if features is None else [coords, features, *mlp.parameters()]
    )
    dtype = coords.dtype
    return (
        coords.device.type == 'cpu'
        and dtype in (torch.float32, torch.float64)
        and all(t.dtype == dtype for t in tensors)
        and not torch.is_autocast_enabled('cpu')
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and backend.choose('edge_max_sum', 'cpu').backend == 'numba'
        and not any(isinstance(layer.norm, nn.SyncBatchNorm) for layer in mlp)
    )


def _first_linear(
    layer: LinearNormAct, coords: Tensor, centres: Tensor, features: Tensor | None, index: Tensor
) -> Tensor:
    """Return the first layer's linear part for all neighbours, (B, M, k, C): its features' share is
    made per point.
    """
    to_coords, to_features = layer.linear.weight.tensor_split([3], dim=1)
    x = linear(group(coords, index) - centres.unsqueeze(2), to_coords, layer.linear.bias)
    return x if features is None else x + group(linear(features, to_features), index)


def _max_pays(norm: nn.Module, x: Tensor) -> bool:
    """Return whether the maximum comes before BatchNorm.

    In training this needs the variance of x by itself, which is slow on CPU and inexact in half
    precision, and which SyncBatchNorm shares between processes.
    """
    return not batch_norm.uses_batch(norm) or (
        x.device.type != 'cpu'
        and x.dtype in (torch.float32, torch.float64)
        and not isinstance(norm, nn.SyncBatchNorm)
    )


def _norm_act_max(layer: LinearNormAct, x: Tensor) -> Tensor:
    """Return max over k of act(norm(x)) for x (B, M, k, C)."""
    norm = layer.norm
    if not _max_pays(norm, x):
        return max_pool(layer.finish(x), dim=2)
    if batch_norm.uses_batch(norm):
        rows = x[..., 0].numel()
        batch_norm.check_rows(norm, rows)
        var, mean = torch.var_mean(x, dim=(0, 1, 2), correction=0)
        batch_norm.update_running(norm, mean, var, rows)
    else:
        mean, var = norm.running_mean, norm.running_var
    sign = batch_norm.sign_of_scale(norm, mean)
    gamma, beta = batch_norm.affine(norm, mean)
    highest = max_pool(x * sign.to(x.dtype), dim=2).to(mean.dtype) * sign
    return layer.act(torch.addcmul(beta, highest - mean, gamma * torch.rsqrt(var + norm.eps))).to(
        x.dtype
    )


def _on_slabs(
    mlp: MLP, coords: Tensor, centres: Tensor, features: Tensor | None, index: Tensor
) -> Tensor:
    first, *middle, last = mlp
    points, shifts = _normalised_parts(first, coords, centres, features, index)
    sign = batch_norm.sign_of_scale(last.norm, points)
    bias = None if last.linear.bias is None else sign * last.linear.bias
    batch, count = batch_norm.uses_batch(last.norm), index.numel()
    params = [
        p
        for layer in middle
        for p in (layer.linear.weight, layer.linear.bias, *batch_norm.affine(layer.norm, points))
    ]
    highest, mean, var = SlabMLP.apply(
        points,
        shifts,
        index,
        [layer.norm for layer in middle],
        batch,
        sign[:, None] * last.linear.weight,
        bias,
        *params,
    )
    if batch:
        batch_norm.update_running(last.norm, sign * mean, var, count)
    else:
        mean, var = sign * last.norm.running_mean, last.norm.running_var
    gamma, beta = batch_norm.affine(last.norm, points)
    return torch.addcmul(
        beta, highest - mean, sign * gamma * torch.rsqrt(var + last.norm.eps)
    ).relu_()


def _normalised_parts(
    layer: LinearNormAct, coords: Tensor, centres: Tensor, features: Tensor | None, index: Tensor
) -> tuple[Tensor, Tensor]:
    """Return u (B, N, C) and q (B, M, C): the first layer's linear part and BatchNorm give u_j -
    q_i for an edge.
    """
    norm = layer.norm
    to_coords, to_features = layer.linear.weight.tensor_split([3], dim=1)
    middle = coords.detach().mean(
        dim=1, keepdim=True
    )  # differences are all that counts, and small numbers keep their digits
    near = centres - middle
    u, q = linear(coords - middle, to_coords, layer.linear.bias), linear(near, to_coords)
    if features is not None:
        u = u + linear(features, to_features)
    if batch_norm.uses_batch(norm):
        k, count = index.shape[2], index.numel()
        batch_norm.check_rows(norm, count)
        # Per point the number of centres that it belongs to, and the sum of their positions: all
        # that the edges are needed for.
        of_centres = F.pad(near, (0, 1), value=1.0)
        zero = torch.zeros_like(of_centres)
        at_points = torch.ops.pcdet_kd.edge_max_sum_backward(
            zero, of_centres, zero.long(), index, coords.shape[1]
        )
        place, degree = at_points.split([3, 1], dim=2)
        sum_u = (degree * u).sum(dim=(0, 1))
        mean = (sum_u - k * q.sum(dim=(0, 1))) / count
        shift = sum_u.detach() / count
        u, q = (
            u - shift,
            q - (shift - mean),
        )  # the mean of u - q is now 0, and the sums below do not cancel
        of_points = linear(place, to_coords) - degree * (shift - mean)
        squares = (u * (degree * u - 2 * of_points)).sum(dim=(0, 1)) + k * q.square().sum(
            dim=(0, 1)
        )
        var = squares.clamp(min=0) / count
        batch_norm.update_running(norm, mean, var, count)
    else:
        u, var = u - norm.running_mean, norm.running_var
    gamma, beta = batch_norm.affine(norm, u)
    scale = gamma * torch.rsqrt(var + norm.eps)
    return u * scale, torch.addcmul(-beta, q, scale)
