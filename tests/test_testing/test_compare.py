"""Nested results are compared bit for bit, tensors within a tolerance of their own size."""

import copy

import numpy as np
import pytest
import torch

from pcdet_kd.structures import PointDataSample
from pcdet_kd.testing.compare import equal, require_close


def test_equal_looks_into_everything():
    value = dict(
        tensor=torch.ones(2),
        array=np.zeros(3),
        sample=PointDataSample(metainfo=dict(sample_id='a')).set_gt_label(1),
        nested=[(1, 'x'), None],
    )
    assert equal(value, copy.deepcopy(value))
    for other in (
        dict(tensor=torch.ones(2).double()),
        dict(tensor=torch.ones(1)),
        dict(tensor=np.ones(2, np.float32)),
        dict(array=np.ones(3)),
        dict(array=np.zeros((3, 1))),
        dict(sample=PointDataSample(metainfo=dict(sample_id='a')).set_gt_label(2)),
        dict(sample=PointDataSample(metainfo=dict(sample_id='b')).set_gt_label(1)),
        dict(nested=[(1, 'x')]),
        dict(nested=[(1, 'y'), None]),
        dict(nested=[[1, 'x'], None]),
        dict(more=0),
    ):
        assert not equal(value, {**value, **other}), other


def test_the_tolerance_is_relative_to_the_largest_value():
    small = torch.tensor([1e-5, 1e-6])
    require_close(small + 1e-9, small, 1e-3, 'no {}')
    for found in (small + 2e-8, small[:1], small * float('nan')):
        with pytest.raises(AssertionError, match=r'differs \((2e-08|inf|nan)\)'):
            require_close(found, small, 1e-3, 'differs ({})')
