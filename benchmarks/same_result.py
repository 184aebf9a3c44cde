"""PointNet trained by the framework beside a plain loop: test accuracy and CPU time per epoch.

``usual`` is the network as its PyTorch port has it (yanx27; 3.47 M parameters, two T-Nets) in a
plain loop of torch: ``DataLoader``, Adam, ``OneCycleLR``, cross-entropy. ``framework`` is the same
recipe as a config, in the Runner. Each draws its own first weights, order and augmentation from the
seed: they agree in the accuracy that they reach, not number by number. ``--check`` compares
numbers, from equal weights on equal batches.

The recipe: batches of 32, the first 512 points, the whole training set, the port's augmentation
(points dropped, scaled, shifted) and head, plain cross-entropy without the orthogonality term, Adam
without weight decay, one cycle to 2e-3 (the learning rate alone: beta1 stays 0.9). After each epoch
the whole test set is tested; nothing is chosen by it. ``--settings`` changes one thing in the
framework's config.

The forms and seeds take turns, an epoch each. CPU time is that of the training pass with its data
loading and augmentation, all in this process, without evaluation and checkpoints. Both forms keep
freed memory, as the framework's commands do (with ``PCDET_KD_MALLOC=default`` neither does). A
finished epoch is kept in ``--work-dir``: the same command resumes there, and more epochs or
seeds add to it. Examples::

    python benchmarks/same_result.py DATA --check            # seconds
    python benchmarks/same_result.py DATA                    # three seeds, two epochs of ten: hours
    python benchmarks/same_result.py DATA --forms framework --epochs 1 --settings smoothing
"""

import argparse
import contextlib
import copy
import io
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault('OMP_NUM_THREADS', '1')

import h5py
import harness
import numpy as np
import peer_models
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from pcdet_kd.engine import PointRunner
from pcdet_kd.engine.config import load_config
from pcdet_kd.utils import allocator
from pcdet_kd.utils.files import atomic_write

NETWORK = peer_models.OFFICIAL['pointnet_yanx27']
OURS = peer_models.OURS['pointnet_yanx27'].model
CONFIG = Path(__file__).parents[1] / 'configs' / 'baseline' / 'pointnet_modelnet40.py'
LR, PEAK, BETAS = 2e-3, 0.3, (0.95, 0.85)  # torch's cycle of beta1, of the setting of that name
FORMS = ('usual', 'framework')

# What is changed in the framework's config: options by dotted path, or a function of the config.
SETTINGS: dict[str, Any] = {
    'reference': {},
    'smoothing': {'model.head.loss': dict(label_smoothing=0.2, smoothing='others')},
    'dropout-after': {'model.head.dropout': (0.0, 0.3), 'model.head.dropout_first': False},
    'smoothing+dropout-after': {
        'model.head.loss': dict(label_smoothing=0.2, smoothing='others'),
        'model.head.dropout': (0.0, 0.3),
        'model.head.dropout_first': False,
    },
    'no-dropout': {'model.head.dropout': 0.0},
    'paper-widths': {'model.backbone.variant': 'paper'},
    'orthogonality': {'model.backbone.orthogonality_weight': 0.001},
    'all-points': lambda cfg: drop(cfg, 'RandomPointDropout'),
    'not-augmented': lambda cfg: drop(cfg, 'RandomPointDropout', 'RandomScale', 'RandomShift'),
    'validation-kept-out': {'train_dataloader.dataset.split': 'train'},
    'weight-decay': {'optim_wrapper.optimizer.weight_decay': 1e-4},
    'constant-rate': lambda cfg: cfg.update(param_scheduler=None),
    'beta1-cycle': lambda cfg: cycle_beta1(cfg),
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('data_root', help='the folder modelnet40_ply_hdf5_2048')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/same_result'))
    parser.add_argument('--forms', nargs='+', choices=FORMS, default=FORMS, help='(%(default)s)')
    parser.add_argument('--seeds', nargs='+', type=int, default=[0, 1, 2], help='(%(default)s)')
    parser.add_argument('--epochs', type=int, default=2, help='to train (%(default)s)')
    parser.add_argument('--of', type=int, default=10, help='epochs of the schedule (%(default)s)')
    parser.add_argument(
        '--settings',
        nargs='+',
        choices=SETTINGS,
        default=['reference'],
        help='changes of the config; the usual form has the first alone (%(default)s)',
    )
    parser.add_argument(
        '--check',
        action='store_true',
        help='only compare the losses of three steps, from equal weights on equal batches',
    )
    parser.add_argument('--tiny', action='store_true', help='a tiny network, 64 points, batch 4')
    args = parser.parse_args()
    args.points, args.batch = (64, 4) if args.tiny else (512, 32)
    return args


def config_of(args: argparse.Namespace, seed: int, setting: str, folder: Path) -> Config:
    """Return the framework's config: the baseline's, with the recipe of this comparison."""
    options = dict(
        data_root=args.data_root,
        num_points=args.points,
        batch_size=args.batch,
        num_workers=0,
        train_split='trainval',
    )
    cfg = load_config(CONFIG, options)
    model = copy.deepcopy(OURS)
    model['backbone'].update(NETWORK.ours if args.tiny else {}, orthogonality_weight=0.0)
    model['head'].update(num_classes=40, loss=dict(type='CrossEntropyLoss'))
    cfg.merge_from_dict(dict(model=dict(_delete_=True, **model)))
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].persistent_workers = False
    cfg.val_dataloader, cfg.val_evaluator = cfg.test_dataloader, cfg.test_evaluator
    cfg.optim_wrapper.optimizer = dict(type='Adam', lr=LR)
    cfg.param_scheduler = dict(
        type='OneCycleLR',
        eta_max=LR,
        pct_start=PEAK,
        by_epoch=True,
        end=args.of,
        convert_to_iter_based=True,
    )
    cfg.train_cfg.max_epochs = args.of
    cfg.default_hooks.checkpoint = dict(type='CheckpointHook', max_keep_ckpts=1)
    cfg.default_hooks.student_export = None
    cfg.randomness.seed = seed
    cfg.work_dir, cfg.resume = str(folder), True
    change = SETTINGS[setting]
    if callable(change):
        change(cfg)
    else:
        cfg.merge_from_dict(change)
    return cfg


def drop(cfg: Config, *types: str) -> None:
    """Take transforms out of the training pipeline."""
    data = cfg.train_dataloader.dataset
    data.pipeline = [step for step in data.pipeline if step['type'] not in types]


def cycle_beta1(cfg: Config) -> None:
    """Let beta1 fall and rise again against the learning rate, as torch's OneCycleLR does."""
    cfg.optim_wrapper.optimizer.betas = (BETAS[0], 0.999)
    turn, end = PEAK * cfg.train_cfg.max_epochs, cfg.train_cfg.max_epochs
    cfg.param_scheduler = [cfg.param_scheduler] + [
        dict(
            type='CosineAnnealingMomentum',
            eta_min=eta_min,
            by_epoch=True,
            begin=int(begin),
            end=int(until),
            convert_to_iter_based=True,
        )
        for eta_min, begin, until in ((BETAS[1], 0, turn), (BETAS[0], turn, end))
    ]


class OneEpoch(Hook):
    """Measures one epoch's CPU time, keeps its test accuracy, and ends the run after it."""

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self.cpu = self.accuracy = 0.0

    def before_train_epoch(self, runner: Any) -> None:
        self.cpu = time.process_time()

    def after_train_epoch(self, runner: Any) -> None:
        self.cpu = time.process_time() - self.cpu

    def after_val_epoch(self, runner: Any, metrics: dict[str, float]) -> None:
        self.accuracy = metrics['accuracy']
        runner.train_loop.stop_training = True


def framework_epoch(
    args: argparse.Namespace, seed: int, setting: str, folder: Path, epoch: int
) -> dict[str, float]:
    """Train the next epoch of the run in ``folder`` in the Runner."""
    hook = OneEpoch()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        runner = PointRunner.from_cfg(config_of(args, seed, setting, folder))
        runner.register_hook(hook)
        runner.train()
    if runner.epoch != epoch + 1:
        raise RuntimeError(
            f'{folder} holds a run of {runner.epoch - 1} epochs and a record of {epoch}: remove it'
        )
    return dict(accuracy=hook.accuracy, cpu=hook.cpu)


class Clouds(Dataset):
    """The first points of the clouds of a split; in training augmented as in the port."""

    def __init__(self, data_root: str, split: str, points: int) -> None:
        root = Path(data_root)
        names = [Path(line).name for line in (root / f'{split}_files.txt').read_text().split()]
        parts = []
        for name in names:
            with h5py.File(root / name) as file:
                parts.append((file['data'][:, :points], file['label'][:].ravel()))
        self.clouds, self.labels = (np.concatenate(arrays) for arrays in zip(*parts))
        self.training = split == 'train'

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        cloud = self.clouds[i]
        if self.training:
            cloud = cloud.copy()
            cloud[np.random.random(len(cloud)) <= np.random.random() * 0.875] = cloud[0]
            cloud *= np.random.uniform(0.8, 1.25)
            cloud += np.random.uniform(-0.1, 0.1, 3)
        return torch.from_numpy(cloud.astype(np.float32)), int(self.labels[i])


def usual_epoch(
    args: argparse.Namespace, seed: int, setting: str, folder: Path, epoch: int
) -> dict[str, float]:
    """Train the next epoch of the run in ``folder`` in a plain loop."""
    torch.manual_seed(seed)
    settings = {**NETWORK.settings, **(NETWORK.tiny if args.tiny else {})}
    model = NETWORK.network(**settings)
    train, test = (
        DataLoader(
            Clouds(args.data_root, split, args.points),
            args.batch,
            shuffle=split == 'train',
            drop_last=split == 'train',
        )
        for split in ('train', 'test')
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=LR)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LR, args.of * len(train), pct_start=PEAK, cycle_momentum=False
    )
    parts = dict(model=model, optimizer=optimizer, scheduler=scheduler)
    if epoch:
        kept = torch.load(folder / 'state.pth')
        if kept['epoch'] != epoch:
            raise RuntimeError(
                f'{folder} holds a run of {kept["epoch"]} epochs and a record of {epoch}: remove it'
            )
        for name, part in parts.items():
            part.load_state_dict(kept[name])
        torch.manual_seed(seed + 1000 * epoch)
    np.random.seed(seed + 1000 * epoch)
    model.train()
    start = time.process_time()
    for points, labels in train:
        loss = F.cross_entropy(model(points), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    cpu = time.process_time() - start
    model.eval()
    with torch.no_grad():
        right = sum(int((model(points).argmax(1) == labels).sum()) for points, labels in test)
    with atomic_write(folder / 'state.pth') as file:
        torch.save(
            dict({name: part.state_dict() for name, part in parts.items()}, epoch=epoch + 1), file
        )
    return dict(accuracy=100 * right / len(test.dataset), cpu=cpu)


def run_of(args: argparse.Namespace, form: str, setting: str, seed: int) -> Path:
    """Return the folder of a run."""
    return args.work_dir / f'{form}_{setting}_{seed}'


def record_of(folder: Path) -> list[dict[str, float]]:
    """Return what the finished epochs of a run reached."""
    file = folder / 'epochs.json'
    return json.loads(file.read_text()) if file.exists() else []


def train(args: argparse.Namespace, runs: list[tuple[str, str]]) -> None:
    """Train what is missing, an epoch of each run in turn."""
    for epoch in range(args.epochs):
        for seed in args.seeds:
            for form, setting in runs:
                folder = run_of(args, form, setting, seed)
                record = record_of(folder)
                if len(record) > epoch:
                    continue
                folder.mkdir(parents=True, exist_ok=True)
                one_epoch = dict(usual=usual_epoch, framework=framework_epoch)[form]
                record.append(one_epoch(args, seed, setting, folder, epoch))
                with atomic_write(folder / 'epochs.json') as file:
                    file.write(json.dumps(record).encode())
                print(
                    f'{form}, {setting}, seed {seed}, epoch {epoch + 1}: '
                    f'{record[-1]["accuracy"]:.1f} %, {record[-1]["cpu"]:.1f} s',
                    flush=True,
                )


def report(args: argparse.Namespace, runs: list[tuple[str, str]]) -> str:
    """Return a table of accuracy and CPU time over the seeds, per form, setting and epoch."""
    rows, base = [], {}
    for form, setting in runs:
        records = [record_of(run_of(args, form, setting, seed)) for seed in args.seeds]
        for epoch in range(args.epochs):
            accuracies, times = (
                [record[epoch][key] for record in records] for key in ('accuracy', 'cpu')
            )
            cpu = statistics.mean(times)
            base.setdefault(epoch, cpu)
            spread = f' ± {statistics.stdev(accuracies):.1f}' if len(accuracies) > 1 else ''
            rows.append(
                [
                    form,
                    setting,
                    epoch + 1,
                    f'{statistics.mean(accuracies):.1f}{spread}',
                    ' '.join(f'{value:.1f}' for value in accuracies),
                    f'{cpu:.1f}',
                    f'{cpu / base[epoch]:.2f}',
                ]
            )
    seeds = ' '.join(map(str, args.seeds))
    columns = ['form', 'setting', 'epoch', 'test OA', f'seeds {seeds}', 'CPU s', 'CPU: of first']
    return harness.table(columns, rows)


def check(args: argparse.Namespace) -> str:
    """Return a table of both forms' losses from equal weights on the framework's own batches.

    Dropout draws equal masks too.
    """
    torch.manual_seed(args.seeds[0])
    settings = {**NETWORK.settings, **(NETWORK.tiny if args.tiny else {})}
    usual = NETWORK.network(**settings)
    cfg = config_of(args, args.seeds[0], args.settings[0], args.work_dir)
    ours = peer_models.MODELS.build(cfg.model)
    peer_models.carry_over(NETWORK, usual, ours, cfg.model.to_dict())
    batches = iter(PointRunner.build_dataloader(cfg.train_dataloader, seed=args.seeds[0]))
    rows = []
    models: dict[str, nn.Module] = dict(usual=usual.train(), framework=ours.train())
    optimizers = {k: torch.optim.Adam(m.parameters(), lr=LR / 25) for k, m in models.items()}
    for step in range(3):
        data = ours.data_preprocessor(next(batches), training=True)
        labels = torch.cat([sample.gt_label for sample in data['data_samples']])
        losses = {}
        for form, optimizer in optimizers.items():
            torch.manual_seed(step)
            loss = (
                F.cross_entropy(usual(data['inputs']['points']), labels)
                if form == 'usual'
                else sum(ours(**data, mode='loss').values())
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[form] = loss.item()
        rows.append([step + 1, *(f'{value:.6f}' for value in losses.values())])
    return harness.table(['step', *(f'loss, {form}' for form in FORMS)], rows)


def main() -> None:
    """Train what is missing and print the table."""
    args = parse_args()
    allocator.configure()
    print(harness.environment())
    if args.check:
        print(check(args))
        return
    runs = [('usual', 'reference')] if 'usual' in args.forms else []
    runs += [('framework', name) for name in args.settings if 'framework' in args.forms]
    train(args, runs)
    print(report(args, runs))


if __name__ == '__main__':
    main()
