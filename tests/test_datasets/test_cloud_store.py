import copy
import json
import pickle

import numpy as np
import pytest

from pcdet_kd.datasets import cloud_store
from pcdet_kd.datasets.cloud_store import CloudStore, decode, encode, shard_file
from pcdet_kd.utils.errors import DataError


@pytest.mark.parametrize(
    'dtype, bound', [('float32', 0), ('float16', 1 / 4096), ('int16', 1 / 65534)]
)
@pytest.mark.parametrize('offset', [0, 1000])
def test_how_far_stored_points_are_off(dtype, bound, offset):
    rng = np.random.default_rng(0)
    for scale in (1e-3, 1, 1e4):
        points = (scale * (rng.normal(size=(500, 3)) + offset)).astype(np.float32)
        stored, box = encode(points, dtype)
        assert stored.dtype == dtype and stored.shape == (500, 3) and box.dtype == np.float32
        back = decode(stored, box)
        exact = points.astype(np.float64)
        half = (exact.max(0) - exact.min(0)).max() / 2
        rounding = np.abs(exact).max() * 2.0**-22 if bound else 0
        assert back.dtype == np.float32
        error = np.abs(back - exact).max()
        assert error <= half * bound * 1.001 + rounding
        assert not bound or offset or error > half * bound / 4  # the bound is no larger than needed


def test_one_point_and_the_largest_side():
    for dtype in cloud_store.DTYPES:
        points = np.array([[1, 2, 3]], np.float32)
        np.testing.assert_array_equal(decode(*encode(points, dtype)), points)
    stored, box = encode(np.array([[-2, 0, 0], [2, 1, 0]], np.float32), 'int16')
    assert stored.tolist() == [[-32767, -8192, 0], [32767, 8192, 0]]
    assert box[:3].tolist() == [0, 0.5, 0] and box[3] == pytest.approx(2)


@pytest.mark.parametrize('dtype', ['float32', 'int16'])
def test_clouds_by_number(make_store, dtype):
    root, clouds = make_store(sizes=(5, 9, 3, 7, 4), clouds_per_shard=2, dtype=dtype)
    store = CloudStore(root)
    assert len(store) == 5 and store.points is store and store.extras == {}
    for i in (3, 0, 4, 1, 2, 3):
        np.testing.assert_allclose(store[i], clouds[i], atol=0 if dtype == 'float32' else 1e-4)
        assert store.name(i) == f'a/{i}.npy' and store[i].dtype == np.float32
        with pytest.raises(ValueError, match='read-only'):
            store[i][0] = 1
    for i in (5, -1):
        with pytest.raises(IndexError, match=f'cloud {i} of 5'):
            store[i]


def test_arrays_are_mapped_and_few_shards_are_open(make_store, monkeypatch):
    monkeypatch.setattr(cloud_store, 'MAX_OPEN', 2)
    root, clouds = make_store(sizes=(5, 9, 3, 7, 4), clouds_per_shard=1)
    store = CloudStore(root)
    first = store[0]
    for i in (1, 2, 3, 4):
        np.testing.assert_array_equal(store[i], clouds[i])
        assert len(store._shards) <= 2
    np.testing.assert_array_equal(first, clouds[0])  # its shard is closed, the points are there
    arrays = (store.offsets, store.labels, store._boxes, store._ids, store._id_offsets)
    assert all(isinstance(array, np.memmap) for array in (*arrays, *store._shards.values()))


def test_a_copy_in_another_process_holds_no_points(make_store):
    root, clouds = make_store(sizes=(4000, 4000))
    store = CloudStore(root)
    store[1]
    content = pickle.dumps(store)
    assert len(content) < 2000 and copy.deepcopy(store) is store
    np.testing.assert_array_equal(pickle.loads(content)[1], clouds[1])


def fails(root, file, found, fix):
    with pytest.raises(DataError) as info:
        CloudStore(root)
    assert str(info.value.args[0]) == str(file), info.value
    assert found in info.value.args[1] and fix in info.value.args[3], info.value


def test_faults_name_file_and_command(make_store, tmp_path):
    fails(tmp_path / 'nothing', tmp_path / 'nothing', 'no such directory', 'pcdet-kd pack')
    (tmp_path / 'empty').mkdir()
    fails(tmp_path / 'empty', tmp_path / 'empty/store.json', 'no such file', 'pcdet-kd pack')
    root, _ = make_store(sizes=(5, 9, 3), clouds_per_shard=1)
    whole = shard_file(root, 1).read_bytes()
    shard_file(root, 1).write_bytes(whole[:-40])
    fails(root, shard_file(root, 1), 'bytes', 'make-it')
    shard_file(root, 1).unlink()
    fails(root, shard_file(root, 1), 'no such file', 'make-it')
    shard_file(root, 1).write_bytes(whole)
    index = (root / 'store.json').read_text()
    info = json.loads(index)
    shards = [info['shards'][0], [*info['shards'][1], 7], info['shards'][2]]
    (root / 'store.json').write_text(json.dumps(dict(info, shards=shards)))
    fails(root, root / 'store.json', 'too many values', 'make-it')
    (root / 'store.json').write_text(index)
    (root / 'labels.npy').unlink()
    fails(root, root / 'labels.npy', 'no such file', 'make-it')
    (root / 'store.json').unlink()
    fails(root, root, 'all shards but no index', 'make-it')
    shard_file(root, 0, '.json').unlink()
    fails(root, root, '1 of 3 shards are missing: 0', 'make-it')
    plan = json.loads((root / 'plan.json').read_text())
    (root / 'plan.json').write_text(json.dumps(dict(plan, format=2)))
    fails(root, root / 'plan.json', '"format": 2', 'remove')
