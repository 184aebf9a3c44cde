import pytest
import torch

from pcdet_kd import ops
from pcdet_kd.losses import functional
from pcdet_kd.registry import LOSSES

X, Y = (torch.rand(2, 60, 3, generator=torch.Generator().manual_seed(s)) for s in (0, 1))


def build(**args):
    return LOSSES.build(dict(type='EarthMoverLoss', **args))


def test_pointcmt_as_published_in_the_paper():
    loss = build(reduction='sum', loss_weight=30.0)(student_points=X, teacher_points=Y)
    expected = 30 * (X - ops.group(Y, ops.emd_match(X, Y))).norm(dim=2).sum(1).mean()
    torch.testing.assert_close(loss, expected)


def test_pointcmt_as_released():
    loss = build(
        reduction='mean',
        normalize='released',
        solver='msn',
        eps=0.05,
        iterations=3000,
        loss_weight=30.0,
    )(X, Y)
    x, y = functional.scale_to_box(X, 'released'), functional.scale_to_box(Y, 'released')
    match = ops.emd_match(x, y, compat='msn', eps=0.05, iterations=3000)
    torch.testing.assert_close(loss, 30 * (x - ops.group(y, match)).norm(dim=2).mean())
    assert torch.equal(build(normalize='released', solver='msn', loss_weight=30.0)(X, Y), loss)
    assert build(normalize='released')(X, Y) < loss / 30


@pytest.mark.parametrize(
    'solver, eps, iterations', [('auction', 0.1, None), ('msn', 0.2, None), ('msn', None, 2)]
)
def test_solver_arguments_arrive(solver, eps, iterations):
    given = build(solver=solver, eps=eps, iterations=iterations)(X, Y)
    assert given != build(solver=solver)(X, Y)


def test_gradients_reach_both_clouds():
    x, y = X.clone().requires_grad_(), Y.clone().requires_grad_()
    build(normalize='centred')(x, y).backward()
    assert x.grad.abs().sum() > 0 and y.grad.abs().sum() > 0


@pytest.mark.parametrize(
    'args, message',
    [
        (dict(reduction='none'), "reduction is 'none'"),
        (dict(normalize='bbox'), "normalize is 'bbox'"),
        (dict(solver='sinkhorn'), "solver is 'sinkhorn'"),
        (dict(iterations=50), "iterations=50 needs solver='msn'"),
    ],
)
def test_bad_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        build(**args)


@pytest.mark.parametrize('squared', [True, False])
def test_chamfer(squared):
    loss = LOSSES.build(dict(type='ChamferLoss', squared=squared, loss_weight=2.0))
    expected = 2 * ops.chamfer_distance(X, Y[:, :9], squared).mean()
    assert torch.equal(loss(student_points=X, teacher_points=Y[:, :9]), expected)
