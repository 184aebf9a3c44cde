"""Draw test clouds coloured by their true parts and by those that a segmentor predicts."""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import add_config_options


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file of a part segmentor, or the name of a model')
    parser.add_argument('checkpoint', help="a run's checkpoint")
    parser.add_argument(
        '--samples',
        type=int,
        nargs='+',
        default=[0, 1, 2, 3],
        metavar='N',
        help='numbers of the test clouds (default: 0 1 2 3)',
    )
    parser.add_argument(
        '--out',
        default='parts.png',
        metavar='FILE',
        help='image, or a page with the ending .html (%(default)s)',
    )
    parser.add_argument('--device', default='cpu', help='where the model runs (%(default)s)')
    add_config_options(parser)
    args = parser.parse_args()

    from pcdet_kd.apis import draw_part_predictions

    print(
        draw_part_predictions(
            args.config, args.checkpoint, args.samples, args.out, args.cfg_options, args.device
        )
    )
    return 0
