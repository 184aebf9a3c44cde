"""What a pipeline's stages reached, and whether distillation brought a gain."""

from typing import Any

from pcdet_kd.engine.stages import Stage
from pcdet_kd.evaluation.paired_test import mcnemar
from pcdet_kd.evaluation.predictions import (
    check_same_shapes,
    predictions_file,
    read_predictions,
)

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

    The two are compared shape by shape with the exact McNemar test on the predictions that they
    left in their work directories. It leaves out the spread between seeds, which is usually larger.

    Args:
        leaf: The distilled student's stage.
        baseline: The stage of the student alone.

    Raises:
        DataError: The two were tested on different shapes.
    """
    ours, plain = (s.record.results['last'][OA] for s in (leaf, baseline))
    size = f'{ours - plain:+.1f} points OA at the last epoch (one seed'
    missing = [
        file
        for stage in (leaf, baseline)
        if not (file := predictions_file(stage.work_dir)).is_file()
    ]
    if missing:
        return f'The difference is {size}); it cannot be tested: there is no {missing[0]}.'
    runs = [read_predictions(stage.work_dir) for stage in (leaf, baseline)]
    check_same_shapes(runs)
    right, alone = (run.right for run in runs)
    only_ours, only_plain = int((right & ~alone).sum()), int((alone & ~right).sum())
    p = mcnemar(only_ours, only_plain)
    size += (
        f'; of {len(right)} test clouds, {only_ours} only the distilled student has right and '
        f'{only_plain} only the student alone: McNemar p = {p:.2g})'
    )
    if ours <= plain:
        return f'No gain from distillation: {size}.'
    if p > 0.05:
        return f'No clear gain from distillation: {size}.'
    return f'Distillation gained {size}. Run more seeds before you report it.'
