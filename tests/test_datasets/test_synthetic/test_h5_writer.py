import numpy as np
import pytest

from pcdet_kd.datasets.synthetic.h5_writer import FILES, write_scanobjectnn

POINTS = np.random.default_rng(0).normal(size=(3, 8, 3)).astype(np.float32)
LABELS = np.array([0, 14, 3])
MASK = np.where(np.arange(24).reshape(3, 8) % 3, 5, -1)


@pytest.mark.parametrize('variant', FILES)
@pytest.mark.parametrize('split, prefix', [('train', 'training'), ('test', 'test')])
def test_layout(tmp_path, variant, split, prefix):
    h5py = pytest.importorskip('h5py')
    path = write_scanobjectnn(tmp_path, variant, split, POINTS, LABELS, MASK)
    folder = 'main_split_nobg' if variant == 'OBJ_ONLY' else 'main_split'
    suffix = (
        'objectdataset_augmentedrot_scale75.h5' if variant == 'PB_T50_RS' else 'objectdataset.h5'
    )
    assert path == tmp_path / folder / f'{prefix}_{suffix}'
    with h5py.File(path) as file:
        assert set(file) == {'data', 'label'} | ({'mask'} if variant != 'OBJ_ONLY' else set())
        assert (
            file['data'].dtype == np.float32
            and file['label'].dtype == np.int32
            and file['label'].shape == (3,)
        )
        np.testing.assert_array_equal(file['data'], POINTS)
        np.testing.assert_array_equal(file['label'], LABELS)
        if 'mask' in file:
            assert file['mask'].dtype == np.int32
            np.testing.assert_array_equal(file['mask'], MASK)


def test_a_failed_write_leaves_the_former_file(tmp_path):
    path = write_scanobjectnn(tmp_path, 'OBJ_BG', 'test', POINTS, LABELS, MASK)
    before = path.read_bytes()
    with pytest.raises(ValueError):
        write_scanobjectnn(tmp_path, 'OBJ_BG', 'test', POINTS, ['no', 'numbers', '!'], MASK)
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == [path.name]
