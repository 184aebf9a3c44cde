import hashlib

import numpy as np
import pytest

from pcdet_kd.apis.doctor.clouds import cloud_print, look_at
from pcdet_kd.datasets.point_cloud_folder import PointCloudFolder


def cloud(seed, n=20):
    return np.random.default_rng(seed).normal(size=(n, 3)).astype(np.float32)


@pytest.fixture
def look(tmp_path):
    """Look at a folder with the given clouds of classes ``a`` and ``b``."""

    def run(a, b, name='x', **options):
        for folder, clouds in dict(a=a, b=b).items():
            (tmp_path / name / folder).mkdir(parents=True)
            for i, points in enumerate(clouds):
                np.save(tmp_path / name / folder / f'{i}.npy', points)
        data = PointCloudFolder(
            data_root=str(tmp_path / name), up_axis='y', split='trainval', **options
        )
        return look_at(data, 'x')

    return run


def test_the_hash_of_a_cloud_is_that_of_its_sorted_points():
    points = cloud(0)
    ordered = np.array(sorted(map(tuple, points[:, ::-1].tolist())), np.float32)[:, ::-1]
    wanted = hashlib.blake2b(np.ascontiguousarray(ordered), digest_size=16).digest()
    assert cloud_print(points) == cloud_print(points[::-1]) == wanted
    assert cloud_print(np.zeros((2, 3))) == cloud_print(np.array([[0, -0.0, 0], [0, 0, 0]]))
    assert cloud_print(points) != cloud_print(points[:, [1, 0, 2]])


def test_facts(look):
    inside = cloud(0) / 10
    centred = inside - inside.mean(0)
    twice = np.concatenate([centred, centred])
    found = look([centred, twice, centred[::-1]], [np.array([[0, 0, 0], [3, 4, 0]], 'f4')])
    radius = np.linalg.norm(centred, axis=1).max()
    facts = found.facts
    assert facts['clouds'] == 4 and facts['points'] == '2 to 40'
    assert facts['distinct_points'] == '2 to 20' and facts['classes'] == '2 of 2'
    assert facts['per_class'] == '1 to 3' and facts['clouds_of_each_class'] == dict(a=3, b=1)
    assert facts['radius'] == f'{radius:.3g} to 5.0' and facts['up_axis'] == 'y'
    assert not facts['in_the_unit_sphere'] and not facts['centred'] and not found.degenerate
    assert found.twice() == [('a/2.npy', 'a/0.npy')]
    assert look([centred], [inside - inside.mean(0)], 'y').facts['centred']


def test_splits_in_common(look):
    one = look([cloud(0)], [cloud(1)], 'one')
    other = look([cloud(2)], [cloud(0), cloud(1)[::-1]], 'other')
    assert one.in_common(other) == [('a/0.npy', 'b/0.npy'), ('b/0.npy', 'b/1.npy')]
    assert not one.in_common(look([cloud(3)], [cloud(4)], 'third'))


def test_degenerate_clouds_and_empty_classes(look):
    same, far = np.ones((5, 3), 'f4'), cloud(0) * 1e10
    found = look([same, far], [cloud(1)], allow_degenerate=True, labels=1)
    assert found.degenerate == ['a/0.npy', 'a/1.npy']
    assert len(found.empty) == 1 and sorted(found.labels)[:2] == [-1, -1]
