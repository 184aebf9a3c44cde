"""The page of a report: everything in one HTML file, without anything to load."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pcdet_kd.robustness.report import tables
from pcdet_kd.robustness.report.clouds import cloud_tiles
from pcdet_kd.robustness.report.curves import curves
from pcdet_kd.robustness.report.dots import class_drops, differences
from pcdet_kd.robustness.report.heat_maps import accuracy_map, difference_map
from pcdet_kd.visualization import page as frame
from pcdet_kd.visualization import viewer


def page(report: Mapping[str, Any]) -> str:
    """Return the HTML of a report, see :func:`pcdet_kd.robustness.robustness_report`."""
    names = [model['name'] for model in report['models']]
    title = (
        f'{" and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)} on '
        f'{report["title"]}'
    )
    parts = [
        _notices(report),
        _protocol(report),
        _scores(report),
        _comparisons(report),
        _maps(report),
        _classes(report),
        _mistakes(report),
        _method(report),
    ]
    top = frame.header('Robustness of point-cloud classification', title, summary(report))
    clouds = any(model['worst'] for model in report['models'])
    scripts = [viewer.SCRIPT] if clouds else []
    body = [top, frame.contents(parts), *parts]
    return frame.page(title, body, scripts, [viewer.STYLE], wide=True)


def summary(report: Mapping[str, Any]) -> str:
    """Return the outcome in one to three sentences."""
    model = report['models'][0]
    sets = len(report['corruptions']) * len(report['severities'])
    scores = model['scores']
    drop = (
        f', {scores["drop"]["mean"]:.1f} points below its {scores["clean_oa"]["mean"]:.1f} % on '
        'clean ones'
        if 'drop' in scores
        else ''
    )
    text = (
        f'{model["name"]} classifies {scores["oa"]["mean"]:.1f} % of the corrupted clouds '
        f'correctly, over {sets} sets{drop}.'
    )
    for comparison in report['comparisons']:
        value, low, high = comparison['OA']
        ends = (
            f'{100 * report["level"]:.0f} % interval {tables.signed(low)} to {tables.signed(high)}'
        )
        if low <= 0 <= high:
            text += (
                f' {comparison["model"]} differs from it by {tables.signed(value)} points '
                f'({ends}): the interval includes zero, so no difference is shown.'
            )
        else:
            text += (
                f' {comparison["model"]} is {"better" if value > 0 else "worse"} by '
                f'{abs(value):.1f} points ({ends}).'
            )
    return text


def _notices(report: Mapping[str, Any]) -> str:
    notes = list(report['notes'])
    if report['generated']:
        also = (
            ' mCE and RmCE relate them to DGCNN on the official files.'
            if report['baseline']
            else ''
        )
        notes.insert(
            0,
            'The files were generated with pcdet_kd. They are not the official ones: do not '
            f'compare scores on them with published scores.{also}',
        )
    if len({model['protocol']['normalisation'] for model in report['models']}) > 1:
        notes.insert(0, 'The clouds were normalised differently for the models: see the protocol.')
    return ''.join(f'<p class="notice">{escape(note)}</p>' for note in notes)


def _protocol(report: Mapping[str, Any]) -> str:
    models = report['models']
    entries = {'suite': report['title'], 'files': report['provenance'], 'points': _points(report)}
    shared = [
        key
        for key in models[0]['protocol']
        if all(m['protocol'].get(key) == models[0]['protocol'][key] for m in models)
    ]
    order = ['clouds', 'sampling', 'normalisation', 'votes', 'seed']
    keys = sorted(models[0]['protocol'], key=lambda key: [*order, key].index(key))
    for key in keys:
        entries[key] = (
            models[0]['protocol'][key]
            if key in shared
            else '; '.join(
                f'{model["name"]}: {model["protocol"].get(key, "–")}' for model in models
            )
        )
    for model in models:
        entries[model['name'] if len(models) > 1 else 'model'] = _runs(model['runs'])
    return frame.protocol('Protocol', entries)


def _runs(runs: Sequence[Mapping[str, Any]]) -> str:
    """Return what was evaluated; the config once if all runs share it."""
    shared = runs[0]['config'] if len({run['config'] for run in runs}) == 1 else ''
    each = '; '.join(
        (f'{run["config"]} with ' if not shared else '')
        + f'{run["checkpoint"]} (SHA-256 {run["sha256"][:12]}, '
        f'{run["started"]})'
        for run in runs
    )
    return (f'{shared}, ' if shared else '') + f'{runs[0]["parameters"]:,} parameters; {each}'


def _points(report: Mapping[str, Any]) -> str:
    counts = sorted({n for sizes in report['points'].values() for n in sizes})
    return (
        f'{counts[0]:,} to {counts[-1]:,} per cloud, by set'
        if len(counts) > 1
        else f'{counts[0]:,} per cloud'
    )


def _section(name: str, title: str, parts: Sequence[str], intro: str = '') -> str:
    """Return a section; on paper its heading stays with its first part."""
    head = f'<h2>{escape(title)}</h2>' + (f'<p>{escape(intro)}</p>' if intro else '')
    return (
        f'<section id="{name}"><div '
        f'class="keep">{head}{parts[0]}</div>{"".join(parts[1:])}</section>'
    )


def _figure(title: str, picture: str, words: str = '') -> str:
    return f'<figure><figcaption><b>{escape(title)}.</b>{" " + escape(words) if words else ""}</figcaption>{picture}</figure>'  # noqa: E501


def _scores(report: Mapping[str, Any]) -> str:
    return _section(
        'scores',
        'Scores',
        [tables.score_table(report).html(), tables.corruption_table(report).html()],
    )


def _comparisons(report: Mapping[str, Any]) -> str:
    if not report['comparisons']:
        return ''
    level = report['level']
    parts = []
    for comparison in report['comparisons']:
        extra = '; '.join(
            f'{key} {tables.signed(comparison[key][0], 3)} '
            f'({tables.signed(comparison[key][1], 3)} to {tables.signed(comparison[key][2], 3)})'
            for key in ('mCE', 'RmCE')
            if key in comparison
        )
        parts.append(
            _figure(
                f'{comparison["model"]} minus {comparison["reference"]}',
                differences(comparison, level),
                extra and f'Lower is better: {extra}.',
            )
        )
    return _section(
        'comparison',
        'Comparison',
        parts,
        'Points of overall accuracy, with intervals from a paired bootstrap over the test shapes: '
        'all corrupted versions of a shape are drawn together, and the same shapes of both '
        f'models. A filled dot means that the interval excludes zero; at {100 * level:.0f} %, '
        f'about one in {1 / (1 - level):.0f} does so by chance.',
    )


def _maps(report: Mapping[str, Any]) -> str:
    models = report['models']
    views = (
        ' With *: the severity is the number of a viewpoint, not a strength.'
        if report['views']
        else ''
    )
    parts = [
        _figure(model['name'], accuracy_map(report, model), f'Overall accuracy in %.{views}')
        for model in models
    ]
    parts += [
        _figure(
            f'{model["name"]} minus {models[0]["name"]}',
            difference_map(report, model, models[0]),
            'Points of overall accuracy; blue is better, orange is worse.',
        )
        for model in models[1:]
    ]
    parts.append(_figure('Curves', curves(report), f'Overall accuracy in % over severity.{views}'))
    return _section('severities', 'Corruption and severity', parts)


def _classes(report: Mapping[str, Any]) -> str:
    words = (
        'Recall of each class (with its number of shapes), mean over all corrupted sets; the '
        'largest drop first.'
    )
    return _section(
        'classes',
        'Classes',
        [_figure(model['name'], class_drops(model), words) for model in report['models']],
    )


def _mistakes(report: Mapping[str, Any]) -> str:
    parts = [
        _figure(
            model['name'] + (', first run' if len(model['runs']) > 1 else ''),
            cloud_tiles(model['worst'], report['classes'], report['up_axis']),
        )
        if model['worst']
        else f'<p>{escape(model["name"])} made no mistake.</p>'
        for model in report['models']
    ]
    return _section(
        'mistakes',
        'Worst samples',
        parts,
        'The most confident mistakes of each corruption; clouds that were classified correctly '
        'before corruption come first. Below each cloud: the set, the true class with the number '
        f'of the shape, and the predicted class. {viewer.HELP}',
    )


def _method(report: Mapping[str, Any]) -> str:
    runs = max(len(model['runs']) for model in report['models'])
    seeds = (
        'Runs are drawn too, so that the intervals include the spread between seeds, as far as a '
        'few runs show it.'
        if runs > 1
        else 'They say nothing about the spread between training runs, which is often larger.'
    )
    ce = (
        ' CE and RCE divide the error, and the drop from the clean accuracy, by those of DGCNN '
        '(Ren et al., 2022), with the '
        "evaluator's roundings."
        if report['baseline']
        else ''
    )
    return (
        '<footer>OA: overall accuracy. ER: error rate, 100 minus the mean OA of the '
        f'severities.{escape(ce)} Intervals: percentiles of {report["draws"]:,} bootstrap draws '
        f'of the {report["clouds"]:,} test shapes. {escape(seeds)}</footer>'
    )
