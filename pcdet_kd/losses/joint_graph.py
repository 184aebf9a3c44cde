r"""The mathematics of joint-graph-entropy distillation (Tian et al., Information Sciences 2023), in
O(B·C).

The joint graph of a sample is :math:`A = p p^\top / C` with p its softened class probabilities.
Nothing here forms it: every term has a closed form in the marginals. Symbols: B samples, C classes,
t the label, :math:`q = softmax(z^S/T)` of the student, :math:`p = softmax(z^T/T)` of the teacher;
hats are renormalised over the classes other than t.

All functions take logits (B, C) and ``target`` (B,), work in float32 at least, and return (B,), one
value per sample.
"""

import math

import torch
from torch import Tensor

from pcdet_kd.layers import at_least_float32

TINY = 1e-30  # below a logarithm; p log p has no slope there that matters


def entropy_term(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    r"""Return :math:`H(P, Q) = 2\,CE(p, q)`, the cross-entropy of the joint graphs normalised to
    sum 1.
    """
    log_q, log_p = _log_softmax(temperature, student_logits, teacher_logits)
    return -2 * (log_p.exp() * log_q).sum(1)


def divergence_term(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    r"""Return :math:`T^2 KL(P \| Q) = 2 T^2 KL(p \| q)`."""
    log_q, log_p = _log_softmax(temperature, student_logits, teacher_logits)
    return 2 * temperature**2 * (log_p.exp() * (log_p - log_q)).sum(1)


def decoupled_terms(
    student_logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    r"""Return :math:`2 T^2 KL_{bin}(p_t \| q_t)` and :math:`2 T^2 KL(\hat p \| \hat q)`."""
    log_q, log_p = _log_softmax(temperature, student_logits, teacher_logits)
    factor = 2 * temperature**2
    if log_q.shape[1] == 1:
        return log_q.sum(1) * 0, log_q.sum(1) * 0
    is_target = _one_hot(target, log_q)
    log_q_t, log_p_t = log_q[is_target], log_p[is_target]
    log_q_rest, log_p_rest = (
        v.masked_fill(is_target, -torch.inf).logsumexp(1) for v in (log_q, log_p)
    )
    binary = log_p_t.exp() * (log_p_t - log_q_t) + log_p_rest.exp() * (log_p_rest - log_q_rest)
    # 0 for the target, which then neither counts nor overflows
    hat_q, hat_p = (
        (v - rest[:, None]).masked_fill(is_target, 0)
        for v, rest in ((log_q, log_q_rest), (log_p, log_p_rest))
    )
    others = (hat_p.exp() * (hat_p - hat_q)).sum(1)
    return factor * binary, factor * others


def released_target_term(
    student_logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float
) -> Tensor:
    r"""Return the target part of the released code (SEGIR, DesenAT).

    It compares the entry (t, t) of the graphs with "the rest": :math:`t_1 (\log t_1 - s_1) + t_2
    (\log t_2 - s_2)` times :math:`T^2`, where :math:`t_1 = p_t^2/C`, :math:`t_2 = (1 - p_t^2)/C^2`,
    :math:`s_1 = 2 \log q_t - \log C`, and :math:`s_2` is the sum of the logarithms of all other
    entries of the student's graph over C. The sums are not normalised, so the value is not a
    divergence: it does not vanish at q = p. It depends on the teacher through :math:`p_t` alone.
    """
    log_q, log_p = _log_softmax(temperature, student_logits, teacher_logits)
    classes = log_q.shape[1]
    log_c = math.log(classes)
    log_q_t, log_p_t = (v.gather(1, target[:, None])[:, 0] for v in (log_q, log_p))
    s1 = 2 * log_q_t - log_c
    s2 = (2 * classes * log_q.sum(1) - classes**2 * log_c - s1) / classes
    t1 = (2 * log_p_t).exp() / classes
    t2 = -(2 * log_p_t).expm1() / classes**2
    return temperature**2 * (t1 * (2 * log_p_t - log_c - s1) + t2 * (t2.clamp_min(TINY).log() - s2))


def released_other_term(
    student_logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float
) -> Tensor:
    r"""Return the non-target part of the released code: :math:`-(2 \sum_i \hat p_i \log|\log \hat
    q_i| - \log C) / C^2`.

    The code takes the logarithm of an outer product of *log*-probabilities. Minimising it therefore
    lowers :math:`\hat q_i` where :math:`\hat p_i` is large. 0 for C <= 2, where there is at most
    one other class.
    """
    x, y = _scaled(temperature, student_logits, teacher_logits)
    classes = x.shape[1]
    if classes <= 2:
        return x.sum(1) * 0
    is_target = _one_hot(target, x)
    x, y = (v.masked_fill(is_target, -torch.inf) for v in (x, y))
    # -log q^ is log1p(exp(d)) for the largest class, with d = lse(the others) - x; it may round to
    # 0 when written as lse(x) - x
    largest = _one_hot(x.argmax(1), x)
    minus_log = (x.logsumexp(1, keepdim=True) - x).masked_fill(is_target | largest, 1)
    d = x.masked_fill(largest, -torch.inf).logsumexp(1) - x[largest]
    of_largest = torch.where(d < -30, d, d.clamp_min(-30).exp().log1p().log())
    log_minus_log = minus_log.log() + largest * of_largest[:, None]
    return -(2 * (y.softmax(1) * log_minus_log).sum(1) - math.log(classes)) / classes**2


def other_entropy_term(
    student_logits: Tensor, teacher_logits: Tensor, target: Tensor, temperature: float
) -> Tensor:
    r"""Return :math:`(2\,CE(\hat p, \hat q) + \log C) / C^2`: the non-target part with the sign
    corrected; 0 for C <= 2.
    """
    x, y = _scaled(temperature, student_logits, teacher_logits)
    classes = x.shape[1]
    if classes <= 2:
        return x.sum(1) * 0
    is_target = _one_hot(target, x)
    x, y = (v.masked_fill(is_target, -torch.inf) for v in (x, y))
    cross = -(y.softmax(1) * x.log_softmax(1).masked_fill(is_target, 0)).sum(1)
    return (2 * cross + math.log(classes)) / classes**2


def batch_graph_term(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> Tensor:
    r"""Return the cross-entropy of the batch's mean joint graphs, :math:`mean_b\,p p^\top` and
    :math:`mean_b\,q q^\top`.

    The mean of rank-one graphs has a higher rank, so this form alone sees which classes go
    together. A scalar; O(B·C²) time, O(B·C + C²) memory.
    """
    log_q, log_p = _log_softmax(temperature, student_logits, teacher_logits)
    p = log_p.exp()
    # scaled by each class's largest probability in the batch, so that little underflows
    top = log_q.detach().amax(0)
    q = (log_q - top).exp()
    log_graph = (q.t() @ q / len(q)).clamp_min(TINY).log() + top[:, None] + top
    return -((p.t() @ p / len(p)) * log_graph).sum()


def _scaled(temperature: float, *logits: Tensor) -> tuple[Tensor, ...]:
    return tuple(at_least_float32(v) / temperature for v in logits)


def _log_softmax(temperature: float, *logits: Tensor) -> tuple[Tensor, ...]:
    return tuple(v.log_softmax(1) for v in _scaled(temperature, *logits))


def _one_hot(index: Tensor, like: Tensor) -> Tensor:
    return torch.zeros_like(like, dtype=torch.bool).scatter_(1, index[:, None], True)
