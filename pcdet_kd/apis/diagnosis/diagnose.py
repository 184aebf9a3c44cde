"""A diagnosis of a distiller's run, written as a page."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pcdet_kd.apis.diagnosis.collect import Run, collect
from pcdet_kd.apis.diagnosis.content import diagnosis
from pcdet_kd.apis.diagnosis.page import accuracy_table, class_table, outcome_table, page
from pcdet_kd.apis.models import model_config
from pcdet_kd.apis.test import short_path
from pcdet_kd.evaluation.predictions import (
    Predictions,
    check_same_shapes,
    predictions_file,
    read_predictions,
)
from pcdet_kd.utils.files import write_whole


def diagnose(
    config: str | os.PathLike,
    work_dir: str | os.PathLike,
    *,
    alone: str | os.PathLike | None = None,
    which: str = 'last',
    batch_size: int = 32,
    num_workers: int = 0,
    device: str | torch.device | None = None,
) -> dict[str, Any]:
    """Say what distillation did: accuracy of teacher and students, agreement, calibration, classes
    and layers.

    Args:
        config: The distiller's config: its file, a model's name, or ``pcdet_kd::`` and the path of
            a shipped config.
        work_dir: Directory of its run.
        alone: Run of the student alone, a work directory or a file of predictions; by default what
            ``--with-baseline`` left beside the run, if it is there.
        which: ``last``, or ``best`` on the validation split.
        batch_size, num_workers: Of the loader.
        device: Where the models run; by default a GPU if there is one.

    Returns:
        The content of the page, as plain values; see :func:`write_diagnosis`.

    Raises:
        DataError: Files are missing, or the student alone was tested on other shapes.
        ConfigError: The config trains no distiller.
    """
    path, folder = model_config(config), Path(work_dir)
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    run = collect(path, folder, which, batch_size, num_workers, device)
    alone = alone or _baseline_beside(folder, path.stem, which)
    predictions = read_predictions(alone, which) if alone else None
    if predictions is not None:
        check_same_shapes([_own(run, folder), predictions])
    protocol = {
        'config': short_path(path),
        'run': short_path(folder),
        'seed': (run.config.get('randomness') or {}).get('seed', 'none'),
        'method': run.config.model.type,
        'teachers': ', '.join(teacher.name for teacher in run.teachers) or 'none',
        'student alone': short_path(alone) if alone else 'not known',
    }
    content = diagnosis(run, predictions)
    return dict(name=path.stem, epoch=which, protocol=protocol, **content)


def write_diagnosis(content: Mapping[str, Any], file: str | os.PathLike) -> list[Path]:
    """Write the page and, beside it, all numbers as JSON; return both files."""
    page_file = Path(file)
    numbers = page_file.with_suffix('.json')
    write_whole(page_file, page(content))
    write_whole(numbers, json.dumps(content, indent=1) + '\n')
    return [page_file, numbers]


def diagnosis_text(content: Mapping[str, Any]) -> str:
    """Return the outcome for a terminal: sentences, and tables as markdown."""
    tables = [accuracy_table(content), outcome_table(content), class_table(content)]
    parts = ['\n'.join(content['sentences'])]
    parts += [f'{table.caption}\n\n{table.markdown()}' for table in tables if table.rows]
    return '\n\n'.join(parts)


def _baseline_beside(folder: Path, stem: str, which: str) -> Path | None:
    beside = folder.with_name(f'{folder.name}_baseline')
    for candidate in (beside, folder / 'stages' / f'{stem}_baseline'):
        if predictions_file(candidate, which).is_file():
            return candidate
    return None


def _own(run: Run, folder: Path) -> Predictions:
    """The shapes of the run, to be compared with those of the student alone."""
    scores = run.student.scores
    return Predictions(folder, run.classes, run.ids, run.gt, scores.argmax(1), scores.max(1))
