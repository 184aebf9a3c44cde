"""Part segmentation: the mean intersection over union of parts, per shape and per class."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmengine.logging import print_log

from pcdet_kd.evaluation.sample_metric import SampleMetric
from pcdet_kd.registry import METRICS
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.files import write_whole


class Convention(NamedTuple):
    """How a shape is scored.

    Attributes:
        own_parts: Whether only the parts of the shape's class can be predicted; else all parts.
        absent: IoU of a part that neither the truth nor the prediction has; None: parts that the
            truth lacks are left out.
    """

    own_parts: bool
    absent: float | None


CONVENTIONS = {
    'official': Convention(True, 1.0),
    'all_parts': Convention(False, 1.0),
    'present_parts': Convention(False, None),
}


@METRICS.register_module()
class PartIoU(SampleMetric):
    """Mean IoU of parts, in percent: ``instance_miou``, the mean over shapes, and ``class_miou``,
    the mean over classes of the mean over the shapes of a class.

    The IoU of a shape is the mean over the parts of its class. Conventions differ, and their
    numbers cannot be compared:

    * ``'official'`` (PointNet, PointNet++, most papers): each point gets the likeliest part of the
      shape's class; a part that neither the truth nor the prediction has counts as 1.
    * ``'all_parts'`` (dgcnn.pytorch on all classes): each point gets the likeliest of all parts,
      those of other classes too; absent parts count as 1.
    * ``'present_parts'`` (the helper that PointMLP's code took from GDANet and PAConv): likeliest
      of all parts; only parts that the truth has are averaged.

    Points without a part (-1) are not scored; shapes without a labelled point, and classes without
    shapes, are left out, which is logged. Samples that carry a ``plain_part_score`` beside
    ``part_score``, as those of :class:`VotingTTA` do, give both pairs: the plain numbers under
    these names, and ``instance_miou_voted`` and ``class_miou_voted``.

    Args:
        convention: One of the three.
        per_class: Log a table with the IoU of each class and of its parts.
        dump: JSON file for the IoU of every shape and of its parts.
        prefix: See :class:`SampleMetric`.
    """

    names = ('instance_miou', 'class_miou')

    def __init__(
        self,
        convention: str = 'official',
        per_class: bool = False,
        dump: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix)
        check_choice('convention', convention, CONVENTIONS)
        if dump and not dump.endswith('.json'):
            raise ValueError(f"PartIoU: dump is '{dump}', must end with .json")
        self.convention = CONVENTIONS[convention]
        self.per_class = per_class
        self.dump = Path(dump) if dump else None

    def record(self, sample: Mapping[str, Any]) -> dict:
        """Return the sample's name, class and IoUs.

        Raises:
            ValueError: The scores are of another number of points, or hold NaN or infinity.
        """
        target = self.field(sample, 'gt_parts').cpu().numpy()
        gt = int(self.field(sample, 'gt_label'))
        record = dict(
            sample_id=str(sample.get('sample_id', sample['sample_idx'])),
            gt=gt,
            ious=self._ious(sample, 'part_score', target, gt),
        )
        if 'plain_part_score' in sample:
            record['plain_ious'] = self._ious(sample, 'plain_part_score', target, gt)
        return record

    def _ious(
        self, sample: Mapping[str, Any], name: str, target: np.ndarray, gt: int
    ) -> list[float] | None:
        score = self.field(sample, name).cpu().numpy()
        where = f"of sample {sample['sample_idx']} ('{sample.get('sample_id')}')"
        if len(score) != len(target):
            raise ValueError(
                f'PartIoU: {name} {where} is of {len(score)} points, gt_parts of {len(target)}'
            )
        if not np.isfinite(score).all():
            raise ValueError(
                f'PartIoU: {name} {where} holds NaN or infinity: the model is broken, or its '
                'weights are'
            )
        if (target < 0).all():
            return None
        parts = np.array(self._meta('class_parts')[gt])
        own = self.convention.own_parts
        pred = parts[score[:, parts].argmax(axis=1)] if own else score.argmax(axis=1)
        return part_ious(target, pred, parts, self.convention.absent).tolist()

    def _meta(self, key: str) -> Sequence:
        found = (self.dataset_meta or {}).get(key)
        if not found:
            raise ValueError(f"PartIoU: the data set's metainfo has no '{key}'")
        return found

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        scored = [r for r in results if r['ious'] is not None]
        if not scored:
            raise ValueError('PartIoU: no shape has a point with a part')
        voted = all('plain_ious' in r for r in scored)
        metrics = self._means(scored, 'plain_ious' if voted else 'ious')
        if voted:
            both = self._means(scored, 'ious')
            metrics |= {f'{name}_voted': value for name, value in both.items()}
        self._report(scored, len(results) - len(scored))
        if self.dump:
            content = dict(
                classes=list(self._meta('classes')),
                part_names=list(self._meta('part_names')),
                shapes=[_plain(r) for r in results],
            )
            write_whole(self.dump, json.dumps(content, indent=1))
        return metrics

    @staticmethod
    def _means(records: list[dict], key: str) -> dict[str, float]:
        shapes = np.array([np.nanmean(r[key]) for r in records])
        classes = np.array([r['gt'] for r in records])
        means = [shapes[classes == label].mean() for label in np.unique(classes)]
        return dict(
            instance_miou=100 * float(shapes.mean()), class_miou=100 * float(np.mean(means))
        )

    def _report(self, scored: list[dict], left_out: int) -> None:
        classes = self._meta('classes')
        absent = [name for i, name in enumerate(classes) if all(r['gt'] != i for r in scored)]
        if absent:
            print_log(
                f'class_miou is the mean over {len(classes) - len(absent)} of {len(classes)} '
                f'classes; without shapes: {", ".join(absent)}',
                logger='current',
            )
        if left_out:
            text = f'{left_out} shapes have no point with a part and are left out'
            print_log(text, logger='current')
        if self.per_class:
            table = part_table(scored, classes, self._meta('part_names'), self._meta('class_parts'))
            print_log('per class:\n' + table, logger='current')


def part_ious(
    target: np.ndarray, pred: np.ndarray, parts: Sequence[int], absent: float | None = 1.0
) -> np.ndarray:
    """Return the IoU of each part of one shape.

    Args:
        target: (N,) true parts; points below 0 do not count.
        pred: (N,) predicted parts.
        parts: (k,) the parts of the shape's class.
        absent: See :class:`Convention`.

    Returns:
        (k,) float64 in [0, 1]; NaN for a part that is left out.
    """
    labelled = target >= 0
    target, pred = target[labelled], pred[labelled]
    ious = np.full(len(parts), np.nan)
    for i, part in enumerate(parts):
        truth, guess = target == part, pred == part
        union = int((truth | guess).sum())
        if union == 0 or (absent is None and not truth.any()):
            ious[i] = np.nan if absent is None else absent
        else:
            ious[i] = int((truth & guess).sum()) / union
    return ious


def part_table(
    records: list[dict],
    classes: Sequence[str],
    part_names: Sequence[str],
    class_parts: Sequence[Sequence[int]],
) -> str:
    """Return a text table: a row per class with its shapes, their mean IoU, and that of each
    part.
    """
    from pcdet_kd.visualization import comparison_table

    rows = []
    for label, (name, parts) in enumerate(zip(classes, class_parts)):
        own = np.array([r['ious'] for r in records if r['gt'] == label])
        row = {'class': name, 'shapes': len(own), 'mIoU %': None, 'parts, IoU %': None}
        if len(own):
            row['mIoU %'] = 100 * float(np.nanmean(own, axis=1).mean())
            known = ~np.isnan(own).all(axis=0)
            row['parts, IoU %'] = ', '.join(
                f'{part_names[part].split("/")[-1]} {100 * np.nanmean(own[:, i]):.1f}'
                for i, part in enumerate(parts)
                if known[i]
            )
        rows.append(row)
    return comparison_table(rows)


def _plain(record: dict) -> dict:
    """Return a record whose parts that are left out are None: JSON has no NaN."""

    def named(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [None if np.isnan(x) else x for x in value]

    return {key: named(value) for key, value in record.items()}
