"""Triangle meshes: reading them, and points on their surface."""

import json
import struct
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pcdet_kd.datasets.files import check_size, reading

_FIX = 'write the mesh again with triangles or polygons, or remove it'


def read_mesh(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an OFF, OBJ, PLY or STL file: vertices (V, 3) float64 and triangles (F, 3) int64.

    Raises:
        DataError: Malformed file.
    """
    return read_off(path) if path.suffix.lower() == '.off' else read_obj_or_stl(path)


def read_off(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an OFF file: vertices (V, 3) float64 and triangles (F, 3) int64; polygons are cut into
    fans.

    Headers with the counts glued to the keyword (``OFF3514 3546 0``), as in ModelNet, comments and
    CRLF are read.

    Raises:
        DataError: Malformed file.
    """
    expected = 'OFF: the keyword, counts of vertices and faces, the vertices, the faces'
    with reading(path, expected, _FIX):
        text = path.read_text(encoding='latin-1')
        if '#' in text:
            text = '\n'.join(line.partition('#')[0] for line in text.splitlines())
        start = text.lstrip()
        if not start[:3].upper() == 'OFF':
            raise ValueError(f"the file starts with '{start[:8]}'")
        words = start[3:].split()
        vertex_count, face_count = int(words[0]), int(words[1])
        end = 3 + 3 * vertex_count
        if min(vertex_count, face_count) < 0 or len(words) < end + face_count:
            raise ValueError(
                f'{len(words)} numbers, too few for {vertex_count} vertices and {face_count} faces'
            )
        vertices = np.array(words[3:end], dtype=np.float64).reshape(vertex_count, 3)
        faces = _off_faces(words[end:], face_count, start[3:].splitlines())
    return vertices, faces


def _off_faces(words: list[str], count: int, lines: list[str]) -> np.ndarray:
    """Triangles from ``n i j k ...`` per face; a colour may follow the indices on the same line."""
    if len(words) == 4 * count and all(w == '3' for w in words[::4]):
        return np.array(words, dtype=np.int64).reshape(count, 4)[:, 1:]
    rows = [line.split() for line in lines if line.strip()][-count:] if count else []
    triangles = []
    for row in rows:
        corners = [int(w) for w in row[1 : 1 + int(row[0])]]
        if len(corners) != int(row[0]):
            raise ValueError(f"face '{' '.join(row)}' is cut off")
        triangles += [(corners[0], b, c) for b, c in pairwise(corners[1:])]
    return np.array(triangles, dtype=np.int64).reshape(-1, 3)


def read_obj_or_stl(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read an OBJ, STL or GLB file with trimesh: vertices (V, 3) and triangles (F, 3), all parts in
    one. Materials are ignored.

    Raises:
        DataError: Malformed file, or no faces.
    """
    import trimesh

    suffix = path.suffix[1:].lower()
    extra = dict(skip_materials=True) if suffix in ('obj', 'glb') else {}
    with reading(path, f'a mesh in {suffix.upper()} format', _FIX), path.open('rb') as file:
        if suffix == 'glb':
            check_size(path, _glb_bytes(file), 'a scene')
        mesh = trimesh.load(file, file_type=suffix, force='mesh', process=False, **extra)
        if len(mesh.faces) == 0:
            raise ValueError('no faces')
        return np.asarray(mesh.vertices, dtype=np.float64), np.asarray(mesh.faces, dtype=np.int64)


def _glb_bytes(file: BinaryIO) -> int:
    """Return what the meshes of a GLB file take in memory by its own header: a small file may place
    one mesh many times, or claim any number of vertices. The file is at its start afterwards.
    """
    magic, _, _, length, kind = struct.unpack('<4s4I', file.read(20))
    if magic != b'glTF' or kind != 0x4E4F534A:
        raise ValueError('it does not start as a GLB file of version 2')
    header = json.loads(file.read(length))
    file.seek(0)
    counts = [accessor['count'] for accessor in header.get('accessors', ())]
    vertices = [
        sum(counts[p['attributes']['POSITION']] for p in mesh['primitives'])
        + sum(counts[p['indices']] for p in mesh['primitives'] if 'indices' in p)
        for mesh in header.get('meshes', ())
    ]
    placed = [node['mesh'] for node in header.get('nodes', ()) if 'mesh' in node]
    return 24 * (sum(counts) + sum(vertices[mesh] for mesh in placed))


def sample_surface(
    vertices: np.ndarray, faces: np.ndarray, num_points: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw points uniformly from the surface of a triangle mesh.

    Args:
        vertices: (V, 3).
        faces: (F, 3) vertex indices.
        num_points: How many points.
        rng: Source of the random numbers.

    Returns:
        Points and unit face normals, each (num_points, 3) float32.

    Raises:
        ValueError: No face has an area, or an index is outside the vertices.
    """
    if len(faces) == 0:
        raise ValueError('the mesh has no faces')
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError(f'a face refers to vertex {faces.max()} of {len(vertices)}')
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1)
    if not np.isfinite(area).all() or area.sum() <= 0:
        raise ValueError('the faces have no area, or vertices are not finite')
    face = rng.choice(len(faces), size=num_points, p=area / area.sum())
    u, v = rng.random((2, num_points, 1))
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    points = a[face] + u * (b - a)[face] + v * (c - a)[face]
    return points.astype(np.float32), (cross[face] / area[face, None]).astype(np.float32)
