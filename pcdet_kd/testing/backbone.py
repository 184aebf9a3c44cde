"""The contract of a backbone, and random inputs."""

import copy
import io
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.testing.compare import equal, require, require_close


def random_clouds(batch_size: int, num_points: int, in_channels: int = 3) -> Tensor:
    """Return clouds (B, N, C) in the unit ball from torch's generator."""
    points = torch.randn(batch_size, num_points, in_channels)
    return points / points[..., :3].norm(dim=-1).amax(1)[:, None, None].clamp(min=1e-6)


def random_views(batch_size: int, num_views: int, in_channels: int = 3, size: int = 32) -> Tensor:
    """Return views (B, V, C, size, size) from torch's generator: the ``make_input`` of an image
    backbone.
    """
    return torch.rand(batch_size, num_views, in_channels, size, size)


def check_backbone(
    backbone: nn.Module | dict,
    in_channels: int = 3,
    sizes: Sequence[int] = (1, 5, 64),
    make_input: Callable[[int, int, int], Tensor] = random_clouds,
    batch_size: int = 4,
    autocast: bool = True,
    tolerance: float = 1e-4,
    order: str | None = None,
) -> None:
    """Check a backbone: its results, gradients, evaluation mode, input sizes, the order of points,
    autocast and saving.

    Args:
        backbone: The module, or its config (then one instance's weights are also loaded into a
            second one).
        in_channels: Channels of the input.
        sizes: Numbers of points (or views) to try; the last one is used for everything else.
        make_input: Called with (batch size, size, in_channels); returns the input, with the batch
            first.
        batch_size: Clouds in a batch, at least 2.
        autocast: Whether to check bfloat16 autocast on CPU.
        tolerance: Largest difference where results may differ by rounding, relative to the largest
            value of the feature.
        order: Which order of the points must not matter: ``'any'``; ``'behind_first'``, any that
            keeps the first point in place (farthest point sampling starts there); None: not
            checked, as for a ball query that takes the first k points.
    """
    orders = ('any', 'behind_first', None)
    require(order in orders, f"order is {order!r}, expected 'any', 'behind_first' or None")
    config = backbone if isinstance(backbone, dict) else None
    net = BACKBONES.build(config) if config else copy.deepcopy(backbone)
    name, width = type(net).__name__, getattr(net, 'out_channels', None)
    require(
        isinstance(width, int) and width > 0,
        f'{name}.out_channels is {width!r}: set it in __init__ to the width (int) of global_feat',
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for size in sizes:
            x = make_input(batch_size, size, in_channels)
            for mode in (True, False):
                given = x.clone()
                with torch.no_grad():
                    out = net.train(mode)(given)
                _check_features(f'{name} on inputs of size {size}', out, (batch_size, width))
                _check_levels(f'{name} on inputs of size {size}', net, out)
                require(torch.equal(given, x), f'{name} changed its input in place: work on a copy')
        x = make_input(batch_size, sizes[-1], in_channels)
        _check_gradients(name, net, x)
        with torch.no_grad():
            _check_evaluation(name, net.eval(), x, order, tolerance)
            _check_saving(name, net, config, x, tolerance)
        if autocast:
            name += ' under bfloat16 autocast'
            with torch.autocast('cpu', dtype=torch.bfloat16):
                out = net.eval()(x)
                _check_features(name, out, (batch_size, width))
                require(
                    out.coords is None or out.coords.dtype == torch.float32,
                    f'{name}: coords are not float32: sample and group on the given coordinates',
                )
                _check_gradients(name, net, x)


def _check_features(where: str, out: Any, shape: tuple[int, int]) -> None:
    require(
        isinstance(out, PointFeatures),
        f'{where} returns a {type(out).__name__}: return a PointFeatures',
    )
    feature, feats, coords, stages, levels = out
    require(
        feature.shape == shape,
        f'{where}: global_feat is {tuple(feature.shape)}, expected (B, out_channels) = {shape}',
    )
    require(
        isinstance(stages, tuple),
        f'{where}: stages is a {type(stages).__name__}, expected a tuple',
    )
    named = dict(global_feat=feature, point_feats=feats, coords=coords)
    named |= {f'stages[{i}]': stage for i, stage in enumerate(stages)}
    named |= {f'levels[{i}].feats': level.feats for i, level in enumerate(levels)}
    for what, value in named.items():
        if value is not None:
            require(
                len(value) == shape[0],
                f'{where}: {what} {tuple(value.shape)} must start with B = {shape[0]}',
            )
            require(
                bool(torch.isfinite(value).all()),
                f'{where}: {what} is not finite; look for a division by zero',
            )
    require(feats is None or feats.dim() == 3, f'{where}: point_feats must be None or (B, C, M)')
    require(
        coords is None or (coords.dim() == 3 and coords.shape[2] == 3),
        f'{where}: coords must be None or (B, M, 3)',
    )
    require(
        feats is None or coords is None or feats.shape[2] == coords.shape[1],
        f'{where}: point_feats and coords differ in the number of points M',
    )


def _check_levels(where: str, net: nn.Module, out: PointFeatures) -> None:
    wanted = tuple(getattr(net, 'level_channels', ()))
    found = tuple(level.feats.shape[2] for level in out.levels)
    require(
        found == wanted,
        f'{where}: levels have {found} channels, level_channels is {wanted}: make them the same',
    )
    require(
        all(level.coords.shape == (*level.feats.shape[:2], 3) for level in out.levels),
        f'{where}: a level needs coords (B, M, 3) for feats (B, M, C)',
    )


def _check_gradients(name: str, net: nn.Module, x: Tensor) -> None:
    net.train().zero_grad(set_to_none=True)
    out = net(x)
    losses = net.auxiliary_losses(out) if hasattr(net, 'auxiliary_losses') else {}
    wrong = sorted(key for key in losses if not key.startswith(('loss_', 'stat_')))
    require(
        not wrong,
        f'{name}.auxiliary_losses returns {wrong}: call optimised terms loss_<name>, others '
        'stat_<name>',
    )
    (out.global_feat.float() * torch.randn(out.global_feat.shape)).sum().backward()
    grads = {key: value.grad for key, value in net.named_parameters() if value.requires_grad}
    unused = [key for key, grad in grads.items() if grad is None]
    require(
        not unused,
        f'{name}: no gradient from global_feat to '
        f'{", ".join(unused[:3])}{" ..." * (len(unused) > 3)}: '
        'use every parameter in forward or do not make it',
    )
    bad = [key for key, grad in grads.items() if not torch.isfinite(grad).all()]
    require(
        not bad,
        f'{name}: the gradient of {", ".join(bad[:3])} is not finite; look for sqrt, norm or '
        'division at 0',
    )
    net.zero_grad(set_to_none=True)


def _check_evaluation(
    name: str, net: nn.Module, x: Tensor, order: str | None, tolerance: float
) -> None:
    first = net(x)
    torch.manual_seed(1)
    require(
        equal(tuple(first), tuple(net(x))),
        f'{name} in eval mode gives two results for one input: draw random numbers only '
        'if self.training',
    )
    require_close(
        net(x[:1]).global_feat,
        first.global_feat[:1],
        tolerance,
        f'{name} in eval mode gives a sample another feature when it is alone in the batch '
        '(difference {}): take no statistics over the batch there',
    )
    if order:
        kept = int(order == 'behind_first')
        index = torch.cat([torch.arange(kept), kept + torch.randperm(x.shape[1] - kept)])
        require_close(
            net(x[:, index]).global_feat,
            first.global_feat,
            tolerance,
            f'{name} gives another feature for the same points in another order '
            '(difference {}): pool with max, mean or sum',
        )


def _check_saving(
    name: str, net: nn.Module, config: dict | None, x: Tensor, tolerance: float
) -> None:
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    try:
        state = torch.load(file, weights_only=True)
    except Exception as error:
        raise AssertionError(
            f'{name}: its state_dict holds more than tensors and plain values: {error}'
        ) from error
    twin = BACKBONES.build(config) if config else copy.deepcopy(net)
    for value in () if config else twin.state_dict().values():
        value.zero_()
    twin.load_state_dict(state, strict=True)
    require_close(
        twin.eval()(x).global_feat,
        net(x).global_feat,
        tolerance,
        f'{name} gives another feature after its state_dict was loaded (difference {{}}): '
        'register all state as parameters or buffers',
    )
