"""Break files by chance, with a seed: every reader ends in data or in an error that names the file.

Run it as ``python tests/soak/fuzz.py --minutes 5``; ``tests/test_datasets/test_fuzz.py`` is a short
form. See ``CONTRIBUTING.md``.
"""

import argparse
import json
import re
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import h5py
import laspy
import numpy as np
import torch
from mmengine.logging import MMLogger
from plyfile import PlyData, PlyElement
from safetensors.torch import save_file

from pcdet_kd.datasets import (
    ModelNet40,
    ModelNet40C,
    ModelNet40Resampled,
    ModelNetC,
    PointStore,
    ScanNetCls,
    ScanObjectNN,
    ShapeNet55,
    read_points,
)
from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.cloud_sources import folder_source
from pcdet_kd.datasets.pack import pack
from pcdet_kd.datasets.scannet_objects import CATEGORIES, read_label_map, scene_objects
from pcdet_kd.datasets.stored_views import StoredViews
from pcdet_kd.robustness.generation.mark import provenance_of
from pcdet_kd.robustness.results import SetResult
from pcdet_kd.utils.checkpoint import CheckpointError, load_checkpoint_file
from pcdet_kd.utils.errors import DataError, SampleError
from pcdet_kd.utils.foreign_checkpoint import read_foreign_checkpoint

# lengths, counts and words that break parsers
LENGTHS = (0, 1, 255, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1)
WORDS = (b'0', b'-1', b'1000000000', b'99999999999999999999', b'1e30', b'1e999', b'nan', b'', b'x')


def mutate(data: bytes, rng: np.random.Generator, other: bytes = b'') -> bytes:
    """Return a broken copy of a file: one to three faults of a random kind.

    Args:
        data: The file.
        rng: Source of the random numbers.
        other: Another file, whose parts may take the place of this one's.
    """
    out = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        n = len(out)
        # most of what a parser decides on stands at the start or the end of a file
        at = int(rng.choice([rng.integers(n + 1), rng.integers(min(n, 300) + 1), n]))
        at = max(at - int(rng.integers(64)), 0) if at == n else at
        kind = rng.integers(9)
        if kind == 0:  # bits
            for i in rng.integers(max(at - 8, 0), at + 8, 3):
                if i < n:
                    out[i] ^= 1 << int(rng.integers(8))
        elif kind == 1:  # the end is missing
            del out[at:]
        elif kind == 2:  # a piece is missing
            del out[at : at + int(rng.integers(1, 40))]
        elif kind == 3:  # a length
            size = int(rng.choice([1, 2, 4, 8]))
            value = int(rng.choice(np.array(LENGTHS, dtype=np.uint64))) % 256**size
            order = 'little' if rng.random() < 0.7 else 'big'
            out[at : at + size] = value.to_bytes(size, order)
        elif kind == 4:  # something between
            out[at:at] = rng.bytes(int(rng.integers(1, 40)))
        elif kind == 5:  # the head of another file
            out[:at] = other[:at]
        elif kind == 6:  # a piece twice, or far too often
            piece = out[at : at + int(rng.integers(1, 60))]
            out[at:at] = piece * int(rng.choice([1, 2, 500]))
        elif kind == 7:  # a number in text
            words = [m.span() for m in re.finditer(rb'\d+', bytes(out[:2000]))]
            if words:
                a, b = words[int(rng.integers(len(words)))]
                out[a:b] = WORDS[int(rng.integers(len(WORDS)))]
        else:  # a byte for another
            out[at : at + 4] = bytes(rng.choice([0, 10, 40, 92, 255], 4).astype(np.uint8))
    return bytes(out)


def mutations(data: bytes, other: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Yield ``count`` broken copies; the same for the same seed."""
    for i in range(count):
        yield mutate(data, np.random.default_rng([seed, i]), other)


@dataclass
class Case:
    """A file that is broken, and what reads it.

    Attributes:
        write: Writes whole files into a folder.
        target: The one that is broken.
        read: Reads the folder; returns data or raises one of ``ALLOWED``.
    """

    write: Callable[[Path], None]
    target: str
    read: Callable[[Path], object]


ALLOWED = (DataError, CheckpointError, SampleError)
CLOUDS = np.random.default_rng(0).normal(size=(6, 20, 3)).astype(np.float32)
CORNERS = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
TRIANGLES = [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
PNG = np.random.default_rng(0).integers(256, size=(8, 8), dtype=np.uint8)
WEIGHTS = dict(state_dict={'a.weight': torch.ones(3, 2), 'a.bias': torch.zeros(3)}, meta=dict(x=1))


def points_case(name: str, write: Callable[[Path], object]) -> Case:
    return Case(lambda root: write(root / name), name, lambda root: read_points(root / name))


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


def write_ply(path: Path, is_text: bool) -> None:
    kinds = [(n, 'f4') for n in 'xyz'] + [(n, 'u1') for n in ('red', 'green', 'blue')]
    vertex = np.array([(*c, 1, 2, 3) for c in CORNERS], dtype=kinds)
    face = np.empty(4, dtype=[('vertex_indices', 'i4', (3,))])
    face['vertex_indices'] = TRIANGLES
    elements = [PlyElement.describe(vertex, 'vertex'), PlyElement.describe(face, 'face')]
    PlyData(elements, text=is_text).write(path)


def write_pcd(path: Path, layout: str) -> None:
    data = CLOUDS[0].tobytes()
    if layout == 'ascii':
        data = '\n'.join(' '.join(map(str, row)) for row in CLOUDS[0].tolist()).encode()
    elif layout == 'binary_compressed':
        raw = CLOUDS[0].T.tobytes()
        packed = b''.join(
            bytes([len(p) - 1]) + p for p in (raw[i : i + 32] for i in range(0, len(raw), 32))
        )
        data = np.array([len(packed), len(raw)], '<u4').tobytes() + packed
    head = 'VERSION .7\nFIELDS x y z\nSIZE 4 4 4\nTYPE F F F\nCOUNT 1 1 1\nWIDTH 20\nHEIGHT 1\n'
    head += f'POINTS 20\nDATA {layout}\n'
    path.write_bytes(head.encode() + data)


def write_las(path: Path) -> None:
    cloud = laspy.LasData(laspy.LasHeader(point_format=3, version='1.4'))
    cloud.xyz = CLOUDS[0]
    cloud.write(str(path))


def write_h5(path: Path, data: np.ndarray = CLOUDS, **more: object) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    with h5py.File(path, 'w') as file:
        file.create_dataset('data', data=data, **more)
        file['label'] = np.arange(6, dtype=np.uint8)[:, None] % 5
        file['mask'] = np.zeros(data.shape[:2], np.int32)


def glb(path: Path) -> None:
    """Two boxes, one of them placed elsewhere."""
    import trimesh

    parts = [trimesh.creation.box((1, 2, 3)), trimesh.creation.box((1, 1, 1))]
    parts[1].apply_translation((5, 0, 0))
    trimesh.Scene(parts).export(path)


def stl(path: Path) -> None:
    rows = np.zeros(4, dtype=[('normal', '<f4', 3), ('corners', '<f4', (3, 3)), ('more', '<u2')])
    rows['corners'] = np.array(CORNERS)[np.array(TRIANGLES)]
    path.write_bytes(b'\0' * 80 + np.uint32(4).tobytes() + rows.tobytes())


def modelnet40(root: Path) -> None:
    write_h5(root / 'train0.h5')
    (root / 'train_files.txt').write_text('data/train0.h5\n')
    (root / 'shape_names.txt').write_text('\n'.join(MODELNET40))


def resampled(root: Path) -> None:
    (root / 'modelnet40_shape_names.txt').write_text('\n'.join(MODELNET40))
    (root / 'modelnet40_train.txt').write_text('bed_0001\ncar_0002\n')
    for name in ('bed/bed_0001', 'car/car_0002'):
        (root / name).parent.mkdir(exist_ok=True)
        np.savetxt(root / f'{name}.txt', np.hstack([CLOUDS[0], CLOUDS[1]]), '%.5f', ',')


def scannet(root: Path) -> None:
    for split in ('train', 'test'):
        write_h5(root / f'{split}_0.h5', np.concatenate([CLOUDS, CLOUDS], axis=2))
        (root / f'{split}_files.txt').write_text(f'./{split}_0.h5\n')


def scene(root: Path) -> None:
    folder = root / 's'
    folder.mkdir(exist_ok=True)
    write_ply(folder / 's_vh_clean_2.ply', False)
    names = dict(segIndices=[1, 1, 2, 2])
    (folder / 's_vh_clean_2.0.010000.segs.json').write_text(json.dumps(names))
    groups = [
        dict(objectId=3, label='chair', segments=[1]),
        dict(objectId=4, label='x', segments=[2]),
    ]
    (folder / 's.aggregation.json').write_text(json.dumps(dict(segGroups=groups)))
    rows = [f'{i}\traw {i}\t{names[-1]}' for i, names in enumerate(CATEGORIES)]
    (root / 'labels.tsv').write_text('\n'.join(['id\traw_category\tShapeNetCore55', *rows]))


def views(root: Path) -> None:
    for number in (1, 2):
        (root / f'x_{number:03d}.png').write_bytes(cv2.imencode('.png', PNG)[1].tobytes())
    header = json.dumps(dict(version=1, settings=dict(image_size=8)))
    (root / 'views.jsonl').write_text(f'{header}\n{json.dumps(dict(name="x", mesh="abc"))}\n')
    StoredViews(root, 2, 8, cache_dir=root / 'cache').load('x')
    next((root / 'cache').rglob('*.npy')).rename(root / 'cached.npy')


def read_cached_views(root: Path) -> object:
    stored = StoredViews(root, 2, 8, cache_dir=root / 'cache')
    stored.load('x')
    shutil.copy(root / 'cached.npy', next((root / 'cache').rglob('*.npy')))
    return stored.load('x')


def shapenet(root: Path) -> None:
    (root / 'ShapeNet-55').mkdir()
    (root / 'shapenet_pc').mkdir()
    names = [f'03001627-{name}.npy' for name in 'abcdef']
    (root / 'ShapeNet-55/train.txt').write_text('\n'.join(names))
    for name, cloud in zip(names, CLOUDS):
        np.save(root / 'shapenet_pc' / name, cloud)


def store(root: Path) -> None:
    (root / 'files').mkdir()
    for name, cloud in zip('abcdef', CLOUDS):
        np.save(root / 'files' / f'{name}.npy', cloud)
    pack_again(root)


def pack_again(root: Path) -> object:
    (root / 'store/store.json').unlink(missing_ok=True)
    return pack(folder_source(root / 'files', 'z'), root / 'store', 'none', 'float16', 4)


def read_store(root: Path) -> list:
    data = PointStore(str(root / 'store'))
    return [data[i] for i in range(len(data))]


def suite(root: Path) -> None:
    np.save(root / 'data_rotation_2.npy', CLOUDS)
    np.save(root / 'label.npy', np.arange(6)[:, None])
    write_h5(root / 'scale_1.h5')
    write_h5(root / 'clean.h5')
    mark = dict(version=1, seed=0, source='meshes', files={})
    (root / 'generated.json').write_text(json.dumps(mark))


def modelnet40c(root: Path) -> object:
    return ModelNet40C(str(root), 'rotation', 2)


def modelnetc(root: Path) -> object:
    return ModelNetC(str(root), 'scale', 1)


def results(root: Path) -> None:
    ones = np.ones(3, np.int64)
    SetResult(ones, ones, CLOUDS[0, :3, 0], CLOUDS[0, :3, 0], ones, ones[:1], [CLOUDS[0]]).write(
        root / 'set.npz'
    )


def checkpoint(name: str, **options: object) -> dict[str, Case]:
    def write(root: Path) -> None:
        torch.save(WEIGHTS, root / name, **options)

    return {
        f'{name} by us': Case(write, name, lambda root: load_checkpoint_file(root / name)),
        f'{name} by others': Case(write, name, lambda root: read_foreign_checkpoint(root / name)),
    }


def hyper(root: Path) -> None:
    """A checkpoint of the older format with an object beside the weights."""
    torch.save(
        dict(WEIGHTS, hyper=argparse.Namespace(a=1)),
        root / 'hyper.pth',
        _use_new_zipfile_serialization=False,
    )


CASES = {
    'ply binary': points_case('a.ply', lambda path: write_ply(path, False)),
    'ply text': points_case('a.ply', lambda path: write_ply(path, True)),
    'pcd ascii': points_case('a.pcd', lambda path: write_pcd(path, 'ascii')),
    'pcd binary': points_case('a.pcd', lambda path: write_pcd(path, 'binary')),
    'pcd compressed': points_case('a.pcd', lambda path: write_pcd(path, 'binary_compressed')),
    'las': points_case('a.las', write_las),
    'laz': points_case('a.laz', write_las),
    'xyz': points_case('a.xyz', lambda path: np.savetxt(path, CLOUDS[0])),
    'csv': points_case('a.csv', text('x,y,z,r,g,b\n' + '1,2,3,4,5,6\n' * 9)),
    'npy': points_case('a.npy', lambda path: np.save(path, CLOUDS[0])),
    'npz': points_case('a.npz', lambda path: np.savez(path, points=CLOUDS[0], rgb=CLOUDS[1])),
    'npz deflated': points_case('a.npz', lambda path: np.savez_compressed(path, points=CLOUDS[0])),
    'off': points_case(
        'a.off',
        text('OFF\n4 4 0\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n3 0 2 3\n3 1 2 3\n'),
    ),
    'obj': points_case(
        'a.obj',
        text(
            'mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nvn 1 0 0\nvt 0 1\n'
            'f 1/1/1 2/1/1 3/1/1\nf 2 3 4\nf -1 -2 -3 -4\n'
        ),
    ),
    'glb': points_case('a.glb', glb),
    'stl binary': points_case('a.stl', stl),
    'stl text': points_case(
        'a.stl',
        text(
            'solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\n'
            'endloop\nendfacet\nendsolid a\n'
        ),
    ),
    'ModelNet40 h5': Case(modelnet40, 'train0.h5', lambda root: ModelNet40(str(root))),
    'ModelNet40 list': Case(modelnet40, 'train_files.txt', lambda root: ModelNet40(str(root))),
    'ModelNet40 names': Case(modelnet40, 'shape_names.txt', lambda root: ModelNet40(str(root))),
    **{
        f'ModelNet40Resampled {name}': Case(
            resampled,
            name,
            lambda root: ModelNet40Resampled(str(root), 10, num_workers=0, split='train'),
        )
        for name in ('bed/bed_0001.txt', 'modelnet40_train.txt')
    },
    'ScanObjectNN': Case(
        lambda root: write_h5(root / 'main_split/training_objectdataset.h5'),
        'main_split/training_objectdataset.h5',
        lambda root: ScanObjectNN(str(root), 'OBJ_BG'),
    ),
    'ScanObjectNN packed': Case(
        lambda root: write_h5(
            root / 'main_split/training_objectdataset.h5', compression='gzip', shuffle=True
        ),
        'main_split/training_objectdataset.h5',
        lambda root: ScanObjectNN(str(root), 'OBJ_BG'),
    ),
    'ScanNetCls': Case(scannet, 'train_0.h5', lambda root: ScanNetCls(str(root))),
    **{
        f'ScanNet {name}': Case(
            scene, name, lambda root: list(scene_objects(root / 's', 's', dict(chair=1)))
        )
        for name in ('s/s.aggregation.json', 's/s_vh_clean_2.0.010000.segs.json')
    },
    'ScanNet labels': Case(scene, 'labels.tsv', lambda root: read_label_map(root / 'labels.tsv')),
    'ShapeNet55': Case(shapenet, 'shapenet_pc/03001627-a.npy', lambda root: ShapeNet55(str(root))),
    'ShapeNet55 list': Case(shapenet, 'ShapeNet-55/train.txt', lambda root: ShapeNet55(str(root))),
    **{
        f'store {name}': Case(store, f'store/{name}', read_store)
        for name in (
            'store.json',
            'offsets.npy',
            'labels.npy',
            'boxes.npy',
            'ids.npy',
            'id_offsets.npy',
            'shards/00000.npy',
        )
    },
    **{
        f'begun store {name}': Case(store, f'store/{name}', pack_again)
        for name in ('plan.json', 'shards/00001.json', 'shards/00001.npz')
    },
    'views png': Case(views, 'x_001.png', lambda root: StoredViews(root, 2, 8).load('x')),
    'views record': Case(
        views, 'views.jsonl', lambda root: StoredViews(root, 2, 8).fingerprint(['x'])
    ),
    'views cache': Case(views, 'cached.npy', read_cached_views),
    'ModelNet40-C': Case(suite, 'data_rotation_2.npy', modelnet40c),
    'ModelNet40-C labels': Case(suite, 'label.npy', modelnet40c),
    'ModelNet-C': Case(suite, 'scale_1.h5', modelnetc),
    'ModelNet-C clean': Case(suite, 'clean.h5', modelnetc),
    'mark of a suite': Case(suite, 'generated.json', provenance_of),
    'results on a set': Case(results, 'set.npz', lambda root: SetResult.read(root / 'set.npz')),
    **checkpoint('new.pth'),
    **checkpoint('old.pth', _use_new_zipfile_serialization=False),
    'object in an old .pth': Case(
        hyper, 'hyper.pth', lambda root: read_foreign_checkpoint(root / 'hyper.pth')
    ),
    'safetensors': Case(
        lambda root: save_file(WEIGHTS['state_dict'], root / 'a.safetensors'),
        'a.safetensors',
        lambda root: read_foreign_checkpoint(root / 'a.safetensors'),
    ),
}


def run_case(name: str, root: Path, count: int, seed: int) -> tuple[int, list[str]]:
    """Break the file of a case ``count`` times.

    Returns:
        How many copies were read as data, and the findings: what was raised that is none of
        ``ALLOWED``, and messages that do not name the file.
    """
    case, findings, read = CASES[name], [], 0
    root.mkdir()
    case.write(root)
    target = root / case.target
    data = target.read_bytes()
    other = root.parent / 'other.npz'
    if not other.exists():
        np.savez(other, points=CLOUDS[0])
    for i, broken in enumerate(mutations(data, other.read_bytes(), count, seed)):
        target.write_bytes(broken)
        started = time.process_time()
        try:
            case.read(root)
            read += 1
        except ALLOWED as error:
            if str(root) not in str(error):
                findings.append(f'{name}, seed {seed}, copy {i}: no file in "{error}"')
        except Exception as error:
            findings.append(f'{name}, seed {seed}, copy {i}: {type(error).__name__}: {error}')
        if time.process_time() - started > 5:
            findings.append(f'{name}, seed {seed}, copy {i}: took more than 5 s')
    return read, findings


def main() -> int:
    """Break files for some minutes and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--minutes', type=float, default=5)
    parser.add_argument('--seed', type=int, default=0, help='of the first round')
    parser.add_argument('--count', type=int, default=100, help='copies of each file in a round')
    parser.add_argument('--only', default='', help='part of the names of the cases')
    args = parser.parse_args()
    end, seed, found, copies, good = time.time() + args.minutes * 60, args.seed, set(), 0, 0
    names = [name for name in CASES if args.only in name]
    MMLogger.get_instance('soak', log_level='ERROR')
    while time.time() < end:
        for name in names:
            with tempfile.TemporaryDirectory() as directory:
                before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                read, findings = run_case(name, Path(directory) / 'root', args.count, seed)
                grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            if grown > 2**20:  # kilobytes
                findings.append(f'{name}, seed {seed}: the process grew by {grown:,} kB')
            copies, good = copies + args.count, good + read
            for finding in findings:
                found.add(finding)
                print(finding, flush=True)
        seed += 1
    print(f'{copies:,} broken files, {good:,} read as data, {len(found)} findings')
    print(f'seeds {args.seed} to {seed - 1}, {len(names)} cases')
    return bool(found)


if __name__ == '__main__':
    raise SystemExit(main())
