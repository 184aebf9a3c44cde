"""The table of all models: what they are, what was published, what was measured here."""

import json
from pathlib import Path
from typing import Any

from pcdet_kd.apis.complexity import count_complexity, measure_speed, random_inputs
from pcdet_kd.apis.models import ModelInfo, init_model, model_infos
from pcdet_kd.utils.config_root import config_root
from pcdet_kd.utils.progress import progress_bar
from pcdet_kd.visualization import comparison_table

Rows = list[dict[str, Any]]
# What was measured, by its key in the JSON: the headers of two tables
SPEED = {
    'parameters': 'parameters',
    'GFLOPs': 'GFLOPs',
    'GFLOPs, usual form': 'usual GFLOPs',
    'forward samples/s': 'forward/s',
    'times usual, forward': 'forward, times usual',
    'train samples/s': 'train/s',
    'times usual, train': 'train, times usual',
}
SMALL_RUN = {
    'loss, first pass': 'loss, first pass',
    'loss, last pass': 'loss, last pass',
    'OA, small run': 'OA',
}


def model_rows(infos: list[ModelInfo]) -> Rows:
    """Return a row per model and published result: name, data, parameters, metrics, where it was
    published.

    The data is what the result was measured on, or what the model is trained on. Metrics that no
    model has are left out.
    """
    results = [(info, result) for info in infos for result in info.results or [{}]]
    metrics = dict.fromkeys(key for _, result in results for key in result.get('Metrics', {}))
    return [
        {
            'model': info.name,
            'data': result.get('Dataset') or info.metadata.get('Training Data', '-'),
            'parameters': f'{info.metadata["Parameters"]:,}',
            **{key: _number(result.get('Metrics', {}).get(key)) for key in metrics},
            'published in': result.get('Source'),
            'protocol': result.get('Protocol'),
        }
        for info, result in results
    ]


def measured_rows(infos: list[ModelInfo], num_points: int = 1024, seconds: float = 1.0) -> Rows:
    """Return a row per model with what is counted and timed here, on a CPU with random inputs: its
    config, parameters, GFLOPs of one sample, and samples per second in a forward pass (batches of
    8, median). Nothing in it was published.

    Args:
        infos: The models; a distiller is its student.
        num_points: Points of a cloud; an image model gets six views of 224 x 224 pixels.
        seconds: Time for each speed.
    """
    rows = []
    for info in progress_bar(infos, desc='Measuring', unit='model', leave=False):
        model = init_model(info.config)
        inputs = random_inputs(model, 8, num_points)
        cost = count_complexity(model, inputs)
        rows.append(
            {
                'model': info.name,
                'config': info.config.relative_to(config_root()).as_posix(),
                'parameters': f'{cost.parameters:,}',
                'GFLOPs': f'{cost.flops / 1e9:.3f}',
                'samples/s here': f'{measure_speed(model, inputs, seconds).forward:.0f}',
            }
        )
    return rows


def zoo_page(runs: Path) -> str:
    """Return the model zoo's page in Markdown.

    Args:
        runs: JSON written by ``benchmarks/zoo.py``: ``about`` (machine and command), and per model
            its cost, speed and small run.
    """
    measured = json.loads(runs.read_text(encoding='utf-8'))
    infos = model_infos()
    families = dict.fromkeys(info.family for info in infos.values())
    text = [
        '# Model zoo',
        '',
        '<!-- Written by `pcdet-kd models --page`; change the metafiles or run benchmarks/zoo.py, '
        'not this file. -->',
        '',
        'This project hosts no weights. Published results are those of the papers and '
        'repositories named, with their own training and protocol; most of them chose the epoch '
        'on the test split. Accuracies are in percent; [n] are the notes below a table, the source '
        'first. [Published checkpoints](official_checkpoints.md) can be converted. What was '
        'measured with this code is in [Results](results.md), and not in these tables.',
        '',
    ]
    for family in families:
        readme = next(
            info.config.parent for info in infos.values() if info.family == family
        ).relative_to(config_root())
        text += [
            f'## {family}',
            '',
            f'Configs: `{readme.as_posix()}/`',
            '',
            *_published([info for info in infos.values() if info.family == family]),
        ]
    text += ['## Measured here', '', measured['about'], '']
    for headers in (SPEED, SMALL_RUN):
        rows = [
            {
                'backbone': name,
                **{header: row[key] for key, header in headers.items() if key in row},
            }
            for name, row in measured['models'].items()
        ]
        if any(len(row) > 1 for row in rows):
            text += [comparison_table(rows), '']
    return '\n'.join(text)


def _published(infos: list[ModelInfo]) -> list[str]:
    """Return lines of a family: a table, where each result was published and how as numbered notes,
    and models without.
    """
    rows = model_rows(infos)
    notes = {}
    for row in rows:
        source, protocol = row.pop('published in'), row.pop('protocol')
        if source:
            note = f'{source}; {protocol or "protocol not stated"}'
            row['note'] = f'[{notes.setdefault(note, len(notes) + 1)}]'
    text = [comparison_table(rows), '']
    if notes:
        text += [*(f'{number}. {note}' for note, number in notes.items()), '']
    return text


def _number(value: Any) -> Any:
    return (
        str(float(value)) if isinstance(value, (int, float)) else value
    )  # with the digits that were published
