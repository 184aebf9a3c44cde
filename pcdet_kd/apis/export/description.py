"""What an exported file says about itself."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from pcdet_kd import __version__
from pcdet_kd.datasets.transforms.sampling import PointSampling
from pcdet_kd.engine.config_classes import classes_of
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.registry import DATASETS, TRANSFORMS
from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.config_root import config_root
from pcdet_kd.utils.errors import UserError
from pcdet_kd.utils.stored_model import (
    check_stored_transforms,
    describe_model,
    describe_transforms,
)
from pcdet_kd.utils.student import student_config

FORMAT = 1
_KINDS = dict(  # of the values in a file
    input=str,
    input_shape=list,
    classes=list,
    up_axis=(str, type(None)),
    num_points=(int, type(None)),
    preprocessing=list,
    views=(dict, type(None)),
    model=(dict, type(None)),
    name=str,
    training=dict,
)


class ExportError(UserError, RuntimeError):
    """A model cannot be exported, or what was exported is not the model; the message says what to
    do.
    """


@dataclass
class Description:
    """How to use an exported model, in plain values.

    Attributes:
        input: ``'points'`` or ``'views'``.
        input_shape: Of one sample: ``[N, C]``, or ``[V, 3, H, W]``; None where any size does.
        classes: Names of the classes, in the order of the logits.
        up_axis: The axis that points up in the clouds that the model knows, or None.
        num_points: N that the preprocessing makes of a cloud, or None: all points of it.
        preprocessing: Transforms of a cloud, as in a config.
        views: Config of the module that draws views of the points, for a model of views.
        model: Config of the model, or None where plain values cannot tell it.
        name: Name of the config.
        training: What is known of its training: ``data_set``, ``config``, ``results`` in percent,
            and the ``split`` and ``test_samples`` that they are of.
    """

    input: str
    input_shape: list[int | None]
    classes: list[str]
    up_axis: str | None = None
    num_points: int | None = None
    preprocessing: list[dict[str, Any]] = field(default_factory=list)
    views: dict[str, Any] | None = None
    model: dict[str, Any] | None = None
    name: str = ''
    training: dict[str, Any] = field(default_factory=dict)

    def texts(self) -> dict[str, str]:
        """Return each entry as JSON, with the format's number and the package's version."""
        head = dict(format=FORMAT, package=f'pcdet_kd {__version__}')
        return {k: json.dumps(v) for k, v in {**head, **asdict(self)}.items()}

    @classmethod
    def read(cls, texts: Mapping[str, str], source: str) -> 'Description':
        """Return the description in a file, once it is seen to be plain.

        Args:
            texts: As :meth:`texts` returned them.
            source: The file, for messages.

        Raises:
            CheckpointError: An entry is missing or of another kind, or names something that is not
                registered.
        """
        if 'format' not in texts:
            raise CheckpointError(
                f"{source} does not describe itself: it has no entry 'format'. Take a file that "
                'pcdet-kd export wrote'
            )
        try:
            values = {key: json.loads(texts[key]) for key in ('format', *_KINDS)}
        except (KeyError, ValueError, RecursionError) as error:
            raise CheckpointError(
                f'{source}: the description is incomplete or damaged ({error!r:.100}). Export the '
                'model again'
            ) from None
        if values.pop('format') != FORMAT:
            raise CheckpointError(
                f'{source}: the description has format {texts["format"]:.20}, expected {FORMAT}. '
                'Export the model again with this version'
            )
        for key, kind in _KINDS.items():
            if not isinstance(values[key], kind):
                found = type(values[key]).__name__
                raise CheckpointError(
                    f"{source}: '{key}' is a {found}, which it cannot be. Export the model again"
                )
        check_stored_transforms(values['preprocessing'], source)
        return cls(**values)


def describe(
    model: nn.Module,
    cfg: Config,
    checkpoint: str | os.PathLike | None = None,
    num_points: int | None = None,
) -> Description:
    """Return the description of a config's classifier, without ``input_shape``.

    Args:
        model: The classifier.
        cfg: Its config, or that of the distiller that trained it.
        checkpoint: Its weights, beside which the run's results are looked up.
        num_points: N; None: what the config tests with.

    Raises:
        ExportError: The preprocessing cannot be told in plain values.
    """
    meta = getattr(model, 'dataset_meta', None) or {}
    data = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    kind = DATASETS.get(data['type']) if isinstance(data.get('type'), str) else data.get('type')
    classes = meta.get('classes') or (classes_of(data) if data else None)
    config = student_config(cfg.model)
    try:
        steps = describe_transforms(data.get('pipeline') or [])
    except ValueError as problem:
        raise ExportError(
            f"the config's test pipeline cannot be kept in a file: {problem}. Register the "
            'transform, and give it plain values'
        ) from None
    steps, num_points = _sampled(steps, num_points)
    try:
        stored = describe_model(config)
    except ValueError:
        stored = None  # a folder, which is built from it, asks for it again
    views = (config.get('data_preprocessor') or {}).get('views')
    found = Description(
        input=model.input_key,
        input_shape=[],
        classes=list(classes or (f'class {i}' for i in range(model.head.num_classes))),
        up_axis=meta.get('up_axis')
        or data.get('up_axis')
        or getattr(kind, 'METAINFO', {}).get('up_axis'),
        num_points=num_points,
        preprocessing=steps,
        views=describe_model(views) if views and model.input_key == 'views' else None,
        model=stored,
        name=Path(cfg.filename).stem if cfg.filename else '',
        training=_training(cfg, kind, checkpoint),
    )
    return Description(**json.loads(json.dumps(asdict(found))))  # lists for tuples, as in a file


def _sampled(
    steps: Sequence[dict[str, Any]], num_points: int | None
) -> tuple[list[dict[str, Any]], int | None]:
    """Return the pipeline with this number of points, and the number of points that it makes."""
    steps = [dict(step) for step in steps]
    sampling = [s for s in steps if issubclass(TRANSFORMS.get(s['type']), PointSampling)]
    if num_points is None:
        return steps, sampling[-1]['num_points'] if sampling else None
    if not sampling:
        steps.insert(0, dict(type='FarthestPoints', num_points=num_points))
        return steps, num_points
    for step in sampling:
        step['num_points'] = num_points
    return steps, num_points


def _training(
    cfg: Config, kind: type | None, checkpoint: str | os.PathLike | None
) -> dict[str, Any]:
    """Return what is known of a run: its data set, config and results."""
    known: dict[str, Any] = {}
    if kind is not None:
        known['data_set'] = kind.__name__
    shipped = config_root() / 'configs'
    file = Path(cfg.filename or '').absolute()
    if file.is_relative_to(shipped):
        known['config'] = f'configs/{file.relative_to(shipped).as_posix()}'
    path = Path(checkpoint or '').expanduser()
    record = StageRecord.read(path.parent) if path.is_file() else None
    selection = next((name for name in ('last', 'best') if path.stem.endswith(name)), None)
    if record is not None and selection in record.results:
        known['results'] = {
            name: value
            for name, value in record.results[selection].items()
            if isinstance(value, (int, float))
        }
        data = cfg.test_dataloader.dataset
        known |= dict(split=data.get('split', 'test'), test_samples=record.test_samples)
    return known
