"""Draw the features of a trained model in a plane, by t-SNE."""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import add_config_options, add_device_options, positive


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument('checkpoint', help="a run's checkpoint, or its student_last.pth")
    parser.add_argument(
        '--split', choices=['train', 'val', 'test'], default='test', help='(default: %(default)s)'
    )
    parser.add_argument(
        '--num', type=positive, default=1000, help='most clouds (default: %(default)s)'
    )
    parser.add_argument(
        '--perplexity',
        type=positive,
        default=30,
        help='about how many neighbours count (default: %(default)s)',
    )
    parser.add_argument('--seed', type=int, default=0, help='(default: %(default)s)')
    parser.add_argument('--out', default='tsne.png', metavar='FILE', help='image (%(default)s)')
    add_device_options(parser, batch_size=64)
    add_config_options(parser)
    args = parser.parse_args()

    from pcdet_kd.apis import tsne

    picture = tsne(
        args.config,
        args.checkpoint,
        args.out,
        split=args.split,
        num=args.num,
        perplexity=args.perplexity,
        seed=args.seed,
        batch_size=args.batch_size,
        device=args.device,
        options=args.cfg_options,
    )
    print(picture)
    return 0
