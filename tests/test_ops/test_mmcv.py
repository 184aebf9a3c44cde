"""The adapters, against a stand-in with mmcv 2.x's signatures and layouts: a compiled mmcv needs
CUDA.
"""

import sys
import types

import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.ops import backend, mmcv

POINTS = torch.randn(2, 30, 3, generator=torch.Generator().manual_seed(0))
QUERY = POINTS[:, :7].contiguous()
START = torch.zeros(2, dtype=torch.int64)
CALLS = []


def reference(op, *args):
    return backend.implementation(op, 'torch')(*args)


def furthest_point_sample(points, num_points):
    CALLS.append('furthest_point_sample')
    return reference('farthest_point_sample', points, START, num_points, -1.0).int()


def knn(k, xyz, center_xyz=None, transposed=False):
    CALLS.append('knn')
    assert not transposed
    return reference('knn', center_xyz, xyz, k).transpose(1, 2).int()


def ball_query(min_radius, max_radius, sample_num, xyz, center_xyz):
    CALLS.append('ball_query')
    return reference('ball_query', center_xyz, xyz, max_radius**2, sample_num, False).int()


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    CALLS.clear()
    module = types.ModuleType('mmcv.ops')
    module.furthest_point_sample, module.knn, module.ball_query = (
        furthest_point_sample,
        knn,
        ball_query,
    )
    monkeypatch.setitem(sys.modules, 'mmcv.ops', module)


ARGS = {
    'farthest_point_sample': (POINTS, START, 9, -1.0),
    'knn': (QUERY, POINTS, 5),
    'ball_query': (QUERY, POINTS, 0.4, 6, False),
}
BEYOND = {
    'farthest_point_sample': [
        (POINTS, START, 9, 1e-3),
        (POINTS, START + 2, 9, -1.0),
    ],
    'knn': [
        (QUERY.repeat(1, 1, 2), POINTS.repeat(1, 1, 2), 5),
    ],
    'ball_query': [(QUERY, POINTS, 0.4, 6, True)],
}


@pytest.mark.parametrize('op', ARGS)
def test_an_adapter_translates_layout_and_type(op):
    found = getattr(mmcv, op)(*ARGS[op])
    assert len(CALLS) == 1 and found.dtype == torch.int64
    assert torch.equal(found, reference(op, *ARGS[op]))


@pytest.mark.parametrize('op', BEYOND)
def test_what_mmcv_cannot_do_takes_the_other_kernels(op):
    for args in BEYOND[op]:
        with ops.use('mmcv'):
            assert torch.equal(getattr(mmcv, op)(*args), reference(op, *args))
            assert ops.info()['use'] == 'mmcv'
    assert not CALLS


def test_it_serves_cuda_tensors_of_its_ops_only():
    with ops.use('mmcv'):
        for op in ARGS:
            assert backend.choose(op, 'cuda') == ('mmcv', "use('mmcv')")
            assert backend.choose(op, 'cpu').backend == 'numba'
        assert backend.choose('group', 'cuda').backend == 'torch'


def test_mmcv_lite_is_not_enough(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmcv.ops', None)
    with pytest.raises(ImportError, match='full mmcv'):
        ops.use('mmcv')
