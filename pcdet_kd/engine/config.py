"""Reading configs: files, ``--cfg-options``, and checks before anything is built."""

from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import import_modules_from_strings

from pcdet_kd.engine.config_check import TOP_LEVEL_KEYS, ConfigError, check_config
from pcdet_kd.engine.config_classes import fill_num_classes
from pcdet_kd.engine.config_reader import config_files, read_config, variables_of
from pcdet_kd.registry import did_you_mean
from pcdet_kd.utils.config_root import shipped_hint


def load_config(path: str | Path, options: dict[str, Any] | None = None) -> Config:
    """Read a config, apply options and check it.

    An option names a dotted path (``optim_wrapper.optimizer.lr``) or one of the config's own
    variables (``data_root``). A variable is changed where it is assigned, so that all that is
    computed from it follows.

    Args:
        path: The config's file.
        options: Values by dotted path.

    Returns:
        The config; ``cfg.filename`` is ``path``. Heads without ``num_classes`` have the number of
        the data's classes, and part segmentors the parts of each class.

    Raises:
        FileNotFoundError: There is no such file.
        ConfigError: A key, a type or an argument is unknown; the message lists all of them with the
            nearest right names.
    """
    path = Path(path)
    if not path.is_file():
        near = did_you_mean(path.name, (p.name for p in path.parent.glob('*.py')))
        raise FileNotFoundError(f'no config {path}.{shipped_hint(path) or near}')
    files = config_files(path)
    options = options or {}
    variables = variables_of(path)
    values = {k: v for k, v in options.items() if k in variables}
    found = read_config(path)
    for key, value in values.items():
        if isinstance(found.get(key), (int, float)) and isinstance(value, str):
            problem = f"{key}: found '{value}', expected a number such as {found[key]}"
            raise ConfigError('--cfg-options', [problem])
    found = read_config(path, values) if values else found
    try:
        import_modules_from_strings(**found.get('custom_imports', dict(imports=[])))
    except ImportError as error:
        raise ConfigError(
            path,
            [
                f'custom_imports: {error.__cause__ or error.__context__ or error}. A module named '
                'there must be in a folder on PYTHONPATH'
            ],
        ) from error
    cfg = Config(found, filename=str(path))
    rest = {k: v for k, v in options.items() if k not in values}
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
    used = set().union(*(file.used for file in files))
    offered = set().union(*(file.assigned for file in files[1:]))  # a base's, perhaps not used here
    check_config(cfg, used, path, offered)
    fill_num_classes(cfg)
    return cfg


def _check_option(cfg: Config, key: str) -> None:
    """Refuse a path that leads nowhere; arguments of a typed dict are checked later, with the
    config.
    """
    node = cfg._cfg_dict
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
            problem = f"{key}: {here} is {node!r}, which has no '{part}'"
            raise ConfigError('--cfg-options', [problem])


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
