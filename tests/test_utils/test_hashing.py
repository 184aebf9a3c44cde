import hashlib

import numpy as np
import pytest
import torch

from pcdet_kd.utils.hashing import content_sha256, weights_sha256


def test_what_is_hashed():
    array = np.arange(6, dtype=np.int16).reshape(2, 3)
    expected = hashlib.sha256(b'name\0' + b'(2, 3)int16\0' + array.tobytes()).hexdigest()
    assert content_sha256(['name', array]) == expected
    assert content_sha256([]) == hashlib.sha256(b'').hexdigest()


@pytest.mark.parametrize(
    'other',
    [
        np.zeros((3, 2), np.float32),
        np.zeros((2, 3), np.int32),
        np.full((2, 3), -0.0, np.float32),
        torch.zeros(2, 3, dtype=torch.bfloat16),
        '(2, 3)',
    ],
)
def test_shape_dtype_and_bits_count(other):
    assert content_sha256([other]) != content_sha256([np.zeros((2, 3), np.float32)])


def test_the_layout_in_memory_does_not_count():
    array = np.arange(12.0).reshape(3, 4)
    assert content_sha256([array.T]) == content_sha256([array.T.copy()])
    tensor = torch.from_numpy(array)
    assert content_sha256([tensor.T]) == content_sha256([tensor.T.contiguous()])
    assert content_sha256(['a', 'b']) != content_sha256(['ab']) != content_sha256(['b', 'a'])


def test_weights_in_any_order_of_any_kind():
    state = dict(b=torch.tensor(3), a=torch.zeros(0, 4), c=torch.ones(2, dtype=torch.bfloat16))
    assert weights_sha256(state) == weights_sha256(dict(sorted(state.items())))
    assert weights_sha256(state) != weights_sha256({**state, 'b': torch.tensor(4)})
    assert weights_sha256(state) != weights_sha256({**state, 'd': torch.tensor(4)})
