"""MMEngine's Runner, made exact and strict."""

import copy
import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.hooks import CheckpointHook as PlainCheckpointHook
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from pcdet_kd.engine import dataloader as loaders
from pcdet_kd.engine.amp import check_amp
from pcdet_kd.engine.config_check import TOP_LEVEL_KEYS
from pcdet_kd.engine.console import make_brief
from pcdet_kd.engine.distributed import WorkDirLock, setup_distributed
from pcdet_kd.engine.preflight import check_visualizer, check_work_dir
from pcdet_kd.engine.resuming_runner import ResumingRunner
from pcdet_kd.engine.sharded import is_sharded
from pcdet_kd.registry import HOOKS, MODEL_WRAPPERS, RUNNERS, SCOPE
from pcdet_kd.utils.arguments import check_choice

# what the console shows as a mean over the last iterations
MEAN_PATTERN = r'.*(loss|stat|time|data_time|grad_norm).*'
DEFAULT_HOOKS = dict(
    seed=dict(type='SeedHook'),
    non_finite_loss=dict(type='NonFiniteLossHook'),
    stop_signal=dict(type='StopSignalHook'),
    frozen_guard=dict(type='FrozenGuardHook'),
    sample_names=dict(type='SampleNamesHook'),
    ema_teacher=dict(type='EMATeacherHook'),
    student_export=dict(type='StudentExportHook'),
    progress_bar=dict(type='ProgressBarHook'),
)
# Buffers are averaged after each epoch (SyncBuffersHook); torch 2.13 renamed the switch and warns
# of the old name.
_SYNC_BUFFERS = (
    'forward_sync_buffers'
    if 'forward_sync_buffers' in inspect.signature(nn.parallel.DistributedDataParallel).parameters
    else 'broadcast_buffers'
)
_DDP = 'MMDistributedDataParallel'
_used_timestamps = set()


@RUNNERS.register_module()
class PointRunner(ResumingRunner):
    """MMEngine's Runner with strict loading, exact resume, and runs that can be killed at any
    moment.

    Differences: a checkpoint that does not fit is an error; no code from a checkpoint is run; only
    one run trains in a work directory; loaders are checked before training; errors in hooks keep
    their traceback; ``launcher`` works on a CPU (gloo); our hooks (:data:`DEFAULT_HOOKS`) are there
    by default, in ``default_hooks`` under these names, and can be set to None.

    Args:
        model: As in MMEngine, like all arguments that are not named here.
        work_dir: As in MMEngine.
        resume: True resumes from ``load_from``, or else from the newest whole checkpoint in the
            work directory, or else starts from the first epoch and says so. ``'auto'`` looks into
            the work directory first and then loads ``load_from`` as plain weights.
    """

    lock: AbstractContextManager | None = None
    """What keeps other runs out of the work directory, where the caller holds a lock already."""

    def __init__(
        self,
        model: nn.Module | dict,
        work_dir: str,
        *args: Any,
        resume: bool | str = False,
        launcher: str = 'none',
        env_cfg: Mapping | None = None,
        log_processor: Any = None,
        default_scope: str | None = SCOPE,
        **kwargs: Any,
    ) -> None:
        check_choice('resume', resume, (True, False, 'auto'))
        env_cfg = dict(env_cfg or {})
        backend = dict(env_cfg.get('dist_cfg') or {})
        setup_distributed(launcher, backend.get('backend', 'nccl'), backend.get('timeout'))
        check_work_dir(work_dir)
        check_visualizer(kwargs.get('visualizer'))
        log_processor = (
            dict(window_size=10, mean_pattern=MEAN_PATTERN)
            if log_processor is None
            else log_processor
        )
        super().__init__(
            model,
            work_dir,
            *args,
            resume=resume,
            launcher=launcher,
            env_cfg=env_cfg,
            log_processor=log_processor,
            default_scope=default_scope,
            **kwargs,
        )

    @classmethod
    def from_cfg(cls, cfg: Config | Mapping) -> 'PointRunner':
        """Build a runner from a config; its ``default_scope`` is ours unless it says otherwise."""
        cfg = copy.deepcopy(cfg)
        cfg.setdefault('default_scope', SCOPE)
        return super().from_cfg(cfg)

    def setup_env(self, env_cfg: dict) -> None:
        """Set up the environment; runs of one process that start in the same second get different
        names.

        MMEngine keeps loggers and message hubs by that name, so that such runs would share them.
        """
        super().setup_env(env_cfg)
        first, number = self._timestamp, 1
        while self._timestamp in _used_timestamps:
            self._timestamp = f'{first}_{number}'
            number += 1
        _used_timestamps.add(self._timestamp)

    def dump_config(self) -> None:
        """Write the config to the work directory as one that can be tested, predicted with and
        trained by itself: without variables, which are written out in what they made, and without
        ``requires``, as the files of earlier stages stand there.
        """
        name = f'{self.timestamp}.py' if self.cfg.filename is None else self.cfg.filename
        kept = {k: v for k, v in self.cfg.items() if k in TOP_LEVEL_KEYS - {'requires'}}
        Config(kept).dump(Path(self.work_dir, Path(name).name))

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Build the logger; long reports go to its file alone."""
        logger = super().build_logger(*args, **kwargs)
        make_brief(logger)
        return logger

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap the model for distributed training, on a CPU too."""
        if self.distributed and not is_model_wrapper(model):
            cuda = torch.cuda.is_available()
            if self.cfg.get('sync_bn') and not cuda:
                raise ValueError(
                    f"sync_bn='{self.cfg.sync_bn}' needs GPUs; on a CPU leave it out: the "
                    'statistics of batch norms are averaged after each epoch'
                )
            model_wrapper_cfg = dict(
                model_wrapper_cfg
                or {
                    _SYNC_BUFFERS: False,
                    'find_unused_parameters': self.cfg.get('find_unused_parameters', False),
                }
            )
            kind = model_wrapper_cfg.get('type', _DDP)
            if not cuda and kind == _DDP:
                model_wrapper_cfg.setdefault('device_ids', None)
            if kind in MODEL_WRAPPERS.module_dict:  # MMEngine looks among its own names
                model_wrapper_cfg['type'] = f'{SCOPE}.{kind}'
        return super().wrap_model(model_wrapper_cfg, model)

    def _init_model_weights(self) -> None:
        if not is_sharded(self.model):  # that was initialised before it was shared out
            super()._init_model_weights()

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """Build and check a loader, see :func:`pcdet_kd.engine.dataloader.build_dataloader`."""
        return loaders.build_dataloader(dataloader, seed, diff_rank_seed)

    def register_default_hooks(self, hooks: dict[str, Hook | dict | None] | None = None) -> None:
        """Register MMEngine's default hooks and ours; a name set to None is left out."""
        wanted = {
            **DEFAULT_HOOKS,
            'checkpoint': dict(type='CheckpointHook'),
        }
        if self.distributed:
            wanted['sync_buffers'] = dict(type='SyncBuffersHook')
        wanted.update(hooks or {})
        known = {'runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint'}
        super().register_default_hooks(
            {name: hook for name, hook in wanted.items() if hook is not None or name in known}
        )

    def register_hook(self, hook: Hook | dict, priority: Any = None) -> None:
        """Register a hook; a name is looked up among ours first, whatever the default scope is
        now.
        """
        if isinstance(hook, dict):
            hook = dict(hook)
            given = hook.pop('priority', None)
            priority = given if priority is None else priority
            hook = HOOKS.build(hook)
        super().register_hook(hook, priority)

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Call a method of all hooks. An error keeps its traceback; MMEngine replaces that of a
        TypeError.
        """
        for hook in self._hooks:
            if hasattr(hook, fn_name):
                getattr(hook, fn_name)(self, **kwargs)

    def train(self) -> nn.Module:
        """Train, as the only run in the work directory. Hooks with ``on_error(runner, error)`` are
        told of an error, and those with ``after_exit(runner)`` are called however it ends.
        """
        with self.lock or WorkDirLock(self.work_dir):
            try:
                return super().train()
            except Exception as error:
                self.call_hook('on_error', error=error)
                raise
            finally:
                self.call_hook('after_exit')
                self._stop_workers()

    def val(self) -> dict:
        """Validate."""
        try:
            return super().val()
        finally:
            self._stop_workers()

    def test(self) -> dict:
        """Test."""
        try:
            return super().test()
        finally:
            self._stop_workers()

    def _stop_workers(self) -> None:
        for loop in (self._train_loop, self._val_loop, self._test_loop):
            loaders.stop_workers(getattr(loop, 'dataloader', None))

    def build_train_loop(self, loop: Any) -> Any:
        """Build the train loop, and refuse a checkpoint hook that breaks resume."""
        loop = super().build_train_loop(loop)
        for hook in self._hooks:
            if (
                isinstance(hook, PlainCheckpointHook)
                and not hook.by_epoch
                and isinstance(loop, EpochBasedTrainLoop)
            ):
                raise ValueError(
                    'CheckpointHook(by_epoch=False) with an epoch-based loop: on resume the epoch '
                    'would start again from its first batch with the iteration count of its '
                    'middle. Use by_epoch=True'
                )
        return loop

    def build_val_loop(self, loop: Any) -> Any:
        """Build the validation loop, and refuse mixed precision where it is slower."""
        return self._with_fast_amp(super().build_val_loop(loop))

    def build_test_loop(self, loop: Any) -> Any:
        """Build the test loop, and refuse mixed precision where it is slower."""
        return self._with_fast_amp(super().build_test_loop(loop))

    @staticmethod
    def _with_fast_amp(loop: Any) -> Any:
        if getattr(loop, 'fp16', False):
            check_amp(get_device())
        return loop
