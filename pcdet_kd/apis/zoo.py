"""The table of all models: what they are, what was published, what was measured here."""

import json
from pathlib import Path
from typing import Any

from pcdet_kd.apis.models import ModelInfo, model_infos
from pcdet_kd.utils.config_root import config_root
from pcdet_kd.visualization import comparison_table

Rows = list[dict[str, Any]]
# Of what was measured, in this order; further ones follow
COLUMNS = ('backbone', 'parameters', 'GFLOPs', 'GFLOPs, usual form', 'forward samples/s', 'times usual, forward',
           'train samples/s', 'times usual, train')


def model_rows(infos: list[ModelInfo]) -> Rows:
    """Return a row per model and published result: name, training data, parameters, accuracy, where it was published."""
    rows = []
    for info in infos:
        row = {'model': info.name, 'data': info.metadata.get('Training Data', '-'),
               'parameters': f'{info.metadata["Parameters"]:,}'}
        for result in info.results or [{}]:
            metrics = result.get('Metrics', {})
            rows.append({**row, 'OA': _number(metrics.get('OA')), 'mAcc': _number(metrics.get('mAcc')),
                         'published in': result.get('Source'), 'protocol': result.get('Protocol')})
    return rows


def zoo_page(runs: Path) -> str:
    """Return the model zoo's page in Markdown.

    Args:
        runs: JSON written by ``benchmarks/zoo.py``: ``about`` (machine and command), and per model its cost, speed and small
            run.
    """
    measured = json.loads(runs.read_text(encoding='utf-8'))
    infos = model_infos()
    families = dict.fromkeys(info.family for info in infos.values())
    text = ['# Model zoo', '', '<!-- Written by `pcdet-kd models --page`; change the metafiles or run benchmarks/zoo.py, not '
            'this file. -->', '',
            'This project hosts no weights. Published results are those of the papers and repositories named, with their own '
            'training and protocol; most of them chose the epoch on the test split. '
            '`tools/model_converters/from_official.py` loads their checkpoints. Accuracies are in percent.', '']
    for family in families:
        rows = model_rows([info for info in infos.values() if info.family == family])
        readme = next(info.config.parent for info in infos.values() if info.family == family).relative_to(config_root())
        text += [f'## {family}', '', f'Configs: `{readme.as_posix()}/`', '', comparison_table(rows), '']
    text += ['## Measured here', '', measured['about'], '']
    rows = [{'backbone': name, **row} for name, row in measured['models'].items()]
    columns = [name for name in COLUMNS if any(name in row for row in rows)]
    columns += dict.fromkeys(name for row in rows for name in row if name not in columns)
    return '\n'.join([*text, comparison_table(rows, columns), ''])


def _number(value: Any) -> Any:
    return str(float(value)) if isinstance(value, (int, float)) else value  # with the digits that were published
