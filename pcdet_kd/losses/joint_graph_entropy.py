"""Joint-graph-entropy distillation of class scores."""

import torch
from torch import Tensor, nn

from pcdet_kd.losses import joint_graph as maths
from pcdet_kd.ops.checks import check_choice
from pcdet_kd.registry import LOSSES

# variant -> temperature where none is given
VARIANTS = {
    'entropy': 1.0,
    'kl': 1.0,
    'decoupled': 4.0,
    'batch-graph': 1.0,
    'released': 4.0,
    'released-signfix': 4.0,
}
DETACH = ('teacher', 'none', 'mutual')


@LOSSES.register_module()
class JointGraphEntropyLoss(nn.Module):
    r"""Joint-graph-entropy knowledge distillation (JGEKD; Tian et al., Information Sciences 2023).

    The classes of a sample span a graph with the weights :math:`A_{ij} = p_i p_j / C`; the
    student's graph is drawn to the teacher's. Because the graph is an outer product, its entropies
    are those of the marginals: :math:`H(P) = 2 H(p)`, :math:`H(P, Q) = 2 CE(p, q)`, :math:`KL(P\|Q)
    = 2 KL(p\|q) = 2\,KL_{bin}(p_t\|q_t) + 2 (1 - p_t) KL(\hat p\|\hat q)`. So ``'entropy'`` and
    ``'kl'`` are ordinary distillation with twice its weight, ``'decoupled'`` is decoupled
    distillation (DKD) with twice its weight, and all need O(B·C) time and memory; nothing about
    pairs of classes enters but the marginals. Only ``'batch-graph'``, an extension, carries more.

    ======================  ==================================================================  ===  =====================
    variant                 per sample                                                           T
    source
    ======================  ==================================================================  ===  =====================
    ``'entropy'``           :math:`2 CE(p, q)`                                                   1
    fits the log of the
                                                                                                      published
                                                                                                      run
                                                                                                      (2022)
    ``'kl'``                :math:`2 T^2 KL(p\|q)`                                               1
    the same slope, 0 at
                                                                                                      a
                                                                                                      match
    ``'decoupled'``         :math:`2 T^2 (\alpha KL_{bin}(p_t\|q_t) + \beta KL(\hat p\|\hat q))` 4
    normalised split ``'batch-graph'``       cross-entropy of the batch's mean graphs
    1    this project ``'released'``          :math:`\alpha TC + \beta NC`
    4    SEGIR and DesenAT code ``'released-signfix'``  :math:`\alpha TC + \beta (2 CE(\hat p, \hat
    q) + \log C)/C^2`        4    its sign mended
    ======================  ==================================================================  ===  =====================

    The released code differs from what its name promises: its TC sees of the teacher only
    :math:`p_t`, isn't normalised and acts like label smoothing with :math:`\varepsilon = 1 - p_t^2`
    (a perfect copy of the teacher is no minimum); its NC has the wrong sign (it pushes the student
    away from the teacher's favourite wrong classes), though it is small; and nothing is detached.
    No published number belongs to it. Use it to reproduce that code with ``loss_weight=0.5,
    detach='none'`` and a warm-up of 5 epochs; the published run fits ``'entropy'`` with a warm-up
    of 20 (:class:`LossWarmupHook`).

    Args:
        variant: See the table.
        temperature: T (None: the variant's).
        alpha: Weight of the target part, where the variant has parts.
        beta: Weight of the part of the other classes.
        detach: ``'teacher'``: no gradient to the teacher's logits; ``'none'``: both get it, as in
            the released code; ``'mutual'``: the mean of two one-way losses, each side teaching the
            other once.
        loss_weight: Factor.
    """  # noqa: E501

    def __init__(
        self,
        variant: str = 'entropy',
        temperature: float | None = None,
        alpha: float = 1.0,
        beta: float = 8.0,
        detach: str = 'teacher',
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_choice('variant', variant, tuple(VARIANTS))
        check_choice('detach', detach, DETACH)
        self.variant = variant
        self.temperature = VARIANTS[variant] if temperature is None else temperature
        if not self.temperature > 0:
            raise ValueError(f'temperature is {temperature}, expected a positive number')
        self.alpha = alpha
        self.beta = beta
        self.detach = detach
        self.loss_weight = loss_weight

    @property
    def needs_target(self) -> bool:
        """Whether the variant splits the classes by the label; others leave ``target`` alone."""
        return self.variant in ('decoupled', 'released', 'released-signfix')

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, target: Tensor) -> Tensor:
        """Return the weighted mean over the samples.

        Args:
            student_logits: (B, C).
            teacher_logits: (B, C).
            target: (B,) int64 labels.

        Raises:
            ValueError: Shapes that don't fit together.
        """
        if (
            student_logits.dim() != 2
            or student_logits.shape != teacher_logits.shape
            or 0 in student_logits.shape
        ):
            raise ValueError(
                f'student_logits {tuple(student_logits.shape)} and teacher_logits '
                f'{tuple(teacher_logits.shape)} need the same shape (B, C), not empty'
            )
        if target.shape != student_logits.shape[:1]:
            raise ValueError(
                f'target has shape {tuple(target.shape)}, expected ({len(student_logits)},) for '
                f'student_logits {tuple(student_logits.shape)}'
            )
        with torch.autocast(student_logits.device.type, enabled=False):
            if self.detach == 'none':
                value = self._term(student_logits, teacher_logits, target)
            else:
                value = self._term(student_logits, teacher_logits.detach(), target)
                if self.detach == 'mutual':
                    value = (
                        value + self._term(teacher_logits, student_logits.detach(), target)
                    ) / 2
        return self.loss_weight * value

    def _term(self, student: Tensor, teacher: Tensor, target: Tensor) -> Tensor:
        t = self.temperature
        if self.variant == 'entropy':
            return maths.entropy_term(student, teacher, t).mean()
        if self.variant == 'kl':
            return maths.divergence_term(student, teacher, t).mean()
        if self.variant == 'batch-graph':
            return maths.batch_graph_term(student, teacher, t)
        if self.variant == 'decoupled':
            own, others = maths.decoupled_terms(student, teacher, target, t)
        else:
            own = maths.released_target_term(student, teacher, target, t)
            other_term = (
                maths.released_other_term
                if self.variant == 'released'
                else maths.other_entropy_term
            )
            others = other_term(student, teacher, target, t)
        return (self.alpha * own + self.beta * others).mean()
