"""The closed forms against a direct evaluation, entry by entry of the C x C graphs, in float64."""

import pytest
import torch
import torch.nn.functional as F

from pcdet_kd.losses import joint_graph as maths

T = 4.0
SIZES = [3, 5, 15, 17, 40]


def logits(classes, scale=3.0, batch=6, seed=0):
    generator = torch.Generator().manual_seed(seed + classes)
    student, teacher = (
        scale * torch.randn(batch, classes, generator=generator, dtype=torch.float64)
        for _ in range(2)
    )
    return student, teacher, torch.randint(classes, (batch,), generator=generator)


def graphs(student, teacher, temperature):
    q, p = (student / temperature).softmax(0), (teacher / temperature).softmax(0)
    return torch.outer(q, q), torch.outer(p, p)


def direct_released_target(student, teacher, t, temperature=T):
    classes = len(student)
    q, p = (g / classes for g in graphs(student, teacher, temperature))
    rest = torch.ones(classes, classes, dtype=torch.bool)
    rest[t, t] = False
    s = torch.stack([q[t, t].log(), q[rest].log().sum() / classes])
    goal = torch.stack([p[t, t], p[rest].sum() / classes])
    return temperature**2 * F.kl_div(s, goal, reduction='sum')


def direct_released_other(student, teacher, t, temperature=T):
    classes = len(student)
    keep = torch.arange(classes) != t
    log_q, p = (
        (student[keep] / temperature).log_softmax(0),
        (teacher[keep] / temperature).softmax(0),
    )
    return (
        -(torch.outer(p, p) / classes * (torch.outer(log_q, log_q) / classes).log()).sum() / classes
    )


def direct_other_entropy(student, teacher, t, temperature=T):
    classes = len(student)
    keep = torch.arange(classes) != t
    q, p = (student[keep] / temperature).softmax(0), (teacher[keep] / temperature).softmax(0)
    return -(torch.outer(p, p) / classes * (torch.outer(q, q) / classes).log()).sum() / classes


@pytest.mark.parametrize('scale', [0.1, 1.0, 10.0])
@pytest.mark.parametrize('classes', SIZES)
@pytest.mark.parametrize(
    ('closed', 'direct'),
    [
        (maths.released_target_term, direct_released_target),
        (maths.released_other_term, direct_released_other),
        (maths.other_entropy_term, direct_other_entropy),
    ],
)
def test_released_terms(closed, direct, classes, scale):
    student, teacher, target = logits(classes, scale)
    expected = torch.stack([direct(s, p, t) for s, p, t in zip(student, teacher, target)])
    torch.testing.assert_close(closed(student, teacher, target, T), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize('classes', SIZES)
def test_the_graph_of_one_sample_holds_nothing_but_its_marginals(classes):
    student, teacher, target = logits(classes)
    both = [graphs(s, p, 2.0) for s, p in zip(student, teacher)]
    cross = torch.stack([-(p * q.log()).sum() for q, p in both])
    own = torch.stack([-(p * p.log()).sum() for _, p in both])
    torch.testing.assert_close(
        maths.entropy_term(student, teacher, 2.0), cross, rtol=1e-9, atol=1e-9
    )
    torch.testing.assert_close(
        maths.divergence_term(student, teacher, 2.0), 4 * (cross - own), rtol=1e-9, atol=1e-9
    )
    binary, others = maths.decoupled_terms(student, teacher, target, 2.0)
    rest = 1 - (teacher / 2).softmax(1).gather(1, target[:, None])[:, 0]
    torch.testing.assert_close(binary + rest * others, 4 * (cross - own), rtol=1e-9, atol=1e-9)


def test_the_mean_graph_of_a_batch():
    student, teacher, _ = logits(7)
    q, p = (
        torch.stack(g).mean(0) for g in zip(*(graphs(s, t, 1.5) for s, t in zip(student, teacher)))
    )
    torch.testing.assert_close(
        maths.batch_graph_term(student, teacher, 1.5), -(p * q.log()).sum(), rtol=1e-9, atol=1e-9
    )
    same = maths.batch_graph_term(teacher, teacher, 1.0)
    assert all(
        maths.batch_graph_term(teacher + 0.1 * torch.randn_like(teacher), teacher, 1.0) > same
        for _ in range(5)
    )


def test_gradients():
    student, teacher, target = logits(5, scale=1.0)
    student.requires_grad_(), teacher.requires_grad_()
    for term in (
        maths.released_target_term,
        maths.released_other_term,
        maths.other_entropy_term,
        maths.decoupled_terms,
    ):
        assert torch.autograd.gradcheck(
            lambda s, t, term=term: term(s, t, target, T), (student, teacher)
        )
    for term in (maths.entropy_term, maths.divergence_term, maths.batch_graph_term):
        assert torch.autograd.gradcheck(lambda s, t, term=term: term(s, t, T), (student, teacher))


@pytest.mark.parametrize('scale', [0.1, 1.0, 3.0])
def test_published_gradients_of_the_released_terms(scale):
    """Gradients in the student's logits, derived by hand."""
    student, teacher, target = logits(6, scale)
    student.requires_grad_()
    classes, one_hot = 6, F.one_hot(target, 6).double()
    q, p = (student / T).softmax(1).detach(), (teacher / T).softmax(1)
    p_t = (p * one_hot).sum(1, keepdim=True)
    t1, t2 = p_t**2 / classes, (1 - p_t**2) / classes**2
    expected = T * (2 * (t1 - t2 / classes) * (q - one_hot) + 2 * t2 * (classes * q - 1))
    (found,) = torch.autograd.grad(
        maths.released_target_term(student, teacher, target, T).sum(), student
    )
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    hat_q, hat_p = (v * (1 - one_hot) / (v * (1 - one_hot)).sum(1, keepdim=True) for v in (q, p))
    w = torch.where(one_hot.bool(), 0, hat_p / hat_q.log().abs())
    expected = 2 / (classes**2 * T) * (w - hat_q * w.sum(1, keepdim=True))
    (found,) = torch.autograd.grad(
        maths.released_other_term(student, teacher, target, T).sum(), student
    )
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)


def test_the_mean_graph_counts_classes_of_tiny_probability():
    """In float32 the square of exp(-60) is 0."""
    student = torch.tensor([[0.0, -60.0, -61.0], [0.0, -62.0, -60.0]])
    teacher = torch.tensor([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]])
    pairs = [graphs(s, t, 1.0) for s, t in zip(student.double(), teacher.double())]
    q, p = (torch.stack(g).mean(0) for g in zip(*pairs))
    expected = -(p * q.log()).sum()
    torch.testing.assert_close(maths.batch_graph_term(student, teacher, 1.0), expected.float())
