"""Random crops of whole batches: :class:`~pcdet_kd.datasets.transforms.MultiCrop` on a device."""

import torch
from torch import Tensor

from pcdet_kd.datasets.counter_random import SampleDraws
from pcdet_kd.datasets.transforms.multi_crop import CropSpec
from pcdet_kd.datasets.transforms.rotation import quaternion_matrix


def crop_indices(
    points: Tensor, spec: CropSpec, aspect: tuple[float, float], draws: SampleDraws
) -> Tensor:
    """Draw one crop of every cloud.

    Args:
        points: (B, N, 3) float32. With fewer points than a crop has, all are taken once, then again
            from the first, in random order.
        spec: Which kind of crop.
        aspect: Range of the boxes' aspect.
        draws: Source of the random numbers.

    Returns:
        (B, num_points) int64 into the clouds, in random order.
    """
    n = points.shape[1]
    if n < spec.num_points:
        return draws.permutation(spec.num_points) % n
    boxes = random_boxes(aspect, draws)
    centre = (draws.uniform(0, 1, 1) * n).long().clamp(max=n - 1)
    low, high = spec.fraction
    inside = (draws.uniform(low, high, 1).double() * n).long()  # as int() of a float64 product
    inside = inside.clamp(min=spec.num_points, max=n)
    most = spec.num_inside(high, n)
    order = by_distance(points, boxes, centre, most)
    key = draws.uniform(0, 1, most)
    outside = torch.arange(most, device=points.device) >= inside
    chosen = key.masked_fill(outside, 2.0).topk(spec.num_points, dim=1, largest=False).indices
    return order.gather(1, chosen)


def random_boxes(aspect: tuple[float, float], draws: SampleDraws) -> Tensor:
    """Return matrices (B, 3, 3) that turn points, as rows, into coordinates along the stretched
    axes of random boxes.
    """
    quaternion = torch.nn.functional.normalize(draws.normal(4), dim=1)
    matrix = torch.stack(quaternion_matrix(*quaternion.unbind(1)), dim=1).view(-1, 3, 3)
    root = draws.uniform(*aspect, 1).sqrt()
    stretch = torch.cat([torch.ones_like(root), 1 / root, root], dim=1)
    return matrix * stretch.gather(1, draws.permutation(3))[:, None]


def by_distance(points: Tensor, boxes: Tensor, centre: Tensor, count: int) -> Tensor:
    """Return the indices (B, count) of the points (B, N, 3) nearest to one of them, nearest first,
    in the maximum norm of the coordinates after matrices (B, 3, 3). ``centre`` is (B, 1).
    """
    start = points.gather(1, centre[..., None].expand(-1, -1, 3))
    # Not a matrix product: TF32 or autocast would round the coordinates.
    offset = ((points - start)[..., None] * boxes[:, None]).sum(2)
    distance = offset.abs().amax(2)
    return distance.topk(count, dim=1, largest=False, sorted=True).indices
