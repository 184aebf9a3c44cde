"""Checkpoints: one atomic write per epoch, after its validation."""

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop

from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.preflight import check_metric_names, unknown_metric
from pcdet_kd.registry import HOOKS
from pcdet_kd.utils.arguments import check_at_least, check_choice
from pcdet_kd.utils.files import link_or_copy, remove_stale_temporaries, write_whole

_GREATER = ('acc', 'top', 'auc', 'precision', 'recall', 'iou', 'map')
_LESS = ('loss', 'error', 'mce', 'distance', 'chamfer', 'emd')


@HOOKS.register_module()
class CheckpointHook(Hook):
    """Writes ``epoch_<n>.pth`` once, when the epoch's validation is done, and gives it its further
    names.

    ``last.pth`` and ``best.pth`` (of the first metric in ``save_best``), and
    ``best_<metric>_epoch_<n>.pth``, are hard links (copies where the file system has none);
    ``last_checkpoint`` holds the newest file's name. Older files are deleted when their successor
    is whole. A kill at any moment leaves a directory that resumes; links that it left undone are
    made then.

    Args:
        interval: Epochs between two ``epoch_<n>.pth``; the last epoch always gets one, the best one
            is saved in any case.
        save_best: Metric key, or several, as the evaluator reports them.
        rule: ``'greater'`` or ``'less'`` is better, one for all metrics or one each; None means to
            tell from the name.
        max_keep_ckpts: How many ``epoch_<n>.pth`` stay, -1 for all. The best keeps its own name
            regardless.
        by_epoch: Must be True: a run resumes exactly only at the beginning of an epoch.

    Raises:
        ValueError: An argument is out of range, or the rule cannot be told from a metric's name.
        ConfigError: ``save_best`` is not among the metrics; names those that are. Known before
            training where the metrics tell their ``names``.
    """

    priority = 'VERY_LOW'

    def __init__(
        self,
        interval: int = 1,
        save_best: str | Sequence[str] | None = None,
        rule: str | Sequence[str | None] | None = None,
        max_keep_ckpts: int = -1,
        by_epoch: bool = True,
    ) -> None:
        if not by_epoch:
            raise ValueError(
                'by_epoch=False: a checkpoint in the middle of an epoch would see its first '
                'batches again on resume. Leave it True; interval counts epochs'
            )
        check_at_least('interval', interval)
        if max_keep_ckpts == 0 or max_keep_ckpts < -1:
            raise ValueError(f'max_keep_ckpts is {max_keep_ckpts}, must be -1 (all) or at least 1')
        self.interval = interval
        self.max_keep_ckpts = max_keep_ckpts
        keys = [save_best] if isinstance(save_best, str) else list(save_best or [])
        rules = [rule] * len(keys) if rule is None or isinstance(rule, str) else list(rule)
        if len(rules) != len(keys):
            raise ValueError(
                f'{len(rules)} rules for {len(keys)} metrics in save_best; give one for all, or '
                'one each'
            )
        self.rules = {key: _rule(key, r) for key, r in zip(keys, rules)}
        self._due = False
        self._scores = {}

    def before_train(self, runner: Any) -> None:
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError(
                'CheckpointHook saves whole epochs, but the train loop is '
                f'{type(runner.train_loop).__name__}; '
                'use train_cfg=dict(by_epoch=True, max_epochs=...)'
            )
        evaluator = getattr(runner.val_loop, 'evaluator', None)
        check_metric_names('save_best', self.rules, getattr(evaluator, 'metrics', None))
        self._due = False
        if is_main_process():
            for file in remove_stale_temporaries(runner.work_dir):
                runner.logger.info(f'Removed {file}, which a killed run left half written')
            written = Path(runner.work_dir) / f'epoch_{runner.epoch}.pth'
            if (
                runner.epoch and written.is_file()
            ):  # resumed: the run may have been killed before all names were given
                self._publish(runner, written)

    def after_train_epoch(self, runner: Any) -> None:
        self._due, self._scores = True, {}

    def after_val_epoch(self, runner: Any, metrics: dict[str, Any] | None = None) -> None:
        if not self._due:  # validation outside training
            return
        metrics = metrics or {}
        self._scores = {k: float(v) for k, v in metrics.items() if isinstance(v, (int, float))}
        best = (
            dict(runner.message_hub.get_info('best') or {})
            if 'best' in runner.message_hub.runtime_info
            else {}
        )
        for key, rule in self.rules.items():
            if key not in self._scores:
                raise ConfigError('save_best', [unknown_metric(key, self._scores)])
            score = self._scores[key]
            if not math.isfinite(score):
                runner.logger.warning(
                    f'{key} is {score} after epoch {runner.epoch}; this epoch cannot become the '
                    'best'
                )
            elif key not in best or (
                score > best[key]['score'] if rule == 'greater' else score < best[key]['score']
            ):
                best[key] = dict(score=score, epoch=runner.epoch)
        runner.message_hub.update_info('best', best)

    def before_train_epoch(self, runner: Any) -> None:
        self._write(runner, last=False)

    def after_train(self, runner: Any) -> None:
        self._write(runner, last=True)

    def _write(self, runner: Any, last: bool) -> None:
        """Write the checkpoint of the finished epoch, if it is due and not yet written."""
        if not self._due:
            return
        self._due = False
        epoch = runner.epoch
        names = self._best_names(runner, epoch)
        regular = last or epoch % self.interval == 0
        if not regular and not names:
            return
        path = Path(runner.work_dir) / (f'epoch_{epoch}.pth' if regular else names[0])
        runner.save_checkpoint(
            str(path.parent),
            path.name,
            meta=dict(epoch=epoch, iter=runner.iter, scores=dict(self._scores)),
        )
        if is_main_process():
            self._publish(runner, path)

    def _best_names(self, runner: Any, epoch: int) -> list[str]:
        """Names for an epoch that is the best of some metric, the first metric's first."""
        best = (
            runner.message_hub.get_info('best') if 'best' in runner.message_hub.runtime_info else {}
        )
        return [
            _best_name(key, epoch) for key in self.rules if best.get(key, {}).get('epoch') == epoch
        ]

    def _publish(self, runner: Any, path: Path) -> None:
        """Give a written checkpoint its further names, then delete what it replaces. Doing it again
        changes nothing.
        """
        directory, epoch = path.parent, runner.epoch
        names = self._best_names(runner, epoch)
        for name in names:
            link_or_copy(path, directory / name)
        if names and names[0] == _best_name(next(iter(self.rules)), epoch):
            link_or_copy(path, directory / 'best.pth')
        if path.name == f'epoch_{epoch}.pth':
            link_or_copy(path, directory / 'last.pth')
            write_whole(directory / 'last_checkpoint', path.name)
            if self.max_keep_ckpts > 0:
                _delete(directory, r'epoch_(\d+)\.pth', keep=self.max_keep_ckpts, until=epoch)
        for name in names:
            _delete(
                directory,
                re.escape(name[: -len(f'{epoch}.pth')]) + r'(\d+)\.pth',
                keep=1,
                until=epoch,
            )
        if names:
            best = runner.message_hub.get_info('best')
            told = ', '.join(
                f'{k} {b["score"]:.4f}' for k, b in best.items() if b['epoch'] == epoch
            )
            runner.logger.info(f'Epoch {epoch} is the best so far: {told}')


def _best_name(key: str, epoch: int) -> str:
    return f'best_{re.sub(r"[^0-9A-Za-z.-]+", "_", key).strip("_")}_epoch_{epoch}.pth'


def _rule(key: str, rule: str | None) -> str:
    if rule is None:
        name = key.lower()
        for found, words in (('less', _LESS), ('greater', _GREATER)):
            if any(word in name for word in words):
                return found
        raise ValueError(
            f"whether more or less of '{key}' is better cannot be told from its name; set "
            "rule='greater' or rule='less'"
        )
    check_choice(f"rule for '{key}'", rule, ('greater', 'less', None))
    return rule


def _delete(directory: Path, pattern: str, keep: int, until: int) -> None:
    """Delete all but the newest ``keep`` numbered files up to number ``until``."""
    found = {int(m[1]): p for p in directory.iterdir() if (m := re.fullmatch(pattern, p.name))}
    for number in sorted(n for n in found if n <= until)[:-keep]:
        found[number].unlink()
