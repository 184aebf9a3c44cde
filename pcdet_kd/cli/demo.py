"""Show what distillation is for, on generated scans, in a few minutes: an image teacher, a student
with few labels alone, and the same student taught on clouds without labels.
"""

import argparse
import time
from typing import Any

from pcdet_kd.cli.guard import guarded

CONFIG = 'configs/few_labels/jgekd_syntheticscans.py'


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    from pathlib import Path

    from pcdet_kd.cli.options import add_config_options, add_stages

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--work-dir', default='work_dirs/demo', help='where to train')
    parser.add_argument('--seed', type=int, help='seed of the student')
    add_stages(parser)
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
        extend=args.extend,
        with_baseline=True,
        say=lambda text: print(text, flush=True),
    )
    report(result)
    print('\n' + what_each_saw(*result.stages))
    print(
        f'\nThe demo took {time.time() - start:.0f} s. These are small runs on generated data: '
        'they show what a teacher can give where labels are few, not what a method can reach.'
    )


def what_each_saw(teacher: Any, alone: Any, distilled: Any) -> str:
    """Return lines that say which clouds, labels and points the teacher and the students had."""
    from pcdet_kd.registry import DATASETS

    data = {s.name: DATASETS.build(s.cfg.train_dataloader.dataset) for s in (teacher, distilled)}
    seen, known = (int(data[s.name].labelled().sum()) for s in (teacher, distilled))
    views = teacher.cfg.model.data_preprocessor.views
    points = teacher.cfg.num_points, distilled.cfg.student_points
    return (
        'What each saw in training:\n'
        f'  teacher: {seen} clouds with labels, as {views.num_views} depth images drawn from '
        f'{points[0]} points\n'
        f'  student alone: {known} clouds with labels, {points[1]} points of each\n'
        f'  distilled: the same, and {len(data[distilled.name]) - known} more clouds without '
        "labels; the teacher's outputs for all"
    )
