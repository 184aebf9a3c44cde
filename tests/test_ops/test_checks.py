import pytest
import torch

from pcdet_kd import ops

GOOD = torch.randn(2, 8, 3)
ONE = torch.arange(48).view(2, 8, 3) == 37
CALLS = {
    'farthest_point_sample': (lambda p: ops.farthest_point_sample(p, 2), 'points'),
    'knn query': (lambda p: ops.knn(p, GOOD, 2), 'query'),
    'knn points': (lambda p: ops.knn(GOOD, p, 2), 'points'),
    'ball_query query': (lambda p: ops.ball_query(p, GOOD, 1.0, 2), 'query'),
    'ball_query points': (lambda p: ops.ball_query(GOOD, p, 1.0, 2), 'points'),
    'three_interpolate query': (lambda p: ops.three_interpolate(p, GOOD, GOOD), 'query'),
    'three_interpolate points': (lambda p: ops.three_interpolate(GOOD, p, GOOD), 'points'),
    'chamfer_distance x': (lambda p: ops.chamfer_distance(p, GOOD), 'x'),
    'chamfer_distance y': (lambda p: ops.chamfer_distance(GOOD, p), 'y'),
    'emd_match x': (lambda p: ops.emd_match(p, GOOD), 'x'),
    'emd_match y': (lambda p: ops.emd_match(GOOD, p), 'y'),
    'earth_mover_distance x': (lambda p: ops.earth_mover_distance(p, GOOD), 'x'),
}


@pytest.mark.parametrize('call', CALLS)
@pytest.mark.parametrize(
    'bad, message',
    [
        (GOOD[0], r'has shape \(8, 3\), expected \(B, N'),
        (GOOD[:, :0], r'\(2, 0, 3\).*empty'),
        (GOOD[:0], r'\(0, 8, 3\).*empty'),
        (GOOD.int(), r'\(2, 8, 3\) has dtype torch.int32'),
        (torch.where(ONE, torch.nan, GOOD), r'\(2, 8, 3\) holds NaN or inf'),
        (torch.where(ONE, torch.inf, GOOD), r'\(2, 8, 3\) holds NaN or infinite'),
        (GOOD.to('meta'), r'\(2, 8, 3\) is on the meta device'),
    ],
    ids=['rank', 'no points', 'no clouds', 'dtype', 'nan', 'inf', 'device'],
)
def test_bad_clouds_are_named(call, bad, message):
    function, name = CALLS[call]
    with pytest.raises(ValueError, match=f'^{name} .*{message}'):
        function(bad)


@pytest.mark.parametrize('call', [c for c in CALLS if not c.startswith('knn')])
def test_space_has_three_channels(call):
    function, name = CALLS[call]
    with pytest.raises(ValueError, match=rf'^{name} has shape \(2, 8, 4\), expected \(B, N, 3\)'):
        function(torch.randn(2, 8, 4))


@pytest.mark.parametrize('call', [c for c in CALLS if not c.startswith('farthest')])
def test_clouds_of_different_batches_are_refused(call):
    with pytest.raises(ValueError, match=r'\(2, 8, 3\).*batch|\(3, 8, 3\).*batch'):
        CALLS[call][0](torch.randn(3, 8, 3))


@pytest.mark.parametrize(
    'call, message',
    [
        (
            lambda: ops.farthest_point_sample(GOOD, 9),
            r'num_samples is 9, more than the 8 points of points \(2, 8, 3\)',
        ),
        (lambda: ops.farthest_point_sample(GOOD, 0), 'num_samples is 0'),
        (lambda: ops.farthest_point_sample(GOOD, 2.0), 'num_samples is 2.0'),
        (lambda: ops.farthest_point_sample(GOOD, 2, start=8), 'start is 8'),
        (lambda: ops.farthest_point_sample(GOOD, 2, start=-1), 'start is -1'),
        (lambda: ops.farthest_point_sample(GOOD, 2, start='first'), "start is 'first'"),
        (lambda: ops.farthest_point_sample(GOOD, 2, compat='pointnet'), "compat is 'pointnet'"),
        (lambda: ops.knn(GOOD, GOOD, 9), r'k is 9, more than the 8 points of points \(2, 8, 3\)'),
        (lambda: ops.knn(GOOD, GOOD, True), 'k is True'),
        (lambda: ops.ball_query(GOOD, GOOD, 1.0, 0), 'k is 0'),
        (lambda: ops.ball_query(GOOD, GOOD, 0.0, 2), 'radius is 0.0'),
        (lambda: ops.ball_query(GOOD, GOOD, float('nan'), 2), 'radius is nan'),
        (lambda: ops.ball_query(GOOD, GOOD, 1.0, 2, compat='msn'), "compat is 'msn'"),
        (
            lambda: ops.three_interpolate(GOOD, GOOD, GOOD[..., :0]),
            r'features has shape \(2, 8, 0\): it is empty',
        ),
        (
            lambda: ops.edge_max_sum(GOOD, torch.zeros(2, 8, 0, dtype=torch.int64)),
            r'index has shape \(2, 8, 0\): it is empty',
        ),
        (
            lambda: ops.group(GOOD.to('meta'), torch.zeros(2, 3, dtype=torch.int64)),
            'index is on cpu and features on meta',
        ),
        (
            lambda: ops.group(GOOD.to('meta'), torch.zeros(2, 3, dtype=torch.int64, device='meta')),
            r'index \(2, 3\) is on the meta device',
        ),
        (lambda: ops.emd_match(GOOD, GOOD[:, :7]), r'x \(2, 8, 3\) and y \(2, 7, 3\)'),
        (lambda: ops.emd_match(GOOD, GOOD, eps=0.0), 'eps is 0.0'),
        (lambda: ops.emd_match(GOOD, GOOD, compat='pointnet2'), "compat is 'pointnet2'"),
        (lambda: ops.emd_match(GOOD, GOOD, iterations=3), "iterations=3 needs compat='msn'"),
        (lambda: ops.emd_match(GOOD, GOOD, compat='msn', iterations=0), 'iterations is 0'),
        (
            lambda: ops.emd_match(GOOD, GOOD, compat='msn', return_certificate=True),
            'return_certificate',
        ),
        (
            lambda: ops.emd_match(GOOD, GOOD, compat='msn', exact=True),
            'exact=True needs compat=None',
        ),
        (lambda: ops.earth_mover_distance(GOOD, GOOD, reduction='none'), "reduction is 'none'"),
    ],
)
def test_bad_options_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
