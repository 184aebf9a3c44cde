"""Clean clouds to be corrupted, and the meshes that belong to them."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from pcdet_kd.corruptions.geometry import radius_of, to_unit_sphere, turned
from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.files import read_json, require_directory
from pcdet_kd.datasets.meshes import read_mesh
from pcdet_kd.utils.arguments import check_choice
from pcdet_kd.utils.errors import DataError

NORMALIZE = ('none', 'sphere')
_TOLERANCE = 0.01
_SUFFIXES = ('.off', '.obj', '.stl', '.ply')

GetMesh = Callable[[int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Source:
    """Clouds in the unit sphere.

    Attributes:
        points: (n, N, 3) float32, or n arrays (N_i, 3).
        labels: (n,) int64.
        ids: A name for each cloud; its random numbers depend on it.
        name: What the clouds are, in words.
        fingerprint: Hash of the clouds.
        up_axis: Their upright axis.
        mesh: From a cloud's position to vertices (V, 3) and faces (F, 3), z-up; None where there
            are no meshes.
    """

    points: np.ndarray | list[np.ndarray]
    labels: np.ndarray
    ids: list[str]
    name: str
    fingerprint: str
    up_axis: str = 'y'
    mesh: GetMesh | None = None


def source_of(
    dataset: PointCloudDataset,
    normalize: str = 'none',
    meshes: str | Path | None = None,
    mesh_up_axis: str = 'z',
) -> Source:
    """Take all clouds of a data set's split, as they are in its files: transforms are not applied.

    Args:
        dataset: Any point-cloud data set.
        normalize: ``'none'``: the clouds lie in the unit sphere already, as ModelNet40's do.
            ``'sphere'``: subtract the mean and divide by the largest distance from it.
        meshes: Folder with a mesh for each cloud, anywhere below it and named as in
            :class:`MeshFiles`, or ``'own'`` for the meshes that the data set itself has
            (:class:`SyntheticScans`).
        mesh_up_axis: Upright axis of the meshes in the folder.

    Raises:
        ValueError: Another value of ``normalize`` or of ``mesh_up_axis``.
        DataError: A cloud is not of unit size, or has no mesh.
    """
    check_choice('normalize', normalize, NORMALIZE)
    check_choice('mesh_up_axis', mesh_up_axis, ('x', 'y', 'z'))
    dataset.full_init()
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    points = [info['points'] for info in infos]
    ids = [info['sample_id'] for info in infos]
    title = f'{type(dataset).__name__}, split {dataset.split}'
    if normalize == 'sphere':
        title += ', normalised to the unit sphere'
        points = [to_unit_sphere(cloud.astype(np.float64)).astype(np.float32) for cloud in points]
    for cloud, name in zip(points, ids):
        radius = float(radius_of(cloud.astype(np.float64)))
        if abs(radius - 1) > _TOLERANCE:
            raise DataError(
                f"{title}, sample '{name}'",
                f'a cloud that reaches {radius:.3g} from the origin',
                'a cloud in the unit sphere, because the corruptions have fixed sizes',
                "pass --normalize sphere (normalize='sphere')",
            )
    same = len({len(cloud) for cloud in points}) == 1
    mesh = None
    if meshes == 'own':
        if not hasattr(dataset, 'mesh'):
            raise DataError(
                title,
                'a data set without meshes',
                'a data set with meshes',
                'give the folder of the meshes with --meshes (meshes=)',
            )
        mesh = partial(own_mesh, dataset)
    elif meshes is not None:
        mesh = MeshFiles(dataset, Path(meshes), mesh_up_axis)
    return Source(
        np.stack(points) if same else points,
        dataset.labels(),
        ids,
        title,
        dataset.fingerprint(),
        dataset.metainfo['up_axis'],
        mesh,
    )


def own_mesh(dataset: PointCloudDataset, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what a data set's method ``mesh(index)`` gives, turned z-up."""
    mesh = dataset.mesh(index)
    vertices = turned(np.asarray(mesh.vertices), dataset.metainfo['up_axis'], 'z')
    return vertices, np.asarray(mesh.faces)


class MeshFiles:
    """Mesh files (off, obj, stl, ply) of a data set's clouds, found by name.

    A cloud's mesh has the name of the cloud: the last part of its sample's name, without extension.
    Clouds of ModelNet40's h5 files, which have numbers, get their names from
    ``ply_data_<split>_<k>_id2file.json`` beside those. Of several meshes with the name, the one in
    a folder with the name of the class is taken.

    Args:
        dataset: The clouds.
        root: Folder of the meshes.
        up_axis: Upright axis of the meshes.

    Raises:
        DataError: A mesh is missing, or several fit one cloud.
    """

    def __init__(self, dataset: PointCloudDataset, root: Path, up_axis: str = 'z') -> None:
        root = require_directory(root, 'meshes', 'check the path')
        found = defaultdict(list)
        for path in sorted(root.rglob('*')):
            if path.suffix.lower() in _SUFFIXES and path.is_file():
                found[path.stem].append(path)
        names = mesh_names(dataset)
        classes = [dataset.metainfo['classes'][label] for label in dataset.labels()]
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(
                root,
                f'no mesh for {len(missing)} of {len(names)} clouds: {", ".join(missing[:3])}',
                f'a mesh ({", ".join(_SUFFIXES)}) for every cloud',
                'unpack all meshes there',
            )
        self.paths = [self._choose(found[name], label) for name, label in zip(names, classes)]
        self.up_axis = up_axis

    @staticmethod
    def _choose(paths: Sequence[Path], label: str) -> Path:
        chosen = [path for path in paths if label in path.parts] if len(paths) > 1 else paths
        if len(chosen) != 1:
            raise DataError(
                paths[0],
                f'{len(paths)} meshes of this name, {len(chosen)} of them in a folder {label}',
                'exactly one',
                'give the folder that holds only the meshes of this data set',
            )
        return chosen[0]

    def __call__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        path = self.paths[index]
        vertices, faces = read_mesh(path)
        return turned(vertices, self.up_axis, 'z'), faces


def mesh_names(dataset: PointCloudDataset) -> list[str]:
    """Return the names, without folder and ending, that the meshes of a data set's clouds should
    have.
    """
    listings = {}
    names = []
    for info in dataset.data_list:
        name = info['sample_id']
        numbered = re.fullmatch(r'(ply_data_\w+?)(\d+)/(\d+)', name)
        if numbered:
            stem, part, number = numbered.groups()
            path = Path(dataset.data_root).expanduser() / f'{stem}_{part}_id2file.json'
            if path not in listings:
                listings[path] = _read_listing(path)
            if int(number) >= len(listings[path]):
                raise DataError(
                    path,
                    f'{len(listings[path])} names',
                    f'one for each cloud, including {name}',
                    'unpack the archive again',
                )
            name = listings[path][int(number)]
        names.append(Path(name).stem)
    return names


def _read_listing(path: Path) -> list[str]:
    contents = 'a JSON list of the names of the shapes'
    fix = 'it is in the archive modelnet40_ply_hdf5_2048.zip'
    listing = read_json(path, contents, fix)
    if not isinstance(listing, list) or not all(isinstance(name, str) for name in listing):
        raise DataError(path, 'JSON of another form', contents, fix)
    return listing
