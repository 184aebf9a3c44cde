"""Installed plug-ins: packages that register parts through the entry-point group
``pcdet_kd.plugins``.

A package declares, in its pyproject.toml::

    [project.entry-points."pcdet_kd.plugins"]
    my_backbones = "my_package.backbones"

The module is imported before the first name is looked up; ``my_package.backbones:register`` may
name a function instead, which is then called without arguments. ``PCDET_KD_NO_PLUGINS=1`` turns
plug-ins off.
"""

import os
from importlib.metadata import entry_points
from inspect import isroutine

GROUP = 'pcdet_kd.plugins'
_loaded = False


def load_plugins() -> None:
    """Import every installed plug-in, once per process.

    Raises:
        ImportError: A plug-in failed; the message names its package, and the original traceback is
            chained.
    """
    global _loaded
    if _loaded or os.environ.get('PCDET_KD_NO_PLUGINS') == '1':
        return
    # set first: a plug-in that looks up a registry while it is imported must not start over
    _loaded = True
    for entry in entry_points(group=GROUP):
        try:
            loaded = entry.load()
            if isroutine(loaded):
                loaded()
        except Exception as error:
            package = entry.dist.name if entry.dist else 'an unknown package'
            raise ImportError(
                f"plug-in '{entry.name}' ({entry.value}) of {package} could not be loaded: "
                f'{error!r}. '
                f'Uninstall it (pip uninstall {package}) or set PCDET_KD_NO_PLUGINS=1'
            ) from error
