"""The corruptions of ModelNet40-C (Sun et al., 2022) and of ModelNet-C (Ren et al., 2022)."""

from pcdet_kd.datasets.corruptions.table import MODELNET40_C, MODELNET_C, Corruption, Suite

SUITES = {suite.name: suite for suite in (MODELNET40_C, MODELNET_C)}

__all__ = ['MODELNET40_C', 'MODELNET_C', 'SUITES', 'Corruption', 'Suite']
