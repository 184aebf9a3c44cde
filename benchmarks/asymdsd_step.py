#!/usr/bin/env python
"""Measure a training step of AsymDSD beside a plain form of the published one, in one process.

The plain form crops by full sorts, embeds the patches anew for each mask, gives every token to the
heads and repeats the teacher's scores for each mask. Ours crops by partial sorts, embeds once, has
heads on the rows that count, and computes the scores of predicted patches again in the backward
pass instead of keeping them. Both make six crops of each cloud, patches, a forward and a backward
pass; the first losses, from equal weights on equal crops and masks, must agree.

The peak memory of a form is what a separate process holds at most during two steps, beyond what it
held before the first. On a GPU (``--device cuda``) ours alone is timed in bfloat16 beside float32,
and the time of the published schedule of 122,700 steps of 128 is extrapolated. Examples::

    python benchmarks/asymdsd_step.py               # size S, 8 clouds: minutes
    python benchmarks/asymdsd_step.py --tiny        # seconds: only a test that it runs
"""

import argparse
import multiprocessing
import resource
import time
from typing import Any

import harness
import numpy as np
import torch
from inputs import surface
from multi_crop import GLOBAL, LOCAL, plain_crop
from peer_models.asymdsd_pretrain import PlainAsymDSD
from peers import farthest_point_sample as plain_fps
from torch import Tensor

from pcdet_kd.apis.official import convert_official
from pcdet_kd.apis.official_archs import OFFICIAL
from pcdet_kd.datasets.transforms import MultiCrop
from pcdet_kd.layers import patch_masks
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import Crops
from pcdet_kd.utils import allocator

SCHEDULE = 122_700
TARGETS = dict(time='>= 1.5', memory='<= 0.5')
TINY = dict(
    encoder=dict(channels=16, depth=2, num_heads=2),
    head=(24, 8, 40),
    predictor=(8, 2, 2),
)


def tiny_model(model: dict) -> dict:
    """Return the config of a small form of a published one."""
    student = dict(
        model['student'],
        backbone=dict(model['student']['backbone'], embed_dims=16, depth=2, num_heads=2),
        projection=dict(num_prototypes=40, hidden_channels=(24, 24), bottleneck=8),
        predictor=dict(embed_dims=8, depth=2, num_heads=2),
    )
    losses = {
        name: dict(loss, num_prototypes=40) if 'num_prototypes' in loss else loss
        for name, loss in model['losses'].items()
    }
    return dict(model, student=student, losses=losses)


def pair(tiny: bool) -> tuple[PlainAsymDSD, torch.nn.Module]:
    """Return both forms with equal weights."""
    torch.manual_seed(0)
    plain = PlainAsymDSD('dual', **(TINY if tiny else {}))
    official = OFFICIAL['asymdsd_pretrain']
    if tiny:
        official = official._replace(model=tiny_model(official.model))
    ours = MODELS.build(official.model)
    ours.load_state_dict(convert_official(plain.state_dict(), official).weights)
    return plain, ours.train()


def plain_patches(crops: np.ndarray, patches: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return crops (B, C, N, 3), centres (B, C, P) and patches (B, C, P, 32), by sorts of all
    distances.
    """
    points = torch.from_numpy(crops)
    flat = points.flatten(0, 1)
    centre = plain_fps(flat, patches)
    rows = torch.arange(len(flat))[:, None]
    nearest = torch.cdist(flat[rows, centre], flat).argsort(dim=-1)[..., :32]
    shape = points.shape[:2]
    return points, centre.unflatten(0, shape), nearest.unflatten(0, shape)


def plain_step(model: PlainAsymDSD, clouds: np.ndarray) -> None:
    """One step of the plain form, data included."""
    made = [
        np.stack([np.stack([plain_crop(c, spec) for _ in range(spec['count'])]) for c in clouds])
        for spec in (GLOBAL, LOCAL)
    ]
    crops, local = (plain_patches(m.astype(np.float32), p) for m, p in zip(made, (64, 16)))
    mask = patch_masks(torch.rand(2 * len(clouds), 64, 3), masks=4)
    model.zero_grad(set_to_none=True)
    model.step(crops, local, mask)['total'].backward()


def our_step(model: torch.nn.Module, clouds: np.ndarray) -> None:
    """One step of ours, data included."""
    crop = MultiCrop(GLOBAL, LOCAL)
    made = [crop(dict(points=cloud)) for cloud in clouds]
    keys = ('global_crops', 'local_crops')
    inputs = {key: torch.from_numpy(np.stack([m[key] for m in made])).float() for key in keys}
    model.zero_grad(set_to_none=True)
    losses = model(inputs, [None] * len(clouds), mode='loss')
    sum(value for name, value in losses.items() if name.startswith('loss_')).backward()


def agreement(plain: PlainAsymDSD, ours: torch.nn.Module, clouds: np.ndarray) -> float:
    """Return the largest difference of a term on equal crops and masks."""
    made = MultiCrop(GLOBAL, LOCAL)
    found = [made(dict(points=cloud)) for cloud in clouds[:2]]
    crops, local = (
        plain_patches(np.stack([f[key] for f in found]).astype(np.float32), patches)
        for key, patches in (('global_crops', 64), ('local_crops', 16))
    )
    mask = patch_masks(torch.rand(4, 64, 3), masks=4)
    with torch.no_grad():
        theirs = plain.step(crops, local, mask)
        step = ours.step(Crops(*crops), Crops(*local), mask)
    return max(abs(float(step.terms[name]) - float(theirs[name])) for name in step.terms)


def peak(form: str, tiny: bool, clouds: np.ndarray, threads: int) -> float:
    """Return the peak memory of two steps in MiB, in a process of its own."""
    context = multiprocessing.get_context('spawn')
    queue: Any = context.Queue()
    process = context.Process(target=_peak, args=(form, tiny, clouds, threads, queue))
    process.start()
    found = queue.get()
    process.join()
    return found


def _peak(form: str, tiny: bool, clouds: np.ndarray, threads: int, queue: Any) -> None:
    torch.set_num_threads(threads)
    models = dict(zip(('plain', 'ours'), pair(tiny)))
    model = models.pop(form)
    models.clear()
    step = plain_step if form == 'plain' else our_step
    step(model, clouds[:2])  # compiles and imports
    with open('/proc/self/clear_refs', 'w') as file:
        file.write('5')  # the peak counts from here
    before = _held()
    for _ in range(2):
        step(model, clouds)
    queue.put((_peak_of_process() - before) / 2**10)


def _held() -> int:
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 2**10


def _peak_of_process() -> int:
    with open('/proc/self/status') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('VmHWM'))


def on_gpu(batch: int, steps: int) -> None:
    """Print times and memory of a step on crops that lie on the GPU."""
    rows = []
    for name, dtype in (('float32', None), ('bfloat16', torch.bfloat16)):
        torch.manual_seed(0)
        model = MODELS.build(OFFICIAL['asymdsd_pretrain'].model).cuda().train()
        optimizer = torch.optim.AdamW(model.student.parameters(), 5e-4, fused=True)
        inputs = dict(
            global_crops=torch.randn(batch, 2, 1024, 3, device='cuda'),
            local_crops=torch.randn(batch, 4, 256, 3, device='cuda'),
        )
        torch.cuda.reset_peak_memory_stats()
        for i in range(steps + 3):
            if i == 3:
                torch.cuda.synchronize()
                start = time.perf_counter()
            with torch.autocast('cuda', dtype, enabled=dtype is not None):
                losses = model(inputs, [None] * batch, mode='loss')
                total = sum(v for k, v in losses.items() if k.startswith('loss_'))
            optimizer.zero_grad(set_to_none=True)
            total.backward()
            optimizer.step()
            model.update_followers()
        torch.cuda.synchronize()
        seconds = (time.perf_counter() - start) / steps
        memory = torch.cuda.max_memory_allocated() / 2**30
        hours = seconds * SCHEDULE / 3600
        rows.append([name, harness.milliseconds(seconds), f'{memory:.1f}', f'{hours:.1f}'])
    head = ['type', 'ms/step', 'peak GiB', f'hours for {SCHEDULE:,} steps']
    print(harness.table(head, rows))


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--batch', type=int, help='clouds (8; on a GPU 128)')
    parser.add_argument('--points', type=int, default=16384, help='of a cloud')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--device', choices=['cpu', 'cuda'], default='cpu')
    parser.add_argument('--tiny', action='store_true', help='few channels, two clouds, one round')
    args = parser.parse_args()
    print(harness.environment(), end='\n\n')
    if args.device == 'cuda':
        on_gpu(args.batch or 128, 20)
        return
    allocator.keep_freed_memory()
    rounds = 1 if args.tiny else args.rounds
    batch = args.batch or (2 if args.tiny else 8)
    clouds = surface(batch, args.points, 0).numpy()
    plain, ours = pair(args.tiny)
    np.random.seed(0)
    print(f'largest difference of a loss term: {agreement(plain, ours, clouds):.1e}\n')
    forms = dict(
        plain=lambda: plain_step(plain, clouds),
        ours=lambda: our_step(ours, clouds),
    )
    times = harness.interleaved(forms, rounds, budget=600)
    memory = {name: peak(name, args.tiny, clouds, torch.get_num_threads()) for name in forms}
    rows = [
        [
            name,
            harness.milliseconds(times[name].wall),
            harness.milliseconds(times[name].cpu),
            f'{memory[name]:.0f}',
        ]
        for name in forms
    ]
    rows.append(
        [
            'ratio (target)',
            harness.times_faster(times['plain'].wall, times['ours'].wall),
            f'{harness.times_faster(times["plain"].cpu, times["ours"].cpu)} ({TARGETS["time"]})',
            f'{memory["ours"] / memory["plain"]:.2f} ({TARGETS["memory"]})',
        ]
    )
    print(harness.table([f'{batch} clouds', 'ms/step', 'CPU ms/step', 'peak MiB'], rows))


if __name__ == '__main__':
    main()
