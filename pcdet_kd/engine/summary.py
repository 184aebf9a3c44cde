"""What a pipeline's stages reached, and whether distillation brought a gain."""

import math
from typing import Any

from pcdet_kd.engine.stages import Stage

OA, MACC = 'accuracy', 'mean_class_accuracy'


def rows(stages: list[Stage]) -> list[dict[str, Any]]:
    """Return one row per stage: test metrics of the last and of the validation-best epoch."""
    table = []
    for stage in stages:
        results = stage.record.results if stage.record else {}
        row = {'stage': stage.name, 'config': stage.config.stem}
        for which, label in (('last', 'last'), ('best', 'val-best')):
            metrics = results.get(which, {})
            row[f'OA {label}'] = metrics.get(OA)
            row[f'mAcc {label}'] = metrics.get(MACC)
        row['EMD last'] = results.get('last', {}).get('emd')
        table.append(row)
    if all(r['EMD last'] is None for r in table):
        for r in table:
            del r['EMD last']
    return table


def verdict(leaf: Stage, baseline: Stage) -> str:
    """Return one sentence on the difference that distillation made.

    The noise is twice the standard error of a difference of two independent accuracies measured on
    the test split; it leaves out the spread between seeds, which is usually larger.

    Args:
        leaf: The distilled student's stage.
        baseline: The stage of the student alone.
    """
    samples = leaf.record.test_samples
    ours, plain = (s.record.results['last'][OA] for s in (leaf, baseline))
    gain = ours - plain
    p = (ours + plain) / 200
    noise = 200 * math.sqrt(2 * p * (1 - p) / samples)
    size = (
        f'{gain:+.1f} points OA at the last epoch (one seed, {samples} test clouds, test noise '
        f'about ±{noise:.1f})'
    )
    if gain <= 0:
        return f'No gain from distillation: {size}.'
    if gain < noise:
        return f'No clear gain from distillation: {size}.'
    return f'Distillation gained {size}. Run more seeds before you report it.'
