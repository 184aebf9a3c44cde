"""A rehearsal: all that a stage needs is built, and a tiny batch goes through its model, before
anything is trained.
"""

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.logging import MMLogger

from pcdet_kd.engine.compat import unformatted_configs
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.preflight import check_visualizer
from pcdet_kd.engine.stages import Stage
from pcdet_kd.models.pretrained_backbone import waits_for_stage
from pcdet_kd.registry import RUNNERS, VISBACKENDS
from pcdet_kd.utils.errors import UserError

_SAMPLES = 2  # the fewest that batch normalisation takes


def rehearse(stage: Stage, look: Callable[[Any], None] | None = None) -> None:
    """Build a stage's Runner with all its parts, and send two training samples through its model
    in loss mode and back.

    Data sets, loaders, optimiser, schedulers, hooks, visualiser and evaluators are built, and files
    of weights that the config names are read. Frozen models and backbones whose stage is not
    trained yet have random weights, and feature banks give random outputs of the right shape.
    Nothing is written but to a temporary directory; trackers such as W&B are built but not started,
    as each start would be a run of its own there.

    Args:
        stage: The stage.
        look: Called with the Runner at the end; what it does to the model is thrown away.

    Raises:
        ConfigError: Something does not work; the message says what.
    """
    cfg = stage.resolved(only_reused=True)
    with tempfile.TemporaryDirectory() as folder, unformatted_configs():
        cfg.merge_from_dict(dict(work_dir=folder, launcher='none', log_level='ERROR', resume=False))
        runner = None
        try:
            for tracker in _take_trackers(cfg):
                VISBACKENDS.build(dict(tracker, save_dir=folder))
            runner = RUNNERS.build(cfg)
            runner.register_hook(_RehearsalHook(look))
            runner.train()
        except _Rehearsed:
            pass
        except UserError:
            raise
        except Exception as error:
            text = str(error) or type(error).__name__
            raise ConfigError(stage.config, [f'{stage.name} cannot be trained: {text}']) from error
        finally:
            _forget(runner)


def batch_of(loader: Any, chosen: Sequence[int]) -> Any:
    """Return the batch that a loader makes of some samples, read in this process."""
    dataset = loader.dataset
    whole = getattr(dataset, '__getitems__', None)
    return loader.collate_fn(whole(chosen) if whole else [dataset[i] for i in chosen])


def _take_trackers(cfg: Config) -> list[dict[str, Any]]:
    """Remove the visualizer's back ends but the local one, and return them.

    Raises:
        ConfigError: The package of one is missing.
    """
    visualizer = cfg.get('visualizer')
    check_visualizer(visualizer)
    back_ends = visualizer.get('vis_backends') if isinstance(visualizer, dict) else None
    if not back_ends:
        return []
    local = [one for one in back_ends if one['type'].endswith('LocalVisBackend')]
    visualizer.vis_backends = local
    return [one for one in back_ends if one not in local]


class _Rehearsed(Exception):
    """Ends a rehearsal without mistakes."""


class _RehearsalHook(Hook):
    """After all other hooks have begun, trains on one tiny batch and ends the run."""

    priority = 'LOWEST'

    def __init__(self, look: Callable[[Any], None] | None) -> None:
        self.look = look

    def before_run(self, runner: Any) -> None:
        for part in runner.model.modules():
            if hasattr(part, 'pretend_trained'):
                part.pretend_trained()
            if waits_for_stage(getattr(part, 'init_cfg', None)):
                part.init_cfg = None

    def before_train(self, runner: Any) -> None:
        if runner._test_loop is not None:
            runner.test_loop  # noqa: B018, builds the test data and its evaluator
        loader = runner.train_dataloader
        batch = batch_of(loader, _first_samples(loader.dataset))
        with runner.optim_wrapper.optim_context(runner.model):
            batch = runner.model.data_preprocessor(batch, True)
            losses = runner.model(**batch, mode='loss')
        runner.model.parse_losses(losses)[0].backward()
        if self.look is not None:
            runner.optim_wrapper.zero_grad()
            self.look(runner)
        raise _Rehearsed


def _first_samples(dataset: Any) -> list[int]:
    """Return the first samples; where only some have labels, the first of each kind."""
    if hasattr(dataset, 'labelled') and len(set(labelled := dataset.labelled().tolist())) > 1:
        return [labelled.index(True), labelled.index(False)]
    return list(range(min(_SAMPLES, len(dataset))))


def _forget(runner: Any) -> None:
    """Close what a Runner keeps open for the whole process: its log file and its visualiser. Its
    model leaves the GPU's memory now: a Runner is a reference cycle, which Python may free much
    later.
    """
    if runner is not None:
        runner.visualizer.close()
        logger = MMLogger._instance_dict.pop(runner.experiment_name, runner.logger)
        for handler in logger.handlers:
            handler.close()
        runner.model.to('cpu')
