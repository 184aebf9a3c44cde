"""What transforms do to a whole batch on a device.

``DEVICE_FORMS`` maps a transform's class to a function ``form(transform, batch, draws) -> batch``.
A batch is a sample with one more axis in front: ``points`` (B, N, 3) and the other per-point
tensors, ``up_axis`` one word for all. Like transforms, forms change nothing in place. Deterministic
forms give what the transform gives; random ones draw from the same distribution with other random
numbers (:class:`~pcdet_kd.datasets.counter_random.SampleDraws`). Everything is computed in float32.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from pcdet_kd.datasets import transforms as T
from pcdet_kd.datasets.counter_random import SampleDraws
from pcdet_kd.datasets.device_crops import crop_indices
from pcdet_kd.datasets.transforms.point_arrays import AXES, POINT_KEYS, up_index
from pcdet_kd.datasets.transforms.rotation import quaternion_matrix
from pcdet_kd.layers.unit_sphere import radius_of, scaled
from pcdet_kd.ops import farthest_point_sample

Batch = dict
Form = Callable[[Callable, Batch, SampleDraws], Batch]
DEVICE_FORMS: dict[type, Form] = {}


def device_form(*transforms: type) -> Callable[[Form], Form]:
    """Register the batched form of transforms. It applies to exactly these classes: a subclass
    needs its own.
    """

    def register(form: Form) -> Form:
        DEVICE_FORMS.update(dict.fromkeys(transforms, form))
        return form

    return register


def check_device_forms(transforms: Sequence[Callable]) -> None:
    """Raise ``ValueError`` if a transform has no batched form, or :class:`PackPointInputs` is not
    the last one.
    """
    for transform in transforms:
        if type(transform) not in DEVICE_FORMS:
            raise ValueError(
                f'{type(transform).__name__} has no batched form for a device. Remove it from the '
                'pipeline, remove device from the data loader, or register a form with '
                'pcdet_kd.datasets.device_transforms.device_form'
            )
        if isinstance(transform, T.SiameseViews):
            check_device_forms([*transform.view_1, *transform.view_2])
        if isinstance(transform, T.MultiCrop):
            check_device_forms(transform.transforms)


def apply(transforms: Sequence[Callable], batch: Batch, draws: SampleDraws) -> Batch:
    """Run transforms on a batch, one after the other."""
    for transform in transforms:
        batch = DEVICE_FORMS[type(transform)](transform, batch, draws)
    return batch


def take(batch: Batch, index: Tensor) -> Batch:
    """Return a batch with points ``index`` (B, M) of every per-point tensor."""

    def rows(values: Tensor) -> Tensor:
        wide = index.view(*index.shape, *[1] * (values.dim() - 2)).expand(
            *index.shape, *values.shape[2:]
        )
        return values.gather(1, wide)

    return {**batch, **{key: rows(batch[key]) for key in POINT_KEYS if key in batch}}


def times_matrix(rows: Tensor, matrix: Tensor) -> Tensor:
    """Return rows (B, N, 3) times matrices (B, 3, 3). Not a matrix product: TF32 or autocast would
    round the coordinates.
    """
    return (rows[..., None] * matrix[:, None]).sum(2)


def turned(batch: Batch, matrix: Tensor) -> Batch:
    """Return ``{'normals': ...}`` of a batch, turned by matrices (B, 3, 3) for rows and made unit
    length; {} without any.
    """
    if 'normals' not in batch:
        return {}
    normals = times_matrix(batch['normals'], matrix)
    length = normals.norm(dim=2, keepdim=True)
    return {'normals': normals / torch.where(length > 0, length, 1)}


@device_form(T.FirstPoints, T.RandomPoints, T.FarthestPoints, T.FarthestThenRandom)
def sample(transform: T.PointSampling, batch: Batch, draws: SampleDraws) -> Batch:
    """Keep a fixed number of points."""
    points, wanted = batch['points'], transform.num_points
    n = points.shape[1]
    if n < wanted:
        if transform.on_short == 'error':
            raise ValueError(
                f'the clouds have {n} points, num_points is {wanted}: ask for fewer, or pass '
                "on_short='resample' to repeat points"
            )
        return take(batch, (torch.arange(wanted, device=points.device) % n).expand(len(points), -1))
    if isinstance(transform, T.FirstPoints):
        return {**batch, **{key: batch[key][:, :wanted] for key in POINT_KEYS if key in batch}}
    if isinstance(transform, T.RandomPoints):
        return take(batch, draws.permutation(n)[:, :wanted])
    if isinstance(transform, T.FarthestPoints):
        return take(batch, farthest_point_sample(points, wanted))
    index = farthest_point_sample(points, min(transform.num_farthest, n))
    return take(batch, index.gather(1, draws.permutation(index.shape[1])[:, :wanted]))


@device_form(T.RandomScale)
def scale(transform: T.RandomScale, batch: Batch, draws: SampleDraws) -> Batch:
    """Multiply by factors."""
    factor = draws.uniform(transform.low, transform.high, 3 if transform.per_axis else 1).expand(
        -1, 3
    )
    return {
        **batch,
        'points': batch['points'] * factor[:, None],
        **turned(batch, torch.diag_embed(1 / factor)),
    }


@device_form(T.RandomShift)
def shift(transform: T.RandomShift, batch: Batch, draws: SampleDraws) -> Batch:
    """Move clouds."""
    return {
        **batch,
        'points': batch['points'] + draws.uniform(-transform.max_shift, transform.max_shift, 1, 3),
    }


@device_form(T.RandomJitter)
def jitter(transform: T.RandomJitter, batch: Batch, draws: SampleDraws) -> Batch:
    """Move points."""
    noise = transform.sigma * draws.normal(*batch['points'].shape[1:])
    return {**batch, 'points': batch['points'] + noise.clamp(-transform.clip, transform.clip)}


@device_form(T.RandomRotate)
def rotate(transform: T.RandomRotate, batch: Batch, draws: SampleDraws) -> Batch:
    """Rotate clouds."""
    if transform.up_axis is not None and AXES[up_index(batch)] != transform.up_axis:
        raise ValueError(
            f"the data's up axis is '{batch['up_axis']}', the pipeline expects "
            f"'{transform.up_axis}': correct up_axis, or put ConvertUpAxis before it"
        )
    if transform.axis == 'so3':
        quaternion = draws.normal(4)
    else:
        if transform.axis == 'any':
            direction = torch.nn.functional.normalize(draws.normal(3), dim=1)
        else:
            column = up_index(batch) if transform.axis == 'up' else AXES.index(transform.axis)
            direction = torch.eye(3, device=batch['points'].device)[column].expand(
                len(batch['points']), 3
            )
        half = draws.uniform(-transform.degrees, transform.degrees, 1) * (math.pi / 360)
        quaternion = torch.cat([half.cos(), half.sin() * direction], dim=1)
    matrix = rotation_matrices(quaternion)
    return {**batch, 'points': times_matrix(batch['points'], matrix), **turned(batch, matrix)}


def rotation_matrices(quaternion: Tensor) -> Tensor:
    """Return matrices (B, 3, 3) for rows, ``p @ matrix``, of rotations by quaternions (B, 4) (w, x,
    y, z) of any length > 0.
    """
    unit = quaternion / quaternion.norm(dim=1, keepdim=True)
    return torch.stack(quaternion_matrix(*unit.unbind(1)), dim=1).view(-1, 3, 3)


@device_form(T.RandomPointDropout)
def dropout(transform: T.RandomPointDropout, batch: Batch, draws: SampleDraws) -> Batch:
    """Replace a share of the points by the first one."""
    n = batch['points'].shape[1]
    dropped = draws.uniform(0, 1, n) < draws.uniform(0, transform.max_ratio, 1)
    return take(batch, torch.where(dropped, 0, torch.arange(n, device=dropped.device)))


@device_form(T.PointWOLF)
def point_wolf(transform: T.PointWOLF, batch: Batch, draws: SampleDraws) -> Batch:
    """Deform clouds."""
    points, normals = transform.warp(batch['points'], draws.uniform, batch.get('normals'))
    return {**batch, 'points': points, **({} if normals is None else {'normals': normals})}


@device_form(T.ShufflePoints)
def shuffle(transform: T.ShufflePoints, batch: Batch, draws: SampleDraws) -> Batch:
    """Reorder points."""
    return take(batch, draws.permutation(batch['points'].shape[1]))


def centred(points: Tensor, mode: str) -> Tensor:
    """Return points (B, N, 3) minus the mean or the middle of the bounding box of each cloud."""
    centre = (
        points.mean(1, keepdim=True)
        if mode == 'mean'
        else (points.amin(1, keepdim=True) + points.amax(1, keepdim=True)) / 2
    )
    return points - centre


@device_form(T.CenterPoints)
def center(transform: T.CenterPoints, batch: Batch, draws: SampleDraws) -> Batch:
    """Centre clouds."""
    return {**batch, 'points': centred(batch['points'], transform.mode)}


@device_form(T.UnitSphere)
def unit_sphere(transform: T.UnitSphere, batch: Batch, draws: SampleDraws) -> Batch:
    """Centre and scale clouds to radius 1."""
    points = batch['points']
    points = points if transform.center is None else centred(points, transform.center)
    return {**batch, 'points': scaled(points, radius_of(points))}


@device_form(T.UnitBox)
def unit_box(transform: T.UnitBox, batch: Batch, draws: SampleDraws) -> Batch:
    """Centre and scale clouds to a longest side."""
    points = centred(batch['points'], 'bbox')
    return {
        **batch,
        'points': scaled(points, (points.amax(1) - points.amin(1)).amax(1) / transform.side),
    }


@device_form(T.AddHeight)
def height(transform: T.AddHeight, batch: Batch, draws: SampleDraws) -> Batch:
    """Add heights (B, N, 1)."""
    column = batch['points'][:, :, up_index(batch), None]
    return {**batch, 'heights': column - column.amin(1, keepdim=True)}


@device_form(T.ConvertUpAxis)
def up_axis(transform: T.ConvertUpAxis, batch: Batch, draws: SampleDraws) -> Batch:
    """Exchange axes."""
    steps = AXES.index(transform.to) - up_index(batch)
    rolled = {key: batch[key].roll(steps, dims=2) for key in ('points', 'normals') if key in batch}
    return {**batch, **rolled, 'up_axis': transform.to}


@device_form(T.ProjectViews)
def views(transform: T.ProjectViews, batch: Batch, draws: SampleDraws) -> Batch:
    """Add views (B, V, C, H, W)."""
    clouds = torch.cat(transform.columns(batch), dim=2)
    return {**batch, 'views': transform.projections[AXES[up_index(batch)]](clouds)}


@device_form(T.SiameseViews)
def siamese(transform: T.SiameseViews, batch: Batch, draws: SampleDraws) -> Batch:
    """Make two views of every cloud."""
    first, second = apply(transform.view_1, batch, draws), apply(transform.view_2, batch, draws)
    return {**first, **{f'{key}_2': second[key] for key in POINT_KEYS if key in second}}


@device_form(T.MultiCrop)
def multi_crop(transform: T.MultiCrop, batch: Batch, draws: SampleDraws) -> Batch:
    """Add crops (B, count, num_points, 3)."""
    points = batch['points'][..., :3]
    transform.check_size(points.shape[1])
    rest = {key: value for key, value in batch.items() if key not in POINT_KEYS}
    out = dict(batch)
    for name, spec in transform.crops.items():
        crops = []
        for _ in range(spec.count):
            index = crop_indices(points, spec, transform.aspect, draws)
            crop = dict(rest, points=points.gather(1, index[..., None].expand(-1, -1, 3)))
            crops.append(apply(transform.transforms, crop, draws)['points'])
            if crops[-1].shape != crop['points'].shape:
                raise ValueError('a transform of crops changed their shape, must keep it')
        out[name] = torch.stack(crops, dim=1)
    return out


@device_form(T.PackPointInputs)
def pack(transform: T.PackPointInputs, batch: Batch, draws: SampleDraws) -> Batch:
    """Make ``inputs``; the data set adds the samples."""
    inputs = {}
    for key in transform.keys:
        columns = [key]
        if key in ('points', 'points_2'):
            columns += [feature + key[len('points') :] for feature in transform.features]
        absent = [name for name in columns if name not in batch]
        if absent:
            raise KeyError(f"the sample has no '{absent[0]}'; it has {', '.join(sorted(batch))}")
        tensors = [batch[name].float() for name in columns]
        inputs[key] = torch.cat(tensors, dim=-1) if len(tensors) > 1 else tensors[0].contiguous()
    return {**batch, 'inputs': inputs}
