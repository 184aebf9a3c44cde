"""Distillation of features."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.fit import check_width, feature_width
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample


@DISTILLERS.register_module()
class FeatureKD(Distiller):
    """Match the teacher's feature, or the relations of the features of a batch.

    Teachers: ``main``. Losses: ``feature``: :class:`FeatureMSELoss` (FitNets),
    :class:`NormalizedMSELoss` (Normalize-I and -II), :class:`VariationalLoss` (VID),
    :class:`RelationalKDLoss` (RKD), :class:`SimilarityPreservingLoss` (SP),
    :class:`ProbabilisticTransferLoss` (PKT). Helpers: ``connector``, usually a :class:`Connector`,
    which is trained with the student, or none. The last three losses need none.

    The student's feature is the one that its last linear layer sees.

    Raises:
        ValueError: The widths do not fit together.
    """

    needs_teachers = ('main',)
    needs_losses = ('feature',)
    may_have_helpers = ('connector',)

    def check_parts(self) -> None:
        width, taught = feature_width(self.student), feature_width(self.teachers['main'])
        loss = self.losses['feature']
        if 'connector' in self.helpers:
            into = getattr(self.helpers['connector'], 'in_channels', None)
            check_width(self, 'helpers.connector.in_channels', into, "the student's feature", width)
            width = getattr(self.helpers['connector'], 'out_channels', None)
        if not getattr(loss, 'same_width', False):
            return
        if 'connector' in self.helpers:
            what = 'helpers.connector.out_channels'
            check_width(self, what, width, "the teacher's feature", taught)
        elif None not in (width, taught) and width != taught:
            raise ValueError(
                f"FeatureKD: the student's feature has {width} channels, the teacher's {taught}, "
                f'and {type(loss).__name__} needs one width: add helpers=dict(connector=dict('
                f"type='Connector', in_channels={width}, out_channels={taught}))"
            )
        channels = getattr(loss, 'channels', None)
        check_width(self, 'losses.feature.channels', channels, "the teacher's feature", taught)

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        teacher = self.teachers['main'](inputs, samples)
        feat = self.helpers['connector'](out.feat) if 'connector' in self.helpers else out.feat
        return dict(
            loss_feature=self.losses['feature'](student_feat=feat, teacher_feat=teacher.feat)
        )
