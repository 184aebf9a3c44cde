"""The number of classes, and the parts of each: models take them from the data set."""

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
    kind = _kind_of(dataset)
    if hasattr(kind, 'class_names'):
        return kind.class_names(dataset)
    return classes_of(_inner(dataset))


def class_parts_of(dataset: Any) -> Sequence[Sequence[int]] | None:
    """Return the parts of each class of a data set from its config, or None if it has none."""
    if not isinstance(dataset, dict):
        return None
    kind = _kind_of(dataset)
    if hasattr(kind, 'METAINFO'):
        return {**kind.METAINFO, **(dataset.get('metainfo') or {})}.get('class_parts')
    return class_parts_of(_inner(dataset))


def _kind_of(dataset: dict) -> Any:
    kind = dataset.get('type')
    return DATASETS.get(kind) if isinstance(kind, str) else kind


def _inner(dataset: dict) -> Any:
    return dataset.get('dataset') or next(iter(dataset.get('datasets') or ()), None)


def fill_num_classes(cfg: Config) -> None:
    """Give each head without ``num_classes`` the number of classes of the training data, each that
    takes ``classes`` their names, and each model that needs ``class_parts`` those of the training
    data.

    Where the data set finds its classes in files that are not there, the heads stay as they are.
    """
    names = _training_classes(cfg)
    for _, head in _heads(cfg.get('model'), 'model') if names else ():
        head.setdefault('num_classes', len(names))
        if 'classes' in accepted_arguments(_kind_of_head(head)):
            head.setdefault('classes', list(names))
    parts = class_parts_of(_training_data(cfg))
    for model in _with_parts(cfg.get('model')) if parts else ():
        if model.get('class_parts') is None:
            model['class_parts'] = [list(own) for own in parts]


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
        and not {'teacher', 'teachers', 'helpers'} & set(path.split('.'))
    ]
    if problems:
        raise ConfigError(source, problems)


def _training_classes(cfg: Config) -> Sequence[str] | None:
    return classes_of(_training_data(cfg))


def _training_data(cfg: Config) -> Any:
    loader = cfg.get('train_dataloader') or cfg.get('test_dataloader') or {}
    return loader.get('dataset')


def _with_parts(node: Any) -> Iterator[dict]:
    """Yield the configs of models that take ``class_parts``."""
    for value in node.values() if isinstance(node, dict) else ():
        yield from _with_parts(value)
    if isinstance(node, dict) and 'decode_head' in node:
        yield node


def _heads(node: Any, path: str) -> Iterator[tuple[str, dict]]:
    for key, value in node.items() if isinstance(node, dict) else ():
        here = f'{path}.{key}'
        if key == 'head' and isinstance(value, dict):
            kind = _kind_of_head(value)
            if callable(kind) and 'num_classes' in (accepted_arguments(kind) or ()):
                yield here, value
        else:
            yield from _heads(value, here)


def _kind_of_head(head: dict) -> Any:
    kind = head.get('type')
    return MODELS.get(kind) if isinstance(kind, str) else kind
