"""Distillers: how a student learns from teachers. One method, one file."""

from pcdet_kd.distillers.asymdsd import AsymDSD
from pcdet_kd.distillers.base import Distiller
from pcdet_kd.distillers.combined import Combined
from pcdet_kd.distillers.jgekd import JGEKD
from pcdet_kd.distillers.logit_kd import LogitKD
from pcdet_kd.distillers.pointcmt import PointCMT

__all__ = ['JGEKD', 'AsymDSD', 'Combined', 'Distiller', 'LogitKD', 'PointCMT']
