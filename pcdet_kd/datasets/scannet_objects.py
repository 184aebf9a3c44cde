"""Single objects from ScanNet's scenes, as PointCNN's script extracts them."""

import csv
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from pcdet_kd.datasets.files import read_json, read_lines, reading, require_directory
from pcdet_kd.datasets.ply import read_ply
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write, write_whole
from pcdet_kd.utils.progress import progress_bar

# Label 0 to 16, by the order of the ids of ShapeNetCore55's classes in ScanNet's list of them. The
# names in that list come first, then those in ScanNet's tables of labels (V1 and V2).
CATEGORIES = (
    ('trash', 'trash bin'),
    ('basket',),
    ('bathtub', 'tub'),
    ('bed',),
    ('shelf', 'bookshelf'),
    ('cabinet',),
    ('chair',),
    ('keyboard', 'computer keyboard'),
    ('tv', 'tv or monitor'),
    ('lamp',),
    ('laptop',),
    ('microwave',),
    ('pillow',),
    ('printer',),
    ('sofa',),
    ('stove',),
    ('table',),
)
_LABELS = {name: label for label, names in enumerate(CATEGORIES) for name in names}
PER_FILE = 2048
FIX = (
    'get the scenes (_vh_clean_2.ply, .aggregation.json, _vh_clean_2.0.010000.segs.json) with '
    "ScanNet's download script"
)


def convert(
    scans: str | Path,
    labels: str | Path,
    splits: str | Path,
    out: str | Path,
    num_points: int = 2048,
    seed: int = 0,
) -> dict[str, int]:
    """Write ``train_*.h5``, ``test_*.h5`` (the validation scenes) and their lists; return the
    numbers of objects.

    Each object has ``num_points`` of its vertices, drawn without replacement unless it has fewer;
    the draw depends on the seed, the scene and the object alone.

    Raises:
        DataError: A file is missing or malformed, or a class has no object in a split; that split
            is not listed then.
    """
    import h5py

    scans, out = require_directory(scans, 'a folder per scene', FIX), Path(out)
    category = read_label_map(Path(labels))
    out.mkdir(parents=True, exist_ok=True)
    counts = {}
    for split, listing in (('train', 'scannetv2_train.txt'), ('test', 'scannetv2_val.txt')):
        scenes = read_lines(Path(splits) / listing, 'scene names, one a line', FIX)
        data, targets, names = [], [], []

        def flush(
            split: str = split, data: list = data, targets: list = targets, names: list = names
        ) -> None:
            if data:
                names.append(f'{split}_{len(names)}.h5')
                with atomic_write(out / names[-1]) as file, h5py.File(file, 'w') as h5:
                    h5['data'], h5['label'] = np.stack(data), np.array(targets, np.int32)
                data.clear(), targets.clear()

        counts[split] = Counter()
        for scene in progress_bar(scenes, desc=split, unit='scene'):
            for number, label, vertices in scene_objects(scans / scene, scene, category):
                rng = np.random.default_rng([seed, zlib.crc32(scene.encode()), number])
                chosen = rng.choice(len(vertices), num_points, replace=len(vertices) < num_points)
                data.append(to_object(vertices)[chosen])
                targets.append(label)
                counts[split][label] += 1
                if len(data) == PER_FILE:
                    flush()
        flush()
        _require_all(Path(splits) / listing, counts[split], 'object')
        write_whole(out / f'{split}_files.txt', ''.join(f'./{name}\n' for name in names))
    return {split: count.total() for split, count in counts.items()}


def read_label_map(path: Path) -> dict[str, int]:
    """Return raw label -> 0 to 16, for the raw labels that have one of the 17 categories.

    Both of ScanNet's tables are read: V2's (``scannetv2-labels.combined.tsv``), whose raw labels
    are in the column ``raw_category``, and V1's, where they are in ``category``.

    Raises:
        DataError: A column is missing, or one of the categories has no raw label.
    """
    with (
        reading(path, "ScanNet's table of labels", FIX),
        path.open(encoding='utf-8', newline='') as file,
    ):
        rows = csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE)
        columns = rows.fieldnames or []
        raw = 'category' if 'raw_category' not in columns else 'raw_category'
        missing = [name for name in (raw, 'ShapeNetCore55') if name not in columns]
        if missing:
            raise DataError(
                path, f'columns {", ".join(columns)}', f'also {", ".join(missing)}', FIX
            )
        # trailing columns may be left out in a row: DictReader gives None there
        named = {
            row[raw].strip(): (row['ShapeNetCore55'] or '').strip().lower().replace('_', ' ')
            for row in rows
        }
    found = {raw: _LABELS[name] for raw, name in named.items() if name in _LABELS}
    _require_all(path, found.values(), 'label')
    return found


def _require_all(path: Path, labels: Iterable[int], what: str) -> None:
    """Raise :class:`DataError` if one of the 17 classes does not occur."""
    empty = [' or '.join(CATEGORIES[i]) for i in sorted(set(range(17)) - set(labels))]
    if empty:
        raise DataError(
            path,
            f'no {what} of {", ".join(empty)}',
            f'at least one {what} of each of the 17 classes',
            f'check that the table and the scenes are complete; {FIX}',
        )


def scene_objects(
    folder: Path, scene: str, category: dict[str, int]
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (object number, label, vertices (n, 6): xyz in metres and rgb in [0, 1]) of a scene's
    objects in the 17 classes.
    """
    path = folder / f'{scene}_vh_clean_2.ply'
    vertices, _ = read_ply(path, 'a mesh with colours')
    columns = ('x', 'y', 'z', 'red', 'green', 'blue')
    with reading(path, f'vertices with {", ".join(columns)}', FIX):
        table = np.stack([vertices[name].astype(np.float64) for name in columns], axis=1)
    table[:, 3:] /= 255
    path = folder / f'{scene}_vh_clean_2.0.010000.segs.json'
    segments = _list(path, 'segIndices')
    if len(segments) != len(table):
        raise DataError(
            folder, f'{len(segments)} segment indices', f'{len(table)}, one per vertex', FIX
        )
    paths = [folder / f'{scene}{part}.aggregation.json' for part in ('', '_vh_clean')]
    path = next((path for path in paths if path.exists()), paths[1])
    objects = []
    with reading(path, 'groups of segments with objectId and label', FIX):
        for group in _list(path, 'segGroups'):
            label = category.get(str(group['label']).strip())
            inside = np.isin(segments, group['segments'])
            if label is not None and inside.any():
                number = int(group['objectId'])
                if number < 0:
                    raise ValueError(f'objectId is {number}')
                objects.append((number, label, table[inside]))
    yield from objects


def _list(path: Path, key: str) -> list:
    content = read_json(path, f"JSON with '{key}'", FIX)
    if not isinstance(content, dict) or not isinstance(content.get(key), list):
        raise DataError(path, f'no {key}', f"JSON with '{key}', a list", FIX)
    return content[key]


def to_object(points: np.ndarray) -> np.ndarray:
    """Stand an object (n, 6) on y = 0, y up, centred in x and z; colours from [0, 1] to [-1/2,
    1/2].
    """
    low, high = points[:, :3].min(0), points[:, :3].max(0)
    centre = (low + high) / 2
    return np.stack(
        [
            points[:, 0] - centre[0],
            points[:, 2] - low[2],
            points[:, 1] - centre[1],
            *(points[:, 3:] - 0.5).T,
        ],
        axis=1,
    )
