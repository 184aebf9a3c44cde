"""Run PointCMT end to end on generated data in a few minutes: image teacher, point generator,
student alone, distilled student.
"""

import argparse
import time

from pcdet_kd.cli.guard import guarded

CONFIG = 'configs/pointcmt/pointnet_syntheticscans.py'


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    from pathlib import Path

    from pcdet_kd.cli.options import add_config_options, add_stage_options

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='where to train')
    parser.add_argument('--seed', type=int, help='seed of the student')
    add_stage_options(parser)
    add_config_options(parser)
    args = parser.parse_args()
    from pcdet_kd.apis import train
    from pcdet_kd.cli.train import report

    start = time.time()
    result = train(
        CONFIG if Path(CONFIG).is_file() else CONFIG.replace('configs/', 'pcdet_kd::'),
        args.cfg_options,
        stage_options=args.stage_options,
        work_dir=args.work_dir,
        seed=args.seed,
        retrain=args.retrain,
        with_baseline=True,
        say=lambda text: print(text, flush=True),
    )
    report(result)
    print(
        f'the demo took {time.time() - start:.0f} s. These are small runs on generated data: '
        'they show that everything works, not what PointCMT reaches.'
    )
