"""Softmax regression representation learning."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.fit import check_width, feature_width, logits_of
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample


@DISTILLERS.register_module()
class SRRL(Distiller):
    r"""Let the teacher's classifier judge the student's feature (Yang et al., ICLR 2021).

    With :math:`\phi` the connector, W the teacher's frozen last layer and :math:`z_T` its logits:
    the term ``feature`` is the mean of :math:`(\phi(f_S) - f_T)^2`, the term ``logit`` that of
    :math:`(W \phi(f_S) - z_T)^2`; the gradient of the second passes through W. (PointCMT goes the
    other way: its student's classifier judges the teacher's feature.)

    Teachers: ``main``, with logits. Losses: ``feature``, usually :class:`FeatureMSELoss`, and
    ``logit``, usually :class:`LogitMSELoss`; both have the weight 1 in the authors' code. Helpers:
    ``connector``, a :class:`Connector` (linear layer without bias, BatchNorm, ReLU), and
    ``classifier``, a :class:`FrozenClassifier`.

    Raises:
        ValueError: The widths do not fit together.
    """

    needs_teachers = ('main',)
    needs_losses = ('feature', 'logit')
    needs_helpers = ('connector', 'classifier')

    def check_parts(self) -> None:
        connector, classifier = self.helpers['connector'], self.helpers['classifier']
        into, out = connector.in_channels, connector.out_channels
        own, taught = feature_width(self.student), feature_width(self.teachers['main'])
        check_width(self, 'helpers.connector.in_channels', into, "the student's feature", own)
        check_width(self, 'helpers.connector.out_channels', out, "the teacher's feature", taught)
        seen = getattr(classifier, 'in_channels', None)
        check_width(self, 'helpers.connector.out_channels', out, 'what the classifier sees', seen)

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        teacher = self.teachers['main'](inputs, samples)
        feat = self.helpers['connector'](out.feat)
        logits, taught = self.helpers['classifier'].classify(feat), logits_of(self, teacher)
        return dict(
            loss_feature=self.losses['feature'](student_feat=feat, teacher_feat=teacher.feat),
            loss_logit=self.losses['logit'](student_logits=logits, teacher_logits=taught),
        )
