"""One file, one point cloud: ply, pcd, las, laz, xyz, txt, csv, npy, npz, and meshes (off, obj,
stl, glb, ply with faces).
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.datasets.files import read_npy, read_npz, reading
from pcdet_kd.datasets.las import read_las
from pcdet_kd.datasets.meshes import read_mesh, sample_surface
from pcdet_kd.datasets.pcd import read_pcd
from pcdet_kd.datasets.ply import read_ply
from pcdet_kd.utils.errors import DataError

XYZ, NORMALS, RGB = ('x', 'y', 'z'), ('nx', 'ny', 'nz'), ('r', 'g', 'b')
_BY_COUNT = {3: XYZ, 6: XYZ + NORMALS, 9: XYZ + NORMALS + RGB}
_ALIASES = {
    'normal_x': 'nx',
    'normal_y': 'ny',
    'normal_z': 'nz',
    'red': 'r',
    'green': 'g',
    'blue': 'b',
    'diffuse_red': 'r',
    'diffuse_green': 'g',
    'diffuse_blue': 'b',
}
_FIX = 'remove or repair the file'
MESH_SUFFIXES = ('.off', '.obj', '.stl', '.glb')
SUFFIXES = ('.ply', '.pcd', '.las', '.laz', '.xyz', '.txt', '.csv', '.npy', '.npz')
SUFFIXES += MESH_SUFFIXES


def read_points(
    path: str | Path, columns: Sequence[str] | None = None, mesh_points: int = 2048
) -> dict[str, np.ndarray]:
    """Read a point cloud from a file; the suffix determines the format.

    Columns of text files and of npy arrays (n, C) are named by ``columns``, else by a header line
    of names, else by their number: 3 ``x y z``, 6 ``x y z nx ny nz``, 9 ``x y z nx ny
    nz r g b``. An npz file has ``points`` (n, 3) and optionally ``normals`` and ``rgb``, or one
    array as in an npy file.

    Args:
        path: The file.
        columns: Names of the columns, from ``x y z nx ny nz r g b``; any other name is skipped.
        mesh_points: Number of points drawn from the surface of a mesh. The draw depends only on the
            mesh and on the file's name (not on its directory).

    Returns:
        ``points`` (n, 3), and where the file has them ``normals`` (n, 3) and ``rgb`` (n, 3) in [0,
        1] (values are divided by 255 if they are integers or if any is above 1), all float32.

    Raises:
        DataError: The file is missing, malformed, of an unknown format, has no point, or has a NaN
            or infinity.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            path, f"suffix '{path.suffix}'", f'one of {", ".join(SUFFIXES)}', 'convert the file'
        )
    with reading(path, f'a point cloud in {suffix[1:].upper()} format', _FIX):
        if suffix == '.ply':
            cloud = _read_ply(path, mesh_points)
        elif suffix == '.pcd':
            cloud = _from_fields(path, read_pcd(path))
        elif suffix in ('.las', '.laz'):
            cloud = _from_fields(path, read_las(path))
        elif suffix in ('.npy', '.npz'):
            cloud = _read_numpy(path, columns)
        elif suffix in MESH_SUFFIXES:
            cloud = _from_mesh(path, *read_mesh(path), mesh_points)
        else:
            cloud = _read_text(path, columns)
        if len(cloud['points']) == 0:
            raise DataError(path, 'no points', 'at least one point', _FIX)
        for name, values in cloud.items():
            if values.shape != (len(cloud['points']), 3):
                raise DataError(
                    path, f"'{name}' of shape {values.shape}", f'({len(cloud["points"])}, 3)', _FIX
                )
            if not np.isfinite(values).all():
                row = int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])
                raise DataError(
                    path, f"NaN or infinity in '{name}' of point {row}", 'finite numbers', _FIX
                )
        return {
            name: np.ascontiguousarray(values, dtype=np.float32) for name, values in cloud.items()
        }


def _from_mesh(
    path: Path, vertices: np.ndarray, faces: np.ndarray, mesh_points: int
) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(zlib.crc32(path.name.encode()))
    try:
        points, normals = sample_surface(vertices, faces, mesh_points, rng)
    except ValueError as error:
        raise DataError(path, str(error), 'a mesh with a surface', _FIX) from error
    return dict(points=points, normals=normals)


def _from_fields(path: Path, fields: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Points, normals and colours from named columns (n,)."""
    fields = {_ALIASES.get(name.lower(), name.lower()): values for name, values in fields.items()}
    for packed in ('rgb', 'rgba'):  # PCD: one 4-byte field, 0xRRGGBB, its type float or integer
        if packed in fields and fields[packed].ndim == 1 and fields[packed].dtype.itemsize == 4:
            bits = np.ascontiguousarray(fields[packed]).view(np.uint32)
            for name, shift in zip(RGB, (16, 8, 0)):
                fields[name] = (bits >> shift & 255).astype(np.uint8)
    cloud = {
        key: np.stack([fields[name] for name in names], axis=1)
        for key, names in (('points', XYZ), ('normals', NORMALS), ('rgb', RGB))
        if all(name in fields for name in names)
    }
    if 'points' not in cloud:
        raise DataError(path, f'columns {", ".join(fields) or "none"}', 'columns x, y, z', _FIX)
    return _as_floats(cloud)


def _as_floats(cloud: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return float32 arrays, colours in [0, 1]."""
    floats = {name: values.astype(np.float32) for name, values in cloud.items()}
    rgb = cloud.get('rgb', np.empty(0))
    if rgb.dtype.kind in 'iu' or (rgb.size and rgb.max() > 1):
        floats['rgb'] /= np.float32(255)
    return floats


def _from_table(
    path: Path, table: np.ndarray, columns: Sequence[str] | None
) -> dict[str, np.ndarray]:
    """Points, normals and colours from an array (n, C)."""
    if table.ndim != 2 or table.dtype.kind not in 'fiu':
        found = f'an array of shape {table.shape} and type {table.dtype}'
        raise DataError(path, found, '(points, columns) of numbers', _FIX)
    names = columns if columns is not None else _BY_COUNT.get(table.shape[1])
    if names is None or len(names) != table.shape[1]:
        wanted = (
            '3, 6 or 9 columns'
            if columns is None
            else f'{len(columns)} columns: {", ".join(columns)}'
        )
        fix = "pass columns=('x', 'y', 'z', ...) with one name per column"
        raise DataError(path, f'{table.shape[1]} columns', wanted, fix)
    return _from_fields(path, dict(zip(names, table.T)))


def _read_numpy(path: Path, columns: Sequence[str] | None) -> dict[str, np.ndarray]:
    expected = "an array (points, columns), or in an npz 'points', 'normals', 'rgb'"
    with path.open('rb') as file:
        is_archive = file.read(2) == b'PK'
    if not is_archive:
        return _from_table(path, read_npy(path, expected, _FIX), columns)
    arrays = read_npz(path, ('points', 'normals', 'rgb'), expected, _FIX)
    if 'points' not in arrays:
        return _from_table(path, next(iter(arrays.values())), columns)
    if arrays['points'].ndim == 2 and arrays['points'].shape[1] != 3:
        return _from_table(path, arrays['points'], columns)
    return _as_floats(arrays)


def _read_text(path: Path, columns: Sequence[str] | None) -> dict[str, np.ndarray]:
    lines = [line for line in path.read_text(encoding='utf-8-sig').splitlines() if line.strip()]
    first = next((line for line in lines if not line.lstrip().startswith('#')), '')
    delimiter = next((d for d in ',;' if d in first), None)
    names = [word.strip().strip('"').lower() for word in first.split(delimiter)]
    try:
        float(names[0] if names else '0')
    except ValueError:  # a header
        lines.remove(first)
        columns = names if columns is None else columns
    table = np.loadtxt(lines, delimiter=delimiter, dtype=np.float64, ndmin=2)
    if table.size == 0:
        raise DataError(path, 'no points', 'at least one line x y z', _FIX)
    return _from_table(path, table, columns)


def _read_ply(path: Path, mesh_points: int) -> dict[str, np.ndarray]:
    fields, corners = read_ply(path)
    if not corners:
        return _from_fields(path, fields)
    triangles = np.concatenate(
        [
            np.stack([np.full(len(p) - 2, p[0]), p[1:-1], p[2:]], axis=1)
            for p in corners
            if len(p) > 2
        ]
        or [np.empty((0, 3), np.int64)]
    )
    vertices = _from_fields(path, fields)['points'].astype(np.float64)
    return _from_mesh(path, vertices, triangles, mesh_points)
