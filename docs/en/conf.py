"""Sphinx configuration."""

from importlib.metadata import version as installed_version

project = 'pcdet_kd'
author = 'The pcdet_kd developers'
version = release = installed_version('pcdet_kd')

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon']
myst_enable_extensions = ['colon_fence']
myst_heading_anchors = 3
exclude_patterns = ['_build']
html_theme = 'furo'
html_title = 'pcdet_kd: point-cloud classification with knowledge distillation'
