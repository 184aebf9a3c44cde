"""PCD, the Point Cloud Library's file format (version 0.7): ascii, binary and binary_compressed."""

from pathlib import Path

import numpy as np

from pcdet_kd.datasets.files import check_size, reading

_FIX = 'write the file again (ascii, binary or binary_compressed), or remove it'


def read_pcd(path: Path) -> dict[str, np.ndarray]:
    """Return the fields of a PCD file by name, each (n,), or (n, COUNT) where COUNT > 1. Padding
    (``_``) is left out.

    Raises:
        DataError: The header is malformed, or the data are shorter than it claims.
    """
    with reading(path, 'a PCD header and the points that it announces', _FIX):
        raw = path.read_bytes()
        header = {}
        offset = 0
        while 'DATA' not in header:
            end = raw.find(b'\n', offset)
            if end < 0:
                raise ValueError('no DATA line')
            words = raw[offset:end].decode('latin-1').split()
            offset = end + 1
            if words and not words[0].startswith('#'):
                header[words[0].upper()] = words[1:]
        names = header['FIELDS']
        counts = [int(c) for c in header.get('COUNT', ['1'] * len(names))]
        types = [
            np.dtype(f'<{dict(I="i", U="u", F="f")[kind]}{int(size)}')
            for kind, size in zip(header['TYPE'], header['SIZE'])
        ]
        if not len(names) == len(counts) == len(types) or min(counts) < 1:
            raise ValueError('FIELDS, SIZE, TYPE and COUNT do not match')
        n = (
            int(header['POINTS'][0])
            if 'POINTS' in header
            else int(header['WIDTH'][0]) * int(header['HEIGHT'][0])
        )
        body, layout = raw[offset:], header['DATA'][0].lower()
        row = np.dtype([(f'f{i}', t, (c,)) for i, (t, c) in enumerate(zip(types, counts))])
        if n < 0 or (layout == 'binary' and len(body) < n * row.itemsize):
            raise ValueError(f'{len(body):,} bytes for {n:,} points of {row.itemsize} bytes')
        if layout == 'ascii':
            columns = _ascii(body, counts, types, n)
        elif layout == 'binary':
            table = np.frombuffer(body, dtype=row, count=n)
            columns = [table[name] for name in row.names]
        elif layout == 'binary_compressed':
            check_size(path, n * row.itemsize, 'points')
            columns = _compressed(body, counts, types, n)
        else:
            raise ValueError(f"DATA '{layout}'")
    return {
        name: column[:, 0] if count == 1 else column
        for name, column, count in zip(names, columns, counts)
        if name != '_'
    }


def _ascii(body: bytes, counts: list[int], types: list[np.dtype], n: int) -> list[np.ndarray]:
    words = body.split()
    width = sum(counts)
    if len(words) != n * width:
        raise ValueError(f'{len(words)} numbers, expected {n} x {width}')
    table = np.array(words, dtype=object).reshape(n, width)
    columns, start = [], 0
    for count, kind in zip(counts, types):
        # Packed colours are written as integers even where the field is a float: go through
        # Python's own parsing.
        convert = float if kind.kind == 'f' else int
        cells = [convert(w) for w in table[:, start : start + count].ravel()]
        columns.append(np.array(cells, dtype=kind).reshape(n, count))
        start += count
    return columns


def _compressed(body: bytes, counts: list[int], types: list[np.dtype], n: int) -> list[np.ndarray]:
    packed, size = (int(v) for v in np.frombuffer(body, dtype='<u4', count=2))
    expected = sum(t.itemsize * c for t, c in zip(types, counts)) * n
    if size != expected:
        raise ValueError(f'{size} bytes uncompressed, expected {expected}')
    if len(body) < 8 + packed:
        raise ValueError(f'{len(body) - 8} bytes compressed, expected {packed}')
    data = lzf_decompress(body[8 : 8 + packed], size)
    columns, start = [], 0
    for count, kind in zip(counts, types):  # one field after the other, not point after point
        columns.append(
            np.frombuffer(data, dtype=kind, count=n * count, offset=start).reshape(n, count)
        )
        start += n * count * kind.itemsize
    return columns


def lzf_decompress(data: bytes, size: int) -> bytes:
    """Return the ``size`` bytes that LZF (liblzf's stream format) packed into ``data``.

    A control byte c < 32 is followed by c + 1 literal bytes. Otherwise its upper three bits are the
    length of a copy minus 2 (7: the next byte is added), and its lower five bits with the byte
    after that are how far back it starts, minus 1.

    Raises:
        ValueError: The stream is damaged.
    """
    out = bytearray()
    i = 0
    try:
        while i < len(data) and len(out) <= size:
            control = data[i]
            i += 1
            if control < 32:
                out += data[i : i + control + 1]
                i += control + 1
                continue
            length = control >> 5
            if length == 7:
                length += data[i]
                i += 1
            start = len(out) - ((control & 31) << 8) - data[i] - 1
            i += 1
            length += 2
            if start < 0:
                raise ValueError('a copy from before the start')
            while length > 0:  # a copy may overlap what it writes
                piece = out[start : start + length]
                out += piece
                start += len(piece)
                length -= len(piece)
    except IndexError:
        raise ValueError('the compressed data end too early') from None
    if len(out) != size:
        raise ValueError(f'{len(out)} bytes after decompression, expected {size}')
    return bytes(out)
