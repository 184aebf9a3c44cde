import h5py
import numpy as np
import pytest

from pcdet_kd.datasets.class_names import MODELNET40, SCANOBJECTNN
from pcdet_kd.robustness.suite_data import SuiteData, read_suite, suite_metainfo, suite_pipeline
from pcdet_kd.utils.errors import DataError


def read(root, suite='modelnet-c'):
    return read_suite(SuiteData(suite, str(root)))


@pytest.mark.parametrize('suite, sets', [('modelnet-c', 36), ('modelnet40-c', 76)])
def test_a_whole_suite(write_suite, suite, sets):
    content, done = None, []
    content = read_suite(
        SuiteData(suite, str(write_suite(suite, marked=True))), lambda: done.append(1)
    )
    assert len(content.sets) == len(done) == len(set(content.sets.values())) == sets
    assert content.clouds == 12 and content.classes == list(MODELNET40) and content.up_axis == 'y'
    assert (
        content.generated and 'not the official files' in content.provenance and content.notes == []
    )
    assert next(iter(content.sets)) == ('clean', 0)


def test_fingerprints_are_those_of_the_files_whatever_is_done_to_the_clouds(write_suite):
    root = write_suite('modelnet-c')
    assert read_suite(SuiteData('modelnet-c', str(root), 'box+sphere')).sets == read(root).sets
    before = read(root).sets
    with h5py.File(root / 'rotate_2.h5', 'r+') as h5:
        h5['data'][3, 0, 0] += 1
    changed = [name for name, mark in read(root).sets.items() if mark != before[name]]
    assert changed == [('rotate', 2)]


def test_unmarked_files_that_cannot_be_the_official_ones(write_suite):
    content = read(write_suite('modelnet-c'))
    assert not content.generated and 'no generated.json' in content.provenance
    assert (
        'these hold 12' in content.notes[0]
        and '35 files have clouds of other sizes' in content.notes[1]
    )


def test_without_the_clean_set(write_suite):
    content = read(write_suite('modelnet40-c', clean=False), 'modelnet40-c')
    assert (
        ('clean', 0) not in content.sets
        and len(content.sets) == 75
        and 'no clean scores' in content.notes[0]
    )
    with pytest.raises(DataError, match=r'clean\.h5'):
        read(write_suite('modelnet-c', clean=False))


def test_a_corruption_may_be_missing_from_generated_files_only(write_suite):
    skip = ('occlusion', 'lidar')
    content = read(write_suite('modelnet40-c', marked=True, skip=skip), 'modelnet40-c')
    assert len(content.sets) == 66 and not {name for name, _ in content.sets} & set(skip)
    assert content.notes == [
        'Not among the files: occlusion, lidar. Means are over 13 of 15 corruptions.'
    ]
    with pytest.raises(
        DataError, match=r'10 of 76 files missing: data_occlusion_1\.npy.* and 5 more'
    ):
        read(write_suite('modelnet40-c', skip=skip, name='official'), 'modelnet40-c')
    root = write_suite('modelnet40-c', marked=True, name='half')
    (root / 'data_shear_2.npy').unlink()
    with pytest.raises(DataError, match=r'1 of 76 files missing: data_shear_2\.npy'):
        read(root, 'modelnet40-c')


def test_a_truncated_file(write_suite):
    root = write_suite('modelnet40-c')
    file = root / 'data_rotation_5.npy'
    file.write_bytes(file.read_bytes()[:500])
    with pytest.raises(DataError, match=r'data_rotation_5\.npy'):
        read(root, 'modelnet40-c')


def test_another_number_of_clouds_than_labels(write_suite):
    root = write_suite('modelnet40-c')
    np.save(root / 'data_rotation_5.npy', np.load(root / 'data_rotation_5.npy')[:-1])
    with pytest.raises(DataError, match='11 clouds'):
        read(root, 'modelnet40-c')


def test_other_shapes_in_one_file(write_suite):
    root = write_suite('modelnet-c')
    with h5py.File(root / 'jitter_3.h5', 'r+') as h5:
        h5['label'][...] = h5['label'][...][::-1].copy()
    with pytest.raises(
        DataError, match=r'jitter_3\.h5\n  found: +12 clouds with other labels than clean\.h5'
    ):
        read(root)


@pytest.mark.parametrize(
    'asked, there, words',
    [
        ('modelnet-c', 'modelnet40-c', 'these are files of ModelNet40-C'),
        ('modelnet40-c', 'modelnet-c', 'these are files of ModelNet-C'),
    ],
)
def test_files_of_the_other_suite(write_suite, asked, there, words):
    with pytest.raises(DataError, match=words):
        read(write_suite(there), asked)


def test_whole_clouds_as_they_are(write_suite):
    data = SuiteData(
        'modelnet-c',
        str(write_suite('modelnet-c')),
        pipeline=suite_pipeline(
            [dict(type='FirstPoints', num_points=4), dict(type='PackPointInputs')]
        )[0],
    )
    dataset = data.build(('scale', 4))
    sample = dataset[0]['inputs']['points'].numpy()
    with h5py.File(dataset.data_root + '/scale_4.h5') as h5:
        assert np.array_equal(sample, h5['data'][0]) and len(sample) == 16


def test_what_a_pipeline_keeps():
    kept, left_out = suite_pipeline(
        [
            dict(type='ConvertUpAxis', to='z'),
            dict(type='FarthestPoints', num_points=1024),
            dict(type='AddHeight'),
            dict(type='UnitSphere'),
            dict(type='CenterPoints'),
            dict(type='UnitBox'),
            dict(type='PackPointInputs', features=('heights',)),
        ]
    )
    assert [t['type'] for t in kept] == ['ConvertUpAxis', 'AddHeight', 'PackPointInputs']
    assert kept[2]['features'] == ('heights',)
    assert left_out == [
        'FarthestPoints(num_points=1024)',
        'UnitSphere()',
        'CenterPoints()',
        'UnitBox()',
    ]


def test_classes_of_the_config():
    assert suite_metainfo(dict(type='ModelNet40'), 'modelnet-c') is None
    z_up = dict(type='ModelNet40', metainfo=dict(up_axis='z'))
    assert suite_metainfo(z_up, 'modelnet40-c') is None  # the suite is y-up all the same
    assert suite_metainfo(dict(type='ScanObjectNN'), 'modelnet-c')['classes'] == SCANOBJECTNN
    own = suite_metainfo(dict(type='ModelNet40', metainfo=dict(classes=('a', 'b'))), 'modelnet-c')
    assert own == dict(classes=('a', 'b'))
