"""Evaluating config files.

A file sees what its bases define: as ``_base_.name``, or by name after ``with read_base():``. What
a file makes of a base's variable counts for the bases too: they are evaluated with its value, so
that everything computed from it follows. The file itself still sees the base's own value, as in
``lr = _base_.lr * 2``. Options of the command line come in the same way. Keys that a Runner reads
(``train_dataloader``) are no variables: they are merged, as everywhere in MMEngine.
"""

import ast
import copy
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from mmengine.config import Config
from mmengine.config.config import ConfigDict
from mmengine.config.lazy import LazyAttr, LazyObject

from pcdet_kd.engine.config_check import TOP_LEVEL_KEYS, ConfigError
from pcdet_kd.utils.config_root import PREFIX, config_root


@dataclass(frozen=True)
class ConfigFile:
    """One parsed file.

    Attributes:
        path: The file.
        statements: Line and code of each top-level statement; no code for ``with read_base():``.
        bases: File and scope of each base, and what is imported of it (name: new name).
        lazy: Whether the bases are imported under ``read_base``; nothing is merged then.
        assigned: Names that are assigned at top level.
        used: Names whose value goes into something else.
    """

    path: Path
    statements: tuple[tuple[int, CodeType | None], ...]
    bases: tuple[tuple[Path, str | None, dict[str, str]], ...]
    lazy: bool
    assigned: frozenset[str]
    used: frozenset[str]


def read_config(path: Path, values: dict[str, Any] | None = None) -> ConfigDict:
    """Evaluate a config and its bases.

    Args:
        path: The config's file.
        values: Values of variables, in place of those that the files assign.

    Raises:
        ConfigError: A file is missing, is not valid Python or fails; the message names file and
            line.
    """
    config_files(path)
    return _with_lazy_types(
        {
            k: v
            for k, v in _evaluate(path, values or {}).items()
            if not (callable(v) or isinstance(v, ModuleType))
        }
    )


def config_files(path: Path) -> list[ConfigFile]:
    """Return the config and all that it is based on, the config first.

    Raises:
        ConfigError: A file is missing, is not valid Python, or is its own base; the message names
            it.
    """
    found = {}

    def visit(file: Path, derived: tuple[Path, ...]) -> None:
        if file in derived:
            raise ConfigError(file, ['_base_: the file is based on itself'])
        if not file.is_file():
            raise ConfigError(derived[-1] if derived else file, [f'_base_: no file {file}'])
        if file not in found:
            found[file] = _parse(file, file.read_text(encoding='utf-8'))
            for base, *_ in found[file].bases:
                visit(base, (*derived, file))

    visit(path, ())
    return list(found.values())


def variables_of(path: str | Path) -> set[str]:
    """Return the names of a config's own variables: assigned at top level and not keys that a
    Runner reads.
    """
    return set().union(*(file.assigned for file in config_files(Path(path)))) - TOP_LEVEL_KEYS


def _evaluate(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    file = _parse(path, path.read_text(encoding='utf-8'))
    first = _bases(file, values)
    shared = set().union(*(f.used for base, *_ in file.bases for f in config_files(base)))
    shared -= TOP_LEVEL_KEYS | values.keys()
    reads = file.lazy or file.used & first.keys()  # else nothing that it says hangs on the bases
    given = {}
    for _ in range(5):  # a value may be computed from another one that the file gives
        bases = _bases(file, {**values, **given}) if given else first
        without = {}  # the bases with all of these values but one
        for name in given if reads else ():
            others = {k: v for k, v in given.items() if k != name}
            without[name] = _bases(file, {**values, **others}) if others else first
        own = {name: without.get(name, first)[name] for name in given}  # what the file itself sees
        seen = {**bases, **own}
        before = _config_dict({name: seen[name] for name in shared & seen.keys()})
        final = _run(file, _config_dict(seen), values)
        wanted = {k: final[k] for k in before if k in given or final.get(k) != before[k]}
        if wanted == given:
            again = {k: _run(file, _config_dict({**without[k], **own}), values)[k] for k in without}
            if again == {k: given[k] for k in without}:  # no value depends on itself
                return final
            break
        given = wanted
    names = ', '.join(sorted(given))
    raise ConfigError(
        path,
        [f'{names}: its value depends on itself through a base. Write the value out'],
    )


def _bases(file: ConfigFile, values: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for base, scope, imported in file.bases:
        new = _config_dict(_evaluate(base, values), scope)
        if imported and '*' not in imported:
            new = {imported[name]: new[name] for name in imported}
        twice = sorted(found.keys() & new.keys())
        if twice and not file.lazy:
            raise ConfigError(file.path, [f'_base_: more than one base defines {", ".join(twice)}'])
        found.update(new)
    found.pop('work_dir', None)  # two configs in one directory would mix their runs
    return found


def _run(file: ConfigFile, base: ConfigDict, values: dict[str, Any]) -> dict[str, Any]:
    names = {'_base_': base, '__file__': str(file.path)}
    for line, code in file.statements:
        try:
            if code is None:
                names.update(base)
            else:
                exec(code, names)
        except Exception as error:
            problem = f'line {line}: {type(error).__name__}: {error}'
            if isinstance(error, ImportError):
                problem += '; a module that a config imports must be in a folder on PYTHONPATH'
            raise ConfigError(file.path, [problem]) from error
        # a value from outside stays what it is, whatever the file assigns to it or changes in it
        names.update(copy.deepcopy({k: v for k, v in values.items() if k in names}))
    own = {k: v for k, v in names.items() if k != '_base_' and not k.startswith('__')}
    if isinstance(own.get('requires'), dict):
        own['requires'] = {k: _find(v, file.path) for k, v in own['requires'].items()}
    if file.lazy:
        return own
    # MMEngine refuses a dict where the base says None: there is nothing to merge it with
    merged = {k: v for k, v in base.items() if v is not None or not isinstance(own.get(k), dict)}
    try:
        return Config._merge_a_into_b(own, merged)
    except TypeError as error:
        raise ConfigError(file.path, [str(error)]) from error


def _find(name: Any, wanted_by: Path) -> str:
    """Return the absolute path of a config that another one names."""
    name = str(name)
    folder = config_root() / 'configs' if name.startswith(PREFIX) else wanted_by.absolute().parent
    return os.path.normpath(folder / name.removeprefix(PREFIX))


@lru_cache(1024)
def _parse(path: Path, text: str) -> ConfigFile:
    try:
        tree = ast.parse(_filled_in(path, text), filename=str(path))
    except SyntaxError as error:
        raise ConfigError(path, [f'line {error.lineno}: {error.msg}']) from None
    statements = []
    bases = []
    lazy = False
    for node in tree.body:
        if isinstance(node, ast.Assign) and '_base_' in _names(node):
            for base in _literal(path, node):
                try:
                    found, scope = Config._get_cfg_path(base, str(path))
                except Exception as error:
                    raise ConfigError(path, [f'_base_: {base}: {error}']) from error
                bases.append((Path(os.path.normpath(found)), scope, {}))
        elif isinstance(node, ast.With) and 'read_base' in ast.dump(node.items[0]):
            lazy = True
            bases += [
                (_module_file(path, line), None, {n.name: n.asname or n.name for n in line.names})
                for line in node.body
                if isinstance(line, ast.ImportFrom)
            ]
            statements.append((node.lineno, None))
        else:
            code = compile(ast.Module([node], []), str(path), 'exec')
            statements.append((node.lineno, code))
    assigned = {name for node in tree.body for name in _names(node) if not name.startswith('__')}
    return ConfigFile(
        path,
        tuple(statements),
        tuple(bases),
        lazy,
        frozenset(assigned - {'_base_'}),
        frozenset(_used(tree)),
    )


def _filled_in(path: Path, text: str) -> str:
    """Fill in MMEngine's ``{{ fileBasename }}``, ``{{$VARIABLE:default}}``, ``{{_base_.x}}``."""
    if '{{' not in text:
        return text
    with tempfile.TemporaryDirectory() as folder:
        copied = os.path.join(folder, 'config.py')
        Config._substitute_predefined_vars(str(path), copied)
        Config._substitute_env_variables(copied, copied)
        text = Path(copied).read_text(encoding='utf-8')
    return re.sub(r'([\'"]?)\{\{\s*(_base_\.[\w.]+)\s*\}\}\1', r'\2', text)


def _literal(path: Path, node: ast.Assign) -> list[str]:
    try:
        value = ast.literal_eval(node.value)
    except ValueError:
        raise ConfigError(
            path, [f'line {node.lineno}: _base_ must be the name of a file, or a list of names']
        ) from None
    return [value] if isinstance(value, str) else list(value)


def _module_file(path: Path, line: ast.ImportFrom) -> Path:
    if line.level:
        folder = path.absolute().parents[line.level - 1]
        return folder.joinpath(*(line.module or '').split('.')).with_suffix('.py')
    spec = find_spec(line.module or '')
    return Path(spec.origin if spec and spec.origin else f'{line.module}.py')


def _names(node: ast.AST) -> Iterator[str]:
    """Names that a statement assigns."""
    for target in getattr(node, 'targets', [getattr(node, 'target', ast.Pass())]):
        for part in ast.walk(target):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                yield part.id


def _used(tree: ast.Module) -> Iterator[str]:
    """Names whose value goes into something else: loaded, or read as ``_base_.name``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute) and getattr(node.value, 'id', '') == '_base_':
            yield node.attr


def _config_dict(node: Any, scope: str | None = None, outermost: bool = True) -> Any:
    """Return a copy with ConfigDicts for dicts, as ``Config._dict_to_config_dict`` does, whose time
    grows with the depth too. The outermost dict with a type is told the scope.
    """
    if isinstance(node, dict):
        values = dict(dict.items(node))
        if outermost and 'type' in values:
            outermost = False
            if scope is not None and values.get('_scope_') is None:
                values['_scope_'] = scope
        found = ConfigDict()
        dict.__setattr__(found, 'scope', scope)
        dict.update(found, {k: _config_dict(v, scope, outermost) for k, v in values.items()})
        return found
    if isinstance(node, (list, tuple)):
        return type(node)(_config_dict(value, scope, outermost) for value in node)
    return node


def _with_lazy_types(node: Any) -> Any:
    """Put MMEngine's lazy objects in place of classes and functions: those can be dumped."""
    if isinstance(node, dict):
        found = ConfigDict()
        dict.update(found, {key: _with_lazy_types(value) for key, value in node.items()})
        return found
    if isinstance(node, (list, tuple)):
        return type(node)(_with_lazy_types(value) for value in node)
    if callable(node) and hasattr(node, '__qualname__'):
        return LazyAttr(node.__qualname__, LazyObject(node.__module__))
    return node
