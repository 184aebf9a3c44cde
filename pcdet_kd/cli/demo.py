"""Run PointCMT end to end on embedded data in a few minutes: image teacher, point generator,
student alone, distilled student.
"""

import argparse
import time

CONFIG = 'configs/pointcmt/pointnet_syntheticscans.py'


def main() -> int:
    """Run the command and return its exit code."""
    from pathlib import Path

    from pcdet_kd.cli.options import OptionAction, add_config_options

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='where to train')
    parser.add_argument('--seed', type=int, help='seed of the student')
    parser.add_argument(
        '--retrain',
        nargs='+',
        default=[],
        metavar='STAGE',
        help="stages to train from scratch, or 'all'",
    )
    parser.add_argument(
        '--stage-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='STAGE.KEY=VALUE',
        help='change the config of a required stage',
    )
    add_config_options(parser)
    args = parser.parse_args()
    from pcdet_kd.cli import train
    from pcdet_kd.cli.guard import guarded

    @guarded
    def command() -> None:
        config = next(
            (str(p) for p in (Path(CONFIG), Path(__file__).parents[2] / CONFIG) if p.is_file()),
            None,
        )
        if config is None:
            raise FileNotFoundError(f'no {CONFIG}: run the demo in a checkout of the project')
        unused = dict(
            resume=None,
            amp=False,
            with_baseline=True,
            no_validate=False,
            auto_scale_lr=False,
            no_pin_memory=False,
            no_persistent_workers=False,
            dry_run=False,
            launcher='none',
            local_rank=0,
        )
        start = time.time()
        stages = train.train(argparse.Namespace(config=config, **unused, **vars(args)))
        train.report(stages, with_baseline=True)
        print(
            f'the demo took {time.time() - start:.0f} s. These are small runs on generated data: '
            'they show that everything works, not what PointCMT reaches.'
        )

    return command()
