"""MMEngine's Runner with checkpoints that are read strictly, run no code, and resume exactly."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mmengine
import torch
from mmengine.dist import get_dist_info, is_main_process
from mmengine.optim import _ParamScheduler
from mmengine.runner import CheckpointLoader, Runner

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.extend import NewSchedule
from pcdet_kd.engine.preflight import check_optimizer
from pcdet_kd.engine.sharded import is_sharded, share_optimizer_state, shared_like, whole
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


class ResumingRunner(Runner):
    """Saves all that a run needs to resume exactly, and loads it again.

    Optimisers and schedulers are refused before training if their state can't be saved.
    """

    extended_at: int = 0
    """Epochs after which the run goes on with another schedule; 0: it has one."""

    _needs_resumable = False

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """Build the optimiser's wrapper, see :func:`pcdet_kd.engine.preflight.check_optimizer`."""
        check_optimizer(optim_wrapper)
        try:
            built = super().build_optim_wrapper(optim_wrapper)
        except (TypeError, ValueError) as error:
            raise ConfigError('optim_wrapper', [str(error)]) from error
        if is_sharded(self.model):
            built.optimizer.register_load_state_dict_pre_hook(share_optimizer_state)
        return built

    def build_param_scheduler(self, scheduler: Any) -> Any:
        """Build the schedulers.

        Raises:
            ConfigError: One can't be built, ends before the run, or has a state that can't be saved
                in a checkpoint.
        """
        try:
            built = super().build_param_scheduler(scheduler)
            for one in itertools.chain(*(built.values() if isinstance(built, dict) else [built])):
                plain_values(scheduler_state(one))
                length = self.max_epochs if one.by_epoch else self.max_iters
                if min(length, one.end) - one.begin > getattr(one, 'total_steps', length):
                    raise ValueError(
                        f'{type(one).__name__} has total_steps={one.total_steps}, the run has '
                        f'{length} {"epochs" if one.by_epoch else "iterations"}'
                    )
        except (AssertionError, TypeError, ValueError) as error:
            raise ConfigError('param_scheduler', [str(error)]) from error
        return built

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
        """Resume from a checkpoint of a run.

        ``'default'`` reads it to the CPU, from where weights and optimiser state go to the model's
        device; MMEngine's own default would put the log's histories there too, and the whole file
        beside the model.

        Raises:
            CheckpointError: The file is damaged, does not fit, or holds weights only.
        """
        self._needs_resumable = True
        schedule = NewSchedule(self) if self.extended_at else None
        try:
            super().resume(
                filename,
                resume_optimizer,
                resume_param_scheduler,
                'cpu' if map_location == 'default' else map_location,
            )
        finally:
            self._needs_resumable = False
        if schedule is not None and self.epoch == self.extended_at:
            schedule.apply(self)
        for loader in (self.train_dataloader, self.val_loop and self.val_dataloader):
            # The samplers were built with the config's seed, but the checkpoint's seed counts.
            sampler = getattr(loader, 'sampler', None)
            if getattr(sampler, 'seed', None) is not None:
                sampler.seed = self.seed
        if self.epoch >= self.max_epochs:
            self.logger.info(
                f'already complete ({self.epoch}/{self.max_epochs} epochs): nothing is trained. '
                'Raise train_cfg.max_epochs to train longer'
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
                    f'{filename} holds weights only (no {", ".join(absent)}), so no run can resume '
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
        model = unwrapped(self.model)
        if is_sharded(model):
            own = model.state_dict()
            checkpoint['state_dict'] = {
                name: shared_like(value, own.get(name, value))
                for name, value in checkpoint['state_dict'].items()
            }
        load_weights(model, checkpoint['state_dict'], strict=strict, source=filename)
        if self._needs_resumable and 'gradients' in checkpoint:
            parameters = dict(model.named_parameters())
            for name, gradient in checkpoint['gradients'].items():
                gradient = shared_like(gradient, parameters[name])
                parameters[name].grad = gradient.to(parameters[name])
            self.logger.info(
                'The gradients of the last iterations, which had not been applied, are restored '
                '(MMEngine says below that they are lost)'
            )
        self._has_loaded = True
        self.logger.info(f'Load checkpoint from {filename}')
        return checkpoint

    def _same_dataset_meta(self, meta: dict) -> None:
        """Replace stored information on the data set that equals this run's: MMEngine compares
        pickles, which differ between NumPy values and the plain values that were saved.
        """
        own = getattr(self.train_dataloader.dataset, 'metainfo', None)
        if own is not None and str(meta.get('dataset_meta')) == str(plain_values(own)):
            meta['dataset_meta'] = own

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
        """Write a checkpoint of tensors and plain values atomically, in the main process; the
        arguments are MMEngine's. Where weights are shared out, all processes must call it.

        Raises:
            ValueError: A file client or backend is asked for; checkpoints are local files.
        """
        if file_client_args or backend_args:
            raise ValueError(
                'file_client_args and backend_args are not supported; checkpoints are local files'
            )
        model = unwrapped(self.model)
        if not (is_main_process() or is_sharded(model)):
            return
        gradients = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
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
        checkpoint = dict(meta=meta, state_dict=_on_cpu(model.state_dict()))
        hub = self.message_hub.state_dict()
        hub['resumed_keys'] = {
            k: v
            for k, v in hub['resumed_keys'].items()
            if k in hub['log_scalars'] or k in hub['runtime_info']
        }
        checkpoint['message_hub'] = _on_cpu(hub)
        if gradients:  # the epoch ended between two steps (accumulative_counts)
            checkpoint['gradients'] = _on_cpu(gradients)
        if save_optimizer:
            checkpoint['optimizer'] = _on_cpu(self.optim_wrapper.state_dict())
        if save_param_scheduler and self.param_schedulers is not None:
            checkpoint['param_schedulers'] = (
                {k: list(map(scheduler_state, v)) for k, v in self.param_schedulers.items()}
                if isinstance(self.param_schedulers, dict)
                else list(map(scheduler_state, self.param_schedulers))
            )
        if is_main_process():
            self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
            save_checkpoint_file(checkpoint, Path(out_dir) / filename)


def scheduler_state(scheduler: _ParamScheduler) -> dict:
    """Return a scheduler's state without its functions, which are built again from its config."""
    return {k: v for k, v in scheduler.state_dict().items() if not callable(v)}


def _on_cpu(obj: Any) -> Any:
    """Copy the tensors of nested containers to the CPU, whole; the containers keep their types."""
    if isinstance(obj, torch.Tensor):
        return whole(obj.detach()).cpu()
    if isinstance(obj, dict):
        moved = type(obj)((k, _on_cpu(v)) for k, v in obj.items())
        if hasattr(obj, '_metadata'):
            moved._metadata = obj._metadata
        return moved
    if isinstance(obj, (list, tuple)):
        return type(obj)(_on_cpu(v) for v in obj)
    return obj
