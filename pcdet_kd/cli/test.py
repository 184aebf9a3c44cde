"""Evaluate a checkpoint on a config's test split, plain or with votes, or on a whole corruption
suite.
"""

import argparse
from pathlib import Path

from pcdet_kd.cli.guard import guarded


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import add_config_options, add_launcher, add_verify_data
    from pcdet_kd.cli.suite import add_suite_options

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument(
        'checkpoint',
        help="a run's checkpoint (last.pth, best.pth, epoch_N.pth) or an exported student",
    )
    parser.add_argument(
        '--work-dir',
        help='where logs, confusion matrix and predictions are written; default: test/ in the work '
        'directory of training',
    )
    parser.add_argument(
        '--votes',
        type=int,
        default=0,
        metavar='N',
        help='also average the scores of N copies of each cloud, the cloud itself and scaled ones; '
        'plain and voted results are both shown',
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help='vote as voting=dict(...) in the config says; default: 10 votes',
    )
    parser.add_argument('--out', metavar='FILE.json', help='write the prediction of every sample')
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on CPU)')
    parser.add_argument('--seed', type=int, help='random seed')
    add_verify_data(parser)
    add_suite_options(parser)
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args()
    if args.votes == 1 or args.votes < 0:
        parser.error(
            f'--votes is {args.votes}, must be at least 2 (one vote is the plain test; leave it '
            'out)'
        )
    return args


def report(metrics: dict[str, float], work_dir: Path, split: str) -> None:
    """Print plain and voted results."""
    from pcdet_kd.engine.summary import other_metrics, protocol_rows, split_title
    from pcdet_kd.visualization import comparison_table

    table = protocol_rows(metrics)
    if table:
        print(f'\n{split_title(split)}, in %:\n{comparison_table(table)}')
    for name, value in other_metrics(metrics).items():
        print(f'{name}: {value:.5g}')
    matrix = ', confusion matrix' if 'accuracy' in metrics else ''
    print(f'\nper-class table in the log{matrix} and log: {work_dir}')


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    args = parse_args()
    from mmengine.dist import is_main_process

    from pcdet_kd.apis import test
    from pcdet_kd.cli.suite import show

    result = test(
        args.config,
        args.checkpoint,
        args.cfg_options,
        corruptions=args.corruptions,
        corruptions_root=args.corruptions_root,
        renormalize=args.renormalize,
        report=args.report,
        work_dir=args.work_dir,
        votes=args.votes,
        tta=args.tta,
        out=args.out,
        amp=args.amp,
        seed=args.seed,
        verify_data=args.verify_data,
        launcher=args.launcher,
    )
    if not is_main_process():
        return
    if result.suite is None:
        report(result.metrics, result.work_dir, result.split)
        return
    show(result.report)
    print(f'predictions: {result.suite}')
    if args.report:
        print(f'report:      {args.report}/report.html')
    print(f'compare:     pcdet-kd robustness-report {result.suite} OTHER_FOLDER ... --out DIR')
