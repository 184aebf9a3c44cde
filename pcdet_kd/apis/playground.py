"""What models say about clouds that are corrupted in every way of a suite."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from pcdet_kd.apis.given_clouds import list_inputs, read_inputs
from pcdet_kd.apis.inferencer import PointCloudClassificationInferencer
from pcdet_kd.apis.test import short_path
from pcdet_kd.corruptions.geometry import to_unit_sphere, turned
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.datasets.transforms import FarthestPoints
from pcdet_kd.robustness.generation.sample import generator_for
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.visualization.playground import Played, Version

_UP = 'y'  # of the clouds that the suites are made of


def playground(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    inputs: Any,
    *,
    teacher: tuple[str | os.PathLike, str | os.PathLike] | None = None,
    suite: str = 'modelnet-c',
    num_points: int = 1024,
    topk: int = 3,
    seed: int = 0,
    device: str | None = None,
    up_axis: str | None = None,
    columns: Sequence[str] | None = None,
    options: dict[str, Any] | None = None,
) -> tuple[list[Played], dict[str, str], list[dict[str, str]]]:
    """Corrupt clouds by all corruptions of a suite that need no mesh, at all severities, and
    classify all of them.

    A cloud is brought into the unit sphere, sampled to ``num_points`` and corrupted; the models
    then choose points as their configs say, and normalise only where these do. A corruption draws
    the same random numbers at each severity, so that only the strength differs.

    Args:
        config: A config's file, or a model's name.
        checkpoint: Weights of the model, or of a distiller that trained it.
        inputs: Files, folders, patterns, arrays or tensors.
        teacher: Config and checkpoint of a second model.
        suite: ``'modelnet-c'`` or ``'modelnet40-c'``.
        num_points: Of the clean cloud, by farthest-point sampling.
        topk: How many classes to keep of each answer.
        seed: Of the corruptions.
        device: Where the models run; None: a GPU if there is one.
        up_axis: Of the given clouds; None: as in the model's data.
        columns: Names of the columns of text and npy files.
        options: Of the config, as ``--cfg-options``; the teacher's is taken as it is.

    Returns:
        A :class:`Played` for each cloud, y up; what was done, in words by key; and what could not
        be used, dicts with ``name`` and ``reason``.

    Raises:
        ConfigError: A config's model is no classifier.
        ValueError: There is no such suite.
    """
    check_choice('suite', suite, SUITES)
    how = dict(device=device, up_axis=_UP, normalize=False, show_progress=False)
    models = {
        'student': PointCloudClassificationInferencer(config, checkpoint, options=options, **how)
    }
    if teacher is not None:
        models['teacher'] = PointCloudClassificationInferencer(*teacher, **how)
    given_up = up_axis or models['student'].up_axis or _UP
    take = FarthestPoints(num_points, on_short='resample')
    played, failed = [], []
    for number, (name, cloud) in enumerate(read_inputs(list_inputs(inputs), columns)):
        if isinstance(cloud, str):
            failed.append(dict(name=name, reason=cloud))
            continue
        np.random.seed(number)
        clean = to_unit_sphere(turned(cloud['points'], given_up, _UP)).astype(np.float32)
        clean = take(dict(points=clean))['points']
        versions = [('clean', 0, clean), *_corrupted(suite, name, clean, seed)]
        answers = {
            key: model([points for _, _, points in versions], batch_size=32, topk=topk)
            for key, model in models.items()
        }
        told = [
            {key: found['predictions'][i]['top'] for key, found in answers.items()}
            for i in range(len(versions))
        ]
        played.append(
            Played(name, [Version(*version, tops) for version, tops in zip(versions, told)])
        )
    files = {'student': (config, checkpoint), 'teacher': teacher}
    says = {
        key: f'{short_path(files[key][0])} with {short_path(files[key][1])}; '
        f'{"; ".join(model.says) or "clouds as they are"}'
        for key, model in models.items()
    }
    kind = 'corruptions that need no mesh, made by pcdet_kd'
    says['corruptions'] = f'{SUITES[suite].title}: {kind}, {num_points:,} points, seed {seed}'
    return played, says, failed


def _corrupted(
    suite: str, name: str, clean: np.ndarray, seed: int
) -> list[tuple[str, int, np.ndarray]]:
    return [
        (each.name, severity, each.function(clean, severity, generator_for(seed, each.name, name)))
        for each in SUITES[suite].corruptions.values()
        if not each.needs_mesh
        for severity in SUITES[suite].severities
    ]
