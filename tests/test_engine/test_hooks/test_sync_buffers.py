from types import SimpleNamespace

import torch
from torch import nn

from pcdet_kd.engine.hooks import SyncBuffersHook, sync_buffers


def test_only_floating_buffers_of_trained_modules_are_averaged(monkeypatch):
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(3))
    model[1].eval()
    seen = []
    monkeypatch.setattr(sync_buffers, 'is_distributed', lambda: True)
    monkeypatch.setattr(
        sync_buffers, 'all_reduce_params', lambda params, op: seen.append((list(params), op))
    )
    SyncBuffersHook().after_train_epoch(SimpleNamespace(model=model))
    ((buffers, op),) = seen
    assert op == 'mean' and [b.shape for b in buffers] == [torch.Size([2])] * 2


def test_one_process_has_nothing_to_average(monkeypatch):
    monkeypatch.setattr(sync_buffers, 'all_reduce_params', None)
    SyncBuffersHook().after_train_epoch(SimpleNamespace(model=nn.BatchNorm1d(2)))
