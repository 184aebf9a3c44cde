"""Train and test a table of configs with several seeds, and write it beside published numbers."""

import argparse
from pathlib import Path
from typing import Any

from pcdet_kd.cli.guard import guarded


def seed_list(text: str) -> list[int]:
    """Return ``3`` as seeds 0, 1 and 2, and ``4,7`` as seeds 4 and 7: a type for
    ``add_argument``.
    """
    parts = text.split(',')
    if not all(part.isdecimal() for part in parts if part) or not any(parts):
        raise argparse.ArgumentTypeError(f"'{text}' is no number and no list of seeds")
    if len(parts) > 1:
        return [int(part) for part in parts if part]
    if int(text) == 0:
        raise argparse.ArgumentTypeError('at least one seed is needed')
    return list(range(int(text)))


def part_of(text: str) -> tuple[int, int]:
    """Return ``i/n`` as two numbers: a type for ``add_argument``."""
    first, sign, second = text.partition('/')
    if not (sign and first.isdecimal() and second.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N, such as 1/4")
    return int(first), int(second)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import add_config_options, add_stage_options

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='If it was stopped, give the same command again: it goes on. Runs that several rows '
        'or tables need are trained once.',
    )
    parser.add_argument(
        'config', help='a table (configs/tables/), or any config, which is a table of one row'
    )
    parser.add_argument(
        '--seeds',
        type=seed_list,
        default=[0],
        metavar='N',
        help='number of seeds, or a list such as 3,4,5 (default: one, 0)',
    )
    parser.add_argument(
        '--teacher-seeds',
        action='store_true',
        help='the stages that a config requires get its seed too, instead of their own',
    )
    parser.add_argument('--only', nargs='+', default=[], metavar='ROW', help='labels of rows')
    parser.add_argument(
        '--with-baseline',
        action='store_true',
        help="of a plain config: also train the distiller's student alone, as a row of its own",
    )
    parser.add_argument(
        '--votes', type=int, default=0, metavar='N', help='also test with so many votes'
    )
    parser.add_argument(
        '--corruptions-root', metavar='DIR', help='files of a suite, for rows that name a suite'
    )
    parser.add_argument(
        '--shard',
        type=part_of,
        default=(1, 1),
        metavar='I/N',
        help='run the I-th of N parts, for arrays of jobs: --shard $SLURM_ARRAY_TASK_ID/8',
    )
    parser.add_argument('--dry-run', action='store_true', help='show what would be trained')
    parser.add_argument(
        '--work-dir', default='work_dirs/tables', help='where to train (default: %(default)s)'
    )
    add_stage_options(parser)
    add_config_options(parser)
    args = parser.parse_args()
    if args.votes == 1 or args.votes < 0:
        parser.error('--votes: at least 2; one vote is the plain test')
    return args


@guarded
def main() -> int:
    """Run the command and return its exit code: 1 if a run failed."""
    args = parse_args()
    from pcdet_kd.apis.tables import run_table, write_table

    result = run_table(
        args.config,
        args.seeds,
        only=args.only,
        shard=args.shard,
        work_dir=args.work_dir,
        with_baseline=args.with_baseline,
        dry_run=args.dry_run,
        options=args.cfg_options,
        stage_options=args.stage_options,
        teacher_seeds=args.teacher_seeds,
        votes=args.votes,
        suite_root=args.corruptions_root,
        say=lambda text: print(text, flush=True),
    )
    if args.dry_run:
        print(f'nothing was trained: this was a dry run of {len(result.units)} runs')
        _say_failed(result)
        return int(bool(result.failed))
    files = write_table(result, Path(args.work_dir) / result.spec.name)
    print(f'\n{files[0].read_text(encoding="utf-8")}\nwritten:', *files)
    _say_failed(result)
    return int(bool(result.failed))


def _say_failed(result: Any) -> None:
    for run, text in result.failed.items():
        print(f'failed: {run}: {text}')
