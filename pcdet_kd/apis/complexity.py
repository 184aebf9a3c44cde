"""What a model costs: parameters, floating-point operations, and samples per second on this
machine.
"""

import time
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pcdet_kd.engine.amp import check_amp
from pcdet_kd.structures import PointDataSample


class Complexity(NamedTuple):
    """Cost of one sample.

    Attributes:
        parameters: All of them, frozen ones too, as the metafiles count.
        flops: Floating-point operations of one forward pass in eval mode, two per multiply-add;
            matrix products, convolutions and attention only. They are those that run here: a fused
            EdgeConv or a split first layer needs fewer than the textbook form.
        by_module: The operations of the model's parts that are called as modules; a head is not, it
            is the rest.
    """

    parameters: int
    flops: int
    by_module: dict[str, int]


class Speed(NamedTuple):
    """Samples per second of a forward pass without gradients, and of a training step (NaN if there
    was none); the number of steps timed.
    """

    forward: float
    train: float
    steps: int


def random_inputs(
    model: nn.Module,
    batch_size: int,
    num_points: int,
    image_size: int = 224,
    num_views: int = 6,
    device: str | torch.device = 'cpu',
) -> dict[str, Tensor]:
    """Return random inputs of the kind that a model takes: ``points`` (B, N, C), for a part
    segmentor with a ``category`` (B,), or ``views`` (B, V, 3, R, R) in [0, 1].
    """
    generator = torch.Generator().manual_seed(0)
    if getattr(model, 'input_key', 'points') == 'views':
        return dict(
            views=torch.rand(
                batch_size, num_views, 3, image_size, image_size, generator=generator
            ).to(device)
        )
    channels = getattr(model.backbone, 'in_channels', 3)
    points = torch.randn(batch_size, num_points, channels, generator=generator)
    points[..., :3] = nn.functional.normalize(
        points[..., :3], dim=-1
    )  # on the unit sphere, where the radii mean something
    inputs = dict(points=points.to(device))
    if hasattr(model, 'class_parts'):
        inputs['category'] = torch.zeros(batch_size, dtype=torch.int64, device=device)
    return inputs


def count_complexity(model: nn.Module, inputs: dict[str, Tensor]) -> Complexity:
    """Count the parameters, and the operations of a forward pass, per sample of ``inputs``."""
    batch = len(next(iter(inputs.values())))
    training = model.training
    counter = FlopCounterMode(display=False, depth=2)
    with counter, torch.no_grad():
        model.eval()(inputs, mode='tensor')
    model.train(training)
    counts = counter.get_flop_counts()
    name = type(model).__name__
    parts = {
        key.removeprefix(f'{name}.'): sum(value.values()) // batch
        for key, value in counts.items()
        if key not in ('Global', name) and key.removeprefix(f'{name}.').count('.') == 0
    }
    parameters = sum(p.numel() for p in model.parameters())
    return Complexity(parameters, counter.get_total_flops() // batch, parts)


def measure_speed(
    model: nn.Module,
    inputs: dict[str, Tensor],
    seconds: float = 3.0,
    num_classes: int | None = None,
    amp: bool = False,
) -> Speed:
    """Time forward passes and training steps (forward, loss, backward, SGD) in wall time, each for
    about ``seconds``.

    Labels are below ``num_classes``; None: the model's classes. The medians are reported, after one
    step to warm up; other work on the machine lowers them. A batch of one is not trained on:
    BatchNorm cannot be.
    """
    device = next(iter(inputs.values())).device
    if amp:
        check_amp(device.type)
    batch = len(next(iter(inputs.values())))
    if num_classes is None:
        parts = getattr(model, 'class_parts', None)
        num_classes = model.head.num_classes if parts is None else len(parts)
    samples = []
    for i in range(batch):
        sample = PointDataSample()
        sample.set_gt_label(i % num_classes)
        if hasattr(model, 'class_parts'):
            sample.set_gt_parts(torch.zeros(inputs['points'].shape[1], dtype=torch.int64))
        samples.append(sample.to(device))
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    training = model.training

    def forward() -> None:
        with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=amp):
            model(inputs, mode='tensor')

    def train() -> None:
        optimizer.zero_grad()
        with torch.autocast(device.type, torch.bfloat16, enabled=amp):
            losses = model(inputs, samples, mode='loss')
        sum(value for key, value in losses.items() if 'loss' in key).backward()
        optimizer.step()

    model.eval()
    forward_times = _times(forward, seconds, device)
    if batch == 1:
        model.train(training)
        return Speed(1 / _median(forward_times), float('nan'), len(forward_times))
    model.train()
    train_times = _times(train, seconds, device)
    model.train(training)
    return Speed(batch / _median(forward_times), batch / _median(train_times), len(train_times))


def _times(function: Any, seconds: float, device: torch.device) -> list[float]:
    def once() -> float:
        start = time.perf_counter()
        function()
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
        return time.perf_counter() - start

    once()
    times = [once()]
    while sum(times) < seconds:
        times.append(once())
    return times


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]
