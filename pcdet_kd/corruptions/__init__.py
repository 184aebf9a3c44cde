"""The corruptions of ModelNet40-C (Sun et al., 2022) and of ModelNet-C (Ren et al., 2022).

Each is a function of a cloud, a severity and a generator of random numbers.
"""

from pcdet_kd.corruptions.table import MODELNET40_C, MODELNET_C, Corruption

__all__ = ['MODELNET40_C', 'MODELNET_C', 'Corruption']
