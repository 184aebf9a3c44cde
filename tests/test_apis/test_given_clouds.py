import numpy as np
import pytest
import torch

from pcdet_kd.apis.given_clouds import list_inputs, read_inputs
from pcdet_kd.utils.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Two clouds, one of them in a folder below, and a file of another kind."""
    (tmp_path / 'more').mkdir()
    np.save(tmp_path / 'a.npy', np.eye(3, dtype=np.float32))
    np.savetxt(tmp_path / 'more/b.xyz', np.eye(4, 3))
    (tmp_path / 'notes.md').write_text('no cloud')
    return tmp_path


def test_files_folders_patterns_arrays(folder):
    a, b = folder / 'a.npy', folder / 'more/b.xyz'
    assert list_inputs(str(folder)) == [a, b] == list_inputs([a, str(folder / '*/*.xyz')])
    array = np.zeros((5, 3))
    assert [x.shape for x in list_inputs([array, torch.zeros(2, 7, 4)])] == [(5, 3), (7, 4), (7, 4)]
    for nothing in (folder / '*.ply', folder / 'empty'):
        (folder / 'empty').mkdir(exist_ok=True)
        with pytest.raises(DataError, match='no file of a known format'):
            list_inputs(nothing)


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(folder):
    (folder / 'bad.npy').write_bytes(b'no array')
    entries = [
        folder / 'bad.npy',
        folder / 'a.npy',
        folder / 'none.npy',
        np.zeros(3),
        np.eye(2, 3),
    ]
    entries += [np.full((2, 3), value) for value in (np.nan, 7)] + [np.eye(2, 3) * 1e30]
    found = dict(read_inputs(entries))
    assert [isinstance(value, str) for value in found.values()] == [
        True,
        False,
        True,
        True,
        False,
        *[True] * 3,
    ]
    assert 'bad.npy' in found[str(folder / 'bad.npy')]
    assert found['array 4']['points'].dtype == np.float32
    assert 'shape (3,)' in found['array 3'] and 'NaN' in found['array 5']
    assert '2 points, all at one place' in found['array 6']
    assert 'a coordinate of 1e+30' in found['array 7']
