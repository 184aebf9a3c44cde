"""Draw clouds coloured by how much each point speaks for the class that a model predicts."""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import (
    add_cloud_options,
    add_config_options,
    add_device_options,
    end_with,
)


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The saliency is that of Zheng et al., PointCloud Saliency Maps, ICCV 2019.',
    )
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument('checkpoint', help="a run's checkpoint, or its student_last.pth")
    parser.add_argument(
        'inputs', nargs='+', help='point-cloud files or meshes, folders of them, or patterns'
    )
    parser.add_argument(
        '--target', metavar='CLASS', help='class to ask for (default: the predicted one)'
    )
    parser.add_argument(
        '--drop',
        type=float,
        default=0.1,
        metavar='SHARE',
        help='of the points, left out to see what the model says then (%(default)s)',
    )
    parser.add_argument(
        '--out',
        default='saliency.html',
        metavar='FILE',
        help='page, or image with another ending such as .png (%(default)s)',
    )
    add_cloud_options(parser)
    add_device_options(parser, batch_size=8)
    add_config_options(parser)
    args = parser.parse_args()
    if not 0 < args.drop < 1:
        parser.error(f'--drop is {args.drop}, expected a share between 0 and 1')

    from pcdet_kd.apis import saliency_maps
    from pcdet_kd.visualization.saliency import write_saliency

    found = saliency_maps(
        args.config,
        args.checkpoint,
        args.inputs,
        target=args.target,
        drop=args.drop,
        batch_size=args.batch_size,
        device=args.device,
        up_axis=args.up_axis,
        columns=args.columns,
        options=args.cfg_options,
    )
    says = '; '.join(found.says) or 'as they are'
    told = {'config': args.config, 'checkpoint': args.checkpoint, 'clouds': says}
    if found.maps:
        print(write_saliency(found.maps, args.out, found.up_axis, found.failed, told))
    return end_with(found.failed)
