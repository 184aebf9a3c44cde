#!/usr/bin/env python
"""Measure the random crops of AsymDSD against their plain form, in one process.

The plain form is written from the description of the algorithm: for each crop, the cloud is rotated
in double precision, stretched, and sorted as a whole by its distance from the centre. Both make two
crops of 1,024 and four of 256 points. Target: at most a quarter of the CPU time for clouds of
16,384 points, which AsymDSD crops.
"""

import argparse

import harness
import numpy as np
from inputs import surface

from pcdet_kd.datasets.transforms import MultiCrop

GLOBAL = dict(count=2, num_points=1024, fraction=(0.4, 1.0))
LOCAL = dict(count=4, num_points=256, fraction=(0.05, 0.4))
TARGET = 4


def plain_crop(points: np.ndarray, spec: dict) -> np.ndarray:
    """One crop in the plain form."""
    from scipy.spatial.transform import Rotation

    turned = Rotation.random(random_state=np.random.randint(2**31)).apply(points)
    count = max(int(np.random.uniform(*spec['fraction']) * len(points)), spec['num_points'])
    aspect = np.random.uniform(0.33, 3.0)
    stretch = np.random.permutation([1, 1 / np.sqrt(aspect), np.sqrt(aspect)])
    centre = turned[np.random.randint(len(points))]
    inside = np.argsort(np.abs(stretch * (turned - centre)).max(axis=1))[:count]
    if count > spec['num_points']:
        inside = np.random.choice(inside, spec['num_points'], replace=False)
    return points[inside]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--points', type=int, nargs='+', default=[16384, 8192, 2048])
    parser.add_argument('--clouds', type=int, default=20, help='clouds per call')
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    print(harness.environment(), end='\n\n')
    head = ['points', 'ours, CPU ms/cloud', 'plain form', 'CPU ratio', 'wall ratio', 'target']
    print(harness.table(head, []))
    crops = MultiCrop(GLOBAL, LOCAL)
    for n in args.points:
        clouds = surface(args.clouds, n, args.seed).numpy()

        def ours(clouds: np.ndarray = clouds) -> None:
            for cloud in clouds:
                crops(dict(points=cloud))

        def plain(clouds: np.ndarray = clouds) -> None:
            for cloud in clouds:
                for spec in (GLOBAL, LOCAL):
                    np.stack([plain_crop(cloud, spec) for _ in range(spec['count'])])

        np.random.seed(args.seed)
        times = harness.interleaved(dict(ours=ours, plain=plain), args.rounds)
        a, b = times['ours'], times['plain']
        cells = [
            f'{n:,}',
            harness.milliseconds(a.cpu / args.clouds),
            harness.milliseconds(b.cpu / args.clouds),
            harness.times_faster(b.cpu, a.cpu),
            harness.times_faster(b.wall, a.wall),
            f'>= {TARGET}' if n == 16384 else '',
        ]
        print('| ' + ' | '.join(cells) + ' |', flush=True)


if __name__ == '__main__':
    main()
