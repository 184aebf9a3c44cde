"""Draw samples of a config's data after each transform of its pipeline."""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import add_config_options, positive


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument(
        '--split',
        choices=['train', 'val', 'test'],
        default='train',
        help='whose data and pipeline (%(default)s)',
    )
    parser.add_argument(
        '--num', type=positive, default=8, help='samples, spread over the split (%(default)s)'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the transforms (%(default)s)')
    parser.add_argument(
        '--out',
        default='samples.html',
        metavar='FILE',
        help='page, or image with another ending such as .png (%(default)s)',
    )
    add_config_options(parser)
    args = parser.parse_args()

    from pcdet_kd.apis import browse_dataset
    from pcdet_kd.visualization.stages import write_stages

    samples = browse_dataset(args.config, args.split, args.num, args.seed, args.cfg_options)
    told = {'config': args.config, 'split': args.split, 'seed': args.seed, 'samples': len(samples)}
    title = f'Samples and transforms, {args.split} split'
    print(write_stages(samples, args.out, title, told))
    return 0
