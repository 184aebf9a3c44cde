"""The tables of a report."""

from collections.abc import Mapping, Sequence
from typing import Any

from pcdet_kd.robustness.report.table import Table

_BETTER = {'er': min, 'ce': min, 'rce': min, 'mce': min, 'rmce': min, 'drop': min}


def pretty(name: str) -> str:
    """Return a corruption's or class's name as words."""
    return name.replace('_', ' ')


def signed(value: float, digits: int = 1) -> str:
    """Return a number with its sign (a minus, not a hyphen)."""
    text = f'{abs(value):.{digits}f}'
    return ('' if float(text) == 0 else '+' if value > 0 else '−') + text


def spread(value: Mapping[str, float | None] | None, digits: int = 1) -> str:
    """Return a mean over runs, with the standard deviation if there are several."""
    if value is None:
        return '–'
    return f'{value["mean"]:.{digits}f}' + (
        f' ± {value["std"]:.{digits}f}' if value['std'] is not None else ''
    )


def between(triple: Sequence[float], digits: int = 1) -> str:
    """Return an interval's ends."""
    return f'{triple[1]:.{digits}f} – {triple[2]:.{digits}f}'


def runs_of(report: Mapping[str, Any]) -> str:
    """Say over how many runs the numbers are means, if over several."""
    counts = sorted({len(model['runs']) for model in report['models']})
    return (
        ''
        if counts == [1]
        else f' Mean ± standard deviation over {" or ".join(map(str, counts))} runs.'
    )


def score_table(report: Mapping[str, Any]) -> Table:
    """One row per model: its scores on the suite."""
    keys = {
        'clean_oa': ('clean OA', 1),
        'oa': ('corrupted OA', 1),
        '': ('95 % interval', 1),
        'drop': ('drop', 1),
        'er': ('ER', 1),
        'mce': ('mCE', 3),
        'rmce': ('RmCE', 3),
    }
    present = [key for key in keys if not key or key in report['models'][0]['scores']]
    rows = [
        [
            model['name'],
            *(
                between(model['intervals']['OA'])
                if not key
                else spread(model['scores'][key], keys[key][1])
                for key in present
            ),
        ]
        for model in report['models']
    ]
    what = (
        'OA and ER in %; drop: clean minus corrupted OA, in points'
        if 'drop' in present
        else 'OA and ER in %'
    )
    return Table(
        f'Scores on {report["title"]}. {what}. The interval is that of the corrupted OA over the '
        'test shapes.' + runs_of(report),
        ['model', *(keys[key][0] for key in present)],
        rows,
        _best(
            report,
            [lambda m, key=key: m['scores'][key]['mean'] if key else None for key in present],
            [_BETTER.get(key, max) for key in present],
        ),
        label='scores',
    )


def _best(
    report: Mapping[str, Any], columns: Sequence[Any], better: Sequence[Any]
) -> set[tuple[int, int]]:
    """Cells of the best models, where there are several."""
    table = [[column(model) for model in report['models']] for column in columns]
    return {
        (i, j)
        for j, (values, choose) in enumerate(zip(table, better), 1)
        for i, value in enumerate(values)
        if len(values) > 1 and None not in values and value == choose(values)
    }


def corruption_table(report: Mapping[str, Any]) -> Table:
    """One row per corruption: the mean over the severities, for each model."""
    models = report['models']
    one = len(models) == 1
    keys = {'oa': ('OA', 1), 'er': ('ER', 1), 'ce': ('CE', 3), 'rce': ('RCE', 3)}
    first = models[0]['corruptions'][report['corruptions'][0]['name']]
    chosen = [key for key in keys if key in first] if one else ['ce' if 'ce' in first else 'er']
    totals = {'oa': 'oa', 'er': 'er', 'ce': 'mce', 'rce': 'rmce'}
    header = (
        ['corruption', *(keys[key][0] for key in chosen)]
        if one
        else ['corruption', *(model['name'] for model in models)]
    )
    rows, bold = [], set()
    for entry in [*report['corruptions'], None]:
        values = [
            (
                key,
                model['corruptions'][entry['name']][key] if entry else model['scores'][totals[key]],
            )
            for model in models
            for key in chosen
        ]
        if not one:
            best = min(value['mean'] for _, value in values)
            bold |= {
                (len(rows), j) for j, (_, value) in enumerate(values, 1) if value['mean'] == best
            }
        rows.append(
            [
                pretty(entry['name']) if entry else 'mean',
                *(spread(value, keys[key][1]) for key, value in values),
            ]
        )
    meaning = {
        'oa': 'OA (overall accuracy) and ER (error rate) in %',
        'ce': 'CE: error relative to that of DGCNN; RCE: the same of the drop from the clean '
        'accuracy',
    }
    unit = {'er': 'Error rate in %', 'ce': 'CE: error relative to that of DGCNN'}
    what = (
        '. '.join(text for key, text in meaning.items() if key in chosen)
        if one
        else unit[chosen[0]]
    )
    groups = [entry['group'] for entry in report['corruptions']]
    ordered = groups == sorted(groups, key=groups.index)
    rules = {i for i in range(1, len(groups)) if groups[i] != groups[i - 1]} if ordered else set()
    return Table(
        f'Each corruption of {report["title"]}, mean over the {len(report["severities"])} '
        f'severities. {what}.' + runs_of(report),
        header,
        rows,
        bold,
        rules | {len(groups)},
        'corruptions',
    )


def severity_table(report: Mapping[str, Any], model: Mapping[str, Any]) -> Table:
    """One row per corruption: the accuracy at each severity, of one model."""
    rows = [
        [
            pretty(entry['name']),
            *(f'{model["sets"][entry["name"]][str(s)]["oa"]:.1f}' for s in report['severities']),
            spread(model['corruptions'][entry['name']]['oa']),
        ]
        for entry in report['corruptions']
    ]
    return Table(
        f'Overall accuracy of {model["name"]} on {report["title"]} at each severity, in %.',
        ['corruption', *map(str, report['severities']), 'mean'],
        rows,
        label=f'severities-{label(model["name"])}',
    )


def comparison_table(report: Mapping[str, Any], comparison: Mapping[str, Any]) -> Table:
    """One row per corruption: the difference of two models with its interval."""
    rows = []
    for name, triple in [
        *comparison['corruptions'].items(),
        ('mean of all', comparison['OA']),
        *((key, comparison[key]) for key in ('clean', 'drop', 'mCE', 'RmCE') if key in comparison),
    ]:
        digits = 3 if name in ('mCE', 'RmCE') else 1
        rows.append(
            [
                pretty(name),
                signed(triple[0], digits),
                f'{signed(triple[1], digits)} to {signed(triple[2], digits)}',
                '' if triple[1] <= 0 <= triple[2] else 'yes',
            ]
        )
    return Table(
        f'{comparison["model"]} minus {comparison["reference"]}: points of overall accuracy with '
        f'paired bootstrap intervals ({100 * report["level"]:.0f} %).',
        ['corruption', 'difference', 'interval', 'excludes 0'],
        rows,
        rules={len(comparison['corruptions'])},
        label=f'comparison-{label(comparison["model"])}',
    )


def label(name: str) -> str:
    """Return a name that LaTeX and HTML take as a label."""
    return ''.join(c if c.isascii() and c.isalnum() else '-' for c in name)
