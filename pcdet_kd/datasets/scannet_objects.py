"""From ScanNet's scenes to single objects (what PointCNN's extraction script does)."""

import csv
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pcdet_kd.datasets.files import read_lines, require_directory, require_file
from pcdet_kd.utils.errors import DataError
from pcdet_kd.utils.files import atomic_write

# ShapeNetCore55 category, by the order of its id there -> label 0 to 16
CATEGORIES = (
    'trash',
    'basket',
    'bathtub',
    'bed',
    'shelf',
    'cabinet',
    'chair',
    'keyboard',
    'tv',
    'lamp',
    'laptop',
    'microwave',
    'pillow',
    'printer',
    'sofa',
    'stove',
    'table',
)
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
        DataError: A file is missing or malformed; nothing is listed then.
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

        counts[split] = 0
        for scene in tqdm(scenes, desc=split, unit='scene'):
            for number, label, vertices in scene_objects(scans / scene, scene, category):
                rng = np.random.default_rng([seed, zlib.crc32(scene.encode()), number])
                chosen = rng.choice(len(vertices), num_points, replace=len(vertices) < num_points)
                data.append(to_object(vertices)[chosen])
                targets.append(label)
                counts[split] += 1
                if len(data) == PER_FILE:
                    flush()
        flush()
        with atomic_write(out / f'{split}_files.txt') as file:
            file.write(''.join(f'./{name}\n' for name in names).encode())
    return counts


def read_label_map(path: Path) -> dict[str, int]:
    """Return raw label -> 0 to 16, for the raw labels that have one of the 17 categories.

    Raises:
        DataError: A column is missing.
    """
    require_file(path, "ScanNet's table of labels", FIX)
    with path.open(encoding='utf-8', newline='') as file:
        rows = csv.DictReader(file, delimiter='\t', quoting=csv.QUOTE_NONE)
        columns = rows.fieldnames or []
        missing = [name for name in ('raw_category', 'ShapeNetCore55') if name not in columns]
        if missing:
            raise DataError(
                path, f'columns {", ".join(columns)}', f'also {", ".join(missing)}', FIX
            )
        # trailing columns may be left out in a row: DictReader gives None there
        return {
            row['raw_category'].strip(): CATEGORIES.index(name)
            for row in rows
            if (name := (row['ShapeNetCore55'] or '').strip()) in CATEGORIES
        }


def scene_objects(
    folder: Path, scene: str, category: dict[str, int]
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Yield (object number, label, vertices (n, 6): xyz in metres and rgb in [0, 1]) of a scene's
    objects in the 17 classes.
    """
    import plyfile

    vertices = plyfile.PlyData.read(
        require_file(folder / f'{scene}_vh_clean_2.ply', 'a mesh', FIX)
    )['vertex']
    table = np.stack(
        [
            np.asarray(vertices[name], np.float64)
            for name in ('x', 'y', 'z', 'red', 'green', 'blue')
        ],
        axis=1,
    )
    table[:, 3:] /= 255
    segments = _json(folder / f'{scene}_vh_clean_2.0.010000.segs.json', 'segIndices')
    if len(segments) != len(table):
        raise DataError(
            folder, f'{len(segments)} segment indices', f'{len(table)}, one per vertex', FIX
        )
    segments = np.asarray(segments)
    aggregation = folder / f'{scene}.aggregation.json'
    if not aggregation.exists():
        aggregation = folder / f'{scene}_vh_clean.aggregation.json'
    for group in _json(aggregation, 'segGroups'):
        label = category.get(str(group['label']).strip())
        if label is None:
            continue
        inside = np.isin(segments, group['segments'])
        if inside.any():
            yield int(group['objectId']), label, table[inside]


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


def _json(path: Path, key: str) -> list:
    require_file(path, f"JSON with '{key}'", FIX)
    try:
        return json.loads(path.read_text(encoding='utf-8'))[key]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(path, f'no {key} ({error})', f"JSON with '{key}'", FIX) from error
