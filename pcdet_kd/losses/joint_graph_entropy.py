"""Joint-graph-entropy distillation of class scores."""

import torch
from torch import Tensor, nn

from pcdet_kd.losses import functional
from pcdet_kd.losses import joint_graph as maths
from pcdet_kd.registry import LOSSES
from pcdet_kd.utils.arguments import check_choice

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

    The classes of a sample span a graph with the weights :math:`A_{ij} = p_i p_j / C`. The loss
    draws the student's graph towards the teacher's. The graph is an outer product, so its entropies
    are those of the class probabilities: :math:`H(P) = 2 H(p)`, :math:`H(P, Q) = 2 CE(p, q)`,
    :math:`KL(P\|Q) = 2 KL(p\|q) = 2\,KL_{bin}(p_t\|q_t) + 2 (1 - p_t) KL(\hat p\|\hat q)`. It adds
    no information about pairs of classes. All variants but one therefore need O(B·C) time and
    memory.

    The variants, per sample, with the default T:

    * ``'entropy'`` (T = 1): :math:`2 CE(p, q)`, ordinary distillation with twice its weight. The
      simplest form that agrees with the log of the published run of 2022 (inferred from the log,
      see docs/en/jgekd.md).
    * ``'kl'`` (T = 1): :math:`2 T^2 KL(p\|q)`. At T = 1 it has the same gradient; it is 0 where
      student and teacher agree.
    * ``'decoupled'`` (T = 4): :math:`2 T^2 (\alpha KL_{bin}(p_t\|q_t) + \beta KL(\hat p\|\hat
      q))`, decoupled distillation (DKD) with twice its weight.
    * ``'batch-graph'`` (T = 1): cross-entropy of the batch's mean graphs. An extension of this
      project, and the only variant in which pairs of classes count; O(B·C²).
    * ``'released'`` (T = 4): :math:`\alpha TC + \beta NC`, the code of SEGIR and DesenAT.
    * ``'released-signfix'`` (T = 4): :math:`\alpha TC + \beta (2 CE(\hat p, \hat q) + \log C)/C^2`,
      the same with one sign corrected.

    The released code does not do what its name says. TC depends on the teacher through :math:`p_t`
    alone, is not normalised, and acts like label smoothing with :math:`\varepsilon = 1 - p_t^2`: a
    perfect copy of the teacher is not a minimum. NC has the wrong sign: it pushes the student away
    from the teacher's favourite wrong classes, though it is small. Nothing is detached. No
    published number belongs to this code. To reproduce it use ``loss_weight=0.5, detach='none'``
    and a warm-up of 5 epochs; the published run had a warm-up of 20 (:class:`LossWarmupHook`).

    Args:
        variant: See the table.
        temperature: T (None: the variant's).
        alpha: Weight of the target part, where the variant has parts.
        beta: Weight of the part of the other classes.
        detach: ``'teacher'``: no gradient to the teacher's logits; ``'none'``: both get it, as in
            the released code; ``'mutual'``: the mean of two losses, in which each side teaches the
            other once.
        loss_weight: Factor.
    """

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
            ValueError: The shapes do not match.
        """
        functional.check_logits('student_logits', student_logits)
        functional.check_same(('student_logits', 'teacher_logits'), student_logits, teacher_logits)
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
