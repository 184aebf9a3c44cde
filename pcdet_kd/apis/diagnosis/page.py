"""The page of a diagnosis: one HTML file, without scripts and without anything to load."""

from collections.abc import Mapping
from html import escape
from typing import Any

from pcdet_kd.apis.diagnosis.figures import class_recalls, reliability_diagrams, similarity_map
from pcdet_kd.robustness.report.table import Table
from pcdet_kd.robustness.report.tables import signed
from pcdet_kd.visualization import page as frame


def page(content: Mapping[str, Any]) -> str:
    """Return the HTML of :func:`~pcdet_kd.apis.diagnosis.diagnose`'s content."""
    title = f'What distillation did: {content["name"]}'
    top = frame.header('Distillation of point-cloud classifiers', title, content['sentences'][0])
    parts = [
        ''.join(f'<p>{escape(text)}</p>' for text in content['sentences'][1:]),
        frame.protocol('Runs', content['protocol']),
        _section('accuracy', 'Accuracy', accuracy_table(content).html()),
        _section('pairs', 'Who is right', outcome_table(content).html()),
        _section(
            'calibration',
            'Calibration',
            _figure(
                'Bars: share of right predictions of those with this confidence; darker bars hold '
                'more shapes. On the dashed line, confidence is accuracy.',
                reliability_diagrams(content['models']),
            ),
        ),
        _section(
            'classes',
            'Classes',
            _figure(
                'Recall of each class, with the number of test shapes. The line and the number at '
                'the right show the change '
                f'from {content["models"][-2]["name"]} to {content["models"][-1]["name"]}.'
                if len(content['models']) > 1
                else 'Recall of each class, with the number of test shapes.',
                class_recalls(content),
            ),
        ),
        _similarities(content),
        '<footer>OA: overall accuracy; mAcc: mean of the recalls of the classes. ECE: expected '
        'calibration error, 15 bins of equal width. p: exact McNemar test. CKA: linear centred '
        'kernel alignment of features, pooled over points and views: 1 for layers that are equal '
        'up to rotation and scale. One run of each model: differences between seeds are not '
        'seen here.</footer>',
    ]
    return frame.page(title, [top, frame.contents(parts), *parts], wide=True)


def accuracy_table(content: Mapping[str, Any]) -> Table:
    """Return one row per model."""
    rows = [
        [m['name'], *(f'{m[key]:.1f}' for key in ('oa', 'macc', 'confidence', 'ece'))]
        for m in content['models']
    ]
    return Table(
        f'{content["shapes"]:,} test shapes, in %, {_epoch(content)}.',
        ['model', 'OA', 'mAcc', 'mean confidence', 'ECE'],
        rows,
    )


def outcome_table(content: Mapping[str, Any]) -> Table:
    """Return one row per pair of models: how many shapes who has right."""
    rows = [
        [
            f'{p["one"]} / {p["other"]}',
            *(f'{p[key]:,}' for key in ('both', 'only_one', 'only_other', 'neither')),
            f'{100 * p["same"] / content["shapes"]:.1f} %',
            f'{p["p"]:.2g}',
        ]
        for p in content['pairs']
    ]
    return Table(
        'Numbers of test shapes that are classified correctly by both models of a pair, by one of '
        'them, or by neither; and the share of shapes for which both predict the same class.',
        ['first / second', 'both', 'only first', 'only second', 'neither', 'same class', 'p'],
        rows,
    )


def class_table(content: Mapping[str, Any]) -> Table:
    """Return one row per class: the recall of each model, and the change by distillation."""
    models = content['models']
    rows = []
    for i, (name, count) in enumerate(zip(content['classes'], content['counts'])):
        if count:
            recalls = [model['recalls'][i] for model in models]
            change = [signed(recalls[-1] - recalls[-2])] if len(models) > 1 else []
            rows.append([name, str(count), *(f'{r:.1f}' for r in recalls), *change])
    header = ['class', 'shapes', *(m['name'] for m in models), *['change'] * (len(models) > 1)]
    return Table('Recall of each class, in %.', header, rows)


def _epoch(content: Mapping[str, Any]) -> str:
    return 'last epoch' if content['epoch'] == 'last' else 'best epoch on the validation split'


def _section(name: str, title: str, content: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>{content}</section>'


def _figure(caption: str, image: str) -> str:
    return f'<figure><figcaption>{escape(caption)}</figcaption>{image}</figure>'


def _similarities(content: Mapping[str, Any]) -> str:
    figures = [
        _figure(
            f'Linear CKA of the layers of {entry["teacher"]} (rows) and of the distilled student '
            '(columns) on the test shapes. A feature bank keeps only feature and logits.',
            similarity_map(entry),
        )
        for entry in content['similarity']
    ]
    return _section('similarity', 'Layers', ''.join(figures)) if figures else ''
