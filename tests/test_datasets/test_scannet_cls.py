import json

import numpy as np
import plyfile
import pytest

from pcdet_kd.datasets import ScanNetCls
from pcdet_kd.datasets.class_names import SCANNET17
from pcdet_kd.datasets.scannet_objects import CATEGORIES, convert, read_label_map, to_object
from pcdet_kd.utils.errors import DataError


@pytest.fixture
def root(tmp_path, write_h5, clouds):
    for split, sizes in (('train', (5, 4)), ('test', (6,))):
        for k, n in enumerate(sizes):
            data = clouds(n, 8, columns=6, seed=k).astype(np.float64) / 10
            write_h5(
                tmp_path / f'{split}_{k}.h5',
                data=data,
                label=(np.arange(n, dtype=np.int32) * 3 + k) % 17,
            )
        (tmp_path / f'{split}_files.txt').write_text(
            ''.join(f'./{split}_{k}.h5\n' for k in range(len(sizes)))
        )
    return tmp_path


def test_files_in_the_order_of_the_list(root, clouds):
    dataset = ScanNetCls(str(root))
    assert (
        len(dataset) == 9
        and len(dataset.metainfo['classes']) == 17
        and dataset.metainfo['up_axis'] == 'y'
    )
    first = clouds(5, 8, columns=6, seed=0) / np.float32(10)
    np.testing.assert_allclose(dataset[0]['points'], first[0, :, :3], atol=1e-7)
    np.testing.assert_allclose(dataset[0]['rgb'], np.clip(first[0, :, 3:] + 0.5, 0, 1), atol=1e-6)
    assert dataset[5]['sample_id'] == 'train_1/0000' and dataset.labels().tolist() == [
        0,
        3,
        6,
        9,
        12,
        1,
        4,
        7,
        10,
    ]
    assert len(ScanNetCls(str(root), split='test')) == 6


def test_faults_are_named(root, write_h5, clouds):
    write_h5(root / 'train_1.h5', data=clouds(4, 9, columns=6), label=np.zeros(4, np.int32))
    with pytest.raises(DataError, match=r'(?s)train_1\.h5.*9 points per cloud'):
        ScanNetCls(str(root))
    write_h5(root / 'train_1.h5', data=clouds(4, 8), label=np.zeros(4, np.int32))
    with pytest.raises(DataError, match=r"'data' of shape \(4, 8, 3\)"):
        ScanNetCls(str(root))
    with pytest.raises(DataError, match='scannet_cls.py'):
        ScanNetCls(str(root / 'absent'))


def write_scene(folder, scene, labels, seed=0):
    """A scene whose object k has 30 vertices, and 7 vertices of no object."""
    rng = np.random.default_rng(seed)
    folder = folder / scene
    folder.mkdir(parents=True)
    count = 30 * len(labels) + 7
    vertices = np.zeros(
        count,
        dtype=[(n, 'f4') for n in 'xyz'] + [(n, 'u1') for n in ('red', 'green', 'blue', 'alpha')],
    )
    for name in 'xyz':
        vertices[name] = rng.normal(size=count)
    for name in ('red', 'green', 'blue'):
        vertices[name] = rng.integers(256, size=count)
    plyfile.PlyData([plyfile.PlyElement.describe(vertices, 'vertex')]).write(
        str(folder / f'{scene}_vh_clean_2.ply')
    )
    segments = [100 + i // 10 for i in range(count)]  # three segments an object
    (folder / f'{scene}_vh_clean_2.0.010000.segs.json').write_text(
        json.dumps(dict(segIndices=segments))
    )
    groups = [
        dict(objectId=k, label=label, segments=[100 + 3 * k + i for i in range(3)])
        for k, label in enumerate(labels)
    ]
    (folder / f'{scene}.aggregation.json').write_text(json.dumps(dict(segGroups=groups)))
    return vertices


# raw labels and ShapeNetCore55 categories, as in ScanNet's tables, in the order of the labels
REAL = [
    ('trash can', 'trash_bin'),
    ('laundry basket', 'basket'),
    ('bathtub', 'tub'),
    ('bed', 'bed'),
    ('shelf', 'bookshelf'),
    ('file cabinet', 'cabinet'),
    ('office chair', 'chair'),
    ('keyboard', 'computer keyboard'),
    ('monitor', 'tv or monitor'),
    ('lamp', 'lamp'),
    ('laptop', 'laptop'),
    ('microwave', 'microwave'),
    ('pillow', 'pillow'),
    ('printer', 'printer'),
    ('couch', 'sofa'),
    ('stove', 'stove'),
    ('desk', 'table'),
]
RAW = [raw for raw, _ in REAL]


@pytest.fixture
def scans(tmp_path):
    rows = [
        'id\traw_category\tcategory\tShapeNetCore55',
        *(f'1\t{raw} \tany\t{category}' for raw, category in REAL),
        '2\twall',
        '4\tfloor\t\t',
        '',
    ]
    (tmp_path / 'labels.tsv').write_text('\n'.join(rows))
    write_scene(tmp_path / 'scans', 'scene0000_00', ['wall', *RAW, 'keyboard'])
    write_scene(tmp_path / 'scans', 'scene0001_00', RAW, seed=1)
    (tmp_path / 'scannetv2_train.txt').write_text('scene0000_00\n')
    (tmp_path / 'scannetv2_val.txt').write_text('scene0001_00\n')
    return tmp_path


def run(scans, out='out', **args):
    return convert(scans / 'scans', scans / 'labels.tsv', scans, scans / out, **args)


def test_scenes_become_objects(scans):
    assert run(scans, num_points=20) == dict(train=18, test=17)
    dataset = ScanNetCls(str(scans / 'out'))
    assert [dataset.metainfo['classes'][i] for i in dataset.labels()] == [*SCANNET17, 'keyboard']
    points = dataset[0]['points']
    assert points.shape == (20, 3) and points[:, 1].min() >= 0
    assert len(np.unique(points, axis=0)) == 20  # without replacement
    assert run(scans, 'more', num_points=64) == dict(train=18, test=17)
    points = ScanNetCls(str(scans / 'more'))[0]['points']
    assert len(np.unique(points, axis=0)) <= 30  # of 30 vertices, some twice


def test_the_choice_of_points_depends_on_the_seed_alone(scans):
    for out, seed in (('a', 0), ('b', 0), ('c', 1)):
        run(scans, out, num_points=20, seed=seed)
    a, b, c = (ScanNetCls(str(scans / out))[0]['points'] for out in 'abc')
    assert np.array_equal(a, b) and not np.array_equal(a, c)


def test_axes():
    points = np.array([[0, 0, 5, 0.5, 0, 1], [2, 4, 6, 1, 1, 1.0]])
    np.testing.assert_array_equal(
        to_object(points), [[-1, 0, -2, 0, -0.5, 0.5], [1, 1, 2, 0.5, 0.5, 0.5]]
    )


def test_labels_are_read_by_column_and_blank_cells_are_none(scans):
    assert read_label_map(scans / 'labels.tsv') == {raw: i for i, raw in enumerate(RAW)}
    assert len(CATEGORIES) == len(SCANNET17) == 17
    # V1's table, and the names in ScanNet's own list of classes
    rows = [f'{i}\t{names[0]}\t{names[0]}' for i, names in enumerate(CATEGORIES)]
    (scans / 'labels.tsv').write_text('\n'.join(['id\tcategory\tShapeNetCore55', *rows]))
    assert list(read_label_map(scans / 'labels.tsv').values()) == list(range(17))
    (scans / 'labels.tsv').write_text('id\traw_category\n1\tchair\n')
    with pytest.raises(DataError, match='also ShapeNetCore55'):
        run(scans)


def test_an_empty_class_is_an_error(scans):
    write_scene(scans / 'scans', 'scene0002_00', RAW[:-1])
    (scans / 'scannetv2_val.txt').write_text('scene0002_00\n')
    with pytest.raises(DataError, match=r'(?s)scannetv2_val.txt.*no object of table'):
        run(scans)
    assert not (scans / 'out' / 'test_files.txt').exists()
    table = (scans / 'labels.tsv').read_text()
    (scans / 'labels.tsv').write_text(table.replace('tv or monitor', 'tv set'))
    with pytest.raises(DataError, match='no label of tv or tv or monitor'):
        run(scans)


def test_broken_scenes_are_named(scans):
    path = scans / 'scans' / 'scene0000_00' / 'scene0000_00_vh_clean_2.0.010000.segs.json'
    path.write_text(json.dumps(dict(segIndices=[1, 2])))
    with pytest.raises(DataError, match=r'2 segment indices'):
        run(scans)
    for text, found in (('{}', 'no segIndices'), ('{', 'cannot be read')):
        path.write_text(text)
        with pytest.raises(DataError, match=found):
            run(scans)
    assert not (scans / 'out' / 'train_files.txt').exists()
