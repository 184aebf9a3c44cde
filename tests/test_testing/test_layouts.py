"""Tiny files in the official layouts."""

import pytest

from pcdet_kd.registry import DATASETS
from pcdet_kd.testing import write_tiny_layouts

WHERE = {
    'ScanObjectNN': 'ScanObjectNN',
    'ModelNet40': 'modelnet40_ply_hdf5_2048',
    'ModelNet40Resampled': 'modelnet40_normal_resampled',
    'ScanNetCls': 'ScanNetV2_cls',
    'ShapeNet55': 'ShapeNet55-34',
    'ShapeNetPart': 'shapenetcore_partanno_segmentation_benchmark_v0_normal',
}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('layouts') / 'data'
    write_tiny_layouts(root, train=8, test=4)
    return root


@pytest.mark.parametrize('name', WHERE)
def test_the_data_sets_read_them(name, root, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(root / 'cache'))
    args = dict(data_root=str(root / WHERE[name]))
    fraction = {} if name in ('ShapeNet55', 'ShapeNetPart') else dict(val_fraction=0.0)
    for split, n in (('train', 8), ('test', 4)):
        dataset = DATASETS.build(dict(type=name, split=split, pipeline=[], **args, **fraction))
        assert len(dataset) == n
        assert dataset[0]['points'].shape[1] >= 3
