"""Draws the pictures of docs/en/transforms.md: what the transforms make of generated scans::

python docs/draw_transforms.py
"""

from itertools import combinations, product
from pathlib import Path

import numpy as np
import torch
from matplotlib import colormaps
from PIL import Image

from pcdet_kd.datasets.synthetic import make_sample, object_mesh
from pcdet_kd.registry import BATCH_AUGMENTS, TRANSFORMS
from pcdet_kd.views import MeshRenderer
from pcdet_kd.visualization import draw_point_clouds
from pcdet_kd.visualization.canvas import GREY, new_figure, save
from pcdet_kd.visualization.contact_sheet import draw_contact_sheet
from pcdet_kd.visualization.point_clouds import CELL, add_cloud, orthographic
from pcdet_kd.visualization.view_strip import pixels

FOLDER = Path(__file__).parent / 'en/images/transforms'
CHAIR, OTHER = 4, 9  # samples of the generator
SEED, MIX_SEED, CROP_SEED = 10, 24, 3  # draws that are easy to see
COLORS = 28  # of a picture: a third of the size

# The unit sphere and the box of side 1, as lines (n, 2) in the picture's plane.
ANGLE = np.linspace(0, 2 * np.pi, 100)
CIRCLE = [np.stack([np.cos(ANGLE), np.sin(ANGLE)], axis=1)]
CORNERS = np.array(list(product((-0.5, 0.5), repeat=3)))
BOX = [
    orthographic(np.array([one, other]), 'y')[:, :2]
    for one, other in combinations(CORNERS, 2)
    if np.abs(one - other).sum() == 1
]


def scan(num_points: int, index: int = CHAIR) -> np.ndarray:
    """Return a generated scan (N, 3) with y up, in the unit sphere."""
    points = make_sample('OBJ_ONLY', 0, 'train', index, 2048).points
    np.random.seed(index)
    sampling = dict(type='FarthestPoints', num_points=num_points)
    steps = sampling, dict(type='UnitSphere'), dict(type='ShufflePoints')
    return apply(points, *steps)['points']


def apply(points: np.ndarray, *transforms: dict) -> dict:
    """Return what transforms make of a cloud."""
    sample = dict(points=points.astype(np.float32), up_axis='y')
    for transform in transforms:
        sample = TRANSFORMS.build(transform)(sample)
    return sample


def draw_changes(chair: np.ndarray) -> None:
    """Draw transforms that change points, each beside the cloud before it."""
    pictures = {
        'points': [
            (name, dict(type=name, num_points=256))
            for name in ('FirstPoints', 'RandomPoints', 'FarthestPoints')
        ]
        + [('RandomPointDropout', dict(type='RandomPointDropout'))],
        'random': [
            ('RandomRotate', dict(type='RandomRotate')),
            ('RandomScale', dict(type='RandomScale')),
            ('RandomJitter(sigma=0.03)', dict(type='RandomJitter', sigma=0.03, clip=0.1)),
            ('PointWOLF', dict(type='PointWOLF')),
        ],
        'corruptions': [
            (f'Corrupt: {name}, 5', dict(type='Corrupt', name=name, severity=5))
            for name in ('cutout', 'gaussian', 'background', 'distortion_rbf')
        ],
    }
    for picture, shown in pictures.items():
        clouds = []
        for _, transform in shown:
            np.random.seed(SEED)
            clouds.append(apply(chair, transform)['points'])
        draw(picture, [chair, *clouds], ['the cloud', *(title for title, _ in shown)])


def draw_positions(chair: np.ndarray) -> None:
    """Draw transforms of position and size, with the axes and the unit sphere or box."""
    given = 0.6 * chair + (0.55, 0.5, 0.0)
    steps = {
        'the cloud': None,
        'CenterPoints': dict(type='CenterPoints'),
        'UnitSphere': dict(type='UnitSphere'),
        'UnitBox': dict(type='UnitBox'),
        "ConvertUpAxis(to='z')": dict(type='ConvertUpAxis', to='z'),
    }
    height = (given[:, 1] - given[:, 1].min()) / np.ptp(given[:, 1])
    color = colormaps['viridis'](0.05 + 0.8 * height)[:, :3]
    figure = new_figure(CELL[0] * len(steps), CELL[1])
    for place, (title, step) in enumerate(steps.items(), 1):
        axes = figure.add_subplot(1, len(steps), place)
        cloud = apply(given, step)['points'] if step else given
        add_cloud(axes, cloud, title, 'y', color)
        for ends in BOX if title == 'UnitBox' else CIRCLE:
            axes.plot(*ends.T, color=GREY, linewidth=0.7, linestyle=':')
        for name, end in zip('xyz', orthographic(1.25 * np.eye(3), 'y')):
            axes.plot([0, end[0]], [0, end[1]], color=GREY, linewidth=0.8, zorder=0)
            axes.annotate(name, 1.1 * end[:2], fontsize=8, color=GREY, ha='center', va='center')
        axes.set_xlim(-1.45, 1.45)
        axes.set_ylim(-1.3, 1.6)
    shrink(save(figure, FOLDER / 'position.png'))


def draw_several(chair: np.ndarray) -> None:
    """Draw transforms that make several clouds of one."""
    np.random.seed(SEED)
    turn = [dict(type='RandomRotate'), dict(type='RandomPoints', num_points=512)]
    pair = apply(chair, dict(type='SiameseViews', view_1=(), view_2=turn))
    np.random.seed(CROP_SEED)
    crops = apply(
        chair,
        dict(
            type='MultiCrop',
            global_crops=dict(count=1, num_points=512, fraction=(0.4, 1.0)),
            local_crops=dict(count=2, num_points=64, fraction=(0.05, 0.4)),
        ),
    )
    clouds = {
        'the cloud': chair,
        'SiameseViews:\nthe second view': pair['points_2'],
        'MultiCrop:\na global crop': crops['global_crops'][0],
        'MultiCrop:\na local crop': crops['local_crops'][0],
        'MultiCrop:\nanother': crops['local_crops'][1],
    }
    figure = new_figure(CELL[0] * len(clouds), CELL[1])
    whole = orthographic(chair, 'y')
    for place, (title, cloud) in enumerate(clouds.items(), 1):
        axes = figure.add_subplot(1, len(clouds), place)
        add_cloud(axes, cloud, title, 'y')
        if title.startswith('MultiCrop'):
            axes.scatter(*whole[:, :2].T, c='#dddddd', s=3, linewidths=0, zorder=0)
        axes.set_xlim(-1.05, 1.05)
        axes.set_ylim(-1.05, 1.05)
    shrink(save(figure, FOLDER / 'several.png'))


def draw_views(chair: np.ndarray) -> None:
    """Draw the views of a scan, and renderings of the mesh that it is a scan of."""
    mesh = object_mesh(0, 'train', CHAIR)
    shown = {
        'ProjectViews(image_size=64)': dict(image_size=64),
        "ProjectViews(image_size=64, mode='grey', footprint=2)": dict(
            image_size=64, mode='grey', footprint=2
        ),
    }
    views = {
        title: apply(chair, dict(type='ProjectViews', **options))['views']
        for title, options in shown.items()
    }
    views['LoadViews, images that were rendered of the mesh'] = MeshRenderer(
        rig='orthogonal', image_size=128, up_axis='y'
    )(mesh.vertices, mesh.faces).numpy()
    for name, array in views.items():
        views[name] = pixels(array[..., :: array.shape[-2] // 64, :: array.shape[-1] // 64])
    shrink(draw_contact_sheet(views, FOLDER / 'views.png', columns=6))


def draw_mixing(first: np.ndarray, second: np.ndarray) -> None:
    """Draw what the batch augments make of two clouds."""
    mixed, titles = [first, second], ['one cloud', 'another']
    both = torch.from_numpy(np.stack([first, second])).float()
    for name in ('PointMixup', 'PointCutMix', 'RSMix'):
        points, share = BATCH_AUGMENTS.build(dict(type=name)).mix(
            both[:1], both[1:], np.random.default_rng(MIX_SEED)
        )
        mixed.append(points[0].numpy())
        titles.append(f'{name}\n{float(share[0]):.0%} of the other')
    draw('mixing', mixed, titles)


def draw(name: str, clouds: list[np.ndarray], titles: list[str]) -> None:
    shrink(draw_point_clouds(clouds, titles, FOLDER / f'{name}.png', up_axis='y'))


def shrink(path: Path) -> None:
    Image.open(path).convert('RGB').quantize(COLORS).save(path, optimize=True)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    chair = scan(1024)
    draw_changes(chair)
    draw_positions(chair)
    draw_several(chair)
    draw_views(scan(2048))
    draw_mixing(chair, scan(1024, OTHER))


if __name__ == '__main__':
    main()
