"""Generate a set like ModelNet40-C (Sun et al.) or ModelNet-C (Ren et al.) from any point-cloud
data set.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    from pcdet_kd.cli.options import OptionAction, add_config_options

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='A second run keeps the files that are finished. generated.json marks the files as '
        'generated: scores on them cannot be compared with scores on the published files.',
    )
    parser.add_argument(
        'data', help="config, whose test set is used, or the name of a data set: 'ModelNet40'"
    )
    parser.add_argument(
        '--suite', required=True, help='which corruptions: modelnet40-c or modelnet-c'
    )
    parser.add_argument('--out', required=True, help='directory that gets the files')
    parser.add_argument(
        '--data-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='arguments of the data set: data_root=... variant=PB_T50_RS up_axis=z',
    )
    parser.add_argument('--split', help='which split (test)')
    parser.add_argument(
        '--corruptions', nargs='+', help='names (all; without --meshes, all that need none)'
    )
    parser.add_argument(
        '--severities',
        nargs='+',
        type=int,
        help='1 to 5 (modelnet40-c) or 0 to 4 (modelnet-c) (all)',
    )
    parser.add_argument(
        '--num-points',
        type=int,
        default=1024,
        help='how many points of each cloud are used (%(default)s)',
    )
    parser.add_argument(
        '--normalize',
        choices=('none', 'sphere'),
        default='none',
        help='sphere: scale each cloud to the unit sphere; none: the clouds are already in it '
        '(%(default)s)',
    )
    parser.add_argument(
        '--meshes',
        metavar='DIR',
        help="folder of the shapes' meshes, for occlusion and lidar; 'own': meshes of the data set "
        'itself',
    )
    parser.add_argument(
        '--mesh-up-axis',
        choices=('x', 'y', 'z'),
        default='z',
        help='axis of the meshes in DIR that points up (%(default)s)',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='another seed is another set (%(default)s)'
    )
    parser.add_argument('--workers', type=int, help='processes (one per processor)')
    add_config_options(parser)
    args = parser.parse_args()
    from pcdet_kd.robustness import generate, source_of
    from pcdet_kd.utils.errors import DataError, SampleError
    from pcdet_kd.utils.processes import default_workers

    dataset = build(args.data, args.split, args.data_options, args.cfg_options)
    try:
        source = source_of(dataset, args.normalize, args.meshes, args.mesh_up_axis)
        done = generate(
            args.suite,
            source,
            args.out,
            args.corruptions,
            args.severities,
            args.seed,
            args.num_points,
            default_workers() if args.workers is None else args.workers,
        )
    except (DataError, SampleError):
        raise
    except ValueError as error:  # a name or a number that the suite doesn't have
        print(f'error: {error}', file=sys.stderr)
        return 2
    print(f'{done.directory}: {len(done.written)} files written, {len(done.kept)} there already')
    if done.left_out:
        print(f'{", ".join(done.left_out)} left out: they are made from meshes (--meshes DIR)')
    return 0


def build(
    data: str,
    split: str | None,
    options: dict[str, Any],
    cfg_options: dict[str, Any],
    loader: str = 'test_dataloader',
) -> Any:
    """Build the data set of a loader of a config, or one by its name, without transforms.

    Args:
        data: The config, or the name.
        split: Another split than the config's; None for a name: ``'test'``.
        options: Arguments of the data set.
        cfg_options: Values of the config.
        loader: Which loader of the config.

    Raises:
        FileNotFoundError: No such config.
        ConfigError: No such data set, not a plain point-cloud data set, or a wrong argument.
    """
    from pcdet_kd.datasets import PointCloudDataset
    from pcdet_kd.engine.config_check import ConfigError
    from pcdet_kd.registry import DATASETS

    if data.endswith('.py') or Path(data).is_file():
        from pcdet_kd.apis.models import model_config
        from pcdet_kd.engine.config import load_config

        cfg = load_config(model_config(data), cfg_options)
        settings = {**cfg[loader].dataset.to_dict(), **options, 'pipeline': []}
        settings.update(dict(split=split) if split else {})
    else:
        settings = dict(options, type=data, split=split or 'test')
    try:
        dataset = DATASETS.build(settings)
    except (KeyError, TypeError) as error:
        raise ConfigError(data, [str(error.args[0])]) from error
    if not isinstance(dataset, PointCloudDataset):
        raise ConfigError(
            data, [f"{loader}.dataset: '{settings['type']}' is not a PointCloudDataset"]
        )
    return dataset
