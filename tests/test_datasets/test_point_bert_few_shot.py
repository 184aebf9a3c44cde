import pickle

import numpy as np
import pytest

from pcdet_kd.datasets import PointBERTFewShot
from pcdet_kd.registry import DATASETS
from pcdet_kd.testing import check_dataset
from pcdet_kd.utils.errors import DataError


def rows(n, points=16, columns=6):
    rng = np.random.default_rng(n)
    clouds = rng.normal(size=(n, points, columns)).astype(np.float32)
    return [(cloud, i % 5, 30 + i % 5) for i, cloud in enumerate(clouds)]


@pytest.fixture
def write(tmp_path):
    def write_(train, test=(), name='5way_10shot/3.pkl'):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(pickle.dumps(dict(train=train, test=test), 4))
        return str(tmp_path)

    return write_


def test_the_published_layout(write):
    train, test = rows(10), rows(20)
    root = write(train, test)
    given = dict(data_root=root, way=5, shot=10, fold=3)
    data = PointBERTFewShot(**given)
    assert len(data) == 10 and len(PointBERTFewShot(split='test', **given)) == 20
    assert data.labels().tolist() == [i % 5 for i in range(10)]
    assert np.array_equal(data[4]['points'], train[4][0][:, [0, 2, 1]]), 'x, z, y'
    assert np.array_equal(data[4]['normals'], train[4][0][:, [3, 5, 4]])
    assert data.metainfo['up_axis'] == 'z'
    check_dataset(dict(type='PointBERTFewShot', **given))
    assert len(DATASETS.get('PointBERTFewShot').class_names(dict(way=10))) == 10


def test_without_normals(write):
    data = PointBERTFewShot(write(rows(5, columns=3)), fold=3)
    assert 'normals' not in data[0]


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        ([(np.zeros((4, 2), np.float32), 0, 1)], r'cloud 0(.|\n)*points of shape \(4, 2\)'),
        ([(np.ones((4, 3), np.float32), 5, 1)], r'cloud 0(.|\n)*label 5(.|\n)*0 to 4'),
        ([(np.ones((4, 3), np.float32), 0.5, 1)], r'cloud 0(.|\n)*label 0.5'),
        ([*rows(1), *rows(1, points=8)], r'clouds of \[8, 16\] points'),
        ([3], r'cloud 0(.|\n)*int'),
        ([], "no list 'train'"),
    ],
)
def test_a_malformed_file_is_named(write, wrong, words):
    with pytest.raises(DataError, match=words) as caught:
        PointBERTFewShot(write(wrong), fold=3)
    assert '3.pkl' in str(caught.value) and 'Point-BERT' in str(caught.value)
    with pytest.raises(DataError, match=r'4\.pkl'):
        PointBERTFewShot(write(rows(5)), fold=4)
