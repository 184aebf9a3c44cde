"""Reading the checkpoints of other projects: every common container, and never any code."""

import collections
import io
import os
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from pcdet_kd.utils.checkpoint import CheckpointError, checkpoint_damage, first_line


class _Function:
    """A function that a pickle may call and, unlike the function itself, not set attributes of.

    Attributes matter: of an old file's classes and functions that have a true ``dump_patches``,
    torch writes a patch to a path that is their ``__name__``.
    """

    __slots__ = ('_function',)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError(f'the file sets attributes of {self._function.__name__}')


# The only globals that a pickle may really name: containers, and what a tensor is rebuilt from.
# Calling them runs no code of the file's, and they cannot be changed. Everything else becomes an
# inert stand-in.
ALLOWED = {
    ('collections', 'OrderedDict'): collections.OrderedDict,
    ('collections', 'defaultdict'): collections.defaultdict,
    ('torch', 'Size'): torch.Size,
    ('torch._utils', '_rebuild_tensor'): _Function(torch._utils._rebuild_tensor),
    ('torch._utils', '_rebuild_tensor_v2'): _Function(torch._utils._rebuild_tensor_v2),
    ('torch._utils', '_rebuild_parameter'): _Function(torch._utils._rebuild_parameter),
    **{
        ('torch', name): getattr(torch, name)
        for name in ('float32', 'float64', 'float16', 'bfloat16', 'int64', 'int32')
    },
}
NESTED = (
    'state_dict',
    'model',
    'base_model',
    'model_state_dict',
    'model_state',
    'net',
    'network',
    'weights',
)
# What DataParallel, torch.compile and a Lightning module put before every name
WRAPPERS = ('module.', '_orig_mod.', 'model.')


class ForeignCheckpoint(NamedTuple):
    """What a file holds.

    Attributes:
        weights: Every tensor of the state dict, without the ``WRAPPERS`` that stand before all
            names.
        where: Keys that led to the state dict, e.g. ``('state_dict',)``.
        inert: Names of the Python objects in it that were replaced by stand-ins, sorted.
    """

    weights: dict[str, Tensor]
    where: tuple[str, ...]
    inert: list[str]


def read_foreign_checkpoint(path: str | os.PathLike) -> ForeignCheckpoint:
    """Read a ``.pth``, ``.pt``, ``.t7``, ``.ckpt``, ``.tar`` or ``.safetensors`` file of another
    project.

    Tensors and plain containers are read with ``weights_only=True``. If the file holds other Python
    objects too (a Lightning checkpoint's hyper-parameters, a logger), it is read again with a
    pickle reader that knows only ``ALLOWED``; anything else becomes an object without behaviour, so
    nothing in the file is imported or called.

    Raises:
        CheckpointError: The file is missing or damaged, or holds no state dict.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise CheckpointError(f'{path} is not a file')
    inert = set()
    if path.suffix == '.safetensors':
        content = _read_safetensors(path)
    else:
        damage = checkpoint_damage(path)
        if damage:
            raise CheckpointError(f'{path} cannot be used: {damage}')
        try:
            content = torch.load(path, map_location='cpu', weights_only=True)
        except pickle.UnpicklingError:
            content = _read_inert(path, inert)
        except Exception as error:  # a cut or hostile pickle fails in any way
            raise CheckpointError(f'{path} cannot be read: {first_line(error)}') from error
    where = []
    while isinstance(content, Mapping) and (
        key := next((k for k in NESTED if isinstance(content.get(k), Mapping)), None)
    ):
        where.append(key)
        content = content[key]
    tensors = (
        {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
        if isinstance(content, Mapping)
        else {}
    )
    if not tensors:
        found = (
            f'a dict with keys {sorted(map(str, content))[:8]}'
            if isinstance(content, Mapping)
            else type(content).__name__
        )
        raise CheckpointError(
            f'{path} holds no state dict: {"/".join(where) or "the file"} is {found}, expected a '
            f'dict of tensors, or one below {", ".join(NESTED)}'
        )
    if wide := [
        k for k, v in tensors.items() if v.layout == torch.strided and _is_wider_than_its_memory(v)
    ]:
        raise CheckpointError(
            f"{path}: '{wide[0]}' has shape {tuple(tensors[wide[0]].shape)}, and the file fewer "
            'numbers for it'
        )
    while prefix := next((p for p in WRAPPERS if all(k.startswith(p) for k in tensors)), ''):
        tensors = {k[len(prefix) :]: v for k, v in tensors.items()}
    return ForeignCheckpoint(
        {k: v.detach() for k, v in tensors.items()}, tuple(where), sorted(inert)
    )


def _is_wider_than_its_memory(tensor: Tensor) -> bool:
    """Whether strides of 0 show one number many times: a small file could ask for any amount of
    memory.
    """
    return tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes()


def _read_safetensors(path: Path) -> dict[str, Tensor]:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise CheckpointError(
            f'{path}: reading it needs safetensors; pip install safetensors'
        ) from error
    try:
        return load_file(path)
    except Exception as error:  # its own error type is not importable on every version
        raise CheckpointError(f'{path} cannot be read: {error}') from error


def _read_inert(path: Path, inert: set[str]) -> Any:
    # Python's own and not C's, which makes room for as many memos as the file says
    class Unpickler(pickle._Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in ALLOWED:
                return ALLOWED[module, name]
            inert.add(f'{module}.{name}')
            return type(name, (_Inert,), {})

    def load(file: Any, **kwargs: Any) -> Any:
        return Unpickler(file, **kwargs).load()

    reader = SimpleNamespace(
        __name__='inert_pickle',
        Unpickler=Unpickler,
        load=load,
        loads=lambda data, **kwargs: load(io.BytesIO(data), **kwargs),
    )
    try:
        return torch.load(path, map_location='cpu', weights_only=False, pickle_module=reader)
    except (
        Exception
    ) as error:  # a pickle made for it can fail in any way; it cannot do more than that
        raise CheckpointError(
            f'{path} cannot be read without running its code ({type(error).__name__}: {error}). '
            'Load it where it was made and save its state_dict() alone'
        ) from error


class _Inert:
    """Stands for an object whose class is not allowed: takes anything, does nothing."""

    def __new__(cls, *args: Any, **kwargs: Any) -> '_Inert':
        return super().__new__(cls)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __call__(self, *args: Any, **kwargs: Any) -> '_Inert':
        return _Inert()

    def __setstate__(self, state: Any) -> None:
        pass

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def append(self, value: Any) -> None:
        """Ignore an item of a list."""

    def extend(self, values: Any) -> None:
        """Ignore items of a list."""
