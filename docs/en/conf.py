"""Sphinx configuration."""

from importlib import import_module
from importlib.metadata import version as installed_version
from inspect import isfunction
from pathlib import Path

from pcdet_kd import losses
from pcdet_kd.registry import Registry

project = 'pcdet_kd'
copyright = '2026, the pcdet_kd developers'
author = 'The pcdet_kd developers'
version = release = installed_version('pcdet_kd')

extensions = [
    'myst_parser',
    'sphinx-mathjax-offline',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
myst_enable_extensions = ['colon_fence']
myst_heading_anchors = 3
exclude_patterns = ['_build']
html_theme = 'furo'
html_static_path = ['_static']
html_css_files = ['wrap.css']
html_title = 'pcdet_kd: point-cloud classification with knowledge distillation'

# The reference: what a package's __all__ names, without what it inherits from torch or MMEngine.
autodoc_default_options = {'members': True, 'show-inheritance': True}
autodoc_member_order = 'groupwise'
autodoc_typehints = 'signature'
autodoc_preserve_defaults = True
autodoc_inherit_docstrings = False
napoleon_numpy_docstring = False
napoleon_use_ivar = True  # a field that Attributes describes is listed once
toc_object_entries_show_parents = 'hide'

# The reference shows a registry's name, not a table of what happens to be imported.
Registry.__repr__ = lambda self: f'Registry({self.name!r})'


def add_formulas(app, docname, source):
    """Append the functions behind the loss classes, which are in the files of the classes."""
    if docname != 'api/losses':
        return
    for path in sorted(Path(losses.__file__).parent.glob('*.py')):
        module = f'pcdet_kd.losses.{path.stem}'
        functions = [
            name
            for name, value in vars(import_module(module)).items()
            if isfunction(value) and value.__module__ == module and not name.startswith('_')
        ]
        if path.stem in ('__init__', 'functional') or not functions:
            continue
        source[0] += f'\n{module}\n{"-" * len(module)}\n\n.. automodule:: {module}\n'
        source[0] += f'   :members: {", ".join(functions)}\n'


def skip_fields(app, what, name, member, skip, options):
    """Leave out the fields of named tuples, which the class's docstring describes."""
    return skip or (getattr(member, '__doc__', None) or '').startswith('Alias for field number')


def setup(app):
    app.connect('source-read', add_formulas)
    app.connect('autodoc-skip-member', skip_fields)
