import numpy as np
import pytest

from pcdet_kd.datasets import PointCloudFolder, PointMixture
from pcdet_kd.datasets.cloud_sources import DatasetSource, folder_source, read_checked
from pcdet_kd.utils.errors import DataError

OBJ = 'v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\nf 1 2 4\n'


@pytest.fixture
def root(tmp_path, clouds):
    for i, name in enumerate(('b/1.npy', 'a/2.npy', 'a/x/3.npy', 'a/.hidden/4.npy', 'a/.5.npy')):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / name, clouds(1, 6, seed=i)[0])
    (tmp_path / 'a/models').mkdir()
    (tmp_path / 'a/models/model_normalized.obj').write_text(OBJ)
    (tmp_path / 'a/notes.md').write_text('no cloud')
    return tmp_path


def test_files_below_a_folder(root, clouds):
    source = folder_source(root, 'y', mesh_points=50)
    assert source.names == ['a/2.npy', 'a/models/model_normalized.obj', 'a/x/3.npy', 'b/1.npy']
    assert source.labels is None and source.classes is None and source.up_axis == 'y'
    np.testing.assert_array_equal(source.read(0), clouds(1, 6, seed=1)[0])
    mesh = source.read(1)
    assert mesh.shape == (50, 3) and mesh.min() >= 0 and mesh.sum(1).max() <= 1 + 1e-6
    assert folder_source(root, 'y', '*/models/*.obj').names == ['a/models/model_normalized.obj']
    labelled = folder_source(root, 'y', classes_from_folders=True)
    assert labelled.classes == ['a', 'b'] and labelled.labels == [0, 0, 0, 1]


def test_faults_of_a_folder(root, clouds):
    with pytest.raises(DataError, match='no such directory'):
        folder_source(root / 'c', 'y')
    with pytest.raises(DataError, match="no file for the pattern '.*glb'"):
        folder_source(root, 'y', '**/*.glb')
    np.save(root / '0.npy', clouds(1, 6)[0])
    with pytest.raises(DataError, match='0.npy'):
        folder_source(root, 'y', classes_from_folders=True)


def test_a_data_set(root):
    data = PointCloudFolder(str(root), 'y', pipeline=[dict(type='UnitSphere')], classes=('a', 'b'))
    source = DatasetSource(data)
    assert source.names == ['a/2.npy', 'b/1.npy'] and source.labels.tolist() == [0, 1]
    assert source.classes == ['a', 'b'] and source.up_axis == 'y'
    np.testing.assert_array_equal(source.read(1), np.load(root / 'b/1.npy'))
    part = dict(type='PointCloudFolder', data_root=str(root), up_axis='y')
    unlabelled = DatasetSource(PointMixture(dict(x=part)))
    assert unlabelled.labels is None and unlabelled.classes is None
    assert unlabelled.names[0] == 'x/a/2.npy' and unlabelled.up_axis == 'z'


def test_why_a_cloud_is_left_out(tmp_path, clouds):
    bad = dict(nan=clouds(1, 6)[0], few=clouds(1, 3)[0], one=np.ones((6, 3)), far=clouds(1, 6)[0])
    bad['nan'][2, 1] = np.nan
    bad['far'][0, 0] = 1e10
    for name, cloud in bad.items():
        np.save(tmp_path / f'{name}.npy', cloud)
    np.save(tmp_path / 'fine.npy', clouds(1, 6)[0])
    (tmp_path / 'torn.obj').write_text('v 0 0')
    source = folder_source(tmp_path, 'z')
    found = {n: read_checked(source, 4, i) for i, n in enumerate(source.names)}
    points, why = found.pop('fine.npy')
    assert points.shape == (6, 3) and why == ''
    assert all(points is None for points, _ in found.values())
    reasons = {name: why for name, (_, why) in found.items()}
    assert reasons['few.npy'] == '3 points, fewer than 4'
    assert 'NaN or infinity' in reasons['nan.npy'] and 'a coordinate of 1e+10' in reasons['far.npy']
    assert 'all at one place' in reasons['one.npy'] and 'cannot be read' in reasons['torn.obj']
