"""What ``test`` does with a corruption suite."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def add_suite_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--corruptions``, ``--corruptions-root``, ``--renormalize`` and ``--report``."""
    group = parser.add_argument_group(
        'corruption suites',
        'a single pass over all sets with whole clouds; stopped, the same '
        'command goes on after the last finished set',
    )
    group.add_argument(
        '--corruptions',
        metavar='SUITE',
        help='evaluate on modelnet40-c or modelnet-c instead of the test split; a config '
        'with corruptions = dict(...) does not need it',
    )
    group.add_argument(
        '--corruptions-root',
        metavar='DIR',
        help="directory of the suite's files; default: data/modelnet40_c or data/modelnet_c",
    )
    group.add_argument(
        '--renormalize',
        choices=['none', 'sphere', 'box+sphere'],
        help='normalise each corrupted cloud; default: none, the official protocol',
    )
    group.add_argument(
        '--report', metavar='DIR', help='write report.html, .json, .md and .tex there'
    )


def wants_suite(args: argparse.Namespace, cfg: Any) -> bool:
    """Whether the options or the config name a suite."""
    return bool(args.corruptions or cfg.get('corruptions'))


def check_options(args: argparse.Namespace, cfg: Any) -> None:
    """Refuse options that contradict each other.

    Raises:
        ConfigError: Votes or ``--out`` with a suite, or a suite's options without one.
    """
    from pcdet_kd.engine.config_check import ConfigError

    problems = []
    if wants_suite(args, cfg):
        if args.votes or args.tta:
            problems.append(
                '--votes and --tta: both suites are evaluated in a single pass, without votes'
            )
        if args.out:
            problems.append(
                '--out: the predictions on a suite are in the folder that is printed at the end'
            )
    else:
        problems += [
            f'--{name.replace("_", "-")}: there is no suite; add --corruptions SUITE'
            for name in ('corruptions_root', 'renormalize', 'report')
            if getattr(args, name)
        ]
    if problems:
        raise ConfigError('command line', problems)


def evaluate(args: argparse.Namespace, cfg: Any, runner: Any, model: Any) -> Path:
    """Evaluate the runner's model on the suite and return the folder of the results."""
    from pcdet_kd.datasets.suites import SUITES
    from pcdet_kd.engine.config_check import ConfigError
    from pcdet_kd.registry import did_you_mean
    from pcdet_kd.robustness import SuiteData, evaluate_suite
    from pcdet_kd.robustness.suite_data import suite_metainfo, suite_pipeline
    from pcdet_kd.utils.files import file_sha256
    from pcdet_kd.utils.hashing import weights_sha256

    given = dict(cfg.get('corruptions') or {})
    suite = args.corruptions or given.get('suite')
    if suite not in SUITES:
        raise ConfigError(
            args.config,
            [f"corruptions.suite: '{suite}' is not a suite.{did_you_mean(str(suite), SUITES)}"],
        )
    root = (
        args.corruptions_root
        or (given.get('data_root') if suite == given.get('suite') else None)
        or SUITES[suite].root
    )
    dataset = cfg.test_dataloader.dataset
    if 'pipeline' not in dataset:
        raise ConfigError(
            args.config,
            [
                'test_dataloader.dataset.pipeline: a corruption suite takes its transforms from '
                'there'
            ],
        )
    pipeline, left_out = suite_pipeline(dataset.pipeline)
    data = SuiteData(
        suite,
        root,
        args.renormalize or given.get('renormalize', 'none'),
        pipeline,
        suite_metainfo(dataset, suite),
    )
    local = Path(args.checkpoint).expanduser()
    run = dict(
        name=Path(args.config).stem,
        config=short_path(args.config),
        checkpoint=short_path(args.checkpoint),
        sha256=file_sha256(local) if local.is_file() else weights_sha256(model.state_dict()),
        model=repr(cfg.model),
    )
    seed = (cfg.get('randomness') or {}).get('seed') or 0
    return evaluate_suite(
        runner,
        data,
        args.work_dir or cfg.work_dir,
        run,
        cfg.test_dataloader.get('batch_size', 32),
        args.amp,
        seed,
        left_out,
    )


def short_path(path: str) -> str:
    """Return a relative path as it is, and the last two parts of an absolute one: reports go to
    other people.
    """
    return path if not Path(path).is_absolute() else '/'.join(Path(path).parts[-2:])


def make_report(models: Mapping[str, list[Path]], out: Path | None) -> dict[str, Any]:
    """Read results, write the report's files to ``out``, and return the report."""
    from pcdet_kd.robustness import SuiteResult, robustness_report, write_report

    report = robustness_report(
        {name: [SuiteResult.read(folder) for folder in folders] for name, folders in models.items()}
    )
    if out is not None:
        write_report(report, out)
    return report


def show(report: Mapping[str, Any]) -> None:
    """Print a report's tables."""
    from pcdet_kd.robustness import report_tables

    for title, table in report_tables(report):
        print(f'\n{title}\n{table}')
    for note in report['notes']:
        print(f'\nnote: {note}')
    print(f'\nfiles: {report["provenance"]}')
