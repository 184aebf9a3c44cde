"""Testing from Python: on a config's test split, plain or with votes, or on a corruption suite."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pcdet_kd.apis.models import model_config
from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.test import test_runner
from pcdet_kd.registry import did_you_mean
from pcdet_kd.robustness import SuiteData, evaluate_suite, make_report
from pcdet_kd.robustness.suite_data import suite_metainfo, suite_pipeline
from pcdet_kd.utils.files import file_sha256
from pcdet_kd.utils.hashing import weights_sha256
from pcdet_kd.utils.student import unwrapped


@dataclass
class TestResult:
    """What a test found.

    Attributes:
        metrics: On the config's test data; empty after a suite.
        work_dir: Where logs, confusion matrix and predictions are.
        suite: Folder of the predictions on a suite.
        report: What the robustness report says, see :func:`pcdet_kd.robustness.make_report`.
        split: Of the config's test data: ``'val'`` where there are no others.
    """

    __test__ = False  # not a test of pytest's
    metrics: dict[str, float]
    work_dir: Path
    suite: Path | None = None
    report: dict[str, Any] = field(default_factory=dict)
    split: str = 'test'


def test(
    config: str | os.PathLike,
    checkpoint: str | os.PathLike,
    options: dict[str, Any] | None = None,
    *,
    corruptions: str | None = None,
    corruptions_root: str | os.PathLike | None = None,
    renormalize: str | None = None,
    report: str | os.PathLike | None = None,
    **settings: Any,
) -> TestResult:
    """Test a checkpoint on its config's test split, or, in a single pass without votes, on a suite
    of corruptions.

    Args:
        config: A config's file, a model's name, or ``pcdet_kd::`` and the path of a shipped config.
        checkpoint: A run's checkpoint, or an exported student.
        options: As ``--cfg-options``.
        corruptions: ``'modelnet40-c'`` or ``'modelnet-c'``; by default what the config's
            ``corruptions`` says, which is usually nothing.
        corruptions_root: Directory of the suite's files.
        renormalize: See :class:`~pcdet_kd.datasets.corrupted.CorruptedDataset`.
        report: Directory that gets the robustness report.
        **settings: The other arguments of :func:`pcdet_kd.engine.test.test_runner`.

    Raises:
        UserError: What a person can put right: options that contradict each other, the config, the
            checkpoint, the data.
    """
    path = model_config(config)
    cfg = load_config(path, options)
    given = dict(cfg.get('corruptions') or {})
    suite = corruptions or given.get('suite')
    asked = dict(corruptions_root=corruptions_root, renormalize=renormalize, report=report)
    _check_options(suite, asked, settings)
    if suite is None:
        runner = test_runner(path, checkpoint, options, **settings)
        metrics = {name: float(value) for name, value in runner.test().items()}
        split = cfg.test_dataloader.dataset.get('split', 'test')
        return TestResult(metrics, Path(runner.work_dir), split=split)
    if suite not in SUITES:
        hint = did_you_mean(str(suite), SUITES)
        raise ConfigError(path, [f"corruptions.suite: '{suite}' is not a suite.{hint}"])
    if 'pipeline' not in cfg.test_dataloader.dataset:
        missing = 'test_dataloader.dataset.pipeline: a suite takes its transforms from there'
        raise ConfigError(path, [missing])
    if suite != given.get('suite'):
        given.pop('data_root', None)
    pipeline, left_out = suite_pipeline(cfg.test_dataloader.dataset.pipeline)
    data = SuiteData(
        suite,
        str(corruptions_root or given.get('data_root') or SUITES[suite].root),
        renormalize or given.get('renormalize', 'none'),
        pipeline,
        suite_metainfo(cfg.test_dataloader.dataset, suite),
    )
    runner = test_runner(path, checkpoint, options, **settings)
    local = Path(checkpoint).expanduser()
    run = dict(
        name=path.stem,
        config=short_path(path),
        checkpoint=short_path(checkpoint),
        sha256=file_sha256(local)
        if local.is_file()
        else weights_sha256(unwrapped(runner.model).state_dict()),
        model=repr(runner.cfg.model),
    )
    folder = evaluate_suite(
        runner,
        data,
        runner.work_dir,
        run,
        cfg.test_dataloader.get('batch_size', 32),
        settings.get('amp', False),
        runner.seed or 0,
        left_out,
    )
    made = make_report({path.stem: [folder]}, report)
    return TestResult({}, Path(runner.work_dir), folder, made)


def _check_options(suite: Any, asked: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse votes or predictions with a suite, and a suite's options without one."""
    problems = []
    if suite is None:
        known = ' or '.join(SUITES)
        problems = [
            f'--{name.replace("_", "-")}: needs a suite: add --corruptions {known}'
            for name, value in asked.items()
            if value
        ]
    if suite is not None and (settings.get('votes') or settings.get('tta')):
        problems.append('--votes and --tta: suites are evaluated in a single pass, without votes')
    if suite is not None and settings.get('out'):
        problems.append('--out: the predictions on a suite are in the folder printed at the end')
    if problems:
        raise ConfigError('command line', problems)


def short_path(path: str | os.PathLike) -> str:
    """Return a relative path as it is, and the last two parts of an absolute one: reports go to
    other people.
    """
    path = Path(path)
    return str(path) if not path.is_absolute() else '/'.join(path.parts[-2:])
