"""Training as a function."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import is_main_process

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.distributed import on_main, setup_distributed
from pcdet_kd.engine.outcome import outcome
from pcdet_kd.engine.pipeline import run_stages
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.engine.stages import Stage, plan, verify_files
from pcdet_kd.engine.summary import rows, verdict


@dataclass
class TrainResult:
    """What was trained.

    Attributes:
        stages: In the order of training, the config itself last, its baseline before it.
    """

    stages: list[Stage]

    @property
    def records(self) -> dict[str, StageRecord | None]:
        """What is known of each stage's run, by the stage's name; None after a dry run."""
        return {stage.name: stage.record for stage in self.stages}

    @property
    def weights(self) -> Path:
        """The file of the config's trained weights; a distiller's are its student's."""
        return self.stages[-1].weights

    @property
    def metrics(self) -> dict[str, dict[str, float]]:
        """The config's test metrics by selection, ``last`` and ``best`` epoch."""
        return self.stages[-1].record.results

    def table(self) -> list[dict[str, Any]]:
        """Return one row of test metrics per stage."""
        return rows(self.stages)

    def verdict(self) -> str:
        """Return one sentence on what distillation brought; needs the baseline beside it."""
        return verdict(self.stages[-1], self.stages[-2])

    def outcome(self) -> list[str]:
        """Return what a distillation run reached, in sentences; see
        :func:`pcdet_kd.engine.outcome.outcome`.
        """
        return outcome(self.stages)


def train(
    config: str | Path,
    options: dict[str, Any] | None = None,
    *,
    stage_options: dict[str, Any] | None = None,
    work_dir: str | Path | None = None,
    seed: int | None = None,
    resume: str | Path | None = None,
    retrain: Iterable[str] = (),
    extend: Iterable[str] = (),
    with_baseline: bool = False,
    load_backbone: str | Path | None = None,
    validate: bool = True,
    amp: bool = False,
    auto_scale_lr: bool = False,
    pin_memory: bool = True,
    persistent_workers: bool = True,
    verify_data: bool = False,
    dry_run: bool = False,
    launcher: str = 'none',
    say: Callable[[str], None] | None = None,
) -> TrainResult:
    """Train a config and all that it requires; called again after a stop, it resumes.

    Args:
        config: The config's file.
        options: Values by dotted path, or of the config's own variables, which reach every stage.
        stage_options: Values for required stages by ``STAGE.dotted.path``.
        work_dir: Where to train; see :func:`~pcdet_kd.engine.stages.plan`.
        seed: Seed of the config itself; finished stages are reused as they are.
        resume: Checkpoint to resume from; None takes the newest whole one in the work directory.
        retrain: Names of stages to train from scratch, or ``'all'``.
        extend: Names of finished stages to train for more epochs.
        with_baseline: Train the distiller's student alone as well.
        load_backbone: Checkpoint whose backbone the config's model (or student) starts from; see
            :class:`~pcdet_kd.models.pretrained_backbone.PretrainedBackbone`.
        validate: Whether there is validation during training.
        amp: Mixed precision (bfloat16 on a CPU).
        auto_scale_lr: Scale the learning rate by the batch size, as the config's ``auto_scale_lr``
            says.
        pin_memory, persistent_workers: False overrides what the config says of its data loaders.
        verify_data: Compare the data's files with the hashes that were written down the first time;
            see :func:`pcdet_kd.datasets.manifest.verify`.
        dry_run: Check everything, train and write nothing.
        launcher: ``none``, ``pytorch``, ``slurm`` or ``mpi``.
        say: Called with a line of text per stage, in the main process.

    Raises:
        UserError: What a person can put right: the config, the data, a file, the work directory.
    """
    options = dict(options or {})
    if seed is not None:
        options['randomness.seed'] = seed
    stages = plan(config, options, stage_options, work_dir, with_baseline, load_backbone)
    leaf = stages[-1]
    for stage in stages:
        stage.cfg.launcher = launcher
        for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            loader = stage.cfg.get(name)
            if loader and not pin_memory:
                loader.pin_memory = False
            if loader and not persistent_workers:
                loader.persistent_workers = False
        if stage.config == leaf.config:
            _adjust(stage.cfg, amp, validate, auto_scale_lr, stage.config)
    if resume is not None:
        leaf.cfg.load_from, leaf.cfg.resume = str(resume), True
    if not dry_run:
        backend = (leaf.cfg.get('env_cfg') or {}).get('dist_cfg') or {}
        setup_distributed(launcher, **backend)

    if verify_data:
        on_main(verify_files, [stage.cfg for stage in stages])

    def tell(text: str) -> None:
        if say is not None and is_main_process():
            say(text)

    return TrainResult(run_stages(stages, set(retrain), tell, dry_run, extend=set(extend)))


def _adjust(cfg: Config, amp: bool, validate: bool, auto_scale_lr: bool, source: Path) -> None:
    """Apply the settings that are for the leaf and its baseline only."""
    if amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
    if not validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.merge_from_dict({'default_hooks.checkpoint.save_best': None})
    if auto_scale_lr:
        if 'base_batch_size' not in (cfg.get('auto_scale_lr') or {}):
            needed = 'auto_scale_lr: --auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...)'
            raise ConfigError(source, [needed])
        cfg.auto_scale_lr.enable = True
