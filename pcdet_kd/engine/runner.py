"""MMEngine's Runner, made exact and strict."""

import copy
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.dist import get_dist_info, master_only
from mmengine.hooks import CheckpointHook as PlainCheckpointHook
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.model import is_model_wrapper
from mmengine.runner import CheckpointLoader, EpochBasedTrainLoop, Runner
from torch import nn
from torch.utils.data import DataLoader

from pcdet_kd.engine import dataloader as loaders
from pcdet_kd.engine.amp import check_amp
from pcdet_kd.engine.console import make_brief
from pcdet_kd.engine.distributed import WorkDirLock, setup_distributed
from pcdet_kd.engine.preflight import check_work_dir
from pcdet_kd.registry import HOOKS, RUNNERS, SCOPE
from pcdet_kd.utils.checkpoint import (
    CheckpointError,
    load_weights,
    meta_of,
    save_checkpoint_file,
    weights_of,
)
from pcdet_kd.utils.plain_values import plain_values, restore_history
from pcdet_kd.utils.resume import find_resume
from pcdet_kd.utils.student import unwrapped

# what the console shows as a mean over the last iterations
MEAN_PATTERN = r'.*(loss|stat|time|data_time|grad_norm).*'
DEFAULT_HOOKS = dict(
    seed=dict(type='SeedHook'),
    non_finite_loss=dict(type='NonFiniteLossHook'),
    stop_signal=dict(type='StopSignalHook'),
    frozen_guard=dict(type='FrozenGuardHook'),
    student_export=dict(type='StudentExportHook'),
)
# Buffers are averaged after each epoch (SyncBuffersHook); torch 2.13 renamed the switch and warns
# of the old name.
_SYNC_BUFFERS = (
    'forward_sync_buffers'
    if 'forward_sync_buffers' in inspect.signature(nn.parallel.DistributedDataParallel).parameters
    else 'broadcast_buffers'
)
_used_timestamps: set[str] = set()


@RUNNERS.register_module()
class PointRunner(Runner):
    """MMEngine's Runner with strict loading, exact resume, and runs that can be killed at any
    moment.

    Differences: a checkpoint that does not fit is an error; no code from a checkpoint is run; only
    one run trains in a work directory; loaders are checked before training; errors in hooks keep
    their traceback; ``launcher`` works on a CPU (gloo); our hooks (:data:`DEFAULT_HOOKS`) are there
    by default, in ``default_hooks`` under these names, and can be set to None.

    Args:
        model: As in MMEngine, like all arguments that are not named here.
        work_dir: As in MMEngine.
        resume: True goes on from ``load_from``, or else from the newest whole checkpoint in the
            work directory, or else starts afresh and says so. ``'auto'`` looks into the work
            directory first and then loads ``load_from`` as plain weights.
    """

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
        if resume not in (True, False, 'auto'):
            raise ValueError(f"resume is {resume!r}, must be True, False or 'auto'")
        env_cfg = dict(env_cfg or {})
        backend = dict(env_cfg.get('dist_cfg') or {})
        setup_distributed(launcher, backend.get('backend', 'nccl'), backend.get('timeout'))
        check_work_dir(work_dir)
        self._needs_resumable = False
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
                    f"sync_bn='{self.cfg.sync_bn}' needs GPUs; on a CPU leave it out, batch-norm "
                    'statistics '
                    'are averaged after each epoch'
                )
            model_wrapper_cfg = dict(
                model_wrapper_cfg
                or {
                    _SYNC_BUFFERS: False,
                    'find_unused_parameters': self.cfg.get('find_unused_parameters', False),
                }
            )
            if not cuda:
                model_wrapper_cfg.setdefault('device_ids', None)
        return super().wrap_model(model_wrapper_cfg, model)

    @staticmethod
    def build_dataloader(
        dataloader: DataLoader | dict, seed: int | None = None, diff_rank_seed: bool = False
    ) -> DataLoader:
        """Build and check a loader, see :func:`pcdet_kd.engine.dataloader.build_dataloader`."""
        return loaders.build_dataloader(dataloader, seed, diff_rank_seed)

    def register_default_hooks(self, hooks: dict[str, Hook | dict | None] | None = None) -> None:
        """Register MMEngine's default hooks and ours; a name set to None is left out."""
        wanted: dict[str, Hook | dict | None] = {
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
        with WorkDirLock(self.work_dir):
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

    def load_or_resume(self) -> None:
        """Load or resume once, as ``resume`` and ``load_from`` say."""
        if self._has_loaded:
            return
        found = self._load_from if self._resume is True else None
        if self._resume and found is None:
            found = find_resume(self.work_dir)
            if found is None:
                then = (
                    f'loading weights from {self._load_from}'
                    if self._load_from
                    else 'starting from the first epoch'
                )
                self.logger.info(
                    f'resume={self._resume}: {self.work_dir} holds no whole checkpoint, {then}'
                )
        if found is not None:
            self.resume(str(found))
        elif self._load_from is not None:
            self.load_checkpoint(self._load_from)
        self._has_loaded = True

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable = 'default',
    ) -> None:
        """Go on from a checkpoint of a run.

        ``'default'`` reads it to the CPU, from where weights and optimiser state go to the model's
        device; MMEngine's own default would put the log's histories there too, and the whole file
        beside the model.

        Raises:
            CheckpointError: The file is damaged, does not fit, or holds weights only.
        """
        self._needs_resumable = True
        try:
            super().resume(
                filename,
                resume_optimizer,
                resume_param_scheduler,
                'cpu' if map_location == 'default' else map_location,
            )
        finally:
            self._needs_resumable = False
        for loader in (self.train_dataloader, self.val_loop and self.val_dataloader):
            # The samplers were built with the config's seed, but the checkpoint's seed counts.
            sampler = getattr(loader, 'sampler', None)
            if getattr(sampler, 'seed', None) is not None:
                sampler.seed = self.seed
        if self.epoch >= self.max_epochs:
            self.logger.info(
                f'already complete ({self.epoch}/{self.max_epochs} epochs): nothing is trained. '
                'Raise train_cfg.max_epochs to go on'
            )

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = 'cpu',
        strict: bool = True,
        revise_keys: list[tuple[str, str]] | None = None,
    ) -> dict:
        """Load weights; what does not fit is an error.

        Args:
            filename: File, http(s) address, or what MMEngine's other schemes take.
            map_location: As in :func:`torch.load`.
            strict: Whether all keys must match.
            revise_keys: Must be None; rename the keys in the file instead.
        """
        if revise_keys is not None:
            raise ValueError(
                'revise_keys is not supported; rename the keys and save them with '
                'save_checkpoint_file'
            )
        checkpoint = CheckpointLoader.load_checkpoint(filename, map_location, self.logger)
        weights = weights_of(checkpoint, filename)
        if self._needs_resumable:
            needed = ('meta', 'optimizer', 'message_hub')
            absent = [k for k in needed if not isinstance(checkpoint.get(k), dict)]
            if absent:
                raise CheckpointError(
                    f'{filename} holds weights only (no {", ".join(absent)}), so no run can go on '
                    'from it. To start from these weights set load_from and resume=False'
                )
        if 'state_dict' not in checkpoint:
            checkpoint = dict(state_dict=weights)
        meta = checkpoint['meta'] = meta_of(checkpoint, filename)
        meta.pop('config', None)  # MMEngine would run it as Python
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = restore_history(checkpoint['message_hub'])
        if self._needs_resumable:
            self._same_dataset_meta(meta)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        load_weights(
            unwrapped(self.model), checkpoint['state_dict'], strict=strict, source=filename
        )
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def _same_dataset_meta(self, meta: dict) -> None:
        """MMEngine compares pickles, which differ for NumPy values and what was saved of them; an
        equal one is replaced.
        """
        own = getattr(self.train_dataloader.dataset, 'metainfo', None)
        if own is not None and str(meta.get('dataset_meta')) == str(plain_values(own)):
            meta['dataset_meta'] = own

    @master_only
    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: dict | None = None,
        by_epoch: bool = True,
        backend_args: dict | None = None,
    ) -> None:
        """Write a checkpoint of tensors and plain values atomically; the arguments are MMEngine's.

        Raises:
            ValueError: A file client or backend is asked for; checkpoints are local files.
        """
        if file_client_args or backend_args:
            raise ValueError(
                'file_client_args and backend_args are not supported; checkpoints are local files'
            )
        model = self.model.module if is_model_wrapper(self.model) else self.model
        dataset_meta = getattr(self.train_dataloader.dataset, 'metainfo', None) or {}
        meta = {
            'epoch': self.epoch + by_epoch,
            'iter': self.iter + (not by_epoch),
            **(meta or {}),
            'seed': self.seed,
            'cfg': self.cfg.pretty_text,
            'experiment_name': self.experiment_name,
            'dataset_meta': dataset_meta,
            'classes': list(dataset_meta.get('classes', [])),
            'world_size': get_dist_info()[1],
            'versions': dict(mmengine=mmengine.__version__, torch=str(torch.__version__)),
        }
        checkpoint: dict[str, Any] = dict(meta=meta, state_dict=_on_cpu(model.state_dict()))
        hub = self.message_hub.state_dict()
        hub['resumed_keys'] = {
            k: v
            for k, v in hub['resumed_keys'].items()
            if k in hub['log_scalars'] or k in hub['runtime_info']
        }
        checkpoint['message_hub'] = _on_cpu(hub)
        if save_optimizer:
            checkpoint['optimizer'] = _on_cpu(self.optim_wrapper.state_dict())
        if save_param_scheduler and self.param_schedulers is not None:
            checkpoint['param_schedulers'] = (
                {
                    name: [s.state_dict() for s in group]
                    for name, group in self.param_schedulers.items()
                }
                if isinstance(self.param_schedulers, dict)
                else [s.state_dict() for s in self.param_schedulers]
            )
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        save_checkpoint_file(checkpoint, Path(out_dir) / filename)


def _on_cpu(obj: Any) -> Any:
    """Copy the tensors of nested containers to the CPU; the containers keep their types."""
    if isinstance(obj, torch.Tensor):
        return obj.detach().cpu()
    if isinstance(obj, dict):
        moved = type(obj)((k, _on_cpu(v)) for k, v in obj.items())
        if hasattr(obj, '_metadata'):
            moved._metadata = obj._metadata
        return moved
    if isinstance(obj, (list, tuple)):
        return type(obj)(_on_cpu(v) for v in obj)
    return obj
