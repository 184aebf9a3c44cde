"""A vision model of Hugging Face as a teacher, as it is."""

from mmengine.model import BaseModel
from torch import Tensor

from pcdet_kd.registry import BACKBONES, HEADS, MODELS, TEACHERS
from pcdet_kd.structures import ModelOutput
from pcdet_kd.teachers.frozen import FrozenTeacher


@TEACHERS.register_module()
class HFImageTeacher(FrozenTeacher):
    """A vision model of Hugging Face as a teacher without any training: no stage, no checkpoint of
    this project.

    It gives features alone (``logits`` is None), which methods on features can learn from. With
    CLIP and a :class:`CLIPTextHead` it gives logits too, of classes that it knows by name: a
    teacher for clouds of which none has a label. To train a head on labels first, make
    :class:`HFImageBackbone` the backbone of a stage of its own.

    Args:
        hf_model: As in :class:`HFImageBackbone`.
        views: Config of the module that draws views in [0, 1] of the student's points; None: the
            batch has ``views``.
        head: Config of a :class:`CLIPTextHead` (its ``hf_model`` is this one's unless given), or
            None.
        backbone: Further arguments of :class:`HFImageBackbone`. With a ``head``, ``feature`` is
            ``'embedding'`` and ``aggregation`` ``'mean'`` unless given.
        data_preprocessor: Config of the preprocessor, without ``views``; by default uint8 views are
            only scaled to [0, 1].
    """

    def __init__(
        self,
        hf_model: str,
        views: dict | None = None,
        head: dict | None = None,
        backbone: dict | None = None,
        data_preprocessor: dict | None = None,
    ) -> None:
        preprocessor = dict(
            type='PointDataPreprocessor', image_mean=(0.0,) * 3, image_std=(1.0,) * 3
        )
        preprocessor.update(data_preprocessor or {}, views=views)
        common = dict(feature='embedding', aggregation='mean') if head else {}
        super().__init__(
            dict(
                type=_ImageEncoder,
                backbone=dict(
                    type='HFImageBackbone', hf_model=hf_model, **{**common, **(backbone or {})}
                ),
                head={'hf_model': hf_model, **head} if head else None,
                data_preprocessor=preprocessor,
            )
        )

    @property
    def feat_channels(self) -> int:
        """Width of the feature."""
        return self._held[0].backbone.out_channels

    def init_weights(self) -> None:
        """Read the model's own weights.

        Raises:
            CheckpointError: They are missing, damaged or not all there.
        """
        if not self._loaded:
            self._held[0].init_weights()
            self._loaded = True


class _ImageEncoder(BaseModel):
    def __init__(self, backbone: dict, head: dict | None, data_preprocessor: dict) -> None:
        super().__init__(MODELS.build(data_preprocessor))
        self.backbone = BACKBONES.build(backbone)
        self.head = (
            HEADS.build({'in_channels': self.backbone.out_channels, **head}) if head else None
        )

    def _dump_init_info(self) -> None:
        """Write no line per parameter: the backbone says in one where its weights are from."""

    def forward(
        self, inputs: dict[str, Tensor], data_samples: list | None = None, mode: str = 'tensor'
    ) -> ModelOutput:
        if 'views' not in inputs:
            raise KeyError(
                f'HFImageTeacher looks at views, the batch has {sorted(inputs)}. Draw them with '
                "views=dict(type='PerspectiveProjection', mode='grey')"
            )
        feat = self.backbone(inputs['views']).global_feat
        return ModelOutput(self.head(feat) if self.head is not None else None, feat)
