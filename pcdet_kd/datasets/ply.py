"""PLY, the Stanford polygon format, read with plyfile."""

import io
import re
from pathlib import Path

import numpy as np

from pcdet_kd.datasets.files import reading
from pcdet_kd.utils.errors import DataError

_FIX = 'write the file again, or remove it'


def read_ply(
    path: Path, contents: str = 'PLY with an element vertex (x, y, z)'
) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """Read the vertices and faces of a PLY file.

    Returns:
        The columns of the vertices by name, each (n,), and the vertex indices of every face; none
        for a file without faces.

    Raises:
        DataError: Malformed file, no element ``vertex``, or fewer bytes than its counts need.
    """
    from plyfile import PlyData

    with reading(path, contents, _FIX):
        raw = path.read_bytes()
        _check_counts(path, raw)
        ply = PlyData.read(io.BytesIO(raw), mmap=False)  # given a file, plyfile leaves it open
        if 'vertex' not in ply:
            names = ', '.join(element.name for element in ply)
            raise ValueError(f'elements {names or "none"}, no vertex')
        vertex = ply['vertex'].data
        fields = {name: np.asarray(vertex[name]) for name in vertex.dtype.names}
        if 'face' not in ply or not len(ply['face'].data):
            return fields, []
        faces = ply['face'].data
        key = next((name for name in faces.dtype.names if name.startswith('vertex_ind')), None)
        if key is None:
            raise ValueError(f'faces with {", ".join(faces.dtype.names)}, no vertex_indices')
        return fields, [np.asarray(corners, dtype=np.int64) for corners in faces[key]]


def _check_counts(path: Path, raw: bytes) -> None:
    """Compare the counts of the header with the bytes after it: plyfile makes room for them, and
    goes through them one by one.
    """
    header, *body = re.split(rb'[\r\n]end_header', raw, maxsplit=1)
    rows = []  # of each element: how many, and of how many values
    for words in map(bytes.split, header.splitlines()):
        if words[:1] == [b'element']:
            rows.append([abs(int(words[2])), 0])
        elif words[:1] == [b'property'] and rows:
            rows[-1][1] += 1
    least = sum(count * max(values, 1) for count, values in rows)  # a byte or more for each value
    size = sum(map(len, body))
    if least > size:
        raise DataError(
            path,
            f'{size:,} bytes after a header that claims {sum(count for count, _ in rows):,} rows',
            f'at least {least:,} bytes for them',
            _FIX,
        )
