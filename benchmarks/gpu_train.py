"""Section ``train`` of ``gpu.py``: training steps in bf16 on clouds that are on the device."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import inputs
import torch
from gpu_sections import Row, Setting, guarded
from torch import nn

from pcdet_kd import ops
from pcdet_kd.registry import MODELS, TEACHERS
from pcdet_kd.structures import ModelOutput, PointDataSample

TARGETS = {
    'PointNet2SSG': 10000,
    'DGCNN': 10000,
    'PointMLP': 2500,
    'PointCMT III, PointNet2MSG': 5000,
}


@TEACHERS.register_module(force=True)
class RandomImageFeatures(nn.Module):
    """A feature bank of random numbers: what stage III costs does not depend on the values."""

    def forward(self, inputs: dict, samples: list) -> ModelOutput:
        points = inputs['points']
        return ModelOutput(None, torch.randn(len(points), 512, device=points.device), ())


def build(name: str, setting: Setting, num_points: int) -> nn.Module:
    """Return a classifier, or the distiller of PointCMT's stage III."""
    head = dict(type='MLPHead', num_classes=40)
    if name == 'DGCNN':
        head.update(bias=(False, True), act='leaky_relu')
    if not name.startswith('PointCMT'):
        return MODELS.build(dict(type='PointClassifier', backbone=dict(type=name), head=head))
    head.update(hidden_channels=(512,), dropout=0.0, bias=False)
    generator = dict(type='PointGenerator', preset='paper', num_points=num_points)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, 'generator.pth')
        torch.save(dict(state_dict=MODELS.build(generator).state_dict()), file)
        model = MODELS.build(
            dict(
                type='PointCMT',
                preset='paper',
                student=dict(type='PointClassifier', backbone=dict(type='PointNet2MSG'), head=head),
                teachers=dict(image=dict(type='RandomImageFeatures')),
                helpers=dict(
                    generator=dict(type='FrozenGenerator', checkpoint=str(file), model=generator)
                ),
            )
        )
        model.helpers['generator'].init_weights()
    return model


def train(name: str, setting: Setting, batch: int) -> list[Row]:
    """Train for some seconds and return the row."""
    num_points, device = 1024, setting.device
    torch.manual_seed(setting.seed)
    model = build(name, setting, num_points).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=device.type == 'cuda')
    batches = [inputs.surface(batch, num_points, setting.seed + i).to(device) for i in range(2)]
    samples = [PointDataSample().set_gt_label(i % 40).to(device) for i in range(batch)]

    def step(points: torch.Tensor) -> Any:
        with torch.autocast(device.type, torch.bfloat16):
            losses = model(dict(points=points), samples, mode='loss')
        loss = sum(value for key, value in losses.items() if 'loss' in key)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    def wait() -> float:
        if device.type == 'cuda':
            torch.cuda.synchronize()
        return time.perf_counter()

    with ops.use('auto', check_values=False):
        first = float(step(batches[0]))
        for i in range(0 if setting.tiny else 3):
            step(batches[i % 2])
        start, steps = wait(), 0
        while True:
            for _ in range(1 if setting.tiny else 10):
                last = step(batches[steps % 2])
                steps += 1
            seconds = wait() - start
            if setting.tiny or seconds > 8:
                break
    last = float(last)
    if not last < float('inf'):
        raise RuntimeError(f'the loss became {last}')
    speed = steps * batch / seconds
    memory = torch.cuda.max_memory_allocated() / 2**30 if device.type == 'cuda' else 0.0
    cells = [
        name,
        batch,
        f'{speed:.0f}',
        f'{seconds / steps * 1e3:.4g}',
        f'{memory:.1f}',
        f'{first:.3f}, {last:.3f}',
        f'>= {TARGETS[name]:,}',
    ]
    return [
        dict(cells=cells, samples_per_second=speed, seconds=seconds, steps=steps, memory_gb=memory)
    ]


def rows(setting: Setting) -> Iterator[Row]:
    """Yield a row per network."""
    for name in TARGETS:
        if setting.device.type == 'cuda':
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        yield from guarded(
            name, 7, lambda name=name: train(name, setting, 2 if setting.tiny else 256)
        )
