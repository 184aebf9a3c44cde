"""Rendered images in a folder, read as arrays."""

import json
import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log

from pcdet_kd.datasets.files import check_size, read_npy, reading
from pcdet_kd.datasets.read_once import note_file
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write
from pcdet_kd.utils.hashing import content_sha256
from pcdet_kd.views.cache import RECORD, read_record

VERSION = 1  # of decoded images: count up when equal files and settings give other pixels
_MOST_PIXELS = 8 * 1032  # per byte of a PNG: one bit each, and deflate packs 1032 bytes into one
_DIGITS = 16  # of the hash in a cached file's name


class StoredViews:
    """Images ``<root>/<name>_001.png``, ``_002.png`` and so on, as ``pcdet-kd render-views`` and
    RotationNet store them.

    With ``cache_dir``, the decoded images of each name are kept in one file there, which is written
    on first use. Files are written atomically, so that any number of processes may share the
    folder. A file's name has a hash of the source of the images: the mesh and the settings that
    ``views.jsonl`` records, or, without it, the size and time of each image file. A damaged file is
    written again, with a line in the log.

    Args:
        root: The folder.
        num_views: How many images of each name are read, from the first.
        image_size: Height and width R. Larger images are downsampled (to the mean over each new
            pixel's area).
        color: Whether to read red, green and blue; else grey, and a coloured image is an error.
        cache_dir: Folder of the decoded images, or None. A file takes ``num_views * R * R``
            bytes, times three in colour.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        num_views: int = 20,
        image_size: int = 224,
        color: bool = False,
        cache_dir: str | os.PathLike | None = None,
    ) -> None:
        if num_views < 1 or image_size < 1:
            raise ValueError(
                f'num_views is {num_views} and image_size is {image_size}, must be at least 1'
            )
        self.root = Path(root).expanduser()
        self.shape = (num_views, 3 if color else 1, image_size, image_size)
        self.cache_dir = None if cache_dir is None else Path(cache_dir).expanduser()
        self._fix = f'render them: pcdet-kd render-views <folder of meshes> {root}'
        self._record = None

    def paths(self, name: str) -> list[Path]:
        """Return the files of a name's views."""
        return [self.root / f'{name}_{view:03d}.png' for view in range(1, self.shape[0] + 1)]

    def load(self, name: str) -> np.ndarray:
        """Return the images of a name: (V, 1 or 3, R, R) uint8.

        Raises:
            DataError: An image is missing, damaged, too small, not square or (without ``color``)
                coloured, or the cache cannot be written.
        """
        if self.cache_dir is None:
            return self._decode(name)
        text = json.dumps([VERSION, self._source(name, times=True)], sort_keys=True)
        file = f'{name}.{content_sha256([text])[:_DIGITS]}.npy'
        path = self.cache_dir / 'x'.join(map(str, self.shape)) / file
        if path.is_file():
            try:
                images = read_npy(path, 'decoded images', 'delete it')
                if images.shape == self.shape and images.dtype == np.uint8:
                    return images
                found = f'{images.dtype} {images.shape}'
            except DataError as error:
                found = error.args[1]
            print_log(
                f'{path} is damaged ({found}): it is written again',
                logger='current',
                level=logging.WARNING,
            )
        images = self._decode(name)
        self._keep(path, images)
        return images

    def fingerprint(self, names: Sequence[str]) -> str:
        """Return a hash of the images of these names, equal on every machine; they are not read.

        It depends on the meshes and settings that ``views.jsonl`` records: this file alone shows
        that nothing has changed. For images that it does not list, it depends on the sizes of their
        files.

        Raises:
            DataError: A name is not listed, and has no image files.
        """
        sources = [[name, self._source(name, times=False)] for name in names]
        return content_sha256([f'{VERSION} {self.shape}', json.dumps(sources, sort_keys=True)])

    def _source(self, name: str, times: bool) -> list:
        """Return a value that changes when a name's images change."""
        if self._record is None:
            path = self.root / RECORD
            self._record = read_record(path) if path.is_file() else ({}, {})
        header, meshes = self._record
        if name in meshes:
            note_file(self.root / RECORD)
            return [header, meshes[name]]
        found = []
        for path in self.paths(name):
            try:
                stat = path.stat()
                note_file(path)
            except OSError as error:
                raise self._missing(path, name) from error
            found.append([stat.st_size, stat.st_mtime_ns] if times else stat.st_size)
        return found

    def _keep(self, path: Path, images: np.ndarray) -> None:
        stem = path.name[: -len('.npy') - _DIGITS]
        try:
            with atomic_write(path) as file:
                np.save(file, images, allow_pickle=False)
            for other in path.parent.iterdir():  # of images that have changed since
                if (
                    other.name.startswith(stem)
                    and len(other.name) == len(path.name)
                    and other != path
                ):
                    other.unlink(missing_ok=True)
        except OSError as error:
            raise DataError(
                path,
                f'{error.strerror or error}',
                f'room for {images.nbytes:,} bytes in a writable directory',
                'pass cache_dir=<a writable directory>, or remove cache_dir',
            ) from error

    def _decode(self, name: str) -> np.ndarray:
        import cv2

        _, channels, size, _ = self.shape
        flags = cv2.IMREAD_COLOR if channels == 3 else cv2.IMREAD_ANYCOLOR
        images = np.empty(self.shape, np.uint8)
        for view, path in enumerate(self.paths(name)):
            if not path.is_file():
                raise self._missing(path, name)
            expected = f'a square PNG image of {size} by {size} pixels or more'
            with reading(path, expected, f'delete the file and {self._fix}'):
                data = path.read_bytes()
                if not data.startswith(b'\x89PNG'):
                    raise ValueError('not a PNG image')
                width, height = np.frombuffer(data, '>u4', 2, offset=16).tolist()
                check_size(path, width * height * 8, 'an image')  # 16 bits, four channels
                if width * height > _MOST_PIXELS * len(data):
                    raise ValueError(f'{len(data)} bytes cannot hold {width} by {height} pixels')
                _check_chunks(data)
                image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
                if image is None:
                    raise ValueError('a damaged PNG image')
            if image.shape[0] != image.shape[1] or len(image) < size:
                raise DataError(
                    path,
                    f'an image of {image.shape[1]} by {image.shape[0]} pixels',
                    expected,
                    'pass a smaller image_size, or render larger images (render-views '
                    '--image-size)',
                )
            if channels == 1 and image.ndim == 3:
                if (image != image[..., :1]).any():
                    raise DataError(path, 'a coloured image', 'a grey image', 'pass color=True')
                image = image[..., 0]
            if len(image) > size:
                image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
            images[view] = image if channels == 1 else image[..., ::-1].transpose(2, 0, 1)
        return images

    def _missing(self, path: Path, name: str) -> DataError:
        there = sum(p.is_file() for p in self.paths(name))
        more = f'; {there} of {self.shape[0]} images exist' if there else ''
        return DataError(
            path,
            'no such file' + (more if self.root.is_dir() else f': there is no folder {self.root}'),
            f'{self.shape[0]} images of every shape: <name>_001.png to _{self.shape[0]:03d}.png',
            self._fix,
        )


def _check_chunks(data: bytes) -> None:
    """Raise ``ValueError`` if a chunk of a PNG claims more bytes than there are, or is damaged by
    its checksum: OpenCV would allocate first, up to 4 GB.
    """
    at, kind = 8, b''
    while kind != b'IEND' and at < len(data):
        length, kind = int.from_bytes(data[at : at + 4], 'big'), data[at + 4 : at + 8]
        end = at + 8 + length
        if end + 4 > len(data):
            raise ValueError(f'a chunk of {length} bytes in a file of {len(data)}')
        if zlib.crc32(data[at + 4 : end]) != int.from_bytes(data[end : end + 4], 'big'):
            raise ValueError('a damaged PNG image')
        at = end + 4
