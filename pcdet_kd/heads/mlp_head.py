"""The head of all classifiers here: fully connected layers, a last linear layer and a loss."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from pcdet_kd.layers import MLP, at_least_float32
from pcdet_kd.registry import HEADS, LOSSES
from pcdet_kd.structures import PointDataSample, targets


@HEADS.register_module()
class MLPHead(BaseModule):
    """Hidden layers (:meth:`feature`), one linear layer (:meth:`classify`) and a loss.

    Published heads, and their arguments where they differ from the defaults:

    * PointMLP, PointNet++ (paper's code): the defaults.
    * PointNet++ (yanx27), RepSurf, GDANet: ``dropout=0.4``.
    * PointNet (fxia22): ``dropout=(0, 0.3), dropout_first=True``.
    * DGCNN, PCT: ``bias=(False, True), act='leaky_relu'``.
    * PointNeXt, RS-CNN: ``bias=False``.
    * Point-MAE: ``hidden_channels=(256, 256)``.
    * AsymDSD: ``hidden_channels=(256, 256), act='gelu', bias=False, last_bias=False``.
    * Point Transformer: ``hidden_channels=(256, 128)``.
    * SimpleView: ``hidden_channels=(128,)``.
    * CurveNet: ``hidden_channels=(512,), bias=False``.
    * PointCMT's students: ``hidden_channels=(512,), dropout=0``.
    * MVCNN, PointCMT's image teacher: ``hidden_channels=()``.

    Args:
        num_classes: K.
        in_channels: Channels of the backbone's global feature; a classifier fills it in.
        hidden_channels: Widths of the hidden layers; with none, the feature is the backbone's.
        dropout: Dropout probability after hidden layers; one value, or one per layer.
        dropout_first: Drop before the normalisation instead of after the activation.
        norm: Normalisation of hidden layers: ``'bn'``, ``'ln'``, ``'rms'`` or None.
        act: Activation of hidden layers: ``'relu'``, ``'leaky_relu'``, ``'gelu'`` or None.
        bias: Whether hidden layers have a bias; one value, or one per layer.
        last_bias: Whether the last linear layer has one.
        loss: Config of the loss, called with ``student_logits`` and ``target``: the labels (B,), or
            the shares of classes (B, K) in a batch with mixed clouds.
        init_cfg: As in MMEngine.

    Attributes:
        feat_channels: Channels of the feature that the last linear layer sees.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        hidden_channels: Sequence[int] = (512, 256),
        dropout: float | Sequence[float] = 0.5,
        dropout_first: bool = False,
        norm: str | None = 'bn',
        act: str | None = 'relu',
        bias: bool | Sequence[bool] = True,
        last_bias: bool = True,
        loss: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.num_classes = num_classes
        self.hidden = MLP(
            [in_channels, *hidden_channels],
            norm,
            act,
            bias,
            dropout if hidden_channels else 0.0,
            dropout_first,
        )
        self.feat_channels = self.hidden.out_channels
        self.fc = nn.Linear(self.feat_channels, num_classes, bias=last_bias)
        self.loss_cls = LOSSES.build(loss or dict(type='CrossEntropyLoss'))

    def feature(self, global_feat: Tensor) -> Tensor:
        """Map the backbone's feature (B, in_channels) to what the last linear layer sees (B,
        feat_channels).
        """
        return self.hidden(global_feat)

    def classify(self, feature: Tensor) -> Tensor:
        """Map a feature (B, feat_channels), this head's own or another network's, to logits (B,
        num_classes).
        """
        return self.fc(feature)

    def forward(self, global_feat: Tensor) -> Tensor:
        """Map the backbone's feature (B, in_channels) to logits (B, num_classes)."""
        return self.classify(self.feature(global_feat))

    def loss(self, logits: Tensor, samples: Sequence[PointDataSample]) -> dict[str, Tensor]:
        """Return ``loss_cls`` of logits (B, K) against the samples' ``gt_label``, or ``gt_score``
        where a cloud is mixed.

        Clouds without a label are left out: the loss is the mean over the labelled ones, and 0 if
        there are none.

        Raises:
            ValueError: There is not one sample per row.
        """
        if len(samples) != len(logits):
            raise ValueError(f'{len(logits)} rows of logits, {len(samples)} samples')
        known = [i for i, sample in enumerate(samples) if 'gt_label' in sample]
        if not known:
            return dict(loss_cls=at_least_float32(logits).sum() * 0)
        if len(known) < len(samples):
            logits, samples = logits[known], [samples[i] for i in known]
        target = targets(samples, logits.shape[1]).to(logits.device)
        return dict(loss_cls=self.loss_cls(student_logits=logits, target=target))

    def predict(
        self, logits: Tensor, samples: Sequence[PointDataSample] | None = None
    ) -> list[PointDataSample]:
        """Return samples with ``pred_score`` (K,), the softmax of logits (B, K), and
        ``pred_label``.

        Args:
            logits: (B, K).
            samples: Samples to copy and extend, one per row. None: empty ones.
        """
        scores = at_least_float32(logits).softmax(dim=-1)
        known = [PointDataSample() for _ in scores] if samples is None else samples
        if len(known) != len(scores):
            raise ValueError(f'{len(scores)} rows of logits, {len(known)} samples')
        return [sample.new().set_pred_score(score) for sample, score in zip(known, scores)]
