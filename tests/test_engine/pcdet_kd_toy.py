"""A model, a data set and a metric that train in milliseconds, and a config of them."""

import json
import os
import time

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn

from pcdet_kd.datasets.base import PointCloudDataset
from pcdet_kd.datasets.records import Records
from pcdet_kd.registry import DATASETS, DISTILLERS, HOOKS, METRICS, MODELS, TRANSFORMS
from pcdet_kd.structures import PointDataSample


@MODELS.register_module(force=True)
class ToyModel(BaseModel):
    def __init__(self, width=4, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.net = nn.Sequential(
            nn.Linear(3, width),
            nn.BatchNorm1d(width),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(width, 2),
        )

    def forward(self, inputs, data_samples=None, mode='tensor'):
        logits = self.net(inputs['points'].mean(1))
        if mode == 'loss':
            labels = torch.cat([s.gt_label for s in data_samples])
            return dict(loss_cls=nn.functional.cross_entropy(logits, labels), stat_max=logits.max())
        if mode == 'predict':
            return [s.set_pred_score(p) for s, p in zip(data_samples, logits.softmax(1))]
        return logits


@DISTILLERS.register_module(force=True)
class ToyDistiller(BaseModel):
    def __init__(self, student, data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.student = MODELS.build(student)
        self.helper = nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        out = self.student(inputs, data_samples, mode)
        if mode == 'loss':
            out['loss_helper'] = self.helper.weight.square().sum()
        return out


@DATASETS.register_module(force=True)
class ToyDataset(PointCloudDataset):
    METAINFO = dict(classes=('left', 'right'), up_axis='z', task='classification')

    def __init__(self, size=12, **kwargs):
        self.size = size
        super().__init__(**kwargs)

    def load_records(self):
        rng = np.random.default_rng(0)
        labels = np.arange(self.size) % 2
        points = rng.normal(size=(self.size, 5, 3)).astype(np.float32) + labels[
            :, None, None
        ].astype(np.float32)
        return Records(points, labels, [f'toy/{i}' for i in range(self.size)], source='toy')


@DATASETS.register_module(force=True)
class ForeignDataset(ToyDataset):
    """As other projects' data sets are: draws from the worker's generators as they are."""

    def prepare_data(self, idx):
        return self.pipeline(self.get_data_info(idx))


@TRANSFORMS.register_module(force=True)
class ToyPack:
    """Adds noise and packs; appends what it drew to a file if asked, to be read by tests."""

    def __init__(self, noise=0.1, log=None):
        self.noise, self.log = noise, log

    def __call__(self, results):
        draw = np.random.normal(size=results['points'].shape).astype(np.float32)
        if self.log:
            with open(self.log, 'a') as file:
                file.write(json.dumps([results['sample_idx'], float(draw[0, 0])]) + '\n')
        names = {k: results[k] for k in ('sample_idx', 'sample_id')}
        sample = PointDataSample(metainfo=names).set_gt_label(results['gt_label'])
        return dict(
            inputs=dict(points=torch.from_numpy(results['points'] + self.noise * draw)),
            data_samples=sample,
        )


@METRICS.register_module(force=True)
class ToyAccuracy(BaseMetric):
    default_prefix = 'toy'

    def __init__(self, file=None):
        super().__init__(collect_device='gpu')
        self.file = file

    def process(self, data_batch, data_samples):
        self.results += [
            (s['sample_idx'], int(s['pred_label'] == s['gt_label'])) for s in data_samples
        ]

    def compute_metrics(self, results):
        if self.file:
            with open(self.file, 'w') as file:
                json.dump(results, file)
        return dict(
            top1=100.0 * sum(right for _, right in results) / len(results), count=len(results)
        )


@HOOKS.register_module(force=True)
class ActHook(Hook):
    """Does something at an iteration (counted over all epochs): ``kill`` the process, ``raise``, or
    make a ``mark``; ``mark in val`` does so in the first validation after it.
    """

    priority = 'VERY_LOW'  # before StopSignalHook

    def __init__(self, at, act, file=None):
        self.at, self.act, self.file = at, act, file

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter != self.at:
            return
        if self.act == 'kill':
            os.kill(os.getpid(), 9)
        elif self.act == 'raise':
            raise TypeError('a bug in a hook')
        elif self.act == 'nan':
            with torch.no_grad():
                next(runner.model.parameters()).fill_(float('nan'))
        elif self.act == 'mark':
            self.mark()

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter >= self.at and self.act == 'mark in val':
            self.mark()

    def mark(self):
        """Make a file, and wait until it has gone."""
        open(self.file, 'w').close()
        end = time.monotonic() + 60
        while os.path.exists(self.file) and time.monotonic() < end:
            time.sleep(0.01)


def toy_config(
    work_dir,
    size=12,
    epochs=4,
    workers=0,
    persistent=False,
    batch=4,
    log=None,
    metric_file=None,
    checkpoint=None,
    val_size=6,
    **more,
):
    """Return a config; ``more`` replaces top-level keys."""

    def loader(n, shuffle, **kwargs):
        return dict(
            batch_size=batch,
            num_workers=workers,
            persistent_workers=persistent,
            dataset=dict(type='ToyDataset', size=n, pipeline=[dict(type='ToyPack', **kwargs)]),
            sampler=dict(type='DefaultSampler', shuffle=shuffle),
            collate_fn=dict(type='collate_points'),
        )

    cfg = dict(
        model=dict(type='ToyModel'),
        work_dir=str(work_dir),
        train_dataloader=loader(size, True, log=log),
        val_dataloader=loader(val_size, False),
        val_evaluator=dict(type='ToyAccuracy', file=metric_file),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        val_cfg=dict(),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9)),
        param_scheduler=dict(
            type='CosineAnnealingLR', T_max=epochs, by_epoch=True, convert_to_iter_based=True
        ),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', **(checkpoint or {}))),
        visualizer=dict(type='Visualizer', vis_backends=[]),
        randomness=dict(seed=3),
        log_level='WARNING',
        default_scope='pcdet_kd',
        runner_type='PointRunner',
    )
    cfg.update(more)
    return Config(cfg)
