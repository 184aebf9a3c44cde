"""Measure cost, speed and one small training run of every backbone, with the same settings.

Writes the JSON file from which the model zoo's page is made. The run is small: it shows that each
backbone learns; it is no ranking. A model that is already in the file with the same settings is not
measured again, so an interrupted call can be continued. Then:
``pcdet-kd models --page benchmarks/zoo.json``.

    python benchmarks/zoo.py --data-root data/modelnet40_ply_hdf5_2048 --shapes 1000 --epochs 3
    --points 256
"""

import argparse
import fnmatch
import json
import os
import platform
from functools import partial
from pathlib import Path
from typing import Any

import harness  # before torch: it sets how idle threads wait
import numpy as np
import peer_models
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pcdet_kd.apis import get_model, list_models, model_infos
from pcdet_kd.apis.complexity import count_complexity, random_inputs
from pcdet_kd.datasets import ModelNet40
from pcdet_kd.losses.functional import cross_entropy
from pcdet_kd.utils.allocator import configure
from pcdet_kd.utils.files import atomic_write


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'pattern', nargs='?', default='*', help='names of models without _modelnet40 (default: all)'
    )
    parser.add_argument(
        '--data-root', default='data/modelnet40_ply_hdf5_2048', help='ModelNet40 (%(default)s)'
    )
    parser.add_argument('--shapes', type=int, default=1000, help='training shapes (%(default)s)')
    parser.add_argument('--test-shapes', type=int, default=500, help='test shapes (%(default)s)')
    parser.add_argument('--epochs', type=int, default=3, help='training epochs (%(default)s)')
    parser.add_argument(
        '--points', type=int, default=256, help='points per cloud in the run (%(default)s)'
    )
    parser.add_argument('--batch', type=int, default=32, help='clouds per step (%(default)s)')
    parser.add_argument(
        '--seed', type=int, default=0, help='seed of weights and order (%(default)s)'
    )
    parser.add_argument(
        '--speed-batch',
        type=int,
        default=8,
        help='clouds in a batch whose speed is measured (%(default)s)',
    )
    parser.add_argument(
        '--rounds',
        type=int,
        default=5,
        help='timed calls of each form (%(default)s); the figure is the median',
    )
    parser.add_argument(
        '--seconds',
        type=float,
        default=30.0,
        help='seconds for each form; a slow form is timed in fewer rounds (%(default)s)',
    )
    parser.add_argument(
        '--no-speed',
        action='store_true',
        help='do not measure speed; do it in a later call, on a quiet machine',
    )
    parser.add_argument(
        '--out', default='benchmarks/zoo.json', help='JSON file; new models are added (%(default)s)'
    )
    return parser.parse_args()


def load(root: str, split: str, count: int, points: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the first points of shapes spread evenly over a split: (n, N, 3) and labels (n,)."""
    dataset = ModelNet40(root, split='trainval' if split == 'train' else 'test')
    chosen = np.linspace(0, len(dataset) - 1, min(count, len(dataset))).astype(int)
    clouds = np.stack([dataset.records.points[i][:points] for i in chosen])
    return torch.from_numpy(clouds), torch.from_numpy(dataset.records.labels[chosen].copy())


def augment(points: torch.Tensor) -> torch.Tensor:
    """Scale each axis by 2/3 to 3/2 and shift by up to 0.2 (DGCNN's augmentation), and shuffle."""
    scale = torch.empty(len(points), 1, 3).uniform_(2 / 3, 3 / 2)
    shift = torch.empty(len(points), 1, 3).uniform_(-0.2, 0.2)
    return (points * scale + shift)[:, torch.randperm(points.shape[1])]


def inputs_of(model: nn.Module, points: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what the model sees of clouds: their points, with the height as a fourth channel where
    it wants one.
    """
    if getattr(model.backbone, 'in_channels', 3) == 4:
        points = torch.cat(
            [points, points[..., 1:2] - points[..., 1].amin(1)[:, None, None]], dim=2
        )
    return dict(points=points)


def train(
    model: nn.Module, clouds: torch.Tensor, labels: torch.Tensor, args: argparse.Namespace
) -> list[float]:
    """Train by AdamW with a cosine to 0 and label smoothing; return the mean loss of each pass."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    steps = args.epochs * (len(clouds) // args.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    history = []
    for _ in range(args.epochs):
        model.train()
        losses = []
        for index in torch.randperm(len(clouds)).split(args.batch):
            if len(index) < args.batch:
                continue
            optimizer.zero_grad()
            out = model(inputs_of(model, augment(clouds[index])), mode='tensor')
            loss = cross_entropy(out.logits, labels[index], 0.2, 'others')
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 10)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        history.append(sum(losses) / len(losses))
    return history


@torch.no_grad()
def accuracy(model: nn.Module, clouds: torch.Tensor, labels: torch.Tensor, batch: int) -> float:
    """Return the overall accuracy in percent."""
    model.eval()
    parts = zip(clouds.split(batch), labels.split(batch))
    right = sum(
        int((model(inputs_of(model, x), mode='tensor').logits.argmax(1) == y).sum())
        for x, y in parts
    )
    return 100 * right / len(labels)


def small_run(name: str, data: tuple, args: argparse.Namespace) -> dict[str, Any]:
    """Return a model's cost, and what came of the small run."""
    torch.manual_seed(args.seed)
    model = get_model(name)
    cost = count_complexity(model, random_inputs(model, 1, 1024))
    history = train(model, *data[0], args)
    return {
        'parameters': f'{cost.parameters:,}',
        'GFLOPs': cost.flops / 1e9,
        'loss, first pass': round(history[0], 3),
        'loss, last pass': round(history[-1], 3),
        'OA, small run': accuracy(model, *data[1], args.batch),
    }


def speed(name: str, args: argparse.Namespace) -> dict[str, float]:
    """Return samples per second of a model, and how much faster it is than the usual implementation
    with equal weights.

    Raises:
        SystemExit: The two don't give the same logits.
    """
    torch.manual_seed(args.seed)
    ours, usual = peer_models.build(name.removesuffix('_modelnet40'))
    inputs = random_inputs(ours, args.speed_batch, 1024)
    labels = torch.arange(args.speed_batch) % 40
    calls = {
        'ours': lambda: ours(inputs, mode='tensor').logits,
        'usual': lambda: usual(next(iter(inputs.values()))),
    }
    models = {'ours': ours, 'usual': usual}
    optimizers = {
        key: torch.optim.SGD(model.parameters(), lr=1e-4) for key, model in models.items()
    }

    @torch.no_grad()
    def forward(key: str) -> torch.Tensor:
        return calls[key]()

    def train_step(key: str) -> None:
        optimizers[key].zero_grad()
        cross_entropy(calls[key](), labels).backward()
        optimizers[key].step()

    for model in models.values():
        model.eval()
    found = harness.interleaved(
        {key: partial(forward, key) for key in models}, args.rounds, args.seconds
    )
    gap = float((found['ours'].result - found['usual'].result).abs().max())
    if not gap <= 1e-3:
        raise SystemExit(
            f'{name}: ours and the usual implementation differ by {gap:.2g} in logits with equal '
            'weights'
        )
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        calls['usual']()
    for model in models.values():
        model.train()
    steps = harness.interleaved(
        {key: partial(train_step, key) for key in models}, args.rounds, args.seconds
    )
    return {
        'GFLOPs, usual form': counter.get_total_flops() / args.speed_batch / 1e9,
        'forward samples/s': args.speed_batch / found['ours'].wall,
        'times usual, forward': _ratio(found),
        'train samples/s': args.speed_batch / steps['ours'].wall,
        'times usual, train': _ratio(steps),
    }


def _ratio(found: dict[str, harness.Timing]) -> float:
    return found['usual'].wall / found['ours'].wall


def about(args: argparse.Namespace, machine: str) -> str:
    """Return how it was measured, for the page."""
    command = (
        f'python benchmarks/zoo.py --shapes {args.shapes} --epochs {args.epochs} --points '
        f'{args.points} --seed {args.seed}'
    )
    return ' '.join(
        (
            f'On {machine}, float32.',
            'Cost at 1,024 points: two operations per multiply-add, as executed here and in the '
            'usual form.',
            f'Samples per second in batches of {args.speed_batch} at 1,024 points, wall time, and '
            'how many times longer the usual',
            'implementation takes with equal weights under the same allocator '
            '(`benchmarks/peer_models`; the logits were compared).',
            f'The small run is the same for all: {args.shapes:,} shapes of ModelNet40, '
            f'{args.points} points, {args.epochs} passes in',
            f'batches of {args.batch}, AdamW, seed {args.seed}, tested on {args.test_shapes} '
            'shapes; it shows that a network learns,',
            f'and ranks nothing: `{command}`. Nothing was selected; the last weights are tested.',
            'Training and test shapes are both of the official training split, so these are no '
            'ModelNet40 results.',
        )
    )


def main() -> None:
    """Measure and write after each model."""
    args = parse_args()
    configure()
    settings = {
        key: getattr(args, key)
        for key in ('shapes', 'test_shapes', 'epochs', 'points', 'batch', 'seed', 'speed_batch')
    }
    settings['machine'] = (
        f'{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}'
    )
    path = Path(args.out)
    content: dict[str, Any] = dict(settings=settings, models={})
    if path.is_file():
        content = json.loads(path.read_text(encoding='utf-8'))
    if content['settings'] != settings:
        raise SystemExit(
            f'{path} was measured with {content["settings"]}, not {settings}; move it aside'
        )
    infos = model_infos()
    names = [
        name
        for name in list_models('*_modelnet40')
        if infos[name].family == 'Baselines'
        and fnmatch.fnmatch(name.removesuffix('_modelnet40'), args.pattern)
    ]
    data = (
        load(args.data_root, 'train', args.shapes, args.points),
        load(args.data_root, 'test', args.test_shapes, args.points),
    )
    content['about'] = about(args, settings['machine'])
    for name in names:
        key = name.removesuffix('_modelnet40')
        row = content['models'].setdefault(key, {})
        if 'OA, small run' not in row:
            row.update(small_run(name, data, args))
        if 'train samples/s' not in row and not args.no_speed:
            row.update(speed(name, args))
        with atomic_write(path) as file:
            file.write(json.dumps(content, indent=1).encode())
        print(key, row, flush=True)


if __name__ == '__main__':
    main()
