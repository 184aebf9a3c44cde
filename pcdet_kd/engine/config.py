"""Reading configs: files, ``--cfg-options``, and checks before anything is built."""

import ast
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from mmengine.config import Config

from pcdet_kd.engine.config_check import TOP_LEVEL_KEYS, ConfigError, check_config
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.config_root import PREFIX, config_root


def load_config(path: str | Path, options: dict[str, Any] | None = None) -> Config:
    """Read a config, apply options and check it.

    An option names a dotted path (``optim_wrapper.optimizer.lr``) or one of the config's own
    variables (``data_root``). A variable is changed where it is assigned, so that all that is
    computed from it follows.

    Args:
        path: The config's file.
        options: Values by dotted path.

    Returns:
        The config; ``cfg.filename`` is ``path``.

    Raises:
        FileNotFoundError: There is no such file.
        ConfigError: A key, a type or an argument is unknown; the message lists all of them with the
            nearest right names.
    """
    path = Path(path)
    if not path.is_file():
        near = did_you_mean(
            path.name, [p.name for p in path.parent.glob('*.py')] if path.parent.is_dir() else []
        )
        raise FileNotFoundError(f'no config {path}.{near}')
    files = config_files(path)
    options = options or {}
    variables = {
        name: file for file in reversed(files) for name in _assigned(file)
    }  # the leaf comes first and wins
    changed = {k: v for k, v in options.items() if k in variables and k not in TOP_LEVEL_KEYS}
    try:
        cfg = (
            _read_with_variables(path, files, changed, variables)
            if changed
            else Config.fromfile(path)
        )
    except ImportError as error:
        raise ConfigError(
            path,
            [
                f'{error.__cause__ or error.__context__ or error}; a module that custom_imports '
                'names, or the config imports, must be in a folder on PYTHONPATH'
            ],
        ) from error
    rest = {k: v for k, v in options.items() if k not in changed}
    for key in rest:
        root = key.split('.')[0]
        if root in variables and root not in TOP_LEVEL_KEYS:
            raise ConfigError(
                '--cfg-options',
                [
                    f"{key}: '{root}' is a variable that other values were computed from already; "
                    f'change those, for example model.…{key[len(root) :]}'
                ],
            )
        _check_option(cfg, key)
    cfg.merge_from_dict(rest)
    used = set().union(*(_used_names(file) for file in files))
    offered = {
        name for file in files[1:] for name in _assigned(file)
    }  # a base may define what this config leaves unused
    check_config(cfg, used, path, offered)
    return cfg


def config_files(path: Path) -> list[Path]:
    """Return the config and all that it is based on, the config first.

    Raises:
        ConfigError: A file is missing or is not valid Python; the message names it.
    """
    found: list[Path] = []

    def visit(file: Path, wanted_by: Path | None) -> None:
        if not file.is_file():
            raise ConfigError(wanted_by or file, [f'_base_: no file {file}'])
        if file in found:
            return
        found.append(file)
        for base in _bases(file):
            visit(base, file)

    visit(path, None)
    return found


def variables_of(path: str | Path) -> set[str]:
    """Return the names of a config's own variables: assigned at top level and not keys that a
    Runner reads.
    """
    names: set[str] = set()
    for file in config_files(Path(path)):
        names |= set(_assigned(file))
    return names - TOP_LEVEL_KEYS


def sets_work_dir(path: str | Path) -> bool:
    """Whether a config's own file, and not a base, says where it is trained."""
    return 'work_dir' in _assigned(Path(path))


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_text(encoding='utf-8'), filename=str(file))
    except SyntaxError as error:
        raise ConfigError(file, [f'line {error.lineno}: {error.msg}']) from None


def _targets(node: ast.stmt) -> list[str]:
    targets = (
        node.targets
        if isinstance(node, ast.Assign)
        else [node.target]
        if isinstance(node, ast.AnnAssign)
        else []
    )
    return [t.id for t in targets if isinstance(t, ast.Name)]


def _assigned(file: Path) -> list[str]:
    return [
        name for node in _tree(file).body for name in _targets(node) if not name.startswith('_')
    ]


def _bases(file: Path) -> list[Path]:
    """Files named by ``_base_`` or imported under ``with read_base():``."""
    bases = []
    for node in _tree(file).body:
        if '_base_' in _targets(node):
            value = ast.literal_eval(node.value)
            for base in [value] if isinstance(value, str) else value:
                if base.startswith(PREFIX):
                    bases.append(config_root() / 'configs' / base.removeprefix(PREFIX))
                elif '::' not in base:
                    bases.append(file.parent / base)
        elif isinstance(node, ast.With) and any(
            'read_base' in ast.dump(item) for item in node.items
        ):
            for line in node.body:
                if isinstance(line, ast.ImportFrom) and line.level:
                    folder = file.parents[line.level - 1]
                    bases.append(
                        folder.joinpath(*(line.module or '').split('.')).with_suffix('.py')
                    )
    return [Path(os.path.normpath(b)) for b in bases]


def _used_names(file: Path) -> set[str]:
    """Names whose value goes into something else: loaded, or read as ``_base_.name``."""
    used = set()
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.add(node.id)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == '_base_'
        ):
            used.add(node.attr)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and '_base_.' in node.value
        ):
            used.add(node.value.split('_base_.')[1].split('}')[0].split('.')[0].strip())
    return used


def _read_with_variables(
    path: Path, files: list[Path], values: dict[str, Any], where: dict[str, Path]
) -> Config:
    """Read a copy of the files in which the variables have other values."""
    root = Path(os.path.commonpath([f.resolve().parent for f in files]))
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            copy = Path(folder) / file.resolve().relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            mine = {k: v for k, v in values.items() if where[k] == file}
            text = _assign(file, mine)
            if PREFIX in text:  # those bases are among the copies
                shipped = Path(folder) / (config_root() / 'configs').resolve().relative_to(root)
                text = re.sub(
                    rf'([\'"]){PREFIX}',
                    lambda quote, shipped=shipped: f'{quote[1]}{shipped.as_posix()}/',
                    text,
                )
            copy.write_text(text, encoding='utf-8')
        cfg = Config.fromfile(Path(folder) / path.resolve().relative_to(root))
    object.__setattr__(cfg, '_filename', str(path))
    return cfg


def _assign(file: Path, values: dict[str, Any]) -> str:
    """Return the file's text with new right-hand sides."""
    lines = file.read_text(encoding='utf-8').splitlines(keepends=True)
    for node in reversed(_tree(file).body):
        for name in _targets(node):
            if name in values:
                lines[node.lineno - 1 : node.end_lineno] = [f'{name} = {values[name]!r}\n']
    return ''.join(lines)


def _check_option(cfg: Config, key: str) -> None:
    """Refuse a path that leads nowhere; arguments of a typed dict are checked later, with the
    config.
    """
    node: Any = cfg._cfg_dict
    parts = key.split('.')
    for depth, part in enumerate(parts):
        here = '.'.join(parts[:depth]) or 'the config'
        if isinstance(node, (list, tuple)):
            if not part.isdigit() or int(part) >= len(node):
                raise ConfigError(
                    '--cfg-options',
                    [f"{key}: {here} is a list of {len(node)}, '{part}' is not an index of it"],
                )
            node = node[int(part)]
        elif isinstance(node, dict):
            if part not in node:
                known = set(node) | (TOP_LEVEL_KEYS if depth == 0 else set())
                if (depth == 0 and part in TOP_LEVEL_KEYS) or (
                    depth and ('type' in node or parts[0] in _CHECKED_LATER)
                ):
                    return
                raise ConfigError(
                    '--cfg-options', [f"{key}: no '{part}' in {here}.{did_you_mean(part, known)}"]
                )
            node = node[part]
        else:
            raise ConfigError('--cfg-options', [f'{key}: {here} is {node!r}, it has no parts'])


_CHECKED_LATER = {
    'train_dataloader',
    'val_dataloader',
    'test_dataloader',
    'train_cfg',
    'val_cfg',
    'test_cfg',
    'optim_wrapper',
    'randomness',
    'env_cfg',
    'default_hooks',
}
