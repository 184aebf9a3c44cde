import pytest
import torch

from pcdet_kd import ops

GENERATOR = torch.Generator().manual_seed(0)
POINTS = torch.randn(2, 30, 3, generator=GENERATOR)
QUERY = torch.cat([POINTS[:, :7], torch.randn(2, 13, 3, generator=GENERATOR)], 1)
FEATURES = torch.randn(2, 30, 10, generator=GENERATOR)


def interpolate(query, points, features, root=False):
    """float64 by the formula, from all distances."""
    q, p, f = (t.double() for t in (query, points, features))
    d = (q[:, :, None] - p[:, None]).square().sum(-1)
    nearest, index = d.topk(min(3, d.shape[2]), dim=2, largest=False)
    weight = 1 / ((nearest.sqrt() if root else nearest) + 1e-8)
    weight = weight / weight.sum(2, keepdim=True)
    return sum(
        weight[..., i, None] * f.gather(1, index[..., i, None].expand(-1, -1, f.shape[2]))
        for i in range(index.shape[2])
    )


@pytest.fixture(params=['torch', 'numba'])
def backend(request):
    with ops.use(request.param):
        yield request.param


@pytest.mark.parametrize('compat', [None, 'pointnet2'])
@pytest.mark.parametrize('num_points', [1, 2, 3, 30])
def test_definition(backend, num_points, compat):
    points, features = POINTS[:, -num_points:], FEATURES[:, -num_points:]
    out = ops.three_interpolate(QUERY, points, features, compat=compat)
    expected = interpolate(QUERY, points, features, root=compat is not None)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out.double(), expected, rtol=1e-6, atol=1e-6)


def test_where_a_query_is_a_point_its_feature_returns(backend):
    out = ops.three_interpolate(POINTS + 100, POINTS + 100, FEATURES)
    torch.testing.assert_close(out, FEATURES, rtol=0, atol=1e-5)


def test_gradient_reaches_features_only(backend):
    features = FEATURES.double().requires_grad_()
    points, query = POINTS.clone().requires_grad_(), QUERY.clone().requires_grad_()
    ops.three_interpolate(query, points, features).sum().backward()
    assert points.grad is None and query.grad is None
    assert torch.autograd.gradcheck(lambda f: ops.three_interpolate(QUERY, POINTS, f), features)
    assert torch.autograd.gradgradcheck(lambda f: ops.three_interpolate(QUERY, POINTS, f), features)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_back_ends_agree_in_every_type(dtype):
    results = []
    for name in ('torch', 'numba'):
        features = FEATURES.to(dtype, copy=True).requires_grad_()
        with ops.use(name):
            out = ops.three_interpolate(QUERY, POINTS, features)
            out.square().sum().backward()
        assert out.dtype == features.grad.dtype == dtype
        results.append((out.detach(), features.grad))
    assert torch.equal(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1])


def test_nothing_but_one_cloud_at_any_number_of_threads(monkeypatch):
    features = torch.randn(1, 30, 200, generator=GENERATOR)
    results = []
    for threads in (1, 3):
        monkeypatch.setattr(torch, 'get_num_threads', lambda n=threads: n)
        leaf = features.clone().requires_grad_()
        out = ops.three_interpolate(QUERY[:1].repeat(1, 20, 1), POINTS[:1], leaf)
        out.square().sum().backward()
        results.append((out.detach(), leaf.grad))
    assert all(torch.equal(a, b) for a, b in zip(*results))


@pytest.mark.parametrize(
    'change, message',
    [
        (
            dict(features=FEATURES[:, :29]),
            r'features has shape \(2, 29, 10\), expected \(2, 30, .C.\) for points \(2, 30, 3\)',
        ),
        (dict(features=FEATURES[0]), r'features has shape \(30, 10\)'),
        (dict(features=FEATURES.long()), r'features \(2, 30, 10\) has dtype torch.int64'),
        (dict(query=QUERY[:1]), r'query \(1, 20, 3\) and points \(2, 30, 3\)'),
        (dict(compat='pointnet'), "compat is 'pointnet'"),
        (dict(features=FEATURES.to('meta')), 'features is on meta and points on cpu'),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        ops.three_interpolate(**{**dict(query=QUERY, points=POINTS, features=FEATURES), **change})


@pytest.mark.parametrize('compat', [None, 'pointnet2'])
@pytest.mark.parametrize('scale', [1e14, 1e18])
def test_far_clouds_have_weights_too(scale, compat):
    out = ops.three_interpolate(QUERY * scale, POINTS * scale, FEATURES, compat=compat)
    expected = interpolate(QUERY, POINTS, FEATURES, root=compat is not None)
    torch.testing.assert_close(out[:, 7:].double(), expected[:, 7:], rtol=1e-5, atol=1e-5)
