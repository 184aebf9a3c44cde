"""Finding mistakes in a config before anything is built: unknown keys, types and arguments, with
the nearest right names.
"""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Any

from mmengine.runner.utils import set_random_seed
from torch.utils.data import DataLoader

from pcdet_kd import registry as R
from pcdet_kd.utils.errors import UserError

_RUNNER_KEYS = {
    'model',
    'work_dir',
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'train_cfg',
    'val_cfg',
    'test_cfg',
    'auto_scale_lr',
    'optim_wrapper',
    'param_scheduler',
    'val_evaluator',
    'test_evaluator',
    'default_hooks',
    'custom_hooks',
    'data_preprocessor',
    'load_from',
    'resume',
    'launcher',
    'env_cfg',
    'log_processor',
    'log_level',
    'visualizer',
    'default_scope',
    'randomness',
    'experiment_name',
}
TOP_LEVEL_KEYS = _RUNNER_KEYS | {
    'runner_type',
    'custom_imports',
    'requires',
    'voting',
    'corruptions',
    'model_wrapper_cfg',
    'compile',
    'find_unused_parameters',
    'sync_bn',
    'read_base',
}

_BY_TOP = {
    'model': R.MODELS,
    'voting': R.MODELS,
    'data_preprocessor': R.MODELS,
    'train_cfg': R.LOOPS,
    'val_cfg': R.LOOPS,
    'test_cfg': R.LOOPS,
    'optim_wrapper': R.OPTIM_WRAPPERS,
    'param_scheduler': R.PARAM_SCHEDULERS,
    'val_evaluator': R.METRICS,
    'test_evaluator': R.METRICS,
    'default_hooks': R.HOOKS,
    'custom_hooks': R.HOOKS,
    'visualizer': R.VISUALIZERS,
    'log_processor': R.LOG_PROCESSORS,
    'model_wrapper_cfg': R.MODEL_WRAPPERS,
}
_BY_KEY = {
    'dataset': R.DATASETS,
    'datasets': R.DATASETS,
    'data': R.DATASETS,
    'sampler': R.DATA_SAMPLERS,
    'batch_sampler': R.DATA_SAMPLERS,
    'collate_fn': R.FUNCTIONS,
    'worker_init_fn': R.FUNCTIONS,
    'pipeline': R.TRANSFORMS,
    'transforms': R.TRANSFORMS,
    'optimizer': R.OPTIMIZERS,
    'init_cfg': R.WEIGHT_INITIALIZERS,
    'vis_backends': R.VISBACKENDS,
    'backbone': R.BACKBONES,
    'head': R.HEADS,
    'decode_head': R.DECODE_HEADS,
    'loss': R.LOSSES,
}
_BY_KEY_OF_NAMED = {'teachers': R.TEACHERS, 'losses': R.LOSSES, 'parts': R.DATASETS}
_ADDED_BY_RUNNER = {
    'optim_wrapper': {'optimizer', 'clip_grad', 'constructor', 'paramwise_cfg'},
    'param_scheduler': {'convert_to_iter_based'},
    'sampler': set(),
}


class ConfigError(UserError, ValueError):
    """A config has mistakes; the message lists them all.

    Args:
        source: The file, or what else they are in.
        problems: One line each, beginning with the config path of the key.
    """

    def __init__(self, source: object, problems: list[str]) -> None:
        super().__init__(source, problems)

    def __str__(self) -> str:
        source, problems = self.args
        return '\n  '.join(
            [f'{source}: {len(problems)} problem{"s" * (len(problems) > 1)}', *problems]
        )


def check_config(
    cfg: Any,
    used_variables: Iterable[str] = (),
    source: object = 'config',
    offered_variables: Iterable[str] = (),
) -> None:
    """Raise :class:`ConfigError` if a config has an unknown key, type or argument.

    Args:
        cfg: The config.
        used_variables: Names that the config's files compute other values from; any other top-level
            name must be a key that a Runner or a stage reads.
        source: What to call the config in messages.
        offered_variables: Names that a base defines; unused ones are mistakes only if they look
            like a misspelt key.
    """
    problems = []
    used, offered = set(used_variables), set(offered_variables)
    for key, value in cfg.items():
        if key not in TOP_LEVEL_KEYS and key not in used:
            if key in offered and not _like_a_key(key):
                continue
            problems.append(
                f'{key}: unknown key, and nothing in the config uses '
                f'it.{R.did_you_mean(key, TOP_LEVEL_KEYS)}'
            )
        elif key.endswith('_dataloader') and key in TOP_LEVEL_KEYS:
            _check_loader(key, value, problems)
        elif key in _BY_TOP:
            _walk(value, key, _BY_TOP[key], problems)
    for key, allowed in (
        ('randomness', R.accepted_arguments(set_random_seed)),
        ('env_cfg', {'cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'}),
        ('corruptions', {'suite', 'data_root', 'renormalize'}),
    ):
        _check_keys(cfg.get(key) or {}, key, allowed, problems)
    if problems:
        raise ConfigError(source, problems)


@lru_cache(1024)
def _like_a_key(name: str) -> bool:
    return bool(difflib.get_close_matches(name, TOP_LEVEL_KEYS, n=1, cutoff=0.85))


def _check_keys(node: dict, path: str, allowed: set[str], problems: list[str]) -> None:
    problems += [
        f'{path}.{key}: unknown key.{R.did_you_mean(key, allowed)}'
        for key in node
        if key not in allowed
    ]


def _check_loader(key: str, loader: Any, problems: list[str]) -> None:
    if not isinstance(loader, dict):
        return
    allowed = R.accepted_arguments(DataLoader) | {'num_batch_per_epoch', 'device'}
    _check_keys(loader, key, allowed, problems)
    _check_numbers(DataLoader, loader, key, problems)
    for name, value in loader.items():
        _walk(value, f'{key}.{name}', _BY_KEY.get(name), problems)


def _walk(node: Any, path: str, registry: R.Registry | None, problems: list[str]) -> None:
    if isinstance(node, (list, tuple)):
        for i, item in enumerate(node):
            _walk(item, f'{path}.{i}', registry, problems)
        return
    if not isinstance(node, dict):
        return
    kind = node.get('type', _default_type(path, node))
    if kind is not None:
        obj = _find(kind, path, registry, problems)
        if obj is None:
            return
        top, *rest = path.split('.')
        added = _ADDED_BY_RUNNER.get(top, set()) if len(rest) < 2 else set()
        _check_call(obj, node, path, added, problems)
    for name, value in node.items():
        inner = _BY_KEY.get(name, registry.of if isinstance(registry, R.Kind) else registry)
        if name in _BY_KEY_OF_NAMED and isinstance(value, dict):
            for key, item in value.items():
                _walk(item, f'{path}.{name}.{key}', _BY_KEY_OF_NAMED[name], problems)
        elif name == 'constructor' and isinstance(value, str):
            _find(value, f'{path}.constructor', R.OPTIM_WRAPPER_CONSTRUCTORS, problems)
        elif name != 'type':
            _walk(value, f'{path}.{name}', inner, problems)


def _default_type(path: str, node: dict) -> str | None:
    """What MMEngine builds where a config names no type."""
    return {
        'train_cfg': 'EpochBasedTrainLoop' if node.get('by_epoch', True) else 'IterBasedTrainLoop',
        'val_cfg': 'ValLoop',
        'test_cfg': 'TestLoop',
        'optim_wrapper': 'OptimWrapper',
        'log_processor': 'LogProcessor',
    }.get(path)


def _find(
    kind: Any, path: str, registry: R.Registry | None, problems: list[str]
) -> Callable | None:
    if not isinstance(kind, str):
        return kind
    nearest = ''
    for candidate in ([registry] if registry is not None else []) + list(_ALL):
        try:
            return candidate.get(kind)
        except KeyError as error:
            nearest = nearest or error.args[0]
            if isinstance(candidate, R.Kind) and kind in candidate.of:
                break
    problems.append(f'{path}.type: {nearest}')
    return None


def _check_call(obj: Callable, node: dict, path: str, added: set[str], problems: list[str]) -> None:
    _check_numbers(obj, node, path, problems)
    accepted = R.accepted_arguments(obj)
    if accepted is None:
        return
    if path.split('.')[-1] == 'train_cfg':
        added = added | {'by_epoch'}
    for name in node:
        if name not in ('type', '_scope_') and name not in accepted | added:
            called = obj.__name__ if inspect.isclass(obj) or inspect.isroutine(obj) else str(obj)
            problems.append(
                f'{path}.{name}: {called} has no such '
                f'argument.{R.did_you_mean(name, accepted | added)}'
            )


def _check_numbers(obj: Callable, node: dict, path: str, problems: list[str]) -> None:
    """Find text where the annotation of an argument allows numbers only."""
    found = {name for name, value in node.items() if isinstance(value, str)}
    found = found and found & _numbers_of(obj)
    problems += [f'{path}.{name}: {node[name]!r} is text, must be a number' for name in found]


@lru_cache(1024)
def _numbers_of(obj: Callable) -> set[str]:
    """Return the arguments whose annotation allows numbers only."""
    found = set()
    for function in R.initialisers(obj):
        with suppress(TypeError, ValueError):  # without a signature
            for name, parameter in inspect.signature(function).parameters.items():
                words = set(re.findall(r'\w+', inspect.formatannotation(parameter.annotation)))
                if words & {'int', 'float'} and words <= _WORDS_OF_NUMBERS:
                    found.add(name)
    return found


_WORDS_OF_NUMBERS = {'int', 'float', 'Tensor', 'torch', 'None', 'Optional', 'Union', 'typing'}
_ALL = (
    R.MODELS,
    R.TRANSFORMS,
    R.DATASETS,
    R.METRICS,
    R.EVALUATOR,
    R.HOOKS,
    R.OPTIMIZERS,
    R.PARAM_SCHEDULERS,
    R.FUNCTIONS,
    R.DATA_SAMPLERS,
    R.WEIGHT_INITIALIZERS,
    R.VISBACKENDS,
    R.VISUALIZERS,
)
