"""PointCMT: point clouds learn from images (Yan et al., NeurIPS 2022)."""

from torch import Tensor

from pcdet_kd.distillers.base import Distiller
from pcdet_kd.registry import DISTILLERS
from pcdet_kd.structures import ModelOutput, PointDataSample
from pcdet_kd.utils.arguments import check_choice

PRESETS = {
    'paper': dict(
        feature=dict(
            type='EarthMoverLoss',
            loss_weight=30.0,
            reduction='sum',
            normalize=None,
            solver='auction',
        ),
        classifier=dict(
            type='LogitKDLoss',
            loss_weight=0.3,
            temperature=1.0,
            reduction='batchmean',
            detach_target=False,
        ),
        classifier_only=True,
    ),
    'released': dict(
        feature=dict(
            type='EarthMoverLoss',
            loss_weight=30.0,
            reduction='mean',
            normalize='released',
            solver='msn',
            eps=0.05,
            iterations=3000,
        ),
        classifier=dict(
            type='LogitKDLoss',
            loss_weight=0.3,
            temperature=1.0,
            reduction='sum',
            detach_target=False,
        ),
        classifier_only=False,
    ),
}


@DISTILLERS.register_module()
class PointCMT(Distiller):
    r"""Stage III of PointCMT: feature and classifier enhancement of a point student by image
    features.

    With :math:`F_p` the student's feature, :math:`F_i` the image teacher's, G the frozen generator
    of stage II and C the student's own last linear layer:

    * feature enhancement: earth mover's distance between :math:`G(F_p)` and :math:`G(F_i)`;
    * classifier enhancement: :math:`KL(softmax\,C(F_i)\,\|\,softmax\,C(F_p))`.

    Paper and released code differ. D4 and so on are the places of disagreement in
    docs/en/pointcmt.md:

    * Feature term (D4, D17). ``'paper'``: 30 x the sum over points of the exact distance, raw
      coordinates. ``'released'``: 30 x the mean over points, approximate auction (eps 0.05, 3,000
      rounds), bounding boxes scaled.
    * Classifier term (D5). ``'paper'``: 0.3 x the mean over the batch. ``'released'``: 0.3 x the
      sum over the batch, so 0.3 B per sample.
    * ``classifier_only`` (D6). ``'paper'``: the KL trains C alone. ``'released'``: it trains C and
      the encoder.
    * Published OA of PointNet++ on ModelNet40. ``'paper'``: 94.4. ``'released'``: 94.6 (read me;
      votes not stated).

    Args:
        student: Config of the student; its head must classify features as wide as the teacher's.
        teachers: ``image``: the frozen multi-view teacher or, as published, its feature bank.
        helpers: ``generator``: the frozen generator of stage II. Used by feature enhancement
            only.
        preset: ``'paper'`` or ``'released'``; the arguments below override its values.
        losses: Overrides of the preset's losses ``feature`` and ``classifier``: a config with a
            ``type`` replaces the preset's; one without changes only the keys that it names.
        feature_enhancement: Whether the feature term is used.
        classifier_enhancement: Whether the classifier term is used.
        classifier_only: Whether the classifier term stops at the student's last layer instead of
            reaching the encoder.
        init_cfg: As in MMEngine.
    """

    needs_teachers = ('image',)

    def __init__(
        self,
        student: dict,
        teachers: dict[str, dict],
        helpers: dict[str, dict] | None = None,
        preset: str = 'released',
        losses: dict[str, dict] | None = None,
        feature_enhancement: bool = True,
        classifier_enhancement: bool = True,
        classifier_only: bool | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        check_choice('preset', preset, PRESETS)
        self.needs_losses = ('feature',) * feature_enhancement + (
            'classifier',
        ) * classifier_enhancement
        self.needs_helpers = ('generator',) * feature_enhancement
        given = losses or {}
        chosen = {
            name: _merge(PRESETS[preset][name], given.get(name, {})) for name in self.needs_losses
        }
        # one that is switched off may still be configured, so that a switch is one option
        chosen.update({name: cfg for name, cfg in given.items() if name not in PRESETS[preset]})
        super().__init__(
            student, teachers, chosen, helpers if feature_enhancement else None, init_cfg
        )
        self.classifier_only = (
            PRESETS[preset]['classifier_only'] if classifier_only is None else classifier_only
        )

    def distill(
        self, out: ModelOutput, inputs: dict[str, Tensor], samples: list[PointDataSample]
    ) -> dict[str, Tensor]:
        image = self.teachers['image'](inputs, samples).feat
        if image.shape != out.feat.shape:
            raise ValueError(
                f"the student's feature is {tuple(out.feat.shape)}, the teacher's "
                f'{tuple(image.shape)}: PointCMT needs one width. Make the last hidden layer of '
                "the student's head as wide as the teacher's feature"
            )
        terms = {}
        if 'feature' in self.losses:
            generator = self.helpers['generator']
            terms['loss_feature'] = self.losses['feature'](
                student_points=generator.decode(out.feat), teacher_points=generator.decode(image)
            )
        if 'classifier' in self.losses:
            classify = self.student.head.classify
            terms['loss_classifier'] = self.losses['classifier'](
                student_logits=classify(out.feat.detach()) if self.classifier_only else out.logits,
                teacher_logits=classify(image),
            )
        return terms


def _merge(preset: dict, given: dict) -> dict:
    return dict(given) if 'type' in given else {**preset, **given}
