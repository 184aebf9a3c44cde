"""check_dataset passes a right part and names what is wrong with a wrong one."""

import numpy as np
import pytest
import torch

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.records import Records
from pcdet_kd.testing import check_dataset


class Clouds(PointCloudDataset):
    METAINFO = dict(classes=('a', 'b'), up_axis='y', task='classification')

    def load_records(self):
        points = np.random.default_rng(0).random((4, 5, 3), dtype=np.float32)
        return Records(
            points,
            np.array([0, 1, 0, 1]),
            [f's{i}' for i in range(4)],
            dict(normals=points.copy()),
            'memory',
        )


def jitter(info):
    return {**info, 'points': info['points'] + np.random.rand()}


def torch_jitter(info):
    return {**info, 'points': info['points'] + float(torch.rand(1))}


class NoUp(Clouds):
    METAINFO = dict(classes=('a', 'b'), task='classification')

    def get_data_info(self, idx):
        return super(PointCloudDataset, self).get_data_info(idx)


class Writeable(Clouds):
    def get_data_info(self, idx):
        info = super().get_data_info(idx)
        return {**info, 'normals': info['normals'].copy()}


class SameName(Clouds):
    def get_data_info(self, idx):
        return {**super().get_data_info(idx), 'sample_id': 'one'}


class Doubles(Clouds):
    def get_data_info(self, idx):
        return {**super().get_data_info(idx), 'points': np.zeros((5, 3))}


def test_check_dataset_accepts():
    state = np.random.get_state()[1].copy()
    check_dataset(Clouds(pipeline=[jitter]))
    assert np.array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    ('dataset', 'message'),
    [
        (NoUp, 'up_axis'),
        (Writeable, 'normals can be written to'),
        (SameName, 'unique sample_id'),
        (Doubles, 'float32 array'),
    ],
)
def test_check_dataset_refuses(dataset, message):
    with pytest.raises(AssertionError, match=f'{dataset.__name__}.*{message}'):
        check_dataset(dataset())


def test_check_dataset_finds_random_numbers_that_are_not_seeded():
    with pytest.raises(AssertionError, match='differs between two reads'):
        check_dataset(Clouds(pipeline=[torch_jitter]))
