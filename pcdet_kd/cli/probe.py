"""Probe a backbone: a linear SVM and 5 nearest neighbours on its frozen features."""

import argparse
from pathlib import Path

from pcdet_kd.cli.guard import guarded


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import add_config_options, add_probe_options

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The methods are fitted to the training split of the config and tested on its test '
        'split. Without a file of weights the backbone is random.',
    )
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument(
        '--load-backbone',
        metavar='FILE',
        help='checkpoint with the weights: of a pre-training (its EMA teacher is taken), of a '
        'distiller (its student) or of a classifier',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of random weights (default: %(default)s)'
    )
    parser.add_argument(
        '--out',
        metavar='FILE.json',
        help='where to write the result; default: probe.json in work_dirs/ and the path of the '
        'config below configs/',
    )
    add_probe_options(parser)
    add_config_options(parser)
    return parser.parse_args()


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    args = parse_args()
    import json

    from pcdet_kd.apis import model_config, probe
    from pcdet_kd.engine.stages import work_dir_of
    from pcdet_kd.utils.files import atomic_write
    from pcdet_kd.visualization import comparison_table

    result = probe(
        args.config,
        args.load_backbone,
        args.cfg_options,
        seed=args.seed,
        methods=args.methods,
        pool=args.pool,
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        device=args.device,
    )
    out = Path(args.out or work_dir_of(model_config(args.config)) / 'probe.json')
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(out) as file:
        file.write(json.dumps(result.as_dict(), indent=1).encode())
    names = dict(svm='linear SVM (C = 1)', knn='5 nearest neighbours')
    weights = result.weights or f'random (seed {result.seed})'
    rows = [
        {'backbone': weights, 'method': names[method], 'OA': value}
        for method, value in result.accuracy.items()
    ]
    feature = f'[{"; ".join(result.pool)}] ' if result.pool else ''
    print(
        f'\nTest split, in %, {result.test_samples:,} clouds; fitted to {result.train_samples:,}; '
        f'feature {feature}of {result.channels} numbers\n{comparison_table(rows)}\n\nwritten: {out}'
    )
