"""Running experiments: the runner, its hooks, and stages. Importing it applies
:mod:`pcdet_kd.engine.compat`.
"""

from pcdet_kd.engine import compat
from pcdet_kd.engine.amp import AmpOptimWrapper
from pcdet_kd.engine.distributed import WorkDirInUse, WorkDirLock, setup_distributed
from pcdet_kd.engine.hooks import (
    CheckpointHook,
    EMATeacherHook,
    FeatureProbeHook,
    FreezeBackboneHook,
    FrozenGuardHook,
    NonFiniteLossError,
    NonFiniteLossHook,
    ProgressBarHook,
    SampleNamesHook,
    ScheduleHook,
    SeedHook,
    StopSignalHook,
    StudentExportHook,
    SyncBuffersHook,
    worker_init,
)
from pcdet_kd.engine.runner import PointRunner
from pcdet_kd.engine.sharded import FullyShardedModel
from pcdet_kd.utils.stop import StoppedBySignal

compat.apply()

__all__ = [
    'AmpOptimWrapper',
    'CheckpointHook',
    'EMATeacherHook',
    'FeatureProbeHook',
    'FreezeBackboneHook',
    'FrozenGuardHook',
    'FullyShardedModel',
    'NonFiniteLossError',
    'NonFiniteLossHook',
    'PointRunner',
    'ProgressBarHook',
    'SampleNamesHook',
    'ScheduleHook',
    'SeedHook',
    'StopSignalHook',
    'StoppedBySignal',
    'StudentExportHook',
    'SyncBuffersHook',
    'WorkDirInUse',
    'WorkDirLock',
    'compat',
    'setup_distributed',
    'worker_init',
]
