"""Classification accuracy: overall, per class, plain and voted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from torch import Tensor

from pcdet_kd.evaluation import functional as F
from pcdet_kd.evaluation.sample_metric import SampleMetric
from pcdet_kd.registry import METRICS
from pcdet_kd.utils.files import write_whole


@METRICS.register_module()
class PointAccuracy(SampleMetric):
    """Overall and mean class accuracy, in percent.

    Metrics: ``accuracy`` (overall accuracy, OA) and ``mean_class_accuracy`` (mean of the per-class
    recalls, mAcc; classes without samples are left out, which is logged). Samples that carry a
    ``plain_score`` beside ``pred_score``, as those of :class:`VotingTTA` do, give both pairs: the
    plain numbers under these names, and ``accuracy_voted`` and ``mean_class_accuracy_voted``. The
    confusion matrix of the last evaluation, (K, K) int64 with true classes as rows, stays in
    :attr:`matrix` (on the main process) and belongs to ``pred_score``: with votes it is the voted
    one. What ``dump`` writes stays in :attr:`predictions`.

    Args:
        per_class: Log a table with recall, precision and the most frequent confusion of each class.
        out_dir: Directory to write ``confusion_matrix.json`` (with class names), ``.npy`` and
            ``.png`` to.
        dump: File name, ending in ``.json``, in ``out_dir``: for every sample its ``sample_id``,
            ``gt``, ``pred`` and ``score`` (probability of the predicted class), and with votes
            ``plain_pred``.
        prefix: See :class:`SampleMetric`.
    """

    names = ('accuracy', 'mean_class_accuracy')

    def __init__(
        self,
        per_class: bool = False,
        out_dir: str | None = None,
        dump: str | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix)
        if dump and not out_dir and not Path(dump).is_absolute():
            raise ValueError(
                f"PointAccuracy: dump='{dump}' is a file in out_dir, and out_dir is not set"
            )
        if dump and not dump.endswith('.json'):
            raise ValueError(f"PointAccuracy: dump is '{dump}', must end with .json")
        self.per_class = per_class
        self.out_dir = Path(out_dir) if out_dir else None
        self.dump = (self.out_dir or Path()) / dump if dump else None
        self.matrix = None
        self.predictions: dict | None = None

    def record(self, sample: Mapping[str, Any]) -> dict | None:
        """Return the sample's name, classes and score; None for one without a label, which does not
        count.

        Raises:
            ValueError: The scores hold NaN or infinity: their argmax would be a class all the same.
        """
        if 'gt_label' not in sample:
            return None
        score = self._finite(sample, 'pred_score')
        pred = int(self.field(sample, 'pred_label'))
        record = dict(
            sample_id=str(sample.get('sample_id', sample['sample_idx'])),
            gt=int(self.field(sample, 'gt_label')),
            pred=pred,
            score=float(score[pred]),
        )
        if 'plain_score' in sample:
            record['plain_pred'] = int(self._finite(sample, 'plain_score').argmax())
        return record

    def _finite(self, sample: Mapping[str, Any], name: str) -> Tensor:
        score = self.field(sample, name)
        if not score.isfinite().all():
            raise ValueError(
                f'PointAccuracy: {name} of sample {sample["sample_idx"]} '
                f"('{sample.get('sample_id')}') holds "
                'NaN or infinity: the model is broken, or its weights are'
            )
        return score

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        classes = list((self.dataset_meta or {}).get('classes', ()))
        if not classes:
            raise ValueError("PointAccuracy: the data set's metainfo has no 'classes'")
        results = [r for r in results if r is not None]
        if not results:
            raise ValueError('PointAccuracy: no sample has a label')
        self.predictions = dict(classes=classes, predictions=results)
        target = np.array([r['gt'] for r in results])
        self.matrix = F.confusion_matrix(
            target, np.array([r['pred'] for r in results]), len(classes)
        )
        voted = all('plain_pred' in r for r in results)
        plain = self.matrix
        if voted:
            plain = F.confusion_matrix(
                target, np.array([r['plain_pred'] for r in results]), len(classes)
            )
        metrics = dict(
            accuracy=F.overall_accuracy(plain), mean_class_accuracy=F.mean_class_accuracy(plain)
        )
        if voted:
            metrics.update(
                accuracy_voted=F.overall_accuracy(self.matrix),
                mean_class_accuracy_voted=F.mean_class_accuracy(self.matrix),
            )
        self._report(classes, results)
        return metrics

    def _report(self, classes: list[str], results: list[dict]) -> None:
        absent = [name for name, count in zip(classes, self.matrix.sum(axis=1)) if not count]
        if absent:
            print_log(
                f'mean_class_accuracy is the mean over {len(classes) - len(absent)} of '
                f'{len(classes)} classes; without samples: {", ".join(absent)}',
                logger='current',
            )
        if self.per_class:
            print_log('per class:\n' + class_table(self.matrix, classes), logger='current')
        if self.out_dir:
            from pcdet_kd.visualization import draw_confusion_matrix

            self.out_dir.mkdir(parents=True, exist_ok=True)
            np.save(self.out_dir / 'confusion_matrix.npy', self.matrix)
            content = dict(classes=classes, rows='true', matrix=self.matrix.tolist())
            write_whole(self.out_dir / 'confusion_matrix.json', json.dumps(content, indent=1))
            draw_confusion_matrix(self.matrix, classes, self.out_dir / 'confusion_matrix.png')
        if self.dump:
            write_whole(self.dump, json.dumps(self.predictions, indent=1))


def class_table(matrix: np.ndarray, classes: list[str]) -> str:
    """Return a text table: a row per class with its samples, recall, precision and most frequent
    confusion.
    """
    from pcdet_kd.visualization import comparison_table

    rows = []
    for i, (name, recall, precision) in enumerate(
        zip(classes, F.class_recalls(matrix), F.class_precisions(matrix))
    ):
        wrong = matrix[i].copy()
        wrong[i] = 0
        worst = f'{classes[wrong.argmax()]} ({wrong.max()})' if wrong.max() else None
        rows.append(
            {
                'class': name,
                'samples': int(matrix[i].sum()),
                'recall %': recall,
                'precision %': precision,
                'most often taken for': worst,
            }
        )
    return comparison_table(rows)
