"""The contract of a loss."""

import copy
import inspect

import torch
from torch import Tensor, nn

from pcdet_kd.registry import LOSSES
from pcdet_kd.testing.compare import require


def check_loss(
    loss: nn.Module | dict,
    inputs: dict[str, Tensor] | None = None,
    batch_size: int = 4,
    num_classes: int = 5,
    width: int = 8,
    num_points: int = 16,
) -> None:
    """Check a loss: a finite scalar, gradients, determinism, ``loss_weight``, and large logits.

    Args:
        loss: The module or its config.
        inputs: Arguments of ``forward`` by name. By default random ones for those of these names
            that ``forward`` has: ``student_logits``, ``teacher_logits`` (B, K), ``student_feat``,
            ``teacher_feat`` (B, D), ``student_points``, ``teacher_points`` (B, N, 3) and
            ``target`` (B,).
        batch_size: B.
        num_classes: K.
        width: D.
        num_points: N.
    """
    loss = LOSSES.build(loss) if isinstance(loss, dict) else copy.deepcopy(loss)
    name = type(loss).__name__
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        if inputs is None:
            inputs = _inputs(name, loss, batch_size, num_classes, width, num_points)
        leaves = {
            key: value.clone().requires_grad_(value.is_floating_point())
            for key, value in inputs.items()
        }
        value = loss(**leaves)
        require(
            isinstance(value, Tensor) and value.dim() == 0 and bool(torch.isfinite(value)),
            f'{name} returns {value!r}: return a finite scalar tensor',
        )
        changed = [key for key in inputs if not torch.equal(leaves[key].detach(), inputs[key])]
        require(not changed, f'{name} changed {changed} in place: work on a copy')
        require(
            torch.equal(loss(**leaves), value),
            f'{name} gives two values for one input: it must be deterministic',
        )
        value.backward()
        for key in (key for key in inputs if key.startswith('student')):
            grad = leaves[key].grad
            require(
                grad is not None and bool(torch.isfinite(grad).all()),
                f'{name}: the gradient to {key} is {"missing" if grad is None else "not finite"}',
            )
        weight = getattr(loss, 'loss_weight', None)
        require(
            isinstance(weight, (int, float)),
            f'{name} has no number loss_weight: take it as an argument, keep it as an attribute '
            'and multiply by it',
        )
        results = []
        for factor in (1, 2, 0):
            loss.loss_weight = factor * weight
            results.append(loss(**inputs).detach())
        once, twice, none = results
        require(
            bool(torch.isclose(twice, 2 * once)) and float(none) == 0,
            f'{name} is {once:g}; with twice the loss_weight it is {twice:g}, with 0 {none:g}: '
            'the result must be proportional to loss_weight',
        )
        loss.loss_weight = weight
        large = {
            key: value * 1e4 if key.endswith('logits') else value for key, value in inputs.items()
        }
        require(
            bool(torch.isfinite(loss(**large))),
            f'{name} is not finite for logits of 10,000: use log_softmax, not log',
        )


def _inputs(
    name: str, loss: nn.Module, batch_size: int, num_classes: int, width: int, num_points: int
) -> dict[str, Tensor]:
    shapes = dict(
        logits=(batch_size, num_classes),
        feat=(batch_size, width),
        points=(batch_size, num_points, 3),
    )
    inputs = {}
    for key, parameter in inspect.signature(loss.forward).parameters.items():
        who, _, what = key.partition('_')
        if key == 'target':
            inputs[key] = torch.randint(num_classes, (batch_size,))
        elif who in ('student', 'teacher') and what in shapes:
            inputs[key] = torch.randn(shapes[what])
        else:
            require(
                parameter.default is not parameter.empty,
                f"{name}.forward has an argument '{key}': use the names in "
                'check_loss, or give inputs=dict(...)',
            )
    return inputs
