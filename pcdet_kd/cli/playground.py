"""Write a page to play with corruptions: pick cloud, corruption, severity, see what models say."""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import (
    add_cloud_options,
    add_config_options,
    add_device_options,
    end_with,
    positive,
)


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='All corruptions of the suite that need no mesh are applied at all severities; the '
        'page holds all answers.',
    )
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument('checkpoint', help="a run's checkpoint, or its student_last.pth")
    parser.add_argument(
        'inputs', nargs='+', help='point-cloud files or meshes, folders of them, or patterns'
    )
    parser.add_argument(
        '--teacher', nargs=2, metavar=('CONFIG', 'CHECKPOINT'), help='a second model, to compare'
    )
    parser.add_argument(
        '--suite',
        choices=['modelnet-c', 'modelnet40-c'],
        default='modelnet-c',
        help='(%(default)s)',
    )
    parser.add_argument(
        '--num-points', type=positive, default=1024, help='of the clean cloud (%(default)s)'
    )
    parser.add_argument('--seed', type=int, default=0, help='of the corruptions (%(default)s)')
    parser.add_argument(
        '--out', default='playground.html', metavar='FILE.html', help='(%(default)s)'
    )
    add_cloud_options(parser)
    add_device_options(parser)
    add_config_options(parser)
    args = parser.parse_args()
    if not args.out.endswith('.html'):
        parser.error(f"--out: '{args.out}' must end with .html")

    from pcdet_kd.apis import playground
    from pcdet_kd.utils.files import write_whole
    from pcdet_kd.visualization.playground import playground_page

    played, told, failed = playground(
        args.config,
        args.checkpoint,
        args.inputs,
        teacher=args.teacher,
        suite=args.suite,
        num_points=args.num_points,
        seed=args.seed,
        device=args.device,
        up_axis=args.up_axis,
        columns=args.columns,
        options=args.cfg_options,
    )
    if played:
        write_whole(args.out, playground_page(played, args.suite, told))
        print(args.out)
    return end_with(failed)
