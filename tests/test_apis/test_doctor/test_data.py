import json
import shutil

import h5py
import numpy as np
import pytest

from pcdet_kd.apis.doctor.data import check_data, check_data_of_config
from pcdet_kd.engine.config import load_config
from pcdet_kd.testing.layouts import write_tiny_layouts


@pytest.fixture(scope='module')
def tiny(tmp_path_factory):
    root = tmp_path_factory.mktemp('here') / 'data'
    write_tiny_layouts(root)
    return root


@pytest.fixture
def modelnet(tiny, tmp_path):
    """A copy of a tiny ModelNet40 that a test may break."""
    return shutil.copytree(tiny / 'modelnet40_ply_hdf5_2048', tmp_path / 'modelnet40')


def change(file, name, edit):
    with h5py.File(file, 'r+') as h5:
        values = h5[name][()]
        edit(values)
        h5[name][...] = values


def texts(report, level):
    return [f'{f.about}: {f.text}' for f in report.findings if f.level == level]


def test_all_data_sets_in_a_folder(tiny):
    report = check_data(tiny)
    assert not report.is_broken, report.text()
    json.dumps(report.to_dict())
    scans = report.sections[str(tiny / 'ScanObjectNN')]
    assert len(scans['splits']) == 6 and scans['splits']['OBJ_BG test']['clouds'] == 4
    parts = report.sections[str(tiny / 'shapenetcore_partanno_segmentation_benchmark_v0_normal')]
    assert parts['splits']['val']['also_in_the_files'] == ['part_labels']
    (absent,) = [f for f in report.findings if f.level == 'note']
    assert 'modelnet-c' in absent.text and 'shapenet55' not in absent.text
    assert any('8 clouds in train, 9,840 are published' in t for t in texts(report, 'warning'))


def test_one_data_set(modelnet):
    report = check_data(modelnet)
    splits = report.sections[str(modelnet)]['splits']
    assert splits['train']['clouds'] == 8 and splits['train']['occur_twice'] == 0
    assert splits['train']['clouds_of_each_class']['airplane'] == 2
    assert '36 classes have no cloud in train: bookshelf, ' in texts(report, 'warning')[-3]
    assert not texts(report, 'note') and 'splits' not in check_data(modelnet, quick=True).text()


def test_broken_files_are_lines(modelnet):
    test = modelnet / 'ply_data_test0.h5'
    test.write_bytes(test.read_bytes()[:-100])
    change(modelnet / 'ply_data_train0.h5', 'data', lambda d: d.__setitem__((3, 5), np.nan))
    report = check_data(modelnet)
    cut, nan = texts(report, 'broken')
    assert 'truncated' in cut and 'NaN' in nan and 'sample 3' in nan
    assert 'splits' not in report.sections[str(modelnet)]


def test_equal_clouds(modelnet):
    def copy(values):
        values[1] = values[0][::-1]  # another order, another class
        values[4] = values[0]  # the same class

    change(modelnet / 'ply_data_train0.h5', 'data', copy)
    with h5py.File(modelnet / 'ply_data_train0.h5') as h5:
        first = h5['data'][0]
    change(modelnet / 'ply_data_test0.h5', 'data', lambda d: d.__setitem__(2, first))
    change(modelnet / 'ply_data_test0.h5', 'data', lambda d: d.__setitem__(3, 0.5))
    report = check_data(modelnet)
    assert report.sections[str(modelnet)]['splits']['train']['occur_twice'] == 2
    (degenerate,) = texts(report, 'broken')
    assert '1 clouds of test have no extent' in degenerate and 'ply_data_test0/0003' in degenerate
    told = ' '.join(texts(report, 'warning'))
    assert '2 clouds of train occur twice' in told and '1 of them under two classes' in told
    assert '1 clouds of test are also in train, such as ply_data_test0/0002' in told


def test_all_broken_files_of_own_clouds(tmp_path):
    for name in ('a/0', 'a/1', 'b/0'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.savetxt(tmp_path / f'{name}.txt', np.random.default_rng(0).normal(size=(9, 3)))
    report = check_data(tmp_path)
    assert report.next.startswith(f'pcdet-kd train --data {tmp_path} --model')
    splits = report.sections[str(tmp_path)]['splits']
    assert splits['train']['up_axis'] == 'not known' and splits['train']['clouds'] == 3
    for name in ('a/1.txt', 'b/0.txt'):
        (tmp_path / name).write_bytes(b'x')
    report = check_data(tmp_path)
    assert {t.split(':')[0] for t in texts(report, 'broken')} == {
        str(tmp_path / 'a/1.txt'),
        str(tmp_path / 'b/0.txt'),
    }


def test_every_set_of_a_suite_is_read(write_suite):
    root = write_suite('modelnet-c')
    facts = check_data(root).sections[str(root)]
    assert facts['corrupted_sets'] == '35 of 35 can be read'
    change(root / 'scale_0.h5', 'data', lambda d: d.__setitem__(0, np.inf))
    report = check_data(root)
    assert report.sections[str(root)]['corrupted_sets'] == '34 of 35 can be read'
    assert 'scale_0.h5' in texts(report, 'broken')[0]


def test_nothing_there(tmp_path):
    report = check_data(tmp_path / 'nowhere')
    assert report.is_broken and 'no such directory' in report.findings[0].text
    assert 'known layout' in check_data(tmp_path).findings[0].text


def test_the_data_of_a_config(tiny_configs):
    cfg = load_config(tiny_configs / 'tiny_teacher.py')
    report = check_data_of_config(cfg, 'tiny')
    splits = report.sections['Clouds']['splits']
    assert {'train', 'test'} <= set(splits) and splits['train']['points'] == '16'
    assert not report.is_broken
    cfg.train_dataloader.dataset = dict(type='ModelNet40', data_root='nowhere', pipeline=[])
    report = check_data_of_config(cfg, 'tiny')
    assert report.is_broken and 'test' in report.sections['Clouds']['splits']
