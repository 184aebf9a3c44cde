import pytest
import torch
import torch.nn.functional as F

from pcdet_kd.losses import joint_graph as maths
from pcdet_kd.losses.joint_graph_entropy import VARIANTS, JointGraphEntropyLoss
from pcdet_kd.registry import LOSSES

STUDENT = [[1, 2, 3], [0, -1, 0.5]]
TEACHER = [[2, 0, 1], [-0.5, 1.5, 0]]
TARGET = torch.tensor([2, 0])


def golden(requires_grad=False, dtype=torch.float64):
    return (torch.tensor(v, dtype=dtype, requires_grad=requires_grad) for v in (STUDENT, TEACHER))


def test_golden_vector_of_the_released_loss():
    """Values and both gradients computed independently in float64 from the formulas of the released
    code (SEGIR, DesenAT).
    """
    student, teacher = golden(requires_grad=True)
    terms = maths.released_target_term, maths.released_other_term
    parts = [term(student, teacher, TARGET, 4.0).mean().item() for term in terms]
    assert parts == pytest.approx([10.590696976756, 0.194840485478], abs=1e-11)
    value = JointGraphEntropyLoss('released', detach='none')(student, teacher, TARGET)
    assert value.item() == pytest.approx(12.149420860577, abs=1e-11)
    value.backward()
    expected = [
        [-0.061315822280, -0.035324845401, 0.096640667682],
        [0.041761131650, -0.077194192512, 0.035433060862],
    ]
    torch.testing.assert_close(
        student.grad, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-11
    )
    expected = [
        [0.105432709419, 0.094194962959, -0.199627672378],
        [-0.141231279012, 0.054707215819, 0.086524063194],
    ]
    torch.testing.assert_close(
        teacher.grad, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-11
    )


@pytest.mark.parametrize(
    ('variant', 'temperature', 'value'),
    [
        ('entropy', 1.0, 3.586247965001),
        ('entropy', 4.0, 2.282879248727),
        ('kl', 1.0, 2.001871933370),
        ('kl', 4.0, 16 * 0.129991395355),
    ],
)
def test_golden_values_of_the_consistent_variants(variant, temperature, value):
    student, teacher = golden()
    found = JointGraphEntropyLoss(variant, temperature)(student, teacher, TARGET)
    assert float(found) == pytest.approx(value, abs=1e-10)


def test_defaults_are_the_paper_s():
    loss = LOSSES.build(dict(type='JointGraphEntropyLoss'))
    assert (loss.variant, loss.temperature, loss.detach, loss.loss_weight) == (
        'entropy',
        1.0,
        'teacher',
        1.0,
    )
    assert LOSSES.build(dict(type='JointGraphEntropyLoss', variant='released')).temperature == 4


def test_who_is_detached():
    for detach in ('teacher', 'none', 'mutual'):
        student, teacher = golden(requires_grad=True)
        loss = JointGraphEntropyLoss(detach=detach, loss_weight=0.5)
        value = loss(student, teacher, TARGET)
        value.backward()
        assert student.grad is not None and (teacher.grad is None) == (detach == 'teacher')
    q, p = student.detach(), teacher.detach()
    one_way = JointGraphEntropyLoss()
    assert value.item() == pytest.approx(float(one_way(q, p, TARGET) + one_way(p, q, TARGET)) / 4)


def test_weights_of_the_parts():
    student, teacher = golden()
    binary, others = (v.mean() for v in maths.decoupled_terms(student, teacher, TARGET, 4.0))
    found = JointGraphEntropyLoss('decoupled', alpha=2, beta=3, loss_weight=0.5)(
        student, teacher, TARGET
    )
    torch.testing.assert_close(found, 0.5 * (2 * binary + 3 * others))
    fixed = JointGraphEntropyLoss('released-signfix')(student, teacher, TARGET)
    torch.testing.assert_close(
        fixed,
        maths.released_target_term(student, teacher, TARGET, 4.0).mean()
        + 8 * maths.other_entropy_term(student, teacher, TARGET, 4.0).mean(),
    )


@pytest.mark.parametrize('classes', [1, 2, 3, 40])
@pytest.mark.parametrize('gap', [0.0, 60.0, 1000.0, -1000.0, 1e4])
@pytest.mark.parametrize('variant', VARIANTS)
def test_it_is_finite_for_any_logits(variant, gap, classes):
    """Ties (gap 0), a certain right answer, a certain wrong one; in float32 and under
    half-precision autocast.
    """
    target = torch.zeros(4, dtype=torch.int64)
    student = torch.zeros(4, classes)
    student[:, 0] = gap
    teacher = student.clone()
    if classes > 1:
        teacher[2:, 0], teacher[2:, 1] = 0, gap
        student[1] = student[1].roll(1)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        if dtype == torch.float16 and abs(gap) > 1000:
            continue
        s, t = (v.clone().to(dtype).requires_grad_() for v in (student, teacher))
        with torch.autocast('cpu', torch.bfloat16):
            value = JointGraphEntropyLoss(variant, detach='none')(s, t, target)
        assert value.dtype == torch.float32 and torch.isfinite(value)
        value.backward()
        assert torch.isfinite(s.grad).all() and (t.grad is None or torch.isfinite(t.grad).all())


def test_a_copy_of_the_teacher_is_the_minimum_of_the_consistent_variants_only():
    student, teacher = golden()
    for variant in VARIANTS:
        copy = teacher.clone().requires_grad_()
        JointGraphEntropyLoss(variant)(copy, teacher, TARGET).backward()
        released = variant.startswith('released')
        assert (copy.grad.abs().max() > 1e-3) == released, variant


def test_the_released_non_target_part_pushes_away_from_the_teacher():
    generator = torch.Generator().manual_seed(0)
    teacher = torch.randn(8, 15, generator=generator)
    target = torch.randint(15, (8,), generator=generator)
    keep = F.one_hot(target, 15) == 0

    def divergence(student):
        hat_q, hat_p = (v[keep].view(8, 14).log_softmax(1) for v in (student / 4, teacher / 4))
        return float(F.kl_div(hat_q, hat_p, log_target=True, reduction='batchmean'))

    moved = {}
    for term in (maths.released_other_term, maths.other_entropy_term):
        student = torch.randn(8, 15, generator=torch.Generator().manual_seed(1)).requires_grad_()
        before = divergence(student.detach())
        optimizer = torch.optim.Adam([student], lr=0.1)
        for _ in range(50):
            optimizer.zero_grad()
            term(student, teacher, target, 4.0).mean().backward()
            optimizer.step()
        moved[term] = divergence(student.detach()) - before
    assert moved[maths.released_other_term] > 0.1 and moved[maths.other_entropy_term] < -0.01


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (dict(variant='joint'), "variant is 'joint'"),
        (dict(detach='both'), "detach is 'both'"),
        (dict(temperature=0.0), 'temperature is 0.0'),
    ],
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        LOSSES.build(dict(type='JointGraphEntropyLoss', **args))


def test_bad_shapes():
    student, teacher = golden()
    with pytest.raises(ValueError, match=r'student_logits \(2, 3\) and teacher_logits \(2, 2\)'):
        JointGraphEntropyLoss()(student, teacher[:, :2], TARGET)
    with pytest.raises(ValueError, match=r'target has shape \(1,\), expected \(2,\)'):
        JointGraphEntropyLoss()(student, teacher, TARGET[:1])


@pytest.mark.parametrize('variant', [v for v in VARIANTS if v != 'batch-graph'])
def test_the_graph_holds_nothing_of_size_batch_times_classes_squared(variant):
    student, teacher = (torch.randn(5, 40, requires_grad=True) for _ in range(2))
    sizes = []
    with torch.autograd.graph.saved_tensors_hooks(
        lambda t: sizes.append(t.numel()) or t, lambda t: t
    ):
        JointGraphEntropyLoss(variant, detach='none')(student, teacher, torch.arange(5))
    assert max(sizes) <= 5 * 40 and sum(sizes) <= 20 * 5 * 40
