import numpy as np
import pytest

from pcdet_kd.apis.doctor.layouts import find_places, published_in
from pcdet_kd.datasets.published import PUBLISHED
from pcdet_kd.registry import DATASETS
from pcdet_kd.testing.layouts import write_tiny_layouts


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('here') / 'data'
    write_tiny_layouts(root)
    return root


def test_each_published_layout_is_recognised(data):
    found = {place.root.name: place for place in find_places(data)}
    for name in (
        'modelnet40',
        'modelnet40-resampled',
        'scanobjectnn',
        'shapenetpart',
        'shapenet55',
        'scannet-cls',
    ):
        entry = PUBLISHED[name]
        place = found.pop(entry.folder)
        assert place.published is entry and place.kind == entry.kind
        assert place.title == entry.title and published_in(place.root) == place
        assert all(file.is_file() for file in place.files() if 'shape_names' not in file.name)
        for arguments in place.splits.values():
            kind = DATASETS.get(place.kind)
            assert len(kind(data_root=str(place.root), **arguments))
    assert not found


def test_the_variants_of_scanobjectnn_that_are_there(data):
    splits = list(published_in(data / 'ScanObjectNN').splits)
    variants = ('OBJ_ONLY', 'OBJ_BG', 'PB_T50_RS')
    assert splits == [f'{v} {split}' for v in variants for split in ('train', 'test')]


def test_the_archive_folder_of_scanobjectnn(data, tmp_path):
    (tmp_path / 'ScanObjectNN').mkdir()
    (tmp_path / 'ScanObjectNN/h5_files').symlink_to(data / 'ScanObjectNN')
    (place,) = find_places(tmp_path)
    assert place.root.name == 'h5_files'


@pytest.mark.parametrize('suite', ['modelnet40-c', 'modelnet-c'])
def test_suites(write_suite, suite):
    root = write_suite(suite)
    place = published_in(root)
    assert place.published is PUBLISHED[suite] and list(place.splits) == ['test']
    assert all(file.is_file() for file in place.files())
    assert len(place.others) == len(place.files()) - 1 - (suite == 'modelnet40-c')


def test_a_generated_suite_without_its_clean_set(write_suite):
    place = published_in(write_suite('modelnet40-c', clean=False, marked=True))
    assert not place.splits and place.others and all(file.is_file() for file in place.files())


@pytest.mark.parametrize('name', ['a/0.npy', 'train/a/0.npy', 'a/train/0.npy'])
def test_folders_of_clouds(tmp_path, name):
    file = tmp_path / 'own' / name
    file.parent.mkdir(parents=True)
    np.save(file, np.ones((4, 3)))
    (place,) = find_places(tmp_path / 'own')
    assert find_places(tmp_path) == [place] and place.published is None
    assert place.files() == place.files() == [file] and list(place.splits) == ['train']
    test = tmp_path / 'own' / name.replace('train', 'test')
    test.parent.mkdir(parents=True, exist_ok=True)
    np.save(test, np.ones((4, 3)))
    assert list(find_places(tmp_path)[0].splits) == ['train', 'test'][: 1 + ('train' in name)]


def test_a_store_and_nothing(tmp_path):
    (tmp_path / 'store').mkdir()
    (tmp_path / 'store/store.json').write_text('{}')
    (tmp_path / 'pictures/a').mkdir(parents=True)
    (tmp_path / 'pictures/a/x.png').write_text('')
    (place,) = find_places(tmp_path)
    assert place.kind == 'PointStore' and place.title == 'a store of clouds'
    assert find_places(tmp_path / 'pictures') == []
