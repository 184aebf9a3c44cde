import numpy as np
import pytest

from pcdet_kd.datasets import ScanObjectNN
from pcdet_kd.datasets.scanobjectnn import scanobjectnn_file
from pcdet_kd.registry import DATASETS
from pcdet_kd.utils.errors import DataError

OFFICIAL = {  # the archive's names
    'OBJ_ONLY': 'main_split_nobg/{}_objectdataset.h5',
    'OBJ_BG': 'main_split/{}_objectdataset.h5',
    'PB_T25': 'main_split/{}_objectdataset_augmented25_norot.h5',
    'PB_T25_R': 'main_split/{}_objectdataset_augmented25rot.h5',
    'PB_T50_R': 'main_split/{}_objectdataset_augmentedrot.h5',
    'PB_T50_RS': 'main_split/{}_objectdataset_augmentedrot_scale75.h5',
}


@pytest.fixture
def root(tmp_path, write_h5, clouds):
    for seed, name in enumerate(
        sorted(
            {
                n.replace('main_split/', f'{d}/')
                for n in OFFICIAL.values()
                for d in ('main_split', 'main_split_nobg')
            }
        )
    ):
        for prefix, n in (('training', 30), ('test', 15)):
            arrays = dict(
                data=clouds(n, 8, seed=100 * seed + n), label=(np.arange(n) % 15).astype(np.int32)
            )
            if 'nobg' not in name:
                arrays['mask'] = np.full((n, 8), -1, np.int32)
            write_h5(tmp_path / name.format(prefix), **arrays)
    return tmp_path


@pytest.mark.parametrize('variant', OFFICIAL)
@pytest.mark.parametrize('background', [None, False])
def test_variants(root, variant, background):
    seen = {}
    for split, prefix, n in (('train', 'training', 30), ('test', 'test', 15)):
        relative = OFFICIAL[variant].format(prefix)
        if background is False:
            relative = relative.replace('main_split/', 'main_split_nobg/')
        assert scanobjectnn_file(variant, split, background).as_posix() == relative
        dataset = ScanObjectNN(str(root), variant, background, split=split)
        assert (
            len(dataset) == n
            and dataset.metainfo['up_axis'] == 'y'
            and dataset.metainfo['classes'][14] == 'toilet'
        )
        assert ('mask' in dataset[0]) == ('nobg' not in relative)
        assert dataset.labels().tolist() == [i % 15 for i in range(n)]
        seen[split] = dataset
    assert not {i['sample_id'] for i in seen['train'].data_list} & {
        i['sample_id'] for i in seen['test'].data_list
    }
    assert seen['train'][0]['points'].shape == (8, 3)


def test_each_file_is_its_own(root):
    prints = {
        (v, b): ScanObjectNN(str(root), v, b).records.points.tobytes()
        for v in OFFICIAL
        for b in (None, False)
    }
    assert prints['OBJ_ONLY', None] == prints['OBJ_BG', False] == prints['OBJ_ONLY', False]
    assert len(set(prints.values())) == 10


def test_names_are_the_same_everywhere(root):
    dataset = ScanObjectNN(str(root), split='val', val_fraction=0.5)
    whole = ScanObjectNN(str(root), split='trainval')
    for sample in dataset:
        same = whole[int(sample['sample_id'].split('/')[-1])]
        assert sample['sample_id'] == same['sample_id'] and np.array_equal(
            sample['points'], same['points']
        )
    assert whole[3]['sample_id'] == 'PB_T50_RS/train/00003'
    assert (
        ScanObjectNN(str(root), 'PB_T25', False, split='test')[0]['sample_id']
        == 'PB_T25_nobg/test/00000'
    )


def test_other_classes_in_the_same_layout(root):
    names = [f'part_{i}' for i in range(15)]
    assert ScanObjectNN(str(root), metainfo=dict(classes=names)).metainfo['classes'] == names
    with pytest.raises(DataError, match=r'label 7\n  expected: 0 to 6 \(7 classes\)'):
        ScanObjectNN(str(root), metainfo=dict(classes=names[:7]))


def test_wrong_variants():
    with pytest.raises(ValueError, match=r"variant is 'PB_T50RS'.*Did you mean 'PB_T50_RS'"):
        ScanObjectNN('x', 'PB_T50RS')
    with pytest.raises(ValueError, match="'OBJ_ONLY' has no background"):
        ScanObjectNN('x', 'OBJ_ONLY', background=True)


def test_missing_data_name_files_source_and_command(tmp_path):
    for root in (tmp_path / 'nowhere', tmp_path):
        with pytest.raises(DataError) as info:
            DATASETS.build(
                dict(type='ScanObjectNN', data_root=str(root), variant='OBJ_ONLY', split='test')
            )
        text = str(info.value)
        assert f'pcdet-kd synthetic-scans --out {root}' in text
        assert (
            'main_split_nobg/training_objectdataset.h5 and main_split_nobg/test_objectdataset.h5'
            in text
        )
        assert 'https://hkust-vgd.github.io/scanobjectnn' in text
    assert 'test_objectdataset.h5' in str(info.value.args[0])


def test_one_level_too_high_is_named(root, tmp_path_factory):
    above = tmp_path_factory.mktemp('above')
    (above / 'h5_files').symlink_to(root)
    with pytest.raises(DataError, match='no such file') as info:
        ScanObjectNN(str(above))
    assert info.value.args[3] == f"data_root='{above / 'h5_files'}'"


@pytest.mark.parametrize(
    ('change', 'found'),
    [
        (dict(data=np.zeros((30, 8, 6), np.float32)), "'data' of shape (30, 8, 6)"),
        (dict(data=np.zeros((30, 3), np.float32)), "'data' of shape (30, 3)"),
        (dict(data=np.zeros((30, 0, 3), np.float32)), 'points of shape (30, 0, 3)'),
        (dict(data=np.full((30, 8, 3), np.nan, np.float32)), 'NaN or infinite coordinates'),
        (dict(label=np.full(30, 15)), 'label 15'),
        (dict(label=np.full(30, -1)), 'label -1'),
        (dict(label=np.zeros(29)), "'label' of shape (29,)"),
        (dict(mask=np.zeros((30, 9), np.int32)), "'mask' for 9 points"),
        (dict(mask=np.zeros((29, 8), np.int32)), "'mask' for 29 samples"),
        (dict(data=None), "no array 'data'"),
        (dict(label=None), "no array 'label'"),
    ],
)
def test_malformed(tmp_path, write_h5, clouds, change, found):
    arrays = dict(data=clouds(30, 8), label=np.zeros(30, np.int32)) | change
    path = write_h5(
        tmp_path / OFFICIAL['PB_T50_RS'].format('training'),
        **{name: array for name, array in arrays.items() if array is not None},
    )
    with pytest.raises(DataError) as info:
        ScanObjectNN(str(tmp_path))
    assert found in info.value.args[1] and str(path) in str(info.value.args[0])
    assert info.value.args[3]


def test_truncated_download(root):
    path = root / OFFICIAL['PB_T50_RS'].format('training')
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match='1,000 bytes that cannot be read'):
        ScanObjectNN(str(root))
    path.write_text('<html><body>Please log in</body></html>')
    with pytest.raises(DataError, match='an HTML page'):
        ScanObjectNN(str(root))
