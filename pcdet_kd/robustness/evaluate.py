"""One model on a whole corruption suite: loaded once, single pass, whole clouds, every sample once,
resumable.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import Runner

from pcdet_kd.datasets.suites import SUITES, SetName
from pcdet_kd.engine.distributed import on_main
from pcdet_kd.robustness.loop import SuiteLoop
from pcdet_kd.robustness.protocol import run_info
from pcdet_kd.robustness.results import read_info, set_file, write_info
from pcdet_kd.robustness.suite_data import SuiteContent, SuiteData, read_suite
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import remove_stale_temporaries
from pcdet_kd.utils.progress import progress_bar
from pcdet_kd.utils.student import unwrapped


def evaluate_suite(
    runner: Runner,
    data: SuiteData,
    work_dir: str | Path,
    run: Mapping[str, Any],
    batch_size: int = 32,
    amp: bool = False,
    seed: int = 0,
    left_out: Iterable[str] = (),
) -> Path:
    """Evaluate a runner's model on all sets of a suite, or on those that an interrupted evaluation
    did not reach.

    Each set goes through MMEngine's test loop. The name of the results' folder depends on all
    that affects them (weights, model, data, normalisation, transforms, precision, seed), so that
    results of different evaluations never mix.

    Args:
        runner: Holds the model with its weights; its test data set is not used.
        data: The suite.
        work_dir: Where the folder of the results is made.
        run: Facts about the model for the report: ``name``, ``config``, ``checkpoint``,
            ``sha256``, ``model``.
        batch_size: Clouds per batch.
        amp: Mixed precision (bfloat16 on a CPU).
        seed: For models that draw random numbers in a test; each set starts from it.
        left_out: Transforms of the config that were left out, for the report.

    Returns:
        The folder, see :class:`SuiteResult`.

    Raises:
        DataError: A file of the suite is missing or damaged, or the folder holds something else.
        ValueError: The model has another number of classes, or its scores are not finite.
    """
    title = SUITES[data.suite].title
    content = on_main(_read, data, title)
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
    model = unwrapped(runner.model)
    info = run_info(model, data, content, run, digest, batch_size, amp, seed, list(left_out))
    pending = on_main(_begin, folder, info)
    count, done = len(content.sets), len(content.sets) - len(pending)
    if not pending:
        print_log(f'{title}: all {count} sets were evaluated before, in {folder}', 'current')
        return folder
    state = f'resumes after {done} of {count} sets in' if done else f'{count} sets, results in'
    print_log(f'{title}: {state} {folder}', 'current')
    with progress_bar(total=len(pending) * content.clouds, unit=' clouds') as bar:
        runner._test_loop = SuiteLoop(runner, data, pending, folder, bar, batch_size, amp, seed)
        runner.test()
    return folder


def _read(data: SuiteData, title: str) -> SuiteContent:
    with progress_bar(desc=f'reading {title}', unit=' sets', leave=False) as bar:
        return read_suite(data, bar.update)


def _begin(folder: Path, info: dict[str, Any]) -> list[SetName]:
    """Make or check the folder; return the sets that are to be evaluated, in order."""
    if not (folder / 'run.json').exists():
        write_info(folder, info)
    elif read_info(folder)['key'] != info['key']:
        raise DataError(
            folder,
            'results of another evaluation',
            f'results with the key {info["key"]}',
            'move the folder away, or choose another --work-dir',
        )
    remove_stale_temporaries(folder / 'sets')
    return [name for name in info['sets'] if not set_file(folder, name).is_file()]
