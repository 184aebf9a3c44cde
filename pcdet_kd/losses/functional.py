"""The mathematics of the losses, without state.

Everything is computed in float32 (float64 inputs stay float64), also under autocast. Shapes are
checked; a mismatch raises a ``ValueError`` that names both shapes.
"""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from pcdet_kd.losses.gather import gather_with_gradient
from pcdet_kd.ops import chamfer_distance, earth_mover_distance

_Function = TypeVar('_Function', bound=Callable)


def full_precision(function: _Function) -> _Function:
    """Run ``function`` without autocast, on float32 copies of half-precision arguments."""

    @wraps(function)
    def wrapper(*args, **kwargs):
        def full(value):
            half = isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16)
            return value.float() if half else value

        tensors = [v for v in (*args, *kwargs.values()) if isinstance(v, Tensor)]
        with torch.autocast(tensors[0].device.type, enabled=False):
            return function(
                *map(full, args), **{name: full(value) for name, value in kwargs.items()}
            )

    return wrapper


def check_same(names: tuple[str, str], a: Tensor, b: Tensor) -> None:
    """Raise ``ValueError`` unless both have one shape."""
    if a.shape != b.shape:
        raise ValueError(
            f'{names[0]} {tuple(a.shape)} and {names[1]} {tuple(b.shape)} need the same shape'
        )


def check_logits(name: str, logits: Tensor) -> None:
    """Raise ``ValueError`` unless the logits are (B, K), not empty."""
    if logits.dim() != 2 or 0 in logits.shape:
        raise ValueError(f'{name} has shape {tuple(logits.shape)}, expected (B, K), not empty')


def check_features(student_feat: Tensor, teacher_feat: Tensor, least: int = 1) -> None:
    """Raise ``ValueError`` unless the features are (B, D) and (B, D') of one batch with ``least``
    samples or more; the widths may differ.
    """
    shapes = [tuple(feat.shape) for feat in (student_feat, teacher_feat)]
    if any(len(shape) != 2 for shape in shapes) or shapes[0][0] != shapes[1][0]:
        raise ValueError(
            f"student_feat {shapes[0]} and teacher_feat {shapes[1]}, expected (B, D) and (B, D') "
            'of one batch'
        )
    if shapes[0][0] < least:
        raise ValueError(
            f'a loss between samples needs a batch of {least} or more, got {shapes[0][0]}: set '
            'drop_last=True in train_dataloader'
        )


def unit(x: Tensor, dim: int = -1, eps: float = 1e-24) -> Tensor:
    """Return vectors divided by their length. Those whose squared length is ``eps`` or less become
    0, and get the gradient 0.
    """
    square = x.square().sum(dim, keepdim=True)
    long = square > eps
    return torch.where(long, x, 0) / torch.where(long, square, 1).sqrt()


@full_precision
def cross_entropy(
    student_logits: Tensor, target: Tensor, label_smoothing: float = 0.0, smoothing: str = 'uniform'
) -> Tensor:
    """Return the mean cross-entropy with smoothed labels.

    Args:
        student_logits: (B, K) scores before softmax.
        target: (B,) int64 classes, or (B, K) the shares of classes in mixed samples, where each row
            sums to 1. The loss of a mixture is the sum of the losses of its classes, each with its
            share as the weight.
        label_smoothing: eps in [0, 1).
        smoothing: ``'uniform'``: eps/K on every class, so the true one has 1 - eps + eps/K
            (PyTorch's ``label_smoothing``); ``'others'``: 1 - eps on the true class and eps/(K - 1)
            on each other one (DGCNN's code, and with it PointCMT and PointMLP). ``'others'`` with
            eps equals ``'uniform'`` with eps K/(K - 1).

    Returns:
        A scalar.
    """
    check_logits('student_logits', student_logits)
    mixed = target.shape == student_logits.shape and target.is_floating_point()
    if target.shape != student_logits.shape[:1] and not mixed:
        raise ValueError(
            f'target has shape {tuple(target.shape)}, expected ({len(student_logits)},) classes, '
            'or shares of type '
            f'float in the shape of student_logits, {tuple(student_logits.shape)}'
        )
    target = target.to(student_logits.dtype) if mixed else target
    num_classes = student_logits.shape[1]
    if smoothing == 'others' and label_smoothing:
        if num_classes == 1:
            raise ValueError(
                "smoothing='others' needs at least two classes, student_logits is "
                f'{tuple(student_logits.shape)}'
            )
        log_p = student_logits.log_softmax(1)
        true = (target * log_p).sum(1) if mixed else log_p.gather(1, target[:, None])[:, 0]
        others = log_p.sum(1) - true
        return -((1 - label_smoothing) * true + label_smoothing / (num_classes - 1) * others).mean()
    return F.cross_entropy(student_logits, target, label_smoothing=label_smoothing)


@full_precision
def logit_kd(
    student_logits: Tensor,
    teacher_logits: Tensor,
    temperature: float = 1.0,
    reduction: str = 'batchmean',
    detach_target: bool = True,
) -> Tensor:
    r"""Return :math:`T^2\,KL(softmax(z_t / T)\,\|\,softmax(z_s / T))` (Hinton et al., 2015).

    Args:
        student_logits: (B, K) :math:`z_s`.
        teacher_logits: (B, K) :math:`z_t`.
        temperature: T > 0.
        reduction: ``'batchmean'`` or ``'sum'`` over samples; classes are always summed.
        detach_target: Stop the gradient to the teacher's logits.

    Returns:
        A scalar.
    """
    check_logits('student_logits', student_logits)
    check_same(('student_logits', 'teacher_logits'), student_logits, teacher_logits)
    if detach_target:
        teacher_logits = teacher_logits.detach()
    log_student = (student_logits / temperature).log_softmax(1)
    log_teacher = (teacher_logits / temperature).log_softmax(1)
    return temperature**2 * F.kl_div(log_student, log_teacher, reduction=reduction, log_target=True)


@full_precision
def feature_mse(student_feat: Tensor, teacher_feat: Tensor) -> Tensor:
    """Return the squared difference of two features of any one shape, averaged over all elements
    (FitNets).
    """
    check_same(('student_feat', 'teacher_feat'), student_feat, teacher_feat)
    return F.mse_loss(student_feat, teacher_feat)


@full_precision
def scale_to_box(points: Tensor, variant: str = 'centred') -> Tensor:
    """Scale each cloud so that the longest side of its axis-aligned bounding box is 1.

    Args:
        points: (B, N, 3).
        variant: ``'centred'`` puts the centre of the box at the origin. ``'released'`` is
            PointCMT's released code, which halves one term too many: of a cloud centred at the
            origin a side of length l (the longest has 1) lands on [-3/4 l, 1/4 l], and half of any
            translation survives.

    Returns:
        (B, N, 3), differentiable, also through the box. A cloud whose points are all equal keeps
        its scale.
    """
    low, high = points.amin(1, keepdim=True), points.amax(1, keepdim=True)
    sides = high - low
    longest = sides.amax(2, keepdim=True)
    margin = longest - sides
    corner = low - margin / 2 if variant == 'centred' else (low - margin) / 2
    return (points - corner) / torch.where(longest > 0, longest, torch.ones_like(longest)) - 0.5


@full_precision
def earth_mover(
    student_points: Tensor,
    teacher_points: Tensor,
    reduction: str = 'mean',
    normalize: str | None = None,
    **match_args: object,
) -> Tensor:
    """Return the earth mover's distance of two batches of clouds (B, N, 3), averaged over the
    batch.

    Args:
        student_points: (B, N, 3).
        teacher_points: (B, N, 3).
        reduction: ``'mean'`` or ``'sum'`` over the points of a cloud.
        normalize: None, or a variant of :func:`scale_to_box`, applied to both clouds, each with its
            own box.
        match_args: Arguments of :func:`pcdet_kd.ops.emd_match`.

    Returns:
        A scalar, with gradients to both clouds.
    """
    if normalize:
        student_points, teacher_points = (
            scale_to_box(student_points, normalize),
            scale_to_box(teacher_points, normalize),
        )
    return earth_mover_distance(student_points, teacher_points, reduction, **match_args).mean()


@full_precision
def chamfer(student_points: Tensor, teacher_points: Tensor, squared: bool = True) -> Tensor:
    """Return the Chamfer distance of clouds (B, N, 3) and (B, M, 3), averaged over the batch."""
    return chamfer_distance(student_points, teacher_points, squared).mean()


@full_precision
def posterior_cross_entropy(
    student_logits: Tensor, teacher_posterior: Tensor, temperature: float = 1.0
) -> Tensor:
    """Return the mean of H(p, q) = -sum p log q over all pairs of a teacher's posterior p and a
    student's posterior q = softmax(logits / temperature) of the same sample.

    The mean over pairs is that of the two means, because H is linear in p and in log q: S + T rows
    are looked at instead of S * T.

    Args:
        student_logits: (B, S, Z), or (B, Z) for one view.
        teacher_posterior: (B, T, Z), or (B, Z); rows sum to 1.
        temperature: Of the student.
    """
    scaled = student_logits / temperature
    views = [t.unsqueeze(1) if t.dim() == 2 else t for t in (scaled, teacher_posterior)]
    if any(t.dim() != 3 for t in views) or views[0].shape[::2] != views[1].shape[::2]:
        raise ValueError(
            f'student_logits {tuple(student_logits.shape)} and teacher_posterior '
            f'{tuple(teacher_posterior.shape)} need the same numbers of samples and prototypes'
        )
    scaled, posterior = views
    chosen = (scaled.mean(dim=1) * posterior.mean(dim=1)).sum(dim=-1)
    return (scaled.logsumexp(dim=-1).mean(dim=1) - chosen).mean()


@full_precision
def koleo(student_feat: Tensor, eps: float = 1e-6) -> Tensor:
    """Return the mean of -log(d + eps), where d is the distance of an embedding of length 1 to its
    nearest neighbour in the batch, of all processes.

    Args:
        student_feat: (B, D), or (B, V, D): neighbours are searched in each of V views by itself.
        eps: For embeddings that coincide.

    Raises:
        ValueError: There is no neighbour.
    """
    own = F.normalize(student_feat, dim=-1)
    own = (own.unsqueeze(1) if own.dim() == 2 else own).transpose(0, 1)  # (V, B, D)
    everyone, first = gather_with_gradient(own, dim=1)
    if everyone.shape[1] < 2:
        raise ValueError('koleo needs a batch of two or more: one embedding has no neighbour')
    with torch.no_grad():
        similar = own @ everyone.transpose(1, 2)
        here = torch.arange(own.shape[1], device=own.device)
        similar[:, here, first + here] = -2
        nearest = similar.argmax(dim=2, keepdim=True).expand_as(own)
    distance = (own - everyone.gather(1, nearest)).norm(dim=-1)
    return -(distance + eps).log().mean()
