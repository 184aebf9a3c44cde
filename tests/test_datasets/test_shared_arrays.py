"""Arrays in worker processes are those of the main process: no copy, and nothing to write to."""

import pickle
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pcdet_kd.datasets import PointCloudFolder
from pcdet_kd.datasets.records import Records
from pcdet_kd.datasets.shared_arrays import SharedArray, share


class WhereFrom:
    """A last transform that tells in which file the points lie in memory, and how much memory is
    this process's own.
    """

    def __call__(self, results):
        points = results['points']
        with pytest.raises(ValueError, match='read-only'):
            points[:] = 0
        address = points.__array_interface__['data'][0]
        inode = None
        for line in Path('/proc/self/maps').read_text().splitlines():
            low, high = (int(v, 16) for v in line.split()[0].split('-'))
            if low <= address < high:
                inode = int(line.split()[4])
        own = sum(
            int(line.split()[1])
            for line in Path('/proc/self/smaps_rollup').read_text().splitlines()
            if line.startswith('Private_Dirty')
        )
        return dict(inode=inode, own=own / 1024, sum=float(points.sum(dtype=np.float64)))


def build(folder):
    rng = np.random.default_rng(0)
    (folder / 'a').mkdir()
    for i in range(8):
        np.save(folder / 'a' / f'{i}.npy', rng.normal(size=(200000 + i, 3)).astype(np.float32))
    return PointCloudFolder(str(folder), 'y', pipeline=[WhereFrom()])


def read(dataset, method):
    expected = [dataset[i]['sum'] for i in range(8)]
    found = list(
        DataLoader(dataset, batch_size=None, num_workers=1, multiprocessing_context=method)
    )
    assert [f['sum'] for f in found] == expected
    return found


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_forked_workers_leave_the_arrays_where_they_are(tmp_path):
    found = read(build(tmp_path), 'fork')
    assert found[-1]['own'] - found[0]['own'] < 4  # of 19 MB that were read


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_spawned_workers_map_the_arrays(tmp_path):
    dataset = build(tmp_path)
    assert dataset[0]['inode'] == 0
    found = read(dataset, 'spawn')
    assert (
        {f['inode'] for f in found} == {dataset[0]['inode']} != {0}
    )  # this process uses the shared memory too


def test_arrays_move_once():
    records = Records(
        np.ones((2, 3, 3), np.float32),
        np.zeros(2, np.int64),
        ['a', 'b'],
        {'rgb': np.ones((2, 3, 3))},
    )
    shared = records._in_shared_memory()
    assert records._in_shared_memory() is shared and records.points is shared['points'].array
    assert records.extras['rgb'] is shared['rgb'].array and not records.points.flags.writeable


def test_records_pickle_as_ever_elsewhere():
    records = Records(
        np.ones((2, 3, 3), np.float32),
        np.zeros(2, np.int64),
        ['a', 'b'],
        {'rgb': np.ones((2, 3, 3))},
    )
    records._in_shared_memory()
    again = pickle.loads(pickle.dumps(records))
    assert (again.points == records.points).all() and not again.extras['rgb'].flags.writeable
    assert not hasattr(again, '_shared')


def test_shared_forms():
    assert SharedArray(np.zeros((0, 3))).array.shape == (0, 3)
    values = np.arange(12, dtype=np.float32).reshape(4, 3)[:, ::-1]
    shared = SharedArray(values).array
    assert (shared == values).all() and not shared.flags.writeable
    parts = [np.ones((n, 3), np.float32) * n for n in (2, 0, 3)]
    assert [a.tolist() for a in share(parts).array] == [a.tolist() for a in parts]
    assert share([np.ones(2), np.ones(2, np.int64)]) is None
    assert torch.from_numpy(share(parts).array[2].copy()).sum() == 27
