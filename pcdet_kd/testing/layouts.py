"""Random clouds in the files of the published data sets."""

import json
import os
import pickle
from pathlib import Path

import cv2
import h5py
import numpy as np

from pcdet_kd.datasets.class_names import MODELNET40


def write_tiny_layouts(
    root: str | os.PathLike, train: int = 8, test: int = 4, num_views: int = 2, seed: int = 0
) -> None:
    """Write a few random clouds in the official layout of each data set, under the names where the
    configs look below ``data/``: enough to try a config where the data set is not at hand.

    ScanObjectNN (all variants), ModelNet40 in both layouts with images of each shape,
    ScanNetV2_cls, ShapeNet-55, ShapeNetPart (texts), and one few-shot task of Point-BERT. The first
    four classes take turns. What a network learns from it means nothing.

    Args:
        root: The folder ``data``; it is made.
        train: Clouds to train on, of each data set.
        test: Clouds to test on.
        num_views: Images of each shape, 32 x 32 pixels.
        seed: Of the random numbers.
    """
    root = Path(root)
    rng = np.random.default_rng(seed)
    sizes = dict(train=train, test=test)
    for write in (_scanobjectnn, _modelnet40, _scannet_cls, _shapenet55, _shapenet_part):
        write(root, sizes, rng)
    _few_shot_task(root, rng)
    _rendered(root, sizes, num_views, rng)


def _scanobjectnn(root: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    for folder, suffix in (
        ('main_split', '_augmentedrot_scale75'),
        ('main_split', ''),
        ('main_split_nobg', ''),
    ):
        scans = root / 'ScanObjectNN' / folder
        scans.mkdir(parents=True, exist_ok=True)
        for split, n in (('training', sizes['train']), ('test', sizes['test'])):
            with h5py.File(scans / f'{split}_objectdataset{suffix}.h5', 'w') as file:
                file['data'] = rng.uniform(-1, 1, (n, 2048, 3)).astype(np.float32)
                file['label'] = np.arange(n, dtype=np.int32) % 4
                if folder == 'main_split':
                    file['mask'] = np.zeros((n, 2048), np.int32)


def _modelnet40(root: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    folder = root / 'modelnet40_ply_hdf5_2048'
    folder.mkdir()
    for split, n in sizes.items():
        with h5py.File(folder / f'ply_data_{split}0.h5', 'w') as file:
            file['data'] = rng.uniform(-1, 1, (n, 2048, 3)).astype(np.float32)
            file['label'] = np.arange(n, dtype=np.uint8)[:, None] % 4
        (folder / f'{split}_files.txt').write_text(f'data/{folder.name}/ply_data_{split}0.h5\n')
        (folder / f'ply_data_{split}_0_id2file.json').write_text(json.dumps([]))


def _scannet_cls(root: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    folder = root / 'ScanNetV2_cls'
    folder.mkdir()
    for split, n in sizes.items():
        with h5py.File(folder / f'{split}_0.h5', 'w') as file:
            file['data'] = rng.uniform(-0.5, 0.5, (n, 2048, 6))
            file['label'] = np.arange(n, dtype=np.int32) % 4
        (folder / f'{split}_files.txt').write_text(f'./{split}_0.h5\n')


def _shapenet55(root: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    folder = root / 'ShapeNet55-34'
    (folder / 'ShapeNet-55').mkdir(parents=True)
    (folder / 'shapenet_pc').mkdir()
    for split, n in sizes.items():
        names = [f'02691156-{split}{i}.npy' for i in range(n)]
        (folder / 'ShapeNet-55' / f'{split}.txt').write_text('\n'.join(names))
        for name in names:
            points = rng.uniform(-1, 1, (1100, 3)).astype(np.float32)
            np.save(folder / 'shapenet_pc' / name, points)


def _shapenet_part(root: Path, sizes: dict[str, int], rng: np.random.Generator) -> None:
    folder = root / 'shapenetcore_partanno_segmentation_benchmark_v0_normal'
    (folder / 'train_test_split').mkdir(parents=True)
    (folder / '02691156').mkdir()
    (folder / 'synsetoffset2category.txt').write_text('Airplane\t02691156\n')
    for split, n in dict(sizes, val=sizes['test']).items():
        names = [f'02691156/{split}{i}' for i in range(n)]
        listing = folder / 'train_test_split' / f'shuffled_{split}_file_list.json'
        listing.write_text(json.dumps([f'shape_data/{name}' for name in names]))
        for i, name in enumerate(names):
            rows = rng.uniform(-1, 1, (60 + 10 * (i % 3), 7))
            rows[:, 6] = rng.integers(0, 4, len(rows))
            np.savetxt(folder / f'{name}.txt', rows, '%.6f')


def _few_shot_task(root: Path, rng: np.random.Generator) -> None:
    folder = root / 'ModelNetFewshot' / '5way_10shot'
    folder.mkdir(parents=True)
    rows = [(rng.uniform(-1, 1, (64, 6)).astype(np.float32), i % 5, i % 5) for i in range(10)]
    (folder / '0.pkl').write_bytes(pickle.dumps(dict(train=rows, test=rows)))


def _rendered(root: Path, sizes: dict[str, int], num_views: int, rng: np.random.Generator) -> None:
    folder = root / 'modelnet40_normal_resampled'
    folder.mkdir()
    (folder / 'modelnet40_shape_names.txt').write_text('\n'.join(MODELNET40))
    for split, n in sizes.items():
        names = [f'{MODELNET40[i % 4]}_{i:04d}' for i in range(n)]
        (folder / f'modelnet40_{split}.txt').write_text('\n'.join(names))
        for name in names:
            points = folder / name[:-5] / f'{name}.txt'
            images = root / 'ModelNet40_mv_20view' / name[:-5] / split
            points.parent.mkdir(exist_ok=True)
            images.mkdir(parents=True, exist_ok=True)
            np.savetxt(points, rng.uniform(-1, 1, (1024, 6)), '%.6f', ',')
            for view in range(num_views):
                pixels = rng.integers(0, 256, (32, 32), dtype=np.uint8)
                cv2.imwrite(str(images / f'{name}_{view + 1:03d}.png'), pixels)
