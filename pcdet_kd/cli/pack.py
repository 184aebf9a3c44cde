"""Put the clouds of a folder or of a data set into a store: a data set that is read from the disk
piece by piece.
"""

import argparse
import re
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from pcdet_kd.cli.guard import guarded


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r'(\d+)/(\d+)', text)
    part = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part[0] <= part[1]:
        raise argparse.ArgumentTypeError(f"'{text}' is not I/N with I from 1 to N")
    return part


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    from pcdet_kd.cli.options import OptionAction, add_config_options, positive

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="Train on it with dataset=dict(type='PointStore', data_root=OUT). A second run "
        'keeps the shards that are finished. What cannot be used is left out and listed in '
        'OUT/left_out.tsv with the reason.',
    )
    parser.add_argument(
        'source',
        help='folder with clouds or meshes below it, config, whose training set is used, or the '
        "name of a data set: 'ModelNet40'",
    )
    parser.add_argument('--out', required=True, help='folder of the store')
    parser.add_argument(
        '--dtype',
        choices=('float32', 'float16', 'int16'),
        default='float32',
        help='int16 and float16 take half the space; int16 is off by at most 1/65534 of half the '
        "cloud's largest side, float16 by 1/4096 (%(default)s)",
    )
    parser.add_argument(
        '--min-points', type=positive, default=1, help='leave smaller clouds out (%(default)s)'
    )
    parser.add_argument(
        '--clouds-per-shard', type=positive, default=1024, help='clouds in a file (%(default)s)'
    )
    parser.add_argument(
        '--shard', type=_shard, default=(1, 1), metavar='I/N', help='this is machine I of N'
    )
    parser.add_argument('--workers', type=positive, help='processes (one per processor)')
    files = parser.add_argument_group('a folder')
    files.add_argument(
        '--up-axis', choices=('x', 'y', 'z'), help='axis that points up in the files; required'
    )
    files.add_argument(
        '--pattern', default='**/*', help='which files, such as */*/models/model_normalized.obj'
    )
    files.add_argument(
        '--classes', action='store_true', help='the first folder of a path is the class'
    )
    files.add_argument(
        '--mesh-points',
        type=positive,
        default=16384,
        help='points drawn from each mesh (%(default)s)',
    )
    files.add_argument(
        '--columns', nargs='+', help='columns of text and npy files, from x y z nx ny nz r g b'
    )
    data = parser.add_argument_group('a config or a data set')
    data.add_argument('--split', help="which split (the config's; for a name trainval)")
    data.add_argument(
        '--data-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='arguments of the data set: data_root=... variant=PB_T50_RS',
    )
    add_config_options(parser)
    args = parser.parse_args()
    if Path(args.source).is_dir() and args.up_axis is None:
        parser.error('--up-axis is required for a folder')
    from pcdet_kd.datasets.pack import pack
    from pcdet_kd.utils.processes import default_workers

    done = pack(
        source_of(args),
        args.out,
        command_of(sys.argv[1:]),
        args.dtype,
        args.clouds_per_shard,
        args.min_points,
        args.shard,
        args.workers or default_workers(),
    )
    print(
        f'{done.root}: {len(done.written)} shards written, {len(done.kept)} there already, '
        f'{len(done.left_out)} clouds left out'
    )
    for reason, count in Counter(re.sub(r'\d+', 'N', why) for _, why in done.left_out).most_common(
        5
    ):
        print(f'  {count} left out: {reason}')
    if done.missing:
        print(f'{len(done.missing)} shards are still missing: those of other machines (--shard)')
    else:
        print(f'The store is whole: {done.clouds:,} clouds')
    return 0


def source_of(args: argparse.Namespace) -> Any:
    """Return the clouds that the arguments name."""
    from pcdet_kd.datasets.cloud_sources import DatasetSource, folder_source

    if Path(args.source).is_dir():
        return folder_source(
            args.source, args.up_axis, args.pattern, args.classes, args.columns, args.mesh_points
        )
    from pcdet_kd.cli.corrupt import build

    is_config = args.source.endswith('.py') or Path(args.source).is_file()
    split = args.split or (None if is_config else 'trainval')
    return DatasetSource(
        build(args.source, split, args.data_options, args.cfg_options, 'train_dataloader')
    )


def command_of(arguments: list[str]) -> str:
    """Return the command without what differs between machines."""
    kept, skip = [], False
    for word in arguments:
        if not skip and not word.startswith(('--shard', '--workers')):
            kept.append(word)
        skip = word in ('--shard', '--workers')
    return shlex.join(['pcdet-kd', 'pack', *kept])
