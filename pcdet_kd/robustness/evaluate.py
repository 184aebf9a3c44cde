"""One model on a whole corruption suite: loaded once, single pass, whole clouds, every sample once,
resumable.
"""

import hashlib
import json
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mmengine
import numpy as np
import torch
from mmengine.dist import all_gather_object, broadcast_object_list, get_dist_info, is_main_process
from mmengine.logging import print_log
from mmengine.runner.amp import autocast
from torch import nn
from tqdm import tqdm

from pcdet_kd import __version__
from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.datasets.corrupted import CorruptedDataset
from pcdet_kd.datasets.suites import CLEAN, SUITES, SetName
from pcdet_kd.robustness.results import (
    SetResult,
    read_info,
    set_file,
    worst_mistakes,
    write_info,
)
from pcdet_kd.robustness.suite_data import SuiteContent, SuiteData, read_suite
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import remove_stale_temporaries

NORMALIZATION = {
    'none': 'none: the clouds as they are in the files',
    'sphere': 'each cloud centred at its mean and scaled to the unit sphere (not the official '
    'protocol)',
    'box+sphere': 'each cloud to the box [-1, 1], then to the unit sphere (not the official '
    'protocol)',
}
_PICTURES_PER_SET = 3


def evaluate_suite(
    model: nn.Module,
    data: SuiteData,
    work_dir: str | Path,
    run: Mapping[str, Any],
    batch_size: int = 32,
    amp: bool = False,
    seed: int = 0,
    left_out: Iterable[str] = (),
) -> Path:
    """Evaluate a model on all sets of a suite, or on those that an interrupted evaluation left.

    The folder of the results is named after what decides about them (weights, model, data,
    normalisation, transforms, precision, seed), so that another checkpoint gets another folder and
    never half of this one's results.

    On a CPU, batches are evaluated in as many threads as torch has, each of them with one of
    torch's: threads inside the operations wait for each other. A model that draws random numbers in
    a test gets one batch at a time instead.

    Args:
        model: With weights, on its device.
        data: The suite.
        work_dir: Where the folder of the results is made.
        run: What the report should say about the model: ``name``, ``config``, ``checkpoint``,
            ``sha256``, ``model``.
        batch_size: Clouds per batch; all clouds of a batch have the same number of points.
        amp: Mixed precision (bfloat16 on a CPU).
        seed: For models that draw random numbers in a test; each set starts from it.
        left_out: Transforms of the config that were left out, for the report.

    Returns:
        The folder, see :class:`SuiteResult`.

    Raises:
        DataError: A file of the suite is missing or damaged, or the folder holds something else.
        ValueError: The model has another number of classes, or its scores are not finite.
    """
    content = _read_on_main(data)
    key = dict(
        sha256=run['sha256'],
        model=run['model'],
        suite=data.suite,
        renormalize=data.renormalize,
        amp=amp,
        seed=seed,
        pipeline=[dict(t) for t in data.pipeline],
        sets=[[*name, mark] for name, mark in content.sets.items()],
    )
    digest = hashlib.sha256(json.dumps(key, sort_keys=True, default=str).encode()).hexdigest()
    folder = Path(work_dir) / data.suite / f'{Path(run["checkpoint"]).stem}-{digest[:8]}'
    pending = _begin(
        folder, _info(model, data, content, run, digest, batch_size, amp, seed, list(left_out))
    )
    if not pending:
        print_log(
            f'{SUITES[data.suite].title}: all {len(content.sets)} sets were evaluated before, in {folder}',  # noqa: E501
            logger='current',
        )
        return folder
    done = len(content.sets) - len(pending)
    state = (
        f'goes on after {done} of {len(content.sets)} sets, in'
        if done
        else f'{len(content.sets)} sets, to'
    )
    print_log(f'{SUITES[data.suite].title}: {state} {folder}', logger='current')
    model.eval()
    with (
        Predictor(model, batch_size, amp) as predictor,
        tqdm(
            total=len(pending) * content.clouds,
            unit=' clouds',
            disable=not is_main_process(),
            smoothing=0.05,
            mininterval=_seconds_between_lines(),
        ) as bar,
    ):
        for name in pending:
            bar.set_description(f'{name[0]} {name[1]}' if name[0] != CLEAN else CLEAN)
            dataset = data.build(name)
            _seed(seed, name)
            scores = predictor.scores(dataset, bar.update)
            if is_main_process():
                result = _result(dataset, scores, folder, name)
                result.write(set_file(folder, name))
                bar.set_postfix_str(f'OA {100 * result.correct.mean():.1f} %')
    return folder


class Predictor:
    """A model's class probabilities for all clouds of a data set, in batches of equal size; a
    context manager.

    Args:
        model: In eval mode, on its device.
        batch_size: Clouds per batch.
        amp: Mixed precision.
    """

    def __init__(self, model: nn.Module, batch_size: int, amp: bool = False) -> None:
        self.model, self.batch_size, self.amp = model, batch_size, amp
        self.parameter = next(iter(model.parameters()))
        self.on_cpu = self.parameter.device.type == 'cpu'
        self.pool: ThreadPoolExecutor | None = None
        self.threads = 1

    def __enter__(self) -> 'Predictor':
        return self

    def __exit__(self, *error: object) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def scores(
        self, dataset: CorruptedDataset, progress: Callable[[int], Any] = lambda n: None
    ) -> np.ndarray:
        """Return the probabilities (n, K) float32 in the data set's order, on every process.

        Args:
            dataset: With packed samples; each process evaluates its share of them.
            progress: Called with the number of clouds after each batch, of all processes together.

        Raises:
            ValueError: Another number of classes than the data set's, or scores that are not
                finite.
        """
        rank, world = get_dist_info()
        sizes = np.array([len(cloud) for cloud in dataset.records.points])
        mine = np.arange(len(sizes))[rank::world]
        found: list[tuple[np.ndarray, np.ndarray]] = []
        with _one_seed(dataset):
            if self.pool is None:
                self._start(dataset, mine)
            waiting: deque = deque()
            for chosen in batches_of_equal_size(mine, sizes, self.batch_size):
                waiting.append(
                    (chosen, self.pool.submit(self._predict, self._batch(dataset, chosen)))
                )
                if len(waiting) > 2 * self.threads:
                    found.append(self._next(waiting, progress, world))
            while waiting:
                found.append(self._next(waiting, progress, world))
        return self._merge(found, len(sizes), dataset)

    def _start(self, dataset: CorruptedDataset, chosen: np.ndarray) -> None:
        threads = torch.get_num_threads()
        if self.on_cpu and threads > 1:
            before = torch.get_rng_state()
            self._predict(self._batch(dataset, chosen[:2]))
            self.threads = threads if torch.equal(torch.get_rng_state(), before) else 1
            torch.set_rng_state(before)
        self.pool = ThreadPoolExecutor(
            self.threads, 'evaluation', torch.set_num_threads, (threads // self.threads,)
        )

    @staticmethod
    def _batch(dataset: CorruptedDataset, chosen: np.ndarray) -> dict:
        return collate_points([dataset[int(i)] for i in chosen])

    @staticmethod
    def _next(
        waiting: deque, progress: Callable[[int], Any], world: int
    ) -> tuple[np.ndarray, np.ndarray]:
        chosen, future = waiting.popleft()
        scores = future.result()
        progress(len(chosen) * world)
        return chosen, scores

    def _predict(self, batch: dict) -> np.ndarray:
        # the current GPU is each thread's own, and GPU 0 in the pool's, whatever this process's is
        with (
            torch.cuda.device_of(self.parameter),
            torch.inference_mode(),
            autocast(enabled=self.amp),
        ):
            samples = self.model.test_step(batch)
            return torch.stack([sample.pred_score for sample in samples]).float().cpu().numpy()

    @staticmethod
    def _merge(
        found: list[tuple[np.ndarray, np.ndarray]], count: int, dataset: CorruptedDataset
    ) -> np.ndarray:
        parts = [part for share in all_gather_object(found) for part in share]
        index = np.concatenate([chosen for chosen, _ in parts])
        scores = np.concatenate([values for _, values in parts])
        times = np.bincount(index, minlength=count)
        if len(times) != count or not (times == 1).all() or len(scores) != len(index):
            raise ValueError(
                f'{dataset.file_name}: {len(index)} predictions for {count} clouds; every cloud '
                'must count once'
            )
        classes = dataset.metainfo['classes']
        if scores.shape[1] != len(classes):
            raise ValueError(
                f'the model has {scores.shape[1]} classes, {dataset.file_name} has {len(classes)}'
            )
        if not np.isfinite(scores).all():
            bad = int(index[np.flatnonzero(~np.isfinite(scores).all(axis=1))[0]])
            raise ValueError(
                f'{dataset.file_name}: the scores of cloud {bad} hold NaN or infinity: the model '
                'is broken, or its weights are'
            )
        ordered = np.empty_like(scores)
        ordered[index] = scores
        return ordered


def batches_of_equal_size(
    chosen: np.ndarray, sizes: np.ndarray, batch_size: int
) -> Iterator[np.ndarray]:
    """Yield indices in batches whose clouds all have the same number of points, small clouds first.

    Args:
        chosen: (m,) indices of clouds.
        sizes: (n,) points of every cloud.
        batch_size: Most clouds of a batch; only the last batch of each size has fewer.
    """
    for size in np.unique(sizes[chosen]):
        same = chosen[sizes[chosen] == size]
        for start in range(0, len(same), batch_size):
            yield same[start : start + batch_size]


@contextmanager
def _one_seed(dataset: CorruptedDataset) -> Iterator[None]:
    """Transforms seed NumPy's generator for each sample: leave it as it was."""
    state = np.random.get_state()
    dataset.set_epoch(0, 0)
    try:
        yield
    finally:
        np.random.set_state(state)


def _seconds_between_lines() -> float:
    """A bar in a terminal moves; in a log file every move is a line."""
    return 0.2 if sys.stderr.isatty() else 30.0


def _seed(seed: int, name: SetName) -> None:
    entropy = hashlib.sha256(f'{seed} {get_dist_info()[0]} {name}'.encode()).digest()
    torch.manual_seed(int.from_bytes(entropy[:4], 'little'))


def _read_on_main(data: SuiteData) -> SuiteContent:
    found: list[Any] = [None]
    if is_main_process():
        try:
            with tqdm(
                desc=f'reading {SUITES[data.suite].title}',
                unit=' sets',
                leave=False,
                mininterval=_seconds_between_lines(),
            ) as bar:
                found = [read_suite(data, bar.update)]
        except DataError as error:  # the others must not wait for a process that is gone
            found = [error]
    broadcast_object_list(found)
    if isinstance(found[0], DataError):
        raise found[0]
    return found[0]


def _begin(folder: Path, info: dict[str, Any]) -> list[SetName]:
    """Make or check the folder; return the sets that are to be evaluated, in order."""
    found: list[Any] = [None]
    if is_main_process():
        try:
            if (folder / 'run.json').exists():
                if read_info(folder)['key'] != info['key']:
                    raise DataError(
                        folder,
                        'results of another evaluation',
                        f'those with the key {info["key"]}',
                        'move the folder away, or choose another --work-dir',
                    )
            else:
                write_info(folder, info)
            remove_stale_temporaries(folder / 'sets')
            found = [[name for name in info['sets'] if not set_file(folder, name).is_file()]]
        except DataError as error:
            found = [error]
    broadcast_object_list(found)
    if isinstance(found[0], DataError):
        raise found[0]
    return found[0]


def _result(
    dataset: CorruptedDataset, scores: np.ndarray, folder: Path, name: SetName
) -> SetResult:
    gt, pred = dataset.labels(), scores.argmax(axis=1)
    rows = np.arange(len(gt))
    clean_file = set_file(folder, (CLEAN, 0))
    clean = (
        SetResult.read(clean_file).correct if name[0] != CLEAN and clean_file.is_file() else None
    )
    worst = worst_mistakes(gt, pred, scores[rows, pred], scores[rows, gt], clean, _PICTURES_PER_SET)
    clouds = [np.asarray(dataset.records.points[i], np.float32) for i in worst]
    return SetResult(
        gt,
        pred,
        scores[rows, pred],
        scores[rows, gt],
        np.array([len(p) for p in dataset.records.points]),
        worst,
        clouds,
    )


def _info(
    model: nn.Module,
    data: SuiteData,
    content: SuiteContent,
    run: Mapping[str, Any],
    key: str,
    batch_size: int,
    amp: bool,
    seed: int,
    left_out: list[str],
) -> dict[str, Any]:
    """What goes to run.json."""
    device = next(iter(model.parameters())).device
    machine = torch.cuda.get_device_name(device) if device.type == 'cuda' else device.type.upper()
    precision = (
        ('float16' if device.type == 'cuda' else 'bfloat16') + ' autocast' if amp else 'float32'
    )
    kept = [t['type'] if isinstance(t['type'], str) else t['type'].__name__ for t in data.pipeline]
    protocol = {
        'clouds': f'{content.clouds:,} in each of {len(content.sets)} sets',
        'sampling': 'none: whole clouds',
        'normalisation': NORMALIZATION[data.renormalize],
        'votes': 'none: a single pass',
        'transforms': ', '.join(kept)
        + (f'; left out of the config: {", ".join(left_out)}' if left_out else ''),
        'seed': str(seed),
        'precision': f'{precision}, batches of {batch_size}',
        'computed on': machine,
        'software': f'pcdet_kd {__version__}, torch {torch.__version__}, mmengine '
        f'{mmengine.__version__}',
    }
    about = dict(
        run,
        parameters=sum(p.numel() for p in model.parameters()),
        started=time.strftime('%Y-%m-%d'),
    )
    return dict(
        format=1,
        key=key,
        suite=data.suite,
        renormalize=data.renormalize,
        classes=content.classes,
        up_axis=content.up_axis,
        provenance=content.provenance,
        generated=content.generated,
        notes=content.notes,
        protocol=protocol,
        run=about,
        sets=content.sets,
    )
