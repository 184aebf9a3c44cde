import numpy as np
import pytest

from pcdet_kd.datasets import ModelNet40C, ModelNetC
from pcdet_kd.datasets.corrupted import renormalized
from pcdet_kd.utils.errors import DataError


@pytest.fixture
def sun(tmp_path, clouds):
    """Files of ModelNet40-C: rotation at severity 3, cutout at 1, and the clean set."""
    root = tmp_path / 'modelnet40_c'
    root.mkdir()
    np.save(root / 'label.npy', np.array([[3], [0], [39], [7]], np.uint8))
    for name, size in (('data_rotation_3', 16), ('data_cutout_1', 11), ('data_original', 16)):
        np.save(root / f'{name}.npy', clouds(4, size, seed=size).astype(np.float64))
    return root


@pytest.fixture
def ren(tmp_path, clouds, write_h5):
    """Files of ModelNet-C: jitter at level 0, and the clean set."""
    root = tmp_path / 'modelnet_c'
    for name, size in (('jitter_0', 16), ('add_local_4', 21), ('clean', 16)):
        write_h5(
            root / f'{name}.h5',
            data=clouds(4, size, seed=size),
            label=np.array([[3], [0], [39], [7]], np.uint8),
        )
    return root


@pytest.mark.parametrize(
    ('corruption', 'severity', 'size'),
    [('rotation', 3, 16), ('cutout', 1, 11), ('clean', 0, 16)],
)
def test_modelnet40_c_as_it_is_in_the_file(sun, clouds, corruption, severity, size):
    dataset = ModelNet40C(str(sun), corruption, severity)
    assert len(dataset) == 4 and dataset.labels().tolist() == [3, 0, 39, 7]
    np.testing.assert_array_equal(dataset.records.points, clouds(4, size, seed=size))
    sample = dataset[1]
    assert (
        sample['points'].dtype == np.float32
        and sample['num_points'] == size
        and sample['sample_id'] == 'test/0001'
    )
    assert dataset.metainfo['up_axis'] == 'y' and len(dataset.metainfo['classes']) == 40


@pytest.mark.parametrize(
    ('corruption', 'level', 'size'), [('jitter', 0, 16), ('add_local', 4, 21), ('clean', 9, 16)]
)
def test_modelnet_c_as_it_is_in_the_file(ren, clouds, corruption, level, size):
    dataset = ModelNetC(str(ren), corruption, level)
    np.testing.assert_array_equal(dataset.records.points, clouds(4, size, seed=size))
    assert dataset.labels().tolist() == [3, 0, 39, 7]


def test_the_suites_are_not_mixed_up(sun, ren):
    with pytest.raises(
        ValueError, match=r"'jitter', which ModelNet40-C does not have; it belongs to ModelNet-C"
    ):
        ModelNet40C(str(sun), 'jitter', 1)
    with pytest.raises(
        ValueError, match=r"'rotation', which ModelNet-C does not have; it belongs to ModelNet40-C"
    ):
        ModelNetC(str(ren), 'rotation', 1)
    with pytest.raises(ValueError, match=r"'blur', which ModelNet-C does not have; it has scale"):
        ModelNetC(str(ren), 'blur', 1)
    with pytest.raises(DataError, match=r'(?s)files of ModelNet40-C.*ModelNet40C'):
        ModelNetC(str(sun), 'clean')
    with pytest.raises(DataError, match=r'(?s)files of ModelNet-C.*ModelNetC'):
        ModelNet40C(str(ren), 'clean')


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (dict(severity=0), 'severity is 0, must be 1 to 5 for ModelNet40-C'),
        (dict(split='train'), 'is a test set'),
        (dict(renormalize='box'), "renormalize is 'box'"),
    ],
)
def test_bad_arguments(sun, args, message):
    with pytest.raises(ValueError, match=message):
        ModelNet40C(**{**dict(data_root=str(sun), corruption='rotation', severity=3), **args})


def test_files_that_do_not_belong_together_are_refused(sun, ren, clouds, write_h5):
    np.save(sun / 'data_rotation_3.npy', clouds(3))
    with pytest.raises(
        DataError, match=r'(?s)data_rotation_3.*3 clouds.*4 clouds, one per label in label\.npy'
    ):
        ModelNet40C(str(sun), 'rotation', 3)
    whole = (sun / 'data_cutout_1.npy').read_bytes()
    (sun / 'data_cutout_1.npy').write_bytes(whole[:-40])
    with pytest.raises(DataError, match=r'(?s)data_cutout_1.*cannot be read'):
        ModelNet40C(str(sun), 'cutout', 1)
    np.save(sun / 'data_cutout_1.npy', clouds(4)[..., :2])
    with pytest.raises(DataError, match=r'\(4, 16, 2\)'):
        ModelNet40C(str(sun), 'cutout', 1)
    write_h5(ren / 'jitter_0.h5', data=clouds(3), label=np.zeros((3, 1), np.uint8))
    with pytest.raises(DataError, match=r'(?s)jitter_0.*3 clouds.*4 clouds, as in clean\.h5'):
        ModelNetC(str(ren), 'jitter', 0)
    with pytest.raises(DataError, match=r'(?s)jitter_1\.h5.*no such file'):
        ModelNetC(str(ren), 'jitter', 1)
    bad = clouds(4, 21)
    bad[2, 5] = np.nan
    write_h5(ren / 'add_local_4.h5', data=bad, label=np.zeros((4, 1), np.uint8))
    with pytest.raises(DataError, match='NaN'):
        ModelNetC(str(ren), 'add_local', 4)


def test_clouds_are_normalised_only_when_asked(sun, clouds):
    cloud = clouds(4, 16, seed=16).astype(np.float64)
    sphere = ModelNet40C(str(sun), 'rotation', 3, renormalize='sphere').records.points
    centred = cloud - cloud.mean(1, keepdims=True)
    np.testing.assert_allclose(
        sphere, centred / np.linalg.norm(centred, axis=2).max(1)[:, None, None], atol=1e-6
    )
    both = renormalized(cloud, 'box+sphere')
    box = cloud - (cloud.max(1) + cloud.min(1))[:, None] / 2
    np.testing.assert_allclose(both, renormalized(box, 'sphere'), atol=1e-12)
    assert np.isfinite(renormalized(np.ones((2, 5, 3), np.float32), 'box+sphere')).all()
