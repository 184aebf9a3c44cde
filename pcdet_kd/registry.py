"""Registries: where a config's ``type='Name'`` is looked up.

Every registry here is the ``pcdet_kd`` child of one of MMEngine's roots, so parts of MMEngine and
of other packages mix with ours. ``BACKBONES``, ``HEADS``, ``TEACHERS``, ``DISTILLERS``, ``LOSSES``
and ``BATCH_AUGMENTS`` are *kinds* of ``MODELS``: registering in a kind registers in ``MODELS`` too,
and building from a kind refuses a part of another kind.

Nothing is imported until a name is looked up; then the modules named in ``_LOCATIONS`` and the
installed plug-ins (:mod:`pcdet_kd.plugins`) are imported once.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from mmengine.registry import DefaultScope, root
from mmengine.registry import Registry as _Registry

SCOPE = 'pcdet_kd'
_LOCATIONS = {
    'MODELS': [
        'backbones',
        'heads',
        'losses',
        'models',
        'teachers',
        'distillers',
        'views',
        'evaluation',
    ],
    'WEIGHT_INITIALIZERS': ['models'],
    'TRANSFORMS': ['datasets.transforms'],
    'DATASETS': ['datasets'],
    'DATA_SAMPLERS': ['datasets'],
    'FUNCTIONS': ['datasets', 'engine'],
    'METRICS': ['evaluation'],
    'HOOKS': ['engine'],
    'RUNNERS': ['engine'],
    'LOOPS': ['engine'],
    'MODEL_WRAPPERS': ['engine'],
    'OPTIM_WRAPPERS': ['engine'],
    'VISUALIZERS': ['visualization'],
}


# Keys that MMEngine's own build functions read and take out before they call the class.
_POPPED = {'PARAM_SCHEDULERS': ('convert_to_iter_based', 'epoch_length')}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` with the nearest known names, or an empty string."""
    known = [str(k) for k in known]
    folded = {k.lower(): k for k in known}
    near = [
        folded[k] for k in difflib.get_close_matches(str(name).lower(), folded, n=3, cutoff=0.6)
    ]
    return f' Did you mean {" or ".join(repr(n) for n in near)}?' if near else ''


def _did_you_mean_or_yours(name: str, known: Iterable[str]) -> str:
    return did_you_mean(name, known) or ' If it is your own, name its module in custom_imports.'


def accepted_arguments(obj: Callable) -> set[str] | None:
    """Return the keyword arguments that ``obj`` takes, or None if it takes any.

    For a class whose ``__init__`` passes ``**kwargs`` on, the arguments of its bases' ``__init__``
    count as well.
    """

    accepted = set()
    for function in initialisers(obj):
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError):
            return None
        named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        accepted.update(named[1:] if inspect.isclass(obj) else named)  # without self
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return accepted
    return None if initialisers(obj) else accepted


def initialisers(obj: Callable) -> list[Callable]:
    """Return the functions that take the arguments of a call: a class's ``__init__`` and those of
    its bases, or a function itself.
    """
    if not inspect.isclass(obj):
        return [obj]
    return [vars(c)['__init__'] for c in obj.__mro__[:-1] if '__init__' in vars(c)]


def check_arguments(obj: Callable, names: Iterable[str]) -> None:
    """Raise ``TypeError`` with the nearest right names if ``obj`` does not take one of the keyword
    arguments.
    """
    accepted = accepted_arguments(obj)
    if accepted is None:
        return
    for name in names:
        if name not in accepted:
            raise TypeError(
                f"{obj.__name__} has no argument '{name}'.{did_you_mean(name, accepted)} "
                f'It takes: {", ".join(sorted(accepted))}'
            )


def _checked(build: Callable, popped: Iterable[str]) -> Callable:
    """Wrap a root's build function so that argument names are checked before the class is
    called.
    """

    def checked_build(cfg: Any, *args: Any, registry: _Registry, **kwargs: Any) -> Any:
        if isinstance(cfg, dict) and 'type' in cfg:
            kind = cfg['type']
            obj = (
                registry.get(kind) if isinstance(kind, str) and cfg.get('_scope_') is None else kind
            )
            if callable(obj):
                check_arguments(obj, (k for k in cfg if k not in ('type', '_scope_', *popped)))
        return build(cfg, *args, registry=registry, **kwargs)

    return checked_build


class Registry(_Registry):
    """MMEngine's registry with plug-ins, and messages that name the nearest right names."""

    def import_from_location(self) -> None:
        if self._imported:
            return
        super().import_from_location()
        import mmengine.runner  # noqa: F401  (this is what fills MMEngine's own registries)

        from pcdet_kd.plugins import load_plugins

        load_plugins()

    def names(self) -> list[str]:
        """Return all names that can be looked up here, our own first, then those of the root
        registry.
        """
        self.import_from_location()
        return [*self._module_dict, *(self.root.module_dict if self.root is not self else ())]

    def get(self, key: str) -> Any:
        self.import_from_location()
        try:
            found = super().get(key)
        except RuntimeError as error:
            if not str(error).startswith('Failed to get'):
                raise
            found = None
        if found is None:
            raise KeyError(
                f"'{key}' is not a registered "
                f'{self.name}.{_did_you_mean_or_yours(key, self.names())}'
            )
        return found

    def __contains__(self, key: str) -> bool:
        try:
            self.get(key)
        except KeyError:
            return False
        return True

    def build(self, cfg: dict, *args: Any, **kwargs: Any) -> Any:
        kind = cfg.get('type') if isinstance(cfg, dict) else None
        self.import_from_location()
        if kind in self._module_dict and cfg.get('_scope_') is None:
            # The default scope is process-wide state that any other Runner may have changed: our
            # own names win.
            with DefaultScope.overwrite_default_scope(self.scope):
                return super().build(cfg, *args, **kwargs)
        return super().build(cfg, *args, **kwargs)


class Kind(Registry):
    """A named subset of another registry: it registers in both, and builds only what is not of
    another kind.
    """

    def __init__(self, name: str, of: Registry) -> None:
        super().__init__(name, scope=SCOPE)
        self.of = of
        _KINDS.append(self)

    def import_from_location(self) -> None:
        self.of.import_from_location()

    def names(self) -> list[str]:
        self.import_from_location()
        return list(self._module_dict)

    def get(self, key: str) -> Any:
        try:
            obj = self.of.get(key)
        except KeyError:
            raise KeyError(
                f"'{key}' is not a registered "
                f'{self.name}.{_did_you_mean_or_yours(key, self.names())}'
            ) from None
        for kind in _KINDS:
            if (
                kind is not self
                and obj in kind.module_dict.values()
                and obj not in self.module_dict.values()
            ):
                raise KeyError(
                    f"'{key}' is a {kind.name}, not a {self.name}.{did_you_mean(key, self.names())}"
                )
        return obj

    def build(self, cfg: dict, *args: Any, **kwargs: Any) -> Any:
        if (
            isinstance(cfg, dict)
            and isinstance(cfg.get('type'), str)
            and cfg.get('_scope_') is None
        ):
            self.get(cfg['type'])
        return self.of.build(cfg, *args, **kwargs)

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        self.of._register_module(module, module_name, force)
        super()._register_module(module, module_name, force)


_KINDS: list[Kind] = []


def _child(name: str) -> Registry:
    parent = getattr(root, name)
    locations = [f'{SCOPE}.{module}' for module in _LOCATIONS.get(name, [])]
    build = (
        parent.build_func
        if name == 'RUNNERS'
        else _checked(parent.build_func, _POPPED.get(name, ()))
    )
    return Registry(parent.name, build_func=build, parent=parent, scope=SCOPE, locations=locations)


RUNNERS = _child('RUNNERS')
RUNNER_CONSTRUCTORS = _child('RUNNER_CONSTRUCTORS')
LOOPS = _child('LOOPS')
#: What happens around the iterations of a run.
HOOKS = _child('HOOKS')
STRATEGIES = _child('STRATEGIES')
#: Data sets, from files to samples.
DATASETS = _child('DATASETS')
#: Samplers and batch samplers.
DATA_SAMPLERS = _child('DATA_SAMPLERS')
#: Transforms of samples.
TRANSFORMS = _child('TRANSFORMS')
#: All models and parts of models. The kinds below are subsets.
MODELS = _child('MODELS')
MODEL_WRAPPERS = _child('MODEL_WRAPPERS')
WEIGHT_INITIALIZERS = _child('WEIGHT_INITIALIZERS')
OPTIMIZERS = _child('OPTIMIZERS')
OPTIM_WRAPPERS = _child('OPTIM_WRAPPERS')
OPTIM_WRAPPER_CONSTRUCTORS = _child('OPTIM_WRAPPER_CONSTRUCTORS')
PARAM_SCHEDULERS = _child('PARAM_SCHEDULERS')
#: Metrics of validation and test.
METRICS = _child('METRICS')
EVALUATOR = _child('EVALUATOR')
TASK_UTILS = _child('TASK_UTILS')
VISUALIZERS = _child('VISUALIZERS')
VISBACKENDS = _child('VISBACKENDS')
LOG_PROCESSORS = _child('LOG_PROCESSORS')
INFERENCERS = _child('INFERENCERS')
#: Functions that a config names, such as collate and worker functions.
FUNCTIONS = _child('FUNCTIONS')

#: Networks from points or views to features.
BACKBONES = Kind('backbone', MODELS)
#: From a global feature to logits, losses and predictions.
HEADS = Kind('head', MODELS)
#: From the features of points to a part for each point.
DECODE_HEADS = Kind('decode head', MODELS)
#: Frozen models, banks of stored outputs, and averages of a student.
TEACHERS = Kind('teacher', MODELS)
#: A student with its teachers and distillation losses.
DISTILLERS = Kind('distiller', MODELS)
#: Losses with a ``loss_weight``.
LOSSES = Kind('loss', MODELS)
#: Augmentations that mix the clouds of a batch.
BATCH_AUGMENTS = Kind('batch augment', MODELS)
