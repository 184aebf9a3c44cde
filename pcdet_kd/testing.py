"""The contracts of backbones, losses, teachers and data sets, as checks for tests: ours and a
plug-in author's.

Each check runs the part on small random inputs, leaves the part as it was, and raises
``AssertionError`` with a message that says what to fix::

    from pcdet_kd.testing import check_backbone

    def test_my_backbone():
        check_backbone(dict(type='MyBackbone', width=8))
"""

import copy
import inspect
import io
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.structures import BaseDataElement
from torch import Tensor, nn

from pcdet_kd.registry import BACKBONES, DATASETS, LOSSES, TEACHERS
from pcdet_kd.structures import ModelOutput, PointDataSample, PointFeatures

__all__ = [
    'check_backbone',
    'check_dataset',
    'check_loss',
    'check_teacher',
    'random_clouds',
    'random_views',
]


def random_clouds(batch_size: int, num_points: int, in_channels: int = 3) -> Tensor:
    """Return clouds (B, N, C) in the unit ball from torch's generator."""
    points = torch.randn(batch_size, num_points, in_channels)
    return points / points[..., :3].norm(dim=-1).amax(1)[:, None, None].clamp(min=1e-6)


def random_views(batch_size: int, num_views: int, in_channels: int = 3, size: int = 32) -> Tensor:
    """Return views (B, V, C, size, size) from torch's generator: the ``make_input`` of an image
    backbone.
    """
    return torch.rand(batch_size, num_views, in_channels, size, size)


def check_backbone(
    backbone: nn.Module | dict,
    in_channels: int = 3,
    sizes: Sequence[int] = (1, 5, 64),
    make_input: Callable[[int, int, int], Tensor] = random_clouds,
    batch_size: int = 4,
    autocast: bool = True,
    tolerance: float = 1e-4,
    order: str | None = None,
) -> None:
    """Check a backbone: what it returns, gradients, evaluation mode, sizes of input, order of
    points, autocast, saving.

    Args:
        backbone: The module, or its config (then one instance's weights are also loaded into a
            second one).
        in_channels: Channels of the input.
        sizes: Numbers of points (or views) to try; the last one is used for everything else.
        make_input: Called with (batch size, size, in_channels); returns the input, with the batch
            first.
        batch_size: Clouds in a batch, at least 2.
        autocast: Whether to check bfloat16 autocast on CPU.
        tolerance: Where bit equality cannot be asked for, relative to the largest value of the
            feature.
        order: Which order of the points must not matter: ``'any'``; ``'behind_first'``, any that
            keeps the first point in place (farthest point sampling starts there); None: not
            checked, as for a ball query that takes the first k points.
    """
    _require(
        order in ('any', 'behind_first', None),
        f"order is {order!r}, expected 'any', 'behind_first' or None",
    )
    config, net = (
        (backbone, BACKBONES.build(backbone))
        if isinstance(backbone, dict)
        else (None, copy.deepcopy(backbone))
    )
    name, out_channels = type(net).__name__, getattr(net, 'out_channels', None)
    _require(
        isinstance(out_channels, int) and out_channels > 0,
        f'{name}.out_channels is {out_channels!r}: set it in __init__ to the width (int) of '
        'global_feat',
    )
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        for size in sizes:
            x = make_input(batch_size, size, in_channels)
            for mode in (True, False):
                with torch.no_grad():
                    given = x.clone()
                    _check_features(name, net.train(mode)(given), batch_size, out_channels, size)
                _require(
                    torch.equal(given, x), f'{name} changed its input in place: work on a copy'
                )
        x = make_input(batch_size, sizes[-1], in_channels)
        _check_gradients(name, net, x)
        net.eval()
        with torch.no_grad():
            first = net(x)
            torch.manual_seed(1)
            _require(
                _equal(tuple(first), tuple(net(x))),
                f'{name} in eval mode gives two results for one input: draw random numbers only '
                'if self.training',
            )
            alone = net(x[:1]).global_feat
            _require(
                _close(alone, first.global_feat[:1], tolerance),
                f'{name} in eval mode gives a sample another feature when it is alone in the batch '
                f'(difference {_gap(alone, first.global_feat[:1]):.2g}): take no statistics over '
                'the batch there',
            )
            if order:
                kept = int(order == 'behind_first')
                index = torch.cat([torch.arange(kept), kept + torch.randperm(x.shape[1] - kept)])
                moved = net(x[:, index]).global_feat
                _require(
                    _close(moved, first.global_feat, tolerance),
                    f'{name} gives another feature for the same points in another order '
                    '(difference '
                    f'{_gap(moved, first.global_feat):.2g}): pool with max, mean or sum',
                )
        _check_saving(name, net, config, x, tolerance)
        if autocast:
            with torch.autocast('cpu', dtype=torch.bfloat16):
                out = net.eval()(x)
                _check_features(
                    name + ' under bfloat16 autocast', out, batch_size, out_channels, sizes[-1]
                )
                _require(
                    out.coords is None or out.coords.dtype == torch.float32,
                    f'{name}: coords are not float32 under autocast: sample and group on the '
                    'given coordinates',
                )
                _check_gradients(name + ' under bfloat16 autocast', net, x)


def _check_features(name: str, out: Any, batch_size: int, out_channels: int, size: int) -> None:
    where = f'{name} on inputs of size {size}'
    _require(
        isinstance(out, PointFeatures),
        f'{where} returns a {type(out).__name__}: return a PointFeatures',
    )
    _require(
        out.global_feat.shape == (batch_size, out_channels),
        f'{where}: global_feat is {tuple(out.global_feat.shape)}, '
        f'must be (B, out_channels) = ({batch_size}, {out_channels})',
    )
    _require(
        isinstance(out.stages, tuple),
        f'{where}: stages is a {type(out.stages).__name__}, must be a tuple',
    )
    for what, value in (
        ('global_feat', out.global_feat),
        ('point_feats', out.point_feats),
        ('coords', out.coords),
        *((f'stages[{i}]', stage) for i, stage in enumerate(out.stages)),
    ):
        if value is not None:
            _require(
                len(value) == batch_size,
                f'{where}: {what} {tuple(value.shape)} must start with B = {batch_size}',
            )
            _require(
                bool(torch.isfinite(value).all()),
                f'{where}: {what} is not finite; look for a division by zero',
            )
    feats, coords = out.point_feats, out.coords
    _require(feats is None or feats.dim() == 3, f'{where}: point_feats must be None or (B, C, M)')
    _require(
        coords is None or (coords.dim() == 3 and coords.shape[2] == 3),
        f'{where}: coords must be None or (B, M, 3)',
    )
    _require(
        feats is None or coords is None or feats.shape[2] == coords.shape[1],
        f'{where}: point_feats and coords differ in the number of points M',
    )


def _check_gradients(name: str, net: nn.Module, x: Tensor) -> None:
    net.train().zero_grad(set_to_none=True)
    out = net(x)
    losses = net.auxiliary_losses(out) if hasattr(net, 'auxiliary_losses') else {}
    wrong = sorted(key for key in losses if not key.startswith(('loss_', 'stat_')))
    _require(
        not wrong,
        f'{name}.auxiliary_losses returns {wrong}: call optimised terms loss_<name>, others '
        'stat_<name>',
    )
    (out.global_feat.float() * torch.randn(out.global_feat.shape)).sum().backward()
    parameters = {key: value for key, value in net.named_parameters() if value.requires_grad}
    unused = [key for key, value in parameters.items() if value.grad is None]
    _require(
        not unused,
        f'{name}: no gradient from global_feat to '
        f'{", ".join(unused[:3])}{" ..." * (len(unused) > 3)}: '
        'use every parameter in forward or do not make it',
    )
    bad = [key for key, value in parameters.items() if not torch.isfinite(value.grad).all()]
    _require(
        not bad,
        f'{name}: the gradient of {", ".join(bad[:3])} is not finite; look for sqrt, norm or '
        'division at 0',
    )
    net.zero_grad(set_to_none=True)


def _check_saving(
    name: str, net: nn.Module, config: dict | None, x: Tensor, tolerance: float
) -> None:
    file = io.BytesIO()
    net.eval()
    with torch.no_grad():
        expected = net(x).global_feat
        torch.save(net.state_dict(), file)
        file.seek(0)
        try:
            state = torch.load(file, weights_only=True)
        except Exception as error:
            raise AssertionError(
                f'{name}: its state_dict holds more than tensors and plain values: {error}'
            ) from error
        twin = BACKBONES.build(config) if config else copy.deepcopy(net)
        for value in () if config else twin.state_dict().values():
            value.zero_()
        twin.load_state_dict(state, strict=True)
        out = twin.eval()(x).global_feat
    _require(
        _close(out, expected, tolerance),
        f'{name} gives another feature after its state_dict was loaded (difference '
        f'{_gap(out, expected):.2g}): register all state as parameters or buffers',
    )


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
        inputs: Arguments of ``forward`` by name. By default random ones for the names
            ``student_logits``, ``teacher_logits`` (B, K), ``student_feat``, ``teacher_feat`` (B,
            D), ``student_points``, ``teacher_points`` (B, N, 3) and ``target`` (B,) that
            ``forward`` has.
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
            inputs = _loss_inputs(name, loss, batch_size, num_classes, width, num_points)
        leaves = {
            key: value.clone().requires_grad_(value.is_floating_point())
            for key, value in inputs.items()
        }
        value = loss(**leaves)
        _require(
            isinstance(value, Tensor) and value.dim() == 0 and bool(torch.isfinite(value)),
            f'{name} returns {value!r}: return a finite scalar tensor',
        )
        changed = [key for key in inputs if not torch.equal(leaves[key].detach(), inputs[key])]
        _require(not changed, f'{name} changed {changed} in place: work on a copy')
        _require(
            torch.equal(loss(**leaves), value),
            f'{name} gives two values for one input: it must be deterministic',
        )
        value.backward()
        for key in (key for key in inputs if key.startswith('student')):
            grad = leaves[key].grad
            _require(
                grad is not None and bool(torch.isfinite(grad).all()),
                f'{name}: the gradient to {key} is {"missing" if grad is None else "not finite"}',
            )
        _require(
            isinstance(getattr(loss, 'loss_weight', None), (int, float)),
            f'{name} has no number loss_weight: take it as an argument, keep it as an attribute '
            'and multiply by it',
        )
        before, loss.loss_weight = loss.loss_weight, 2 * loss.loss_weight
        value, doubled = value.detach(), loss(**inputs)
        loss.loss_weight = 0.0
        zero = loss(**inputs)
        loss.loss_weight = before
        _require(
            bool(torch.isclose(doubled, 2 * value)) and float(zero) == 0,
            f'{name}: twice the loss_weight gives {float(doubled):g}, none {float(zero):g}, once '
            f'{float(value):g}: the result must be proportional to it',
        )
        large = {
            key: value * 1e4 if key.endswith('logits') else value for key, value in inputs.items()
        }
        _require(
            bool(torch.isfinite(loss(**large))),
            f'{name} is not finite for logits of 10,000: use log_softmax, not log',
        )


def _loss_inputs(
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
            _require(
                parameter.default is not parameter.empty,
                f"{name}.forward has an argument '{key}': use the names in "
                'check_loss, or give inputs=dict(...)',
            )
    return inputs


def check_teacher(
    teacher: nn.Module | dict, inputs: dict[str, Tensor], data_samples: Sequence[PointDataSample]
) -> None:
    """Check a teacher after ``init_weights``: no gradient, always in eval mode, unchanged by use,
    absent from checkpoints.

    Args:
        teacher: The module (used as it is and given back in eval mode) or its config.
        inputs: A batch, as its student sees it.
        data_samples: The batch's samples.
    """
    if isinstance(teacher, dict):
        teacher = TEACHERS.build(teacher)
        teacher.init_weights()
    name = type(teacher).__name__
    learns = [key for key, value in teacher.named_parameters() if value.requires_grad]
    _require(
        not learns, f'{name}: {", ".join(learns[:3])} can be trained: call requires_grad_(False)'
    )
    teacher.train()
    # A teacher may hold its model outside of nn.Module's bookkeeping.
    modules = [m for m in (teacher, getattr(teacher, 'model', None)) if isinstance(m, nn.Module)]
    awake = [
        type(part).__name__
        for m in modules
        for part in m.modules()
        if part.training and part is not teacher
    ]
    _require(
        not awake,
        f'{name}: {awake[:3]} are in training mode after train(): override it to keep them in eval',
    )
    _require(
        bool(getattr(teacher, 'persistent', False)) or not teacher.state_dict(),
        f'{name} has keys in state_dict ({list(teacher.state_dict())[:3]}): a teacher is an '
        'input, not state. Keep its '
        'model out of the submodules, or set persistent = True if the weights are made in training',
    )
    digest = teacher.weights_hash()
    before = {key: value.clone() for m in modules for key, value in m.state_dict().items()}
    given = {key: value.clone() for key, value in inputs.items()}
    with torch.enable_grad():
        out, again = teacher(given, list(data_samples)), teacher(given, list(data_samples))
    _require(
        isinstance(out, ModelOutput),
        f'{name} returns a {type(out).__name__}: return pcdet_kd.structures.ModelOutput',
    )
    _require(_equal(tuple(out), tuple(again)), f'{name} gives two outputs for one batch')
    tensors = [t for t in (out.logits, out.feat, *out.stages) if t is not None]
    _require(
        not any(t.requires_grad for t in tensors),
        f'{name}: its output requires a gradient: forward under no_grad()',
    )
    _require(
        all(len(t) == len(data_samples) for t in tensors),
        f'{name}: outputs must have the batch first',
    )
    _require(_equal(given, dict(inputs)), f'{name} changed its inputs in place')
    after = {key: value for m in modules for key, value in m.state_dict().items()}
    _require(
        digest == teacher.weights_hash() and _equal(before, after),
        f'{name} changed by being used in training mode (running statistics?): keep it in eval mode',  # noqa: E501
    )


def check_dataset(dataset: Any, num_samples: int = 3) -> None:
    """Check a data set: metainfo, read-only arrays, the keys of a sample, stable names,
    reproducible random numbers.

    Its seed and epoch are 0 afterwards.

    Args:
        dataset: The data set, or its config (then names and points of two instances are compared
            too).
        num_samples: How many samples to look at, from both ends.
    """
    config = dataset if isinstance(dataset, dict) else None
    dataset = DATASETS.build(dataset) if config else dataset
    dataset.full_init()
    name = type(dataset).__name__
    meta = dataset.metainfo
    classes = meta.get('classes') or ()
    _require(
        len(classes) == len(set(classes)) > 0 and all(isinstance(c, str) for c in classes),
        f"{name}: metainfo['classes'] is {classes!r}: give the class names, each once, in label "
        'order',
    )
    up_axis = meta.get('up_axis')
    _require(
        up_axis in ('x', 'y', 'z'),
        f"{name}: metainfo['up_axis'] is {up_axis!r}, must be 'x', 'y' or 'z'",
    )
    _require(
        bool(meta.get('task')), f"{name}: metainfo has no 'task', for example 'classification'"
    )
    _require(len(dataset) > 0, f'{name} is empty')
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    ids = [info.get('sample_id') for info in infos]
    _require(
        all(isinstance(i, str) for i in ids) and len(set(ids)) == len(ids),
        f'{name}: every sample needs a sample_id of its own (str), got {ids[:3]}',
    )
    chosen = sorted({i % len(dataset) for n in range(num_samples) for i in (n, -1 - n)})
    for i in chosen:
        _check_sample(f'{name}, sample {i}', infos[i], i, len(classes))
    if config:
        twin = DATASETS.build(config)
        twin.full_init()
        _require(
            [twin.get_data_info(i)['sample_id'] for i in range(len(twin))] == ids,
            f'{name}: a second instance has other sample_ids: they must depend on nothing but the '
            'data',
        )
        for i in chosen:
            _require(
                np.array_equal(twin.get_data_info(i)['points'], infos[i]['points']),
                f'{name}: a second instance has other points in sample {i}',
            )
    state = np.random.get_state(), random.getstate()
    kept = {i: infos[i]['points'].copy() for i in chosen}
    try:
        for i in chosen:
            dataset.set_epoch(1, seed=0)
            first = dataset[i]
            np.random.seed(12345)
            torch.rand(1)
            _require(
                _equal(first, dataset[i]),
                f'{name}: sample {i} differs between two reads with the same seed and epoch: draw '
                'random numbers from np.random or random only, which are seeded per sample',
            )
    finally:
        np.random.set_state(state[0])
        random.setstate(state[1])
        dataset.set_epoch(0, seed=0)
    _require(
        all(np.array_equal(kept[i], dataset.get_data_info(i)['points']) for i in chosen),
        f'{name}: the pipeline changed the stored points: transforms must return new arrays',
    )


def _check_sample(where: str, info: dict, index: int, num_classes: int) -> None:
    missing = [
        key
        for key in ('points', 'gt_label', 'sample_idx', 'sample_id', 'num_points', 'up_axis')
        if key not in info
    ]
    _require(not missing, f'{where} has no {", ".join(missing)}')
    points = info['points']
    _require(
        isinstance(points, np.ndarray)
        and points.dtype == np.float32
        and points.ndim == 2
        and points.shape[1] == 3,
        f'{where}: points must be a float32 array (N, 3)',
    )
    _require(
        bool(np.isfinite(points).all()) and len(points) == info['num_points'] > 0,
        f'{where}: points must be finite, and num_points ({info["num_points"]}) their number '
        f'({len(points)})',
    )
    _require(
        0 <= info['gt_label'] < num_classes,
        f'{where}: gt_label {info["gt_label"]} of {num_classes} classes',
    )
    _require(info['sample_idx'] == index, f'{where}: sample_idx is {info["sample_idx"]}')
    for key, array in info.items():
        if isinstance(array, np.ndarray):
            _require(
                not array.flags.writeable,
                f'{where}: {key} can be written to: set flags.writeable = False',
            )


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _gap(a: Tensor, b: Tensor) -> float:
    return float((a.float() - b.float()).abs().max())


def _close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    return a.shape == b.shape and _gap(a, b) <= tolerance * float(b.float().abs().max())


def _equal(a: Any, b: Any) -> bool:
    """Whether two nested results are equal, bit for bit."""
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, BaseDataElement):
        return isinstance(b, BaseDataElement) and _equal(dict(a.all_items()), dict(b.all_items()))
    if isinstance(a, dict):
        return (
            isinstance(b, dict)
            and a.keys() == b.keys()
            and all(_equal(a[key], b[key]) for key in a)
        )
    if isinstance(a, (list, tuple)):
        return (
            isinstance(b, (list, tuple))
            and len(a) == len(b)
            and all(_equal(x, y) for x, y in zip(a, b))
        )
    return a == b
