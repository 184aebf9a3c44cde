"""LAS and LAZ, the ASPRS formats of laser scans."""

import struct
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

import numpy as np

from pcdet_kd.datasets.files import check_size, reading
from pcdet_kd.utils.errors import DataError

_FIX = 'write the file again, or remove it'
_INSTALL = 'pip install "laspy[lazrs]"'


def read_las(path: Path) -> dict[str, np.ndarray]:
    """Return ``x``, ``y``, ``z`` and, where the file has them, ``red``, ``green``, ``blue`` of the
    points of a LAS or LAZ file, each (n,).

    Coordinates in a map's system are too large for float32, so the middle of the box is moved to
    the origin. Colours are floats in [0, 1]; some writers store 8 bits in the 16 of the format:
    values of at most 255 are taken as such.

    Raises:
        DataError: The file cannot be read, announces more than it holds, or laspy is not
            installed.
    """
    with reading(path, 'a LAS or LAZ file', _FIX):
        try:
            laspy = import_module('laspy')
            import_module('lazrs')  # laspy reads LAZ with it
        except ImportError as error:
            raise DataError(path, f'{error.name} is not installed', 'laspy', _INSTALL) from error
        _check_header(path)
        with laspy.open(path, laz_backend=laspy.LazBackend.Lazrs) as file:
            check_size(path, file.header.point_count * 72, 'points')  # 48 bytes as float64
            try:
                cloud = file.read()
            except BaseException as error:  # a panic of lazrs is no Exception
                if type(error).__name__ != 'PanicException':
                    raise
                raise ValueError(f'damaged LAZ data: {error}') from error
        if len(cloud.points) != cloud.header.point_count:
            raise ValueError(
                f'{len(cloud.points):,} of {cloud.header.point_count:,} points are there'
            )
        xyz = np.asarray(cloud.xyz)
        if len(xyz):
            xyz = xyz - (xyz.min(axis=0) + xyz.max(axis=0)) / 2
        fields = dict(zip('xyz', xyz.T))
        if 'red' in cloud.point_format.dimension_names:
            names = ('red', 'green', 'blue')
            colours = np.stack([np.asarray(cloud[name]) for name in names]).astype(np.float64)
            colours /= 65535 if colours.max(initial=0) > 255 else 255
            fields.update(zip(names, colours))
        return fields


def _check_header(path: Path) -> None:
    """Refuse a header that announces more records or chunks than fit into the file: lazrs allocates
    memory for them, and ends the process where there is none.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        head = file.read(247)
        if head[:4] != b'LASF' or len(head) < 227:
            raise ValueError('it does not start with a LAS header')
        records = struct.unpack_from('<I', head, 100)[0] * 54
        if head[24:26] >= b'\x01\x04' and len(head) == 247:
            records += struct.unpack_from('<I', head, 243)[0] * 60
        if records > size:
            raise ValueError(f'records of {records:,} bytes are announced')
        if head[104] & 0xC0:  # compressed
            chunks = _chunks(file, struct.unpack_from('<I', head, 96)[0], size)
            if chunks > size:
                raise ValueError(f'{chunks:,} chunks of points are announced')


def _chunks(file: BinaryIO, start: int, size: int) -> int:
    """Return the number of chunks in the table of a LAZ file."""
    file.seek(start)
    where = struct.unpack('<q', file.read(8))[0]
    if where <= 0:  # a writer that could not go back: the place is at the end
        file.seek(size - 8)
        where = struct.unpack('<q', file.read(8))[0]
    if not 0 <= where <= size - 8:
        raise ValueError(f'the table of chunks is at byte {where:,}')
    file.seek(where + 4)
    return struct.unpack('<I', file.read(4))[0]
