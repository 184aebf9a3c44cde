"""What brings a student's feature to the width of a teacher's."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from pcdet_kd.layers import MLP, at_least_float32
from pcdet_kd.losses.functional import unit
from pcdet_kd.registry import MODELS


@MODELS.register_module()
class Connector(BaseModule):
    """Linear layers between features (B, C), trained with the student and left out of it later.

    As published, on features instead of maps, so with linear layers instead of convolutions:

    * FitNets: the defaults.
    * SRRL: ``norm='bn', act='relu', bias=False, init_cfg=dict(type='Normal', layer='Linear',
      std=s)`` with s the square root of 2 / out_channels.
    * VID: ``hidden_channels=(C, C), act='relu', last_act=False, bias=False`` with C the teacher's
      width.
    * CRD: ``out_channels=128, unit_length=True``.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        hidden_channels: Widths of layers between.
        norm: As in :class:`~pcdet_kd.layers.MLP`, after each layer.
        act: As there.
        last_act: Whether the last layer has the activation too.
        bias: Whether the layers have a bias.
        unit_length: Divide the output by its length.
        init_cfg: As in MMEngine.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        hidden_channels: Sequence[int] = (),
        norm: str | None = None,
        act: str | None = None,
        last_act: bool = True,
        bias: bool = True,
        unit_length: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.unit_length = unit_length
        widths = [in_channels, *hidden_channels, out_channels]
        self.layers = MLP(widths, norm, act, bias, last_act=last_act)

    def forward(self, feature: Tensor) -> Tensor:
        """Map (B, in_channels) to (B, out_channels)."""
        out = self.layers(feature)
        return unit(at_least_float32(out)) if self.unit_length else out
