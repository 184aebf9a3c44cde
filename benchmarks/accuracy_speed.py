"""Accuracy of trained models beside their speed, all measured in one process.

The accuracy is that of the last epoch on the test split, from the runs' records. Models take turns:
``--rounds`` times each forward pass for ``--seconds``, and the median counts. Example::

    python benchmarks/accuracy_speed.py --out front.png --batch-size 32 \\
        "teacher=configs/baseline/pointnet2_small_modelnet40.py:1024:RUN,RUN,RUN" \\
        "student=configs/baseline/pointnet_small_modelnet40.py:128:RUN,RUN,RUN"
"""

import argparse
import math
import os
import statistics
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')

import torch

from pcdet_kd.apis import init_model
from pcdet_kd.apis.complexity import measure_speed, random_inputs
from pcdet_kd.engine.stage_record import StageRecord
from pcdet_kd.visualization import comparison_table
from pcdet_kd.visualization.front import draw_front


def main() -> None:
    """Measure and print a table; draw the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('models', nargs='+', metavar='NAME=CONFIG:POINTS:RUN,RUN')
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument('--seconds', type=float, default=2.0, help='per round and model')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--out', help='picture to write')
    args = parser.parse_args()
    found = {}
    for text in args.models:
        name, rest = text.split('=', 1)
        config, points, runs = rest.rsplit(':', 2)
        model = init_model(config)
        inputs = random_inputs(model, args.batch_size, int(points), 224, 6, 'cpu')
        records = [StageRecord.read(Path(run)) for run in runs.split(',')]
        scores = [record.results['last']['accuracy'] for record in records]
        found[name] = (model, inputs, int(points), scores, [])
    for _ in range(args.rounds):
        for model, inputs, _, _, speeds in found.values():
            speeds.append(measure_speed(model, inputs, args.seconds).forward)
    rows, drawn = [], {}
    for name, (model, _, points, scores, speeds) in found.items():
        speed = statistics.median(speeds)
        deviation = statistics.stdev(scores) if len(scores) > 1 else math.nan
        drawn[name] = (speed, statistics.mean(scores), deviation)
        rows.append(
            {
                'model': name,
                'parameters': f'{sum(p.numel() for p in model.parameters()):,}',
                'points': points,
                'clouds/s': round(speed),
                'OA': f'{drawn[name][1]:.1f}' + (f' ± {deviation:.1f}' if len(scores) > 1 else ''),
                'runs': len(scores),
            }
        )
    print(f'batches of {args.batch_size}, {torch.get_num_threads()} threads, forward, float32\n')
    print(comparison_table(rows, decimals=1))
    if args.out:
        note = f'{torch.get_num_threads()} thread, batches of {args.batch_size}'
        print(draw_front(drawn, args.out, f'clouds per second ({note})', 'OA, %, last epoch'))


if __name__ == '__main__':
    main()
