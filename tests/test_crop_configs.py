"""The bases of data for self-supervised training, from the file to a batch."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from mmengine.registry import DefaultScope

from pcdet_kd.datasets import ModelNet40
from pcdet_kd.datasets.cloud_sources import DatasetSource
from pcdet_kd.datasets.pack import pack
from pcdet_kd.engine.config_check import check_config
from pcdet_kd.engine.config_reader import read_config
from pcdet_kd.engine.runner import PointRunner
from pcdet_kd.registry import SCOPE

BASES = Path(__file__).parents[1] / 'configs' / '_base_' / 'datasets'
SMALL = dict(
    batch_size=2,
    num_workers=0,
    global_crops=dict(count=2, num_points=32, fraction=(0.4, 1.0)),
    local_crops=dict(count=4, num_points=16, fraction=(0.05, 0.4)),
)


def read(name, **values):
    cfg = read_config(BASES / f'crops_{name}.py', values)
    assert {key for key in cfg if key.startswith(('val', 'test'))} == set()
    return cfg


def first_batch(cfg):
    with DefaultScope.overwrite_default_scope(SCOPE):
        loader = PointRunner.build_dataloader(cfg.train_dataloader, seed=0)
    return loader, next(iter(loader))


@pytest.fixture
def modelnet40(tmp_path):
    points = np.random.default_rng(0).uniform(-1, 1, (5, 64, 3)).astype(np.float32)
    with h5py.File(tmp_path / 'ply_data_train0.h5', 'w') as file:
        file['data'], file['label'] = points, np.zeros((5, 1), np.uint8)
    (tmp_path / 'train_files.txt').write_text('ply_data_train0.h5\n')
    return tmp_path, points


def test_published_values():
    cfg = read('modelnet40')
    check_config(dict(train_dataloader=cfg.train_dataloader), (), 'base')
    loader = cfg.train_dataloader
    assert (loader.batch_size, loader.drop_last, loader.dataset.split) == (128, True, 'trainval')
    up, crop, pack = loader.dataset.pipeline
    assert up == dict(type='ConvertUpAxis', to='z') and crop.aspect == (0.33, 3.0)
    assert crop.global_crops == dict(count=2, num_points=1024, fraction=(0.4, 1.0))
    assert crop.local_crops == dict(count=4, num_points=256, fraction=(0.05, 0.4))
    assert crop.transforms[0] == dict(type='RandomRotate', axis='up')
    assert crop.transforms[1] == dict(type='RandomScale', low=0.8, high=1.2)
    assert tuple(pack['keys']) == ('global_crops', 'local_crops')


def test_crops_are_z_up_and_shaped(modelnet40):
    root, points = modelnet40
    values = dict(SMALL, data_root=str(root), crop_transforms=[])
    loader, batch = first_batch(read('modelnet40', **values))
    assert len(loader) == 2  # of five clouds: drop_last
    inputs = batch['inputs']
    assert {k: tuple(v.shape) for k, v in inputs.items()} == dict(
        global_crops=(2, 2, 32, 3), local_crops=(2, 4, 16, 3)
    )
    for sample, crops in zip(batch['data_samples'], inputs['global_crops'].numpy()):
        assert sample.up_axis == 'z'
        turned = {tuple(p) for p in points[int(sample.sample_id[-4:])][:, [2, 0, 1]].tolist()}
        assert {tuple(p) for p in crops.reshape(-1, 3).tolist()} <= turned


def test_one_crop_without_local_ones(modelnet40):
    values = dict(SMALL, data_root=str(modelnet40[0]), local_crops=None)
    values['global_crops'] = dict(SMALL['global_crops'], count=1)
    inputs = first_batch(read('modelnet40', **values))[1]['inputs']
    assert {k: tuple(v.shape) for k, v in inputs.items()} == dict(global_crops=(2, 1, 32, 3))


def test_syntheticscans(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    values = dict(SMALL, num_train=4, num_points=64)
    inputs = first_batch(read('syntheticscans', **values))[1]['inputs']
    assert inputs['local_crops'].shape == (2, 4, 16, 3)


def test_shapenet55(tmp_path):
    (tmp_path / 'ShapeNet-55').mkdir()
    (tmp_path / 'shapenet_pc').mkdir()
    points = np.random.default_rng(0).normal(size=(4, 64, 3)).astype(np.float32)
    for i, split in enumerate(('train', 'train', 'test', 'test')):
        name = f'03001627-{i}.npy'
        np.save(tmp_path / 'shapenet_pc' / name, points[i])
        with (tmp_path / 'ShapeNet-55' / f'{split}.txt').open('a') as file:
            file.write(f'{name}\n')
    cfg = read('shapenet55', **SMALL, data_root=str(tmp_path))
    check_config(dict(train_dataloader=cfg.train_dataloader), (), 'base')
    loader, batch = first_batch(cfg)
    assert len(loader) == 2 and batch['inputs']['global_crops'].shape == (2, 2, 32, 3)


def test_store(modelnet40, tmp_path):
    source = DatasetSource(ModelNet40(str(modelnet40[0]), split='trainval'))
    pack(source, tmp_path / 'store', 'none', dtype='int16')
    cfg = read('store', **SMALL, data_root=str(tmp_path / 'store'))
    check_config(dict(train_dataloader=cfg.train_dataloader), (), 'base')
    loader, batch = first_batch(cfg)
    assert len(loader) == 2 and batch['inputs']['local_crops'].shape == (2, 4, 16, 3)


def test_mixture(modelnet40, tmp_path):
    pack(DatasetSource(ModelNet40(str(modelnet40[0]))), tmp_path / 'store', 'none')
    parts = dict(
        models=dict(type='ModelNet40', data_root=str(modelnet40[0])),
        store=dict(type='PointStore', data_root=str(tmp_path / 'store')),
    )
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(
        f"_base_ = '{BASES}/_crops.py'\ndata = dict(type='PointMixture', parts={parts!r})\n"
    )
    cfg = read_config(leaf, SMALL)
    check_config(dict(train_dataloader=cfg.train_dataloader), (), 'leaf')
    loader, batch = first_batch(cfg)
    assert len(loader) == 5 and batch['inputs']['global_crops'].shape == (2, 2, 32, 3)
    assert all('gt_label' not in sample for sample in batch['data_samples'])


def test_crops_on_a_device(modelnet40):
    values = dict(SMALL, data_root=str(modelnet40[0]))
    cfg = read('modelnet40', **values)
    cfg.train_dataloader['device'] = 'cpu'
    batch = first_batch(cfg)[1]
    assert batch['inputs']['global_crops'].shape == (2, 2, 32, 3)
    assert batch['data_samples'][0].up_axis == 'z'
