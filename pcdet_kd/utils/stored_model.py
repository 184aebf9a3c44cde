"""Models and transforms that a file describes: what may be written into one, and what is built from
it.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from pcdet_kd.registry import MODELS, TRANSFORMS, Registry
from pcdet_kd.utils.checkpoint import CheckpointError, first_line

# Arguments that say where a model's first weights come from; a checkpoint holds better ones.
_FIRST_WEIGHTS = ('checkpoint', 'init_cfg', 'pretrained')
# Arguments that read another file or import a module; '_scope_' imports a package.
_REACHING = (*_FIRST_WEIGHTS, '_scope_', 'hf_model', 'module', 'path')
_MOST_VALUES = 10_000


def build_stored_model(cfg: Any, weights: Mapping[str, Tensor], source: str) -> nn.Module:
    """Build the model that a file describes, without running code from the file.

    Only registered parts are built, from plain values; nothing is imported and no other file is
    read. The model may not need much more memory than the weights of the file.

    Args:
        cfg: The config in the file.
        weights: The model's weights in the file.
        source: The file, for messages.

    Raises:
        CheckpointError: The config names something else, or the model cannot be built.
    """
    problem = _problem(cfg)
    if problem is None:
        try:
            with _Allowance(4 * sum(value.numel() for value in weights.values()) + 2**24):
                return MODELS.build(cfg)
        except Exception as error:  # the arguments are the file's: anything can be wrong with them
            problem = first_line(error)
    raise CheckpointError(
        f'{source}: the model that it describes cannot be built: {problem}. A checkpoint may '
        'name registered parts and plain values only. If you trust the file, load it with its '
        f"config: init_model(CONFIG, '{source}')"
    )


def describe_model(cfg: Mapping) -> dict[str, Any]:
    """Return a model's config as a checkpoint may hold it, so that :func:`build_stored_model` takes
    it: classes as their registered names, without the files of first weights.

    Raises:
        ValueError: It cannot be told in plain values, as a :class:`WrappedModule` or a class that
            is not registered.
    """
    described = _described(cfg, MODELS)
    problem = _problem(described)
    if problem is not None:
        raise ValueError(problem)
    return described


def describe_transforms(steps: Sequence[Mapping]) -> list[dict[str, Any]]:
    """Return a pipeline's config as a file may hold it, so that :func:`check_stored_transforms`
    takes it.

    Raises:
        ValueError: It cannot be told in plain values.
    """
    described = [_described(step, TRANSFORMS) for step in steps]
    problem = _problem(described, TRANSFORMS, 'preprocessing')
    if problem is not None:
        raise ValueError(problem)
    return described


def check_stored_transforms(steps: Any, source: str) -> list[dict[str, Any]]:
    """Return the pipeline that a file describes: a list of registered transforms with plain values.

    Raises:
        CheckpointError: It is something else.
    """
    problem = _problem(steps, TRANSFORMS, 'preprocessing')
    if problem is None and not (
        isinstance(steps, list) and all(isinstance(s, dict) and 'type' in s for s in steps)
    ):
        problem = 'preprocessing is no list of transforms'
    if problem is not None:
        raise CheckpointError(
            f'{source}: {problem}. A file may name registered transforms and plain values only; '
            'take a file that pcdet-kd export wrote'
        )
    return steps


def _described(node: Any, registry: Registry) -> Any:
    if isinstance(node, Mapping):
        return {k: _described(v, registry) for k, v in node.items() if k not in _FIRST_WEIGHTS}
    if isinstance(node, (list, tuple)):
        return type(node)(_described(v, registry) for v in node)
    if not isinstance(node, type):
        return node
    return next((name for name in registry.names() if registry.get(name) is node), node)


def _problem(cfg: Any, registry: Registry = MODELS, top: str = 'model') -> str | None:
    """Say what in a config is neither a registered part nor a plain value, or return None."""
    known = set(registry.names())
    todo = [(top, cfg)]
    for path, node in todo:
        inside = []
        if isinstance(node, dict):
            for key, value in node.items():
                where = f'{path}.{key}'
                if key in _REACHING and value is not None:
                    return f'{where} would read another file or import a module'
                if key != 'type':
                    inside.append((where, value))
                elif not isinstance(value, str) or value not in known:
                    name = getattr(value, '__qualname__', str(value))[:80]
                    kind = registry.name
                    return f'{where} is {name!r}, which is not a registered {kind}'
        elif isinstance(node, (list, tuple)):
            inside = [(f'{path}[{i}]', value) for i, value in enumerate(node[:_MOST_VALUES])]
        elif isinstance(node, str):
            if not re.fullmatch(r'[\w +-]*', node):
                return f'{path} is {node[:80]!r}; a text may be a plain word only'
        elif node is not None and not isinstance(node, (bool, int, float)):
            return f'{path} is a {type(node).__name__}'
        if len(todo) + len(inside) > _MOST_VALUES:  # or it contains itself
            return f'it has more than {_MOST_VALUES:,} values'
        todo += inside
    return None


class _Allowance(TorchDispatchMode):
    """Refuses to make tensors of more numbers altogether, before they take memory."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.numbers = self.left = numbers

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if 'device' in kwargs and not any(isinstance(a, Tensor) for a in args):
            self.left -= func(*args, **{**kwargs, 'device': 'meta'}).numel()
            if self.left < 0:
                raise MemoryError(
                    f'it needs more than {self.numbers:,} numbers, many more than the file holds'
                )
        return func(*args, **kwargs)
