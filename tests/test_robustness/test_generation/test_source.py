import json

import numpy as np
import pytest

from pcdet_kd.datasets import (
    ModelNet40,
    PointCloudDataset,
    PointCloudFolder,
    Records,
    SyntheticScans,
)
from pcdet_kd.registry import TRANSFORMS
from pcdet_kd.robustness import source_of
from pcdet_kd.robustness.generation.source import mesh_names
from pcdet_kd.utils.errors import DataError


class Clouds(PointCloudDataset):
    METAINFO = dict(classes=('a', 'b'), up_axis='z', task='classification')

    def __init__(self, clouds, ids=None, **arguments):
        self.clouds, self.names = clouds, ids or [f'a/{i}' for i in range(len(clouds))]
        super().__init__(split='test', **arguments)

    def load_records(self):
        return Records(
            self.clouds, np.arange(len(self.clouds)) % 2, list(self.names), source='memory'
        )


def test_clouds_of_a_split_without_transforms(shapes):
    dataset = Clouds(
        np.stack(shapes[:4]), indices=[2, 3], pipeline=[TRANSFORMS.build(dict(type='RandomJitter'))]
    )
    source = source_of(dataset)
    np.testing.assert_array_equal(source.points, np.stack(shapes[2:4]))
    assert (
        source.ids == ['a/2', 'a/3'] and source.labels.tolist() == [0, 1] and source.up_axis == 'z'
    )
    assert (
        source.name == 'Clouds, split test'
        and source.fingerprint == dataset.fingerprint()
        and source.mesh is None
    )


def test_unit_sphere_is_required(shapes):
    small = [0.4 * shapes[0] + 1, shapes[1][:700]]
    with pytest.raises(
        DataError,
        match=r"sample 'a/0'[\s\S]*reaches 2\.\d+ from the origin[\s\S]*--normalize sphere",
    ):
        source_of(Clouds(small))
    source = source_of(Clouds(small), normalize='sphere')
    for cloud in source.points:
        np.testing.assert_allclose(cloud.mean(0), 0, atol=1e-6)
        assert (
            np.linalg.norm(cloud, axis=1).max() == pytest.approx(1, abs=1e-6)
            and cloud.dtype == np.float32
        )
    assert [len(cloud) for cloud in source.points] == [1024, 700] and 'normalised' in source.name
    with pytest.raises(ValueError, match="normalize is 'box'"):
        source_of(Clouds(small), normalize='box')
    with pytest.raises(ValueError, match="mesh_up_axis is 'w'"):
        source_of(Clouds(small), 'sphere', mesh_up_axis='w')


def write_off(path, size=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'OFF\n3 1 0\n0 0 0\n{size} 2 0\n0 0 3\n3 0 1 2\n')


def test_meshes_are_found_by_name_and_turned(shapes, tmp_path):
    write_off(tmp_path / 'x/chair_1.off', 7)
    write_off(tmp_path / 'a/lamp_2.off', 8)
    write_off(tmp_path / 'b/lamp_2.off', 9)
    dataset = Clouds(np.stack(shapes[:2]), ['test/chair_1.ply', 'test/lamp_2.ply'])
    source = source_of(dataset, meshes=tmp_path)
    vertices, faces = source.mesh(0)
    assert vertices.tolist() == [[0, 0, 0], [7, 2, 0], [0, 0, 3]] and faces.tolist() == [[0, 1, 2]]
    assert source.mesh(1)[0][1].tolist() == [
        9,
        2,
        0,
    ]  # of the two lamps the one in the folder of its class, b
    turned = source_of(dataset, meshes=tmp_path, mesh_up_axis='y').mesh(0)[0]
    assert turned[2].tolist() == [0, 3, 0] and turned[1, 2] == 2


def test_meshes_that_are_missing_or_ambiguous(shapes, tmp_path):
    dataset = Clouds(np.stack(shapes[:2]), ['test/chair_1.ply', 'test/lamp_2.ply'])
    with pytest.raises(DataError, match='no such directory'):
        source_of(dataset, meshes=tmp_path / 'none')
    write_off(tmp_path / 'c/lamp_2.off')
    with pytest.raises(DataError, match='no mesh for 1 of 2 clouds: chair_1'):
        source_of(dataset, meshes=tmp_path)
    write_off(tmp_path / 'chair_1.off')
    write_off(tmp_path / 'd/lamp_2.off')
    with pytest.raises(DataError, match='2 meshes of this name, 0 of them in a folder b'):
        source_of(dataset, meshes=tmp_path)
    with pytest.raises(DataError, match='a data set without meshes'):
        source_of(dataset, meshes='own')


def test_modelnet40_names_come_from_the_listing(tmp_path, shapes):
    import h5py

    (tmp_path / 'test_files.txt').write_text('data/ply_data_test0.h5\ndata/ply_data_test1.h5\n')
    for k in (0, 1):
        with h5py.File(tmp_path / f'ply_data_test{k}.h5', 'w') as file:
            file['data'], file['label'] = np.stack(shapes[:2]), np.array([[0], [30]])
        listing = [f'airplane/airplane_00{k}1.ply', f'range_hood/range_hood_00{k}2.ply']
        (tmp_path / f'ply_data_test_{k}_id2file.json').write_text(json.dumps(listing))
    dataset = ModelNet40(str(tmp_path), split='test')
    assert mesh_names(dataset) == [
        'airplane_0001',
        'range_hood_0002',
        'airplane_0011',
        'range_hood_0012',
    ]
    (tmp_path / 'ply_data_test_1_id2file.json').write_text('["airplane/airplane_0001.ply"]')
    with pytest.raises(DataError, match='1 names'):
        mesh_names(dataset)
    (tmp_path / 'ply_data_test_1_id2file.json').write_text('{}')
    with pytest.raises(DataError, match='JSON of another form'):
        mesh_names(dataset)
    (tmp_path / 'ply_data_test_1_id2file.json').write_text('[')
    with pytest.raises(DataError, match='cannot be read'):
        mesh_names(dataset)


def test_own_meshes_are_in_the_clouds_coordinates(tmp_path):
    scans = SyntheticScans('OBJ_ONLY', 15, 3, 256, cache_dir=str(tmp_path), workers=1, split='test')
    source = source_of(scans, 'sphere', 'own')
    vertices, faces = source.mesh(1)
    np.testing.assert_allclose(
        np.sort(vertices[:, 2]), np.sort(scans.mesh(1).vertices[:, 1])
    )  # z-up
    assert faces.max() < len(vertices)


def test_folder_of_meshes_is_its_own_source(tmp_path):
    for i in range(2):
        write_off(tmp_path / f'test/a/a_{i}.off', i + 1)
        write_off(tmp_path / f'train/a/a_{i}.off', i + 1)
    dataset = PointCloudFolder(str(tmp_path), up_axis='z', split='test')
    assert source_of(dataset, 'sphere', tmp_path / 'test').mesh(1)[0][1].tolist() == [2, 2, 0]
