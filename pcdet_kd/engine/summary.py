"""What a pipeline's stages reached, and whether distillation brought a gain."""

from typing import Any

from pcdet_kd.engine.stages import Stage
from pcdet_kd.evaluation.paired_test import mcnemar
from pcdet_kd.evaluation.predictions import (
    check_same_shapes,
    predictions_file,
    read_predictions,
)

OA = 'accuracy'
# What tables show: per task the metrics and their headers.
TASKS = (
    {'OA': OA, 'mAcc': 'mean_class_accuracy'},
    {'instance mIoU': 'instance_miou', 'class mIoU': 'class_miou'},
)


def rows(stages: list[Stage]) -> list[dict[str, Any]]:
    """Return one row per stage: test metrics of the last and of the validation-best epoch, for
    each task that a stage was tested on, classification if there is none.
    """
    results = [stage.record.results if stage.record else {} for stage in stages]
    seen = {name for result in results for metrics in result.values() for name in metrics}
    shown = [task for task in TASKS if seen & set(task.values())] or TASKS[:1]
    table = []
    for stage, result in zip(stages, results):
        seed = (stage.cfg.get('randomness') or {}).get('seed')
        row = {'stage': stage.name, 'config': stage.config.stem, 'seed': seed}
        for task in shown:
            for which, label in (('last', 'last'), ('best', 'val-best')):
                metrics = result.get(which, {})
                row |= {f'{header} {label}': metrics.get(name) for header, name in task.items()}
        if 'emd' in seen:
            row['EMD last'] = result.get('last', {}).get('emd')
        table.append(row)
    return table


def protocol_rows(metrics: dict[str, float]) -> list[dict[str, Any]]:
    """Return a row for the plain test and, if there is one, a row for the voted test; none if
    nothing that a table shows was measured.
    """
    shown = [task for task in TASKS if set(task.values()) & set(metrics)]
    table = []
    for protocol, suffix in (('plain', ''), ('voted', '_voted')) if shown else ():
        found = {
            header: metrics.get(name + suffix) for task in shown for header, name in task.items()
        }
        if any(value is not None for value in found.values()):
            table.append({'protocol': protocol, **found})
    return table


def split_title(split: str) -> str:
    """Return what a table of results says of the split that a config tests on."""
    return 'Validation split (there are no test data)' if split == 'val' else 'Test split'


def other_metrics(metrics: dict[str, float]) -> dict[str, float]:
    """Return the metrics that :func:`protocol_rows` does not show."""
    known = {name for task in TASKS for name in task.values()}
    return {k: v for k, v in metrics.items() if k.removesuffix('_voted') not in known}


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
