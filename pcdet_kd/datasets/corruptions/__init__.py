"""The corruptions of ModelNet40-C (Sun et al., 2022) and of ModelNet-C (Ren et al., 2022), and
generators of such sets.
"""

from pcdet_kd.datasets.corruptions.generate import GENERATOR_VERSION, Generated, generate
from pcdet_kd.datasets.corruptions.source import Source, source_of
from pcdet_kd.datasets.corruptions.table import MODELNET40_C, MODELNET_C, SUITES, Corruption, Suite

__all__ = [
    'GENERATOR_VERSION',
    'MODELNET40_C',
    'MODELNET_C',
    'SUITES',
    'Corruption',
    'Generated',
    'Source',
    'Suite',
    'generate',
    'source_of',
]
