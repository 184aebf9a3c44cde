"""Cut ScanNet's scenes into the objects of ScanNetV2_cls, in the layout of PointCNN's code."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'scans', help='folder of scenes: scans/scene0000_00/scene0000_00_vh_clean_2.ply ...'
    )
    parser.add_argument(
        'labels', help='scannetv2-labels.combined.tsv, with a column ShapeNetCore55'
    )
    parser.add_argument('splits', help='folder of scannetv2_train.txt and scannetv2_val.txt')
    parser.add_argument('out', help='folder to write train_0.h5, test_0.h5 ... and their lists to')
    parser.add_argument(
        '--num-points', type=int, default=2048, help='points per object (default: 2048)'
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of the choice of points (default: 0)'
    )
    args = parser.parse_args()
    from pcdet_kd.datasets.scannet_objects import convert

    counts = convert(args.scans, args.labels, args.splits, args.out, args.num_points, args.seed)
    print(f'{args.out}: {counts["train"]} objects for training, {counts["test"]} for testing')
    print(
        "PointCNN's script gives 12,060 and 3,416 with ScanNet V2; another label map gives "
        'other numbers'
    )
