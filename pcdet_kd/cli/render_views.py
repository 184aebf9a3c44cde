"""Render a folder of meshes (OFF, OBJ, PLY, STL) from many sides, as PNG images for multi-view
networks.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import positive

if TYPE_CHECKING:
    from pcdet_kd.views.cache import ViewCache

FORMATS = ('.off', '.obj', '.ply', '.stl')


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='A second run renders only what is missing or has changed.'
    )
    parser.add_argument(
        'meshes', help='folder of meshes, such as ModelNet40 with <class>/<split>/<name>.off'
    )
    parser.add_argument(
        'out',
        help='folder that gets <class>/<split>/<name>_001.png, ...: the same names, with the view',
    )
    parser.add_argument(
        '--rig',
        choices=('dodecahedron', 'circle', 'orthogonal'),
        default='dodecahedron',
        help='20 cameras as in RotationNet and PointCMT, 12 as in MVCNN, or 6 on the axes '
        '(%(default)s)',
    )
    parser.add_argument(
        '--image-size', type=int, default=224, help='height and width in pixels (%(default)s)'
    )
    parser.add_argument(
        '--samples',
        type=int,
        choices=(1, 2, 3, 4),
        default=2,
        help='rays per pixel along each side (%(default)s)',
    )
    parser.add_argument(
        '--framing',
        choices=('tight', 'sphere'),
        default='tight',
        help='crop each image tightly to the shape, or keep one scale for all images of a mesh '
        '(%(default)s)',
    )
    parser.add_argument(
        '--distance',
        type=float,
        default=3.0,
        help='distance of the cameras, in radii of the mesh (%(default)s)',
    )
    parser.add_argument(
        '--up-axis',
        choices=('x', 'y', 'z'),
        default='z',
        help='axis of the meshes that points up (%(default)s)',
    )
    parser.add_argument('--workers', type=int, help='processes (one per processor)')
    parser.add_argument(
        '--sheet', metavar='FILE', help='also draw the views of some meshes in one image, there'
    )
    parser.add_argument(
        '--sheet-num',
        type=positive,
        default=6,
        help='meshes on it, spread over all (default: %(default)s)',
    )
    args = parser.parse_args()
    from pcdet_kd.datasets.meshes import read_mesh
    from pcdet_kd.utils.processes import default_workers
    from pcdet_kd.views.cache import ViewCache
    from pcdet_kd.views.mesh_renderer import MeshRenderer

    files = find_meshes(Path(args.meshes).expanduser())
    renderer = MeshRenderer(
        args.rig,
        args.image_size,
        args.samples,
        args.framing,
        distance=args.distance,
        up_axis=args.up_axis,
    )
    renderer(
        [[0, 0, 0], [1.0, 0, 0], [0, 1, 0]], [[0, 1, 2]]
    )  # compiles before the processes are started
    cache = ViewCache(Path(args.out).expanduser(), renderer)
    filled = cache.fill(files, read_mesh, args.workers or default_workers())
    for error in filled.failed.values():
        print(f'error: {error}', file=sys.stderr)
    print(
        f'{cache.root}: {renderer.num_views} views each of {len(filled.rendered)} meshes '
        f'rendered, {len(filled.kept)} there already, {len(filled.failed)} failed'
    )
    names = [name for name in files if name not in filled.failed]
    if args.sheet and names:
        step = max(1, len(names) // args.sheet_num)
        print(f'sheet: {draw_sheet(cache, names[::step][: args.sheet_num], args.sheet)}')
    return 1 if filled.failed else 0


def draw_sheet(cache: 'ViewCache', names: list[str], path: str) -> Path:
    """Draw the views of meshes on one image, and return its path."""
    import cv2

    from pcdet_kd.visualization.contact_sheet import draw_contact_sheet

    shapes = {
        name: [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in cache.paths(name)]
        for name in names
    }
    settings = cache.renderer.settings
    title = f'{cache.renderer.num_views} views each, {settings["rig"]}, {settings["framing"]}'
    return draw_contact_sheet(shapes, path, title)


def find_meshes(folder: Path) -> dict[str, Path]:
    """Return the mesh files below a folder by their paths in it, without the ending.

    Raises:
        DataError: No such folder, no mesh in it, or two that differ in their ending only.
    """
    from pcdet_kd.utils.errors import DataError

    expected = f'a folder with meshes ({", ".join(FORMATS)}) in it'
    if not folder.is_dir():
        raise DataError(folder, 'no such folder', expected, 'check the path')
    files = {}
    for path in sorted(p for p in folder.rglob('*') if p.suffix.lower() in FORMATS and p.is_file()):
        name = path.relative_to(folder).with_suffix('').as_posix()
        if name in files:
            raise DataError(
                path,
                f'also {files[name].name}: their images would have the same names',
                'one file per mesh',
                'move one of them away',
            )
        files[name] = path
    if not files:
        raise DataError(folder, 'no mesh', expected, 'unpack the data set there')
    return files
