"""What happens around the iterations of a run."""

from pcdet_kd.engine.hooks.batch_norm_momentum import BatchNormMomentumHook
from pcdet_kd.engine.hooks.checkpoint import CheckpointHook
from pcdet_kd.engine.hooks.ema_teacher import EMATeacherHook
from pcdet_kd.engine.hooks.feature_probe import FeatureProbeHook
from pcdet_kd.engine.hooks.freeze_backbone import FreezeBackboneHook
from pcdet_kd.engine.hooks.frozen_guard import FrozenGuardHook
from pcdet_kd.engine.hooks.loss_warmup import LossWarmupHook
from pcdet_kd.engine.hooks.non_finite_loss import NonFiniteLossError, NonFiniteLossHook
from pcdet_kd.engine.hooks.progress_bar import ProgressBarHook
from pcdet_kd.engine.hooks.sample_names import SampleNamesHook
from pcdet_kd.engine.hooks.schedule import ScheduleHook
from pcdet_kd.engine.hooks.seed import SeedHook, worker_init
from pcdet_kd.engine.hooks.stop_signal import StopSignalHook
from pcdet_kd.engine.hooks.student_export import StudentExportHook
from pcdet_kd.engine.hooks.sync_buffers import SyncBuffersHook

__all__ = [
    'BatchNormMomentumHook',
    'CheckpointHook',
    'EMATeacherHook',
    'FeatureProbeHook',
    'FreezeBackboneHook',
    'FrozenGuardHook',
    'LossWarmupHook',
    'NonFiniteLossError',
    'NonFiniteLossHook',
    'ProgressBarHook',
    'SampleNamesHook',
    'ScheduleHook',
    'SeedHook',
    'StopSignalHook',
    'StudentExportHook',
    'SyncBuffersHook',
    'worker_init',
]
