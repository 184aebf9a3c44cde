from collections import OrderedDict

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from pcdet_kd.utils.checkpoint import save_checkpoint_file
from pcdet_kd.utils.plain_values import plain_values, restore_history


def test_round_trip_is_plain_and_loads_with_torch_defaults(tmp_path):
    history = HistoryBuffer([1.0, 2.0], [1, 3])
    norm = nn.BatchNorm1d(2)
    save_checkpoint_file(
        dict(
            meta=dict(
                score=np.float32(0.5), n=np.int64(3), table=np.eye(2), names=('a', np.str_('b'))
            ),
            hub=OrderedDict(loss=history),
            state_dict=norm.state_dict(),
        ),
        tmp_path / 'c.pth',
    )
    back = torch.load(tmp_path / 'c.pth')  # weights_only=True is torch's default
    assert (
        back['meta']['score'] == 0.5
        and type(back['meta']['score']) is float
        and type(back['meta']['n']) is int
    )
    assert back['meta']['names'] == ('a', 'b') and torch.equal(
        back['meta']['table'], torch.eye(2, dtype=torch.float64)
    )
    assert back['state_dict']._metadata == norm.state_dict()._metadata
    restored = restore_history(back['hub'])['loss']
    assert restored.mean() == history.mean() and restored.max_length == history.max_length
    restored.update(5.0)
    assert restored.current() == 5.0


def test_slices_do_not_drag_their_storage_along(tmp_path):
    save_checkpoint_file(dict(x=torch.zeros(1_000_000)[:3]), tmp_path / 'c.pth')
    assert (tmp_path / 'c.pth').stat().st_size < 5000


def test_plain_values_keeps_sharing_out_of_arguments():
    given = dict(a=[1, dict(b=np.int32(2))])
    assert plain_values(given) == dict(a=[1, dict(b=2)]) and type(given['a'][1]['b']) is np.int32
