"""The number of classes: heads take it from the data set."""

from collections.abc import Iterator, Sequence
from typing import Any

from mmengine.config import Config

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.registry import DATASETS, MODELS, accepted_arguments


def classes_of(dataset: Any) -> Sequence[str] | None:
    """Return the class names of a data set from its config, or None if it does not know them yet.

    Of a data set that wraps others, the first one counts.
    """
    if not isinstance(dataset, dict):
        return None
    kind = dataset.get('type')
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    if hasattr(kind, 'class_names'):
        return kind.class_names(dataset)
    return classes_of(dataset.get('dataset') or next(iter(dataset.get('datasets') or ()), None))


def fill_num_classes(cfg: Config) -> None:
    """Give each head without ``num_classes`` the number of classes of the training data.

    Where the data set finds its classes in files that are not there, the heads stay as they are.
    """
    names = _training_classes(cfg)
    for _, head in _heads(cfg.get('model'), 'model') if names else ():
        head.setdefault('num_classes', len(names))


def check_num_classes(cfg: Config, source: object) -> None:
    """Raise :class:`ConfigError` if a head that is trained has another number of classes than the
    training data. Heads of frozen models may differ.
    """
    names = _training_classes(cfg)
    problems = [
        f'{path}.num_classes: found {head["num_classes"]}, expected {len(names)}, the number of '
        'classes of the training data. Leave it out: it comes from the data set'
        for path, head in (_heads(cfg.get('model'), 'model') if names else ())
        if head.get('num_classes') not in (None, len(names))
        and not path.startswith(('model.teacher', 'model.helpers'))
    ]
    if problems:
        raise ConfigError(source, problems)


def _training_classes(cfg: Config) -> Sequence[str] | None:
    loader = cfg.get('train_dataloader') or cfg.get('test_dataloader') or {}
    return classes_of(loader.get('dataset'))


def _heads(node: Any, path: str) -> Iterator[tuple[str, dict]]:
    for key, value in node.items() if isinstance(node, dict) else ():
        here = f'{path}.{key}'
        if key == 'head' and isinstance(value, dict):
            kind = value.get('type')
            kind = MODELS.get(kind) if isinstance(kind, str) else kind
            if callable(kind) and 'num_classes' in (accepted_arguments(kind) or ()):
                yield here, value
        else:
            yield from _heads(value, here)
