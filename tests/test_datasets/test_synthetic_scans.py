import json

import numpy as np
import pytest

import pcdet_kd.datasets.synthetic_scans as module
from pcdet_kd.datasets import ScanObjectNN, SyntheticScans
from pcdet_kd.datasets.class_names import SCANOBJECTNN
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

SMALL = dict(num_train=30, num_test=15, num_points=64)


@pytest.fixture(scope='module')
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp('cache')


@pytest.fixture
def count_generations(monkeypatch):
    calls = []

    def counted(*args):
        calls.append(args)
        return make_samples(*args)

    make_samples = module.make_samples
    monkeypatch.setattr(module, 'make_samples', counted)
    return calls


@pytest.mark.parametrize('variant', ['OBJ_ONLY', 'OBJ_BG', 'PB_T50_RS'])
def test_samples(cache, variant):
    scans = DATASETS.build(
        dict(type='SyntheticScans', variant=variant, split='test', cache_dir=str(cache), **SMALL)
    )
    assert scans.metainfo['classes'] == SCANOBJECTNN and scans.metainfo['up_axis'] == 'y'
    assert scans.labels().tolist() == list(range(15))
    for i in range(15):
        sample = scans[i]
        assert (
            sample['points'].shape == sample['normals'].shape == (64, 3)
            and sample['points'].dtype == np.float32
        )
        assert sample['mask'] is sample['part_labels'] or np.array_equal(
            sample['mask'], sample['part_labels']
        )
        assert sample['part_labels'].dtype == np.int64
        own = sample['part_labels'][sample['mask'] >= 0]
        assert {scans.metainfo['part_names'][p].split('/')[0] for p in own} == {
            SCANOBJECTNN[sample['gt_label']]
        }
        assert (
            sample['sample_id'] == f'synthetic-0-test-{i:06d}'
            and not sample['points'].flags.writeable
        )
        if variant == 'OBJ_ONLY':
            assert (sample['mask'] >= 0).all()


def test_a_sample_does_not_depend_on_the_size_of_the_set(cache):
    few, many = (SyntheticScans(num_train=n, num_points=64, cache_dir=cache) for n in (16, 30))
    np.testing.assert_array_equal(few[15]['points'], many[15]['points'])
    assert few[15]['sample_id'] == many[15]['sample_id']


def test_splits(cache):
    def ids(split, **more):
        return [
            d['sample_id']
            for d in SyntheticScans(split=split, cache_dir=cache, **more, **SMALL).data_list
        ]

    train, val = ids('train', val_fraction=0.5), ids('val', val_fraction=0.5)
    assert len(train) == len(val) == 15 and sorted(train + val) == ids('trainval')
    assert not set(ids('test')) & set(ids('trainval'))


def test_cache_is_used_again_and_other_parameters_miss_it(tmp_path, count_generations):
    first = SyntheticScans(cache_dir=tmp_path, **SMALL)
    again = SyntheticScans(cache_dir=tmp_path, workers=2, **SMALL)
    assert len(count_generations) == 1
    np.testing.assert_array_equal(first.records.points, again.records.points)
    assert first.fingerprint() == again.fingerprint()
    for change in (
        dict(seed=1),
        dict(num_points=32),
        dict(num_train=15),
        dict(variant='OBJ_BG'),
        dict(split='test'),
    ):
        before = len(count_generations)
        SyntheticScans(**{**SMALL, 'cache_dir': tmp_path, **change})
        assert len(count_generations) == before + 1, change
    SyntheticScans(cache_dir=tmp_path, **SMALL)
    assert len(count_generations) == before + 1  # none has taken another's place


def test_cache_of_another_generator_version_is_not_used(tmp_path, monkeypatch, count_generations):
    SyntheticScans(cache_dir=tmp_path, **SMALL)
    monkeypatch.setattr(module, 'GENERATOR_VERSION', 10**6)
    SyntheticScans(cache_dir=tmp_path, **SMALL)
    assert len(count_generations) == 2


@pytest.mark.parametrize('damage', ['cut', 'flip', 'gone', 'record'])
@pytest.mark.parametrize('name', ['points', 'part_labels'])
def test_damaged_cache_is_made_again(tmp_path, count_generations, name, damage):
    whole = SyntheticScans(cache_dir=tmp_path, **SMALL)
    path = whole.cache_folder / f'{name}.npy'
    content = path.read_bytes()
    if damage == 'cut':
        path.write_bytes(content[:-100])
    elif damage == 'flip':
        path.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif damage == 'gone':
        path.unlink()
    else:
        path.with_suffix('.json').write_text(json.dumps(dict(sources='other')))
    again = SyntheticScans(cache_dir=tmp_path, **SMALL)
    assert len(count_generations) == 2
    np.testing.assert_array_equal(again.records.points, whole.records.points)
    np.testing.assert_array_equal(
        again.records.extras['part_labels'], whole.records.extras['part_labels']
    )
    assert path.read_bytes() == content
    SyntheticScans(cache_dir=tmp_path, **SMALL)
    assert len(count_generations) == 2


def test_interrupted_generation_leaves_nothing_that_is_taken_for_whole(
    tmp_path, monkeypatch, count_generations
):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, 'make_samples', interrupted)
    with pytest.raises(KeyboardInterrupt):
        SyntheticScans(cache_dir=tmp_path, **SMALL)
    assert not list(tmp_path.rglob('*.npy'))


def test_unwritable_cache_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(DataError, match='cache_dir'):
        SyntheticScans(cache_dir=tmp_path / 'file', num_train=2, num_points=8)


@pytest.mark.parametrize(
    'wrong',
    [
        dict(variant='PB_T50_R'),
        dict(num_train=0),
        dict(num_test=1.5),
        dict(num_points=0),
        dict(seed=-1),
        dict(workers=0),
    ],
)
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SyntheticScans(**wrong)


def test_mesh_is_the_samples_object(cache):
    scans = SyntheticScans(
        split='val', val_fraction=0.5, variant='OBJ_BG', cache_dir=cache, **SMALL
    )
    for i in (0, 7):
        sample, mesh = scans[i], scans.mesh(i)
        names = {scans.metainfo['part_names'][p].split('/')[0] for p in mesh.face_parts}
        assert names == {SCANOBJECTNN[sample['gt_label']]}
        own = sample['points'][sample['mask'] >= 0]
        assert (own > mesh.vertices.min(axis=0) - 0.1).all() and (
            own < mesh.vertices.max(axis=0) + 0.1
        ).all()


@pytest.mark.parametrize('variant', ['OBJ_ONLY', 'OBJ_BG', 'PB_T50_RS'])
def test_scanobjectnn_reads_what_was_written(cache, tmp_path, variant):
    for split in ('trainval', 'test'):
        scans = SyntheticScans(variant, split=split, cache_dir=cache, **SMALL)
        scans.write_h5(tmp_path)
        copy = ScanObjectNN(str(tmp_path), variant=variant, split=split)
        assert len(copy) == len(scans)
        np.testing.assert_array_equal(copy.labels(), scans.labels())
        np.testing.assert_array_equal(copy.records.points, scans.records.points)
        assert ('mask' in copy.records.extras) == (variant != 'OBJ_ONLY')
        if variant != 'OBJ_ONLY':
            np.testing.assert_array_equal(copy.records.extras['mask'], scans.records.extras['mask'])


def test_a_part_of_the_training_set_is_written_alone(cache, tmp_path):
    scans = SyntheticScans(split='val', val_fraction=0.5, cache_dir=cache, **SMALL)
    scans.write_h5(tmp_path)
    copy = ScanObjectNN(str(tmp_path), variant='OBJ_ONLY', split='train')
    assert copy.labels().tolist() == scans.labels().tolist()
    np.testing.assert_array_equal(copy[7]['points'], scans[7]['points'])


def test_part_segmentation_is_a_task_of_the_same_samples(cache):
    plain, parts = (
        SyntheticScans(split='test', cache_dir=cache, **SMALL, **task)
        for task in ({}, dict(task='part_segmentation', metainfo=dict(up_axis='y')))
    )
    assert plain.metainfo['task'] == 'classification'
    assert parts.metainfo['task'] == 'part_segmentation'
    for i in range(15):
        np.testing.assert_array_equal(plain[i]['part_labels'], parts[i]['part_labels'])
        allowed = parts.metainfo['class_parts'][parts[i]['gt_label']]
        assert set(parts[i]['part_labels']) <= set(allowed)
    numbers = [p for own in parts.metainfo['class_parts'] for p in own]
    assert numbers == list(range(len(parts.metainfo['part_names'])))
    with pytest.raises(ValueError, match="task is 'detection'"):
        SyntheticScans(task='detection')
