"""Generators of whole suites, in the published layouts, from any point-cloud data set."""

from pcdet_kd.robustness.generation.generate import Generated, generate
from pcdet_kd.robustness.generation.source import Source, source_of

__all__ = ['Generated', 'Source', 'generate', 'source_of']
