"""Scores of one or several models on a corruption suite, as one plain dict: the content of
``report.json``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.suites import CLEAN, SUITES
from pcdet_kd.evaluation.functional import class_recalls, confusion_matrix, mean_class_accuracy
from pcdet_kd.evaluation.paired_bootstrap import Interval, bootstrap, paired_bootstrap
from pcdet_kd.robustness.metrics import MODELNET_C_BASELINE, error_rates, modelnet_c_scores
from pcdet_kd.robustness.results import SuiteResult
from pcdet_kd.utils.errors import DataError

FORMAT = 1
DRAWS, LEVEL, SEED = 5000, 0.95, 0
PICTURES = 15  # of mistakes per model, about; at least one per corruption


def robustness_report(
    models: Mapping[str, Sequence[SuiteResult]], draws: int = DRAWS
) -> dict[str, Any]:
    """Return the content of a report, with intervals and with comparisons to the first model.

    Accuracies and error rates are percentages; CE, RCE and their means are ratios, with the
    roundings of ModelNet-C's evaluator. Intervals are those of :func:`bootstrap` over the shapes
    (and runs) at 95 %.

    Args:
        models: For each name the results of one or more runs (seeds) of the model; means over the
            runs are reported.
        draws: Number of bootstrap draws.

    Returns:
        A dict of plain values, except for the arrays under ``models[i]['worst'][j]['points']``.

    Raises:
        DataError: Two results are of different suites or of different data.
    """
    results = [(name, run) for name, runs in models.items() for run in runs]
    first = results[0][1]
    for name, run in results:
        _same_data(first, run, name)
    suite = SUITES[first.suite]
    corruptions = first.corruptions
    has_clean = (CLEAN, 0) in first.sets
    baseline = _baseline(first)
    columns = {
        name: np.stack([_columns(run, corruptions, baseline) for run in runs])
        for name, runs in models.items()
    }
    names = _column_names(corruptions, has_clean, baseline)
    reference = next(iter(models))
    title = suite.title + (' (generated)' if first.info['generated'] else '')
    return dict(
        format=FORMAT,
        title=title,
        suite=suite.name,
        severities=list(suite.severities),
        corruptions=[dict(name=c, group=suite.corruptions[c].group) for c in corruptions],
        views=[c for c in corruptions if suite.corruptions[c].needs_mesh],
        classes=list(first.info['classes']),
        up_axis=first.info['up_axis'],
        clouds=len(next(iter(first.sets.values())).gt),
        level=LEVEL,
        draws=draws,
        provenance=first.info['provenance'],
        generated=first.info['generated'],
        notes=first.info['notes'],
        baseline=baseline,
        points={
            f'{name} {severity}': sorted({int(n) for n in result.num_points})
            for (name, severity), result in first.sets.items()
        },
        models=[
            _model(
                name,
                runs,
                corruptions,
                bootstrap(columns[name], draws, LEVEL, SEED),
                names,
                baseline,
            )
            for name, runs in models.items()
        ],
        comparisons=[
            dict(
                model=name,
                reference=reference,
                **_by_name(
                    paired_bootstrap(columns[name], columns[reference], draws, LEVEL, SEED), names
                ),
            )
            for name in models
            if name != reference
        ],
    )


def _same_data(first: SuiteResult, other: SuiteResult, name: str) -> None:
    if first.suite != other.suite:
        raise DataError(
            other.folder,
            f'results on {SUITES[other.suite].title}',
            f'results on {SUITES[first.suite].title}, as the first ones',
            'make one report per suite',
        )
    changed = [
        f'{n} {s}'
        for (n, s), mark in first.info['sets'].items()
        if other.info['sets'].get((n, s)) != mark
    ]
    if changed or first.info['sets'].keys() != other.info['sets'].keys():
        raise DataError(
            other.folder,
            f"results of '{name}' on other data "
            f'({", ".join(changed[:3]) or "another choice of sets"})',
            f'the files that {first.folder} was evaluated on',
            'evaluate all checkpoints on the same files',
        )


def _baseline(result: SuiteResult) -> dict[str, float] | None:
    """Accuracies of the reference model that CE is relative to: only ModelNet-C of ModelNet40's
    shapes has one.
    """
    whole = result.corruptions == list(SUITES[result.suite].corruptions)
    usual = result.suite == 'modelnet-c' and list(result.info['classes']) == list(MODELNET40)
    return dict(MODELNET_C_BASELINE) if whole and usual else None


def _correct(run: SuiteResult, corruption: str) -> np.ndarray:
    """(severities, n) bool: which samples are right at each severity."""
    return np.stack(
        [run.sets[corruption, severity].correct for severity in SUITES[run.suite].severities]
    )


def _column_names(corruptions: list[str], has_clean: bool, baseline: dict | None) -> list[str]:
    return [
        *corruptions,
        'OA',
        *(['clean', 'drop'] if has_clean else []),
        *(['mCE', 'RmCE'] if baseline else []),
    ]


def _columns(
    run: SuiteResult, corruptions: list[str], baseline: dict[str, float] | None
) -> np.ndarray:
    """Return (n, k): what each sample contributes to each score. All scores are means of these,
    without roundings.
    """
    by_corruption = np.stack([_correct(run, name).mean(axis=0) for name in corruptions], axis=1)
    mean = by_corruption.mean(axis=1, keepdims=True)
    parts = [100 * by_corruption, 100 * mean]
    if (CLEAN, 0) in run.sets:
        clean = run.sets[CLEAN, 0].correct[:, None].astype(float)
        parts += [100 * clean, 100 * (clean - mean)]
        if baseline:
            base = np.array([baseline[name] for name in corruptions])
            parts += [
                ((1 - by_corruption) / (1 - base)).mean(axis=1, keepdims=True),
                ((clean - by_corruption) / (baseline['clean'] - base)).mean(axis=1, keepdims=True),
            ]
    return np.concatenate(parts, axis=1)


def _by_name(interval: Interval, names: list[str]) -> dict[str, Any]:
    """Return ``{'corruptions': {name: [value, low, high]}, 'OA': [...], ...}``."""
    values = [(name, [float(x) for x in triple]) for name, *triple in zip(names, *interval)]
    head = names.index('OA')
    return dict(corruptions=dict(values[:head]), **dict(values[head:]))


def _model(
    name: str,
    runs: Sequence[SuiteResult],
    corruptions: list[str],
    interval: Interval,
    names: list[str],
    baseline: dict[str, float] | None,
) -> dict[str, Any]:
    per_run = [_run_scores(run, corruptions, baseline) for run in runs]
    classes = runs[0].info['classes']
    matrices = {
        key: [confusion_matrix(run.sets[key].gt, run.sets[key].pred, len(classes)) for run in runs]
        for key in runs[0].sets
    }
    sets = {}
    for (corruption, severity), found in matrices.items():
        accuracies = [100 * run.sets[corruption, severity].correct.mean() for run in runs]
        sets.setdefault(corruption, {})[str(severity)] = dict(
            oa=_mean(accuracies),
            macc=_mean([mean_class_accuracy(m) for m in found]),
            n=int(found[0].sum()),
        )
    recalls = {
        key: np.mean([class_recalls(m) for m in found], axis=0) for key, found in matrices.items()
    }
    corrupted = np.mean([recall for key, recall in recalls.items() if key[0] != CLEAN], axis=0)
    clean = recalls.get((CLEAN, 0))
    counts = matrices[next(iter(matrices))][0].sum(axis=1)
    return dict(
        name=name,
        runs=[
            dict(run.info['run'], folder=run.folder.name, scores=scores)
            for run, scores in zip(runs, per_run)
        ],
        protocol=runs[0].info['protocol'],
        clean=sets.pop(CLEAN, {}).get('0'),
        sets=sets,
        scores={
            key: _spread([s[key] for s in per_run]) for key in per_run[0] if key != 'corruptions'
        },
        corruptions={
            c: {
                key: _spread([s['corruptions'][c][key] for s in per_run])
                for key in per_run[0]['corruptions'][c]
            }
            for c in corruptions
        },
        intervals=_by_name(interval, names),
        per_class=[
            dict(
                name=label,
                n=int(n),
                clean=None if clean is None else float(clean[i]),
                corrupted=float(corrupted[i]),
            )
            for i, (label, n) in enumerate(zip(classes, counts))
            if n
        ],
        worst=_worst(runs[0], corruptions),
    )


def _run_scores(
    run: SuiteResult, corruptions: list[str], baseline: dict[str, float] | None
) -> dict[str, Any]:
    """Return one run's scores, by the evaluators' own arithmetic and roundings."""
    accuracies = {
        name: [float(x) for x in _correct(run, name).mean(axis=1)] for name in corruptions
    }
    rates = error_rates(accuracies)
    table = {name: dict(oa=100 - rates[name], er=rates[name]) for name in corruptions}
    scores = dict(oa=100 - rates['mean'], er=rates['mean'])
    if (CLEAN, 0) in run.sets:
        clean = float(run.sets[CLEAN, 0].correct.mean())
        scores.update(
            clean_oa=100 * clean, clean_er=100 * (1 - clean), drop=100 * clean - scores['oa']
        )
        if baseline:
            official = modelnet_c_scores(clean, accuracies, baseline)
            scores.update(
                moa=official['mean']['OA'], mce=official['mean']['CE'], rmce=official['mean']['RCE']
            )
            for name in corruptions:
                table[name].update(ce=official[name]['CE'], rce=official[name]['RCE'])
    return dict(scores, corruptions=table)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return the mean over the runs and their standard deviation (n - 1), None for one run."""
    return dict(mean=_mean(values), std=float(np.std(values, ddof=1)) if len(values) > 1 else None)


def _worst(run: SuiteResult, corruptions: list[str]) -> list[dict[str, Any]]:
    """The most confident mistakes of each corruption, over its severities; in the suite's order."""
    each = max(1, round(PICTURES / len(corruptions)))
    clean = run.sets[CLEAN, 0].correct if (CLEAN, 0) in run.sets else None
    chosen = []
    for corruption in corruptions:
        found = [
            dict(
                corruption=corruption,
                severity=severity,
                sample=int(i),
                id=f'test/{i:04d}',
                gt=int(result.gt[i]),
                pred=int(result.pred[i]),
                score=float(result.score[i]),
                true_score=float(result.true_score[i]),
                clean_correct=None if clean is None else bool(clean[i]),
                points=points,
            )
            for severity in SUITES[run.suite].severities
            for result in [run.sets[corruption, severity]]
            for i, points in zip(result.worst, result.clouds)
        ]
        found.sort(key=lambda e: (e['clean_correct'] is False, e['true_score'], -e['score']))
        first = {}  # of each sample the worst severity; sorting keeps the order of equal ones
        for entry in found:
            first.setdefault(entry['sample'], entry)
        chosen += list(first.values())[:each]
    return chosen
