"""Adapters that make any network a backbone: a plain module, or one of PyTorch Geometric."""

from importlib import import_module
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import max_pool
from pcdet_kd.registry import BACKBONES
from pcdet_kd.structures import PointFeatures
from pcdet_kd.utils.arguments import check_choice

LAYOUTS = ('BNC', 'BCN', 'PyG')
OUTPUTS = ('global', 'points')


@BACKBONES.register_module()
class WrappedModule(BaseModule):
    """Any ``nn.Module`` that looks at points, as a backbone, so that it can be a student or a
    teacher.

    ::

        backbone = dict(
            type='WrappedModule',
            module='my_package.nets:MyNet',
            kwargs=dict(width=64),
            layout='BCN',
            out_channels=256,
        )

    Args:
        module: ``'package.module:Class'`` (or a function that returns a module); it is imported
            from the Python path. Or a module itself, in code.
        out_channels: Width D of the global feature that it gives.
        kwargs: Arguments of the class.
        in_channels: Channels of the points, xyz first.
        layout: What the module is called with: ``'BNC'``: points (B, N, C); ``'BCN'``: points (B,
            C, N); ``'PyG'``: PyTorch Geometric's ``(pos, batch)``, (B * N, 3) positions and (B *
            N,) int64 cloud numbers, with the other channels, if there are any, before them: ``(x,
            pos, batch)``.
        output: ``'global'``: it returns (B, D). ``'points'``: it returns features of points, (B, N,
            D), (B, D, N) or (B * N, D) after its layout, which are max-pooled here and are
            ``point_feats`` too.

    Raises:
        ValueError: ``module`` cannot be imported or is not a module, or the network returns another
            shape; the message names it.
    """

    def __init__(
        self,
        module: str | nn.Module,
        out_channels: int,
        kwargs: dict[str, Any] | None = None,
        in_channels: int = 3,
        layout: str = 'BNC',
        output: str = 'global',
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_choice('layout', layout, LAYOUTS)
        check_choice('output', output, OUTPUTS)
        if isinstance(module, nn.Module) and kwargs:
            raise ValueError(
                'kwargs are arguments for a module given by name; this module is already built: '
                'leave kwargs out'
            )
        self.net = module if isinstance(module, nn.Module) else _build(module, kwargs or {})
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.layout = layout
        self.output = output

    def forward(self, points: Tensor) -> PointFeatures:
        """Map points (B, N, C) to features."""
        batch, num_points, channels = points.shape
        if channels != self.in_channels:
            raise ValueError(
                f'{type(self.net).__name__} takes points (B, N, {self.in_channels}), got '
                f'{tuple(points.shape)}'
            )
        if self.layout == 'PyG':
            flat = points.reshape(batch * num_points, channels)
            args = (
                flat[:, :3],
                torch.arange(batch, device=points.device).repeat_interleave(num_points),
            )
            out = self.net(*args) if channels == 3 else self.net(flat[:, 3:], *args)
        else:
            out = self.net(points if self.layout == 'BNC' else points.transpose(1, 2).contiguous())
        if self.output == 'global':
            self._check(out, (batch, self.out_channels))
            return PointFeatures(out)
        if self.layout == 'BCN':
            self._check(out, (batch, self.out_channels, num_points))
        elif self.layout == 'BNC':
            self._check(out, (batch, num_points, self.out_channels))
            out = out.transpose(1, 2)
        else:
            self._check(out, (batch * num_points, self.out_channels))
            out = out.view(batch, num_points, self.out_channels).transpose(1, 2)
        return PointFeatures(max_pool(out, dim=2), point_feats=out, coords=points[..., :3])

    def _check(self, out: Any, wanted: tuple[int, ...]) -> None:
        found = tuple(out.shape) if isinstance(out, Tensor) else type(out).__name__
        if found != wanted:
            raise ValueError(
                f'{type(self.net).__name__} returned {found}, expected a tensor {wanted} with '
                f"layout='{self.layout}', output='{self.output}', out_channels={self.out_channels}"
            )


def _build(path: str, kwargs: dict[str, Any]) -> nn.Module:
    module, colon, name = path.partition(':')
    try:
        maker = getattr(import_module(module), name) if colon else None
    except (ImportError, AttributeError) as error:
        raise ValueError(f"module '{path}' cannot be imported: {error}") from error
    if maker is None:
        raise ValueError(f"module is '{path}', expected 'package.module:Class'")
    net = maker(**kwargs)
    if not isinstance(net, nn.Module):
        raise ValueError(f"module '{path}' gave a {type(net).__name__}, expected a torch.nn.Module")
    return net
