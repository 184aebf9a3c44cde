import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pcdet_kd.losses import functional

LOGITS = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3
OTHER = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 3
TARGET = torch.tensor([0, 4, 2, 2, 1, 3])
CLOUDS = [
    torch.randn(3, 20, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(s))
    for s in (0, 1)
]


def softmax(z):
    e = np.exp(np.asarray(z) - np.max(np.asarray(z), 1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def smoothed(target, num_classes, eps, smoothing):
    q = np.full(
        (len(target), num_classes),
        eps / num_classes if smoothing == 'uniform' else eps / (num_classes - 1),
    )
    q[np.arange(len(target)), target] = (
        1 - eps + (eps / num_classes if smoothing == 'uniform' else 0)
    )
    return q


@pytest.mark.parametrize('smoothing', ['uniform', 'others'])
@pytest.mark.parametrize('eps', [0.0, 0.2, 0.9])
def test_cross_entropy(smoothing, eps):
    q = smoothed(TARGET, 5, eps, smoothing)
    expected = -(q * np.log(softmax(LOGITS))).sum(1).mean()
    assert functional.cross_entropy(LOGITS, TARGET, eps, smoothing).item() == pytest.approx(
        expected, rel=1e-12
    )


@pytest.mark.parametrize('smoothing', ['uniform', 'others'])
@pytest.mark.parametrize('eps', [0.0, 0.2])
def test_cross_entropy_of_mixed_labels_is_the_mixture_of_the_losses(smoothing, eps):
    other, share = TARGET.flip(0), torch.linspace(0, 0.9, len(TARGET), dtype=torch.float64)
    hot = torch.nn.functional.one_hot
    mixed = (1 - share)[:, None] * hot(TARGET, 5) + share[:, None] * hot(other, 5)
    q = (1 - share)[:, None].numpy() * smoothed(TARGET, 5, eps, smoothing) + share[
        :, None
    ].numpy() * smoothed(other, 5, eps, smoothing)
    expected = -(q * np.log(softmax(LOGITS))).sum(1).mean()
    assert functional.cross_entropy(LOGITS, mixed, eps, smoothing).item() == pytest.approx(
        expected, rel=1e-12
    )
    pure = functional.cross_entropy(LOGITS, hot(TARGET, 5).double(), eps, smoothing)
    torch.testing.assert_close(
        pure, functional.cross_entropy(LOGITS, TARGET, eps, smoothing), rtol=1e-14, atol=0
    )
    half = functional.cross_entropy(LOGITS.bfloat16(), mixed.float(), eps, smoothing)
    assert half.dtype == torch.float32 and half.item() == pytest.approx(expected, rel=1e-2)


@pytest.mark.parametrize('num_classes, eps', [(40, 0.2051), (15, 0.2143)])
def test_smoothing_conventions_are_equivalent(num_classes, eps):
    # eps_uniform = eps_others * K / (K - 1): 0.2 among the others is 0.2051 for ModelNet40 and
    # 0.2143 for ScanObjectNN
    logits, target = (
        torch.randn(8, num_classes, dtype=torch.float64),
        torch.randint(num_classes, (8,)),
    )
    others = functional.cross_entropy(logits, target, 0.2, 'others')
    uniform = functional.cross_entropy(
        logits, target, 0.2 * num_classes / (num_classes - 1), 'uniform'
    )
    torch.testing.assert_close(others, uniform, rtol=1e-12, atol=0)
    assert 0.2 * num_classes / (num_classes - 1) == pytest.approx(eps, abs=5e-5)


def test_smoothing_others_of_one_class():
    with pytest.raises(ValueError, match=r'at least two classes.*\(2, 1\)'):
        functional.cross_entropy(
            torch.zeros(2, 1), torch.zeros(2, dtype=torch.int64), 0.2, 'others'
        )


@pytest.mark.parametrize('temperature', [1.0, 4.0])
@pytest.mark.parametrize('reduction', ['batchmean', 'sum'])
def test_logit_kd(temperature, reduction):
    p_t, p_s = softmax(OTHER / temperature), softmax(LOGITS / temperature)
    expected = (
        temperature**2 * (p_t * np.log(p_t / p_s)).sum() / (6 if reduction == 'batchmean' else 1)
    )
    actual = functional.logit_kd(LOGITS, OTHER, temperature, reduction)
    assert actual.item() == pytest.approx(expected, rel=1e-12)


def test_logit_kd_of_equal_and_extreme_logits():
    assert functional.logit_kd(LOGITS, LOGITS + 3).item() == pytest.approx(0, abs=1e-12)
    student = torch.tensor([[0.0, 2000.0]], requires_grad=True)
    loss = functional.logit_kd(student, torch.tensor([[2000.0, 0.0]]))
    loss.backward()
    assert loss.item() == 2000
    assert student.grad.tolist() == [[-1, 1]]


def test_logit_kd_stops_the_teachers_gradient_when_asked():
    for detach in (True, False):
        student, teacher = LOGITS.clone().requires_grad_(), OTHER.clone().requires_grad_()
        functional.logit_kd(student, teacher, 2.0, 'sum', detach).backward()
        assert (teacher.grad is None) == detach
        assert student.grad.abs().sum() > 0


def test_feature_mse():
    expected = ((LOGITS - OTHER).numpy() ** 2).mean()
    assert functional.feature_mse(LOGITS, OTHER).item() == pytest.approx(expected, rel=1e-12)


def released_scale(p):
    """PointCMT's released formula, in float64: shift = -0.5 - s * (min - diff) / 2, out = s * p +
    shift.
    """
    p = np.asarray(p, np.float64)
    sides = p.max(0) - p.min(0)
    s, diff = 1 / sides.max(), sides.max() - sides
    return s * p - 0.5 - s * (p.min(0) - diff) / 2


def test_scale_to_box_as_released():
    expected = np.stack([released_scale(p + 0.3) for p in CLOUDS[0].numpy()])
    np.testing.assert_allclose(
        functional.scale_to_box(CLOUDS[0] + 0.3, 'released'), expected, rtol=0, atol=1e-12
    )
    # a centred box of sides 4, 2, 1 lands on [-3/4, 1/4] of each side; half of a translation of the
    # box survives
    box = torch.tensor([[2.0, 1, 0.5], [-2, -1, -0.5]])[None]
    low = torch.tensor([-0.75, -0.75 / 2 + 0.0, -0.75 / 4])
    scaled = functional.scale_to_box(box, 'released')[0]
    torch.testing.assert_close(scaled[1], low)
    torch.testing.assert_close(scaled[0], low + torch.tensor([1.0, 0.5, 0.25]))
    torch.testing.assert_close(functional.scale_to_box(box + 4, 'released')[0], scaled + 0.5)


def test_scale_to_box_centred():
    scaled = functional.scale_to_box(CLOUDS[0] * torch.tensor([1.0, 5.0, 2.0]) + 7, 'centred')
    low, high = scaled.amin(1), scaled.amax(1)
    torch.testing.assert_close(low, -high)
    torch.testing.assert_close((high - low).amax(1), torch.ones(3, dtype=torch.float64))
    torch.testing.assert_close(
        functional.scale_to_box(CLOUDS[0] * 9 + 2), functional.scale_to_box(CLOUDS[0])
    )


@pytest.mark.parametrize('variant', ['released', 'centred'])
def test_scale_to_box_of_one_position_is_finite(variant):
    points = torch.full((1, 4, 3), 2.0, requires_grad=True)
    scaled = functional.scale_to_box(points, variant)
    scaled.sum().backward()
    assert scaled.isfinite().all() and points.grad.isfinite().all()


@pytest.mark.parametrize('reduction', ['mean', 'sum'])
@pytest.mark.parametrize('normalize', [None, 'released', 'centred'])
def test_earth_mover(reduction, normalize):
    x, y = CLOUDS
    scaled = [[functional.scale_to_box(c, normalize) for c in CLOUDS], [x, y]][normalize is None]
    costs = [cdist(a, b) for a, b in zip(*scaled)]
    totals = np.array([c[linear_sum_assignment(c)].sum() for c in costs])
    expected = totals.mean() / (20 if reduction == 'mean' else 1)
    assert functional.earth_mover(x, y, reduction, normalize).item() == pytest.approx(
        expected, rel=1e-4
    )


def test_chamfer():
    x, y = CLOUDS[0], CLOUDS[1][:, :7]
    d = np.stack([cdist(a, b) for a, b in zip(x, y)])
    for squared in (True, False):
        e = d**2 if squared else d
        expected = (e.min(2).mean(1) + e.min(1).mean(1)).mean()
        assert functional.chamfer(x, y, squared).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    'function',
    [
        lambda a, b: functional.cross_entropy(a, TARGET, 0.2, 'uniform'),
        lambda a, b: functional.cross_entropy(a, TARGET, 0.2, 'others'),
        lambda a, b: functional.logit_kd(a, b, 3.0, 'batchmean', detach_target=False),
        lambda a, b: functional.feature_mse(a, b),
    ],
    ids=['cross_entropy uniform', 'cross_entropy others', 'logit_kd', 'feature_mse'],
)
def test_gradients_of_logits_and_features(function):
    assert torch.autograd.gradcheck(
        function, (LOGITS.clone().requires_grad_(), OTHER.clone().requires_grad_())
    )


@pytest.mark.parametrize(
    'function',
    [
        lambda x, y: functional.scale_to_box(x, 'released'),
        lambda x, y: functional.scale_to_box(x, 'centred'),
        lambda x, y: functional.earth_mover(x, y, 'sum', 'released'),
        lambda x, y: functional.earth_mover(
            x, y, 'mean', 'released', compat='msn', eps=0.05, iterations=3000
        ),
        lambda x, y: functional.chamfer(x, y, False),
    ],
    ids=['released box', 'centred box', 'earth_mover', 'earth_mover msn', 'chamfer'],
)
def test_gradients_of_points(function):
    assert torch.autograd.gradcheck(
        function, tuple(c[:1, :6].clone().requires_grad_() for c in CLOUDS)
    )


@pytest.mark.parametrize(
    'name, args',
    [
        ('cross_entropy', (LOGITS, TARGET, 0.2, 'others')),
        ('cross_entropy', (LOGITS, TARGET, 0.2)),
        ('logit_kd', (LOGITS, OTHER)),
        ('feature_mse', (LOGITS, OTHER)),
        ('scale_to_box', (CLOUDS[0],)),
        ('earth_mover', CLOUDS),
        ('chamfer', CLOUDS),
    ],
)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_float32_whatever_the_autocast(name, args, dtype):
    half = [
        a.to(dtype) if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in args
    ]
    full = [a.float() if isinstance(a, torch.Tensor) and a.is_floating_point() else a for a in half]
    expected = getattr(functional, name)(*full)
    with torch.autocast('cpu', torch.bfloat16):
        actual = getattr(functional, name)(*half)
        under = getattr(functional, name)(*full)
    assert actual.dtype == torch.float32
    assert torch.equal(actual, expected) and torch.equal(under, expected)


def test_autocast_is_off_inside_and_on_again_outside():
    inside = []
    checked = functional.full_precision(lambda x: inside.append(torch.is_autocast_enabled('cpu')))
    with torch.autocast('cpu', torch.bfloat16):
        checked(LOGITS)
        assert torch.is_autocast_enabled('cpu')
    assert inside == [False]


@pytest.mark.parametrize(
    'call, message',
    [
        (
            lambda: functional.cross_entropy(torch.zeros(4), TARGET),
            r'student_logits has shape \(4,\)',
        ),
        (
            lambda: functional.cross_entropy(torch.zeros(0, 4), TARGET[:0]),
            r'student_logits has shape \(0, 4\)',
        ),
        (
            lambda: functional.cross_entropy(LOGITS, TARGET[:, None]),
            r'target has shape \(6, 1\), expected \(6,\)',
        ),
        (
            lambda: functional.cross_entropy(LOGITS, torch.ones(6, 5, dtype=torch.int64)),
            r'target has shape \(6, 5\), expected',
        ),
        (
            lambda: functional.cross_entropy(LOGITS, torch.ones(6, 4)),
            r'target has shape \(6, 4\), expected.*\(6, 5\)',
        ),
        (
            lambda: functional.logit_kd(LOGITS, OTHER[:, :4]),
            r'student_logits \(6, 5\) and teacher_logits \(6, 4\)',
        ),
        (lambda: functional.logit_kd(LOGITS, OTHER[:1]), r'\(6, 5\).*\(1, 5\)'),
        (
            lambda: functional.feature_mse(LOGITS, OTHER[:1]),
            r'student_feat \(6, 5\) and teacher_feat \(1, 5\)',
        ),
        (lambda: functional.earth_mover(CLOUDS[0], CLOUDS[1][:, :3]), r'\(3, 20, 3\).*\(3, 3, 3\)'),
    ],
)
def test_shapes_are_checked(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unit_vectors():
    x = torch.tensor([[3.0, 4], [0, 0], [-1e-3, 0]], requires_grad=True)
    y = functional.unit(x)
    torch.testing.assert_close(y, torch.tensor([[0.6, 0.8], [0, 0], [-1, 0]]))
    y[:2].sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([[0.032, -0.024], [0, 0], [0, 0]]))
    torch.testing.assert_close(functional.unit(x.detach().t(), dim=0), y.detach().t())
