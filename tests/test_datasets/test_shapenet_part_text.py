import numpy as np
import pytest

from pcdet_kd.datasets.shapenet_part_text import read_shape
from pcdet_kd.utils.errors import DataError


def test_rows_are_as_written(tmp_path):
    file = tmp_path / 'a.txt'
    file.write_text('0.5 -1 2 0 0 1 12.000000\n\n1 2 3 0 1 0 13\n')
    rows = read_shape(file, 'fix')
    assert rows.dtype == np.float32 and rows.shape == (2, 7)
    assert rows[0].tolist() == [0.5, -1, 2, 0, 0, 1, 12] and rows[1, 6] == 13


@pytest.mark.parametrize(
    'line', ['1 2 3 0 0 1 2.5', '1 2 3 0 0 1 inf', 'nan 2 3 0 0 1 2', '1 2 3 0 0 1 1e6']
)
def test_a_wrong_number_is_named_by_its_line(tmp_path, line):
    file = tmp_path / 'a.txt'
    file.write_text(f'1 2 3 0 0 1 2\n{line}\n')
    with pytest.raises(DataError, match='line 2'):
        read_shape(file, 'fix')
