"""The Runner's test loop over one set of a suite after the other."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dist import get_dist_info
from mmengine.runner import BaseLoop, Runner, TestLoop
from tqdm import tqdm

from pcdet_kd.datasets.corrupted import CorruptedDataset
from pcdet_kd.datasets.suites import CLEAN, SetName
from pcdet_kd.evaluation import SampleMetric
from pcdet_kd.robustness.results import SetResult, set_file, worst_mistakes
from pcdet_kd.robustness.suite_data import SuiteData

_CLOUDS_PER_SET = 3  # that a report may draw


class SuiteLoop(BaseLoop):
    """Tests on each set as MMEngine's test loop does, and writes its predictions when it is done.

    Args:
        runner: Holds the model.
        data: The suite.
        sets: Those to evaluate, in order.
        folder: Where the predictions go.
        bar: Progress bar, updated after every batch.
        batch_size: Clouds per batch.
        amp: Mixed precision.
        seed: Each set starts from random numbers that follow from it and the set's name.
    """

    def __init__(
        self,
        runner: Runner,
        data: SuiteData,
        sets: Sequence[SetName],
        folder: Path,
        bar: tqdm,
        batch_size: int,
        amp: bool,
        seed: int,
    ) -> None:
        super().__init__(runner, None)  # each set brings a data loader of its own
        self.data, self.sets, self.folder, self.bar = data, sets, folder, bar
        self.batch_size, self.amp, self.seed = batch_size, amp, seed

    def run(self) -> dict[str, float]:
        """Evaluate the sets; return the ``accuracy`` on the last one in %."""
        with _brief_console(self.runner.logger):
            for name in self.sets:
                title = CLEAN if name[0] == CLEAN else f'{name[0]} {name[1]}'
                self.bar.set_description(title, refresh=False)
                loader = dict(
                    dataset=self.data.build(name),
                    batch_size=self.batch_size,
                    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
                    collate_fn=dict(type='collate_points'),
                )
                metric = SetPredictions(loader['dataset'], self.folder, name)
                loop = _SetLoop(self.runner, loader, [metric], self.amp)
                loop.bar, loop.key = self.bar, f'{self.seed} {get_dist_info()[0]} {name}'
                self.dataloader = loop.dataloader
                metrics = loop.run()
                score = f'OA {metrics["accuracy"]:.1f} %'
                self.runner.logger.info(f'{title}: {score}')
                self.bar.set_postfix_str(score, refresh=False)
        return metrics


class _SetLoop(TestLoop):
    def run_iter(self, idx: int, data_batch: Mapping[str, Any]) -> None:
        if idx == 0:
            entropy = hashlib.sha256(self.key.encode()).digest()
            torch.manual_seed(int.from_bytes(entropy[:4], 'little'))
        super().run_iter(idx, data_batch)
        self.bar.update(len(data_batch['data_samples']) * get_dist_info()[1])


class SetPredictions(SampleMetric):
    """Writes the predictions on one set to its file, and returns the ``accuracy`` in %.

    Args:
        dataset: The set.
        folder: Folder of the suite's results.
        name: Name of the set.

    Raises:
        ValueError: The model has another number of classes than the set, or its scores are not
            finite.
    """

    def __init__(self, dataset: CorruptedDataset, folder: Path, name: SetName) -> None:
        super().__init__()
        self.dataset, self.folder, self.name = dataset, folder, name

    def record(self, sample: Mapping[str, Any]) -> np.ndarray:
        return self.field(sample, 'pred_score').float().cpu().numpy()

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        scores, file = np.stack(results), self.dataset.file_name
        classes = len(self.dataset.metainfo['classes'])
        if scores.shape[1] != classes:
            raise ValueError(f'the model has {scores.shape[1]} classes, {file} has {classes}')
        bad = np.flatnonzero(~np.isfinite(scores).all(axis=1))
        if len(bad):
            raise ValueError(
                f'{file}: the scores of cloud {bad[0]} hold NaN or infinity: check the model and '
                'its weights'
            )
        points, rows = self.dataset.records.points, np.arange(len(scores))
        gt, pred = self.dataset.labels(), scores.argmax(axis=1)
        known = gt, pred, scores[rows, pred], scores[rows, gt]
        clean_file = set_file(self.folder, (CLEAN, 0))
        clean = None
        if self.name[0] != CLEAN and clean_file.is_file():
            clean = SetResult.read(clean_file).correct
        worst = worst_mistakes(*known, clean, _CLOUDS_PER_SET)
        clouds = [np.asarray(points[i], np.float32) for i in worst]
        result = SetResult(*known, np.array([len(p) for p in points]), worst, clouds)
        result.write(set_file(self.folder, self.name))
        return dict(accuracy=100 * float(result.correct.mean()))


@contextmanager
def _brief_console(logger: logging.Logger) -> Iterator[None]:
    """Keep the console for the bar: the lines of every few batches go to the log file only."""
    consoles = [h for h in logger.handlers if type(h) is logging.StreamHandler]
    levels = [handler.level for handler in consoles]
    for handler in consoles:
        handler.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for handler, level in zip(consoles, levels):
            handler.setLevel(level)
