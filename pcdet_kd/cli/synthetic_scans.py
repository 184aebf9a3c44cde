"""Write SyntheticScans as h5 files in ScanObjectNN's layout."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    variants = ('OBJ_ONLY', 'OBJ_BG', 'PB_T50_RS')
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--out', required=True, help='directory that gets main_split and main_split_nobg'
    )
    parser.add_argument(
        '--variant',
        nargs='+',
        choices=variants,
        default=variants,
        help='which files to write (all)',
    )
    parser.add_argument(
        '--num-train', type=int, default=2309, help='clouds in each training file (%(default)s)'
    )
    parser.add_argument(
        '--num-test', type=int, default=581, help='clouds in each test file (%(default)s)'
    )
    parser.add_argument(
        '--num-points', type=int, default=2048, help='points in each cloud (%(default)s)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='another seed is another data set (%(default)s)'
    )
    parser.add_argument('--workers', type=int, help='processes (one per processor)')
    parser.add_argument(
        '--cache-dir', help="where generated arrays are stored (the user's cache directory)"
    )
    args = parser.parse_args()
    from pcdet_kd.datasets.synthetic_scans import SyntheticScans

    for variant in args.variant:
        for split in ('trainval', 'test'):
            scans = SyntheticScans(
                variant,
                args.num_train,
                args.num_test,
                args.num_points,
                args.seed,
                args.cache_dir,
                args.workers,
                split=split,
            )
            print(f'{scans.write_h5(args.out)}: {len(scans)} clouds')
