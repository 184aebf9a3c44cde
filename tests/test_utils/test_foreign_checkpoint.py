import collections
import os
import pickle
import tracemalloc

import pytest
import torch
from torch.serialization import MAGIC_NUMBER, PROTOCOL_VERSION

from pcdet_kd.utils.checkpoint import CheckpointError
from pcdet_kd.utils.foreign_checkpoint import read_foreign_checkpoint

WEIGHTS = collections.OrderedDict(
    [('module.conv.weight', torch.arange(6.0).view(2, 3)), ('module.bn.count', torch.tensor(4))]
)


class Hyper(dict):
    """Stands for what Lightning and others leave in their files."""

    def __init__(self, *args):
        super().__init__(*args)
        self.attribute = [1, 2]


class Runs:
    """A pickle that would run a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize(
    ('content', 'where'),
    [
        (WEIGHTS, ()),
        (dict(epoch=3, state_dict=WEIGHTS), ('state_dict',)),
        (dict(model=dict(state_dict=WEIGHTS)), ('model', 'state_dict')),
        (dict(base_model=WEIGHTS, metrics=Hyper(dict(a=1))), ('base_model',)),
        (
            dict(state_dict=WEIGHTS, hyper_parameters=[Hyper(dict(b=torch.ones(2))), {Hyper}]),
            ('state_dict',),
        ),
    ],
)
def test_weights_are_found_in_every_container(tmp_path, content, where, zipped):
    path = tmp_path / 'model.t7'
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    found = read_foreign_checkpoint(path)
    assert found.where == where
    assert list(found.weights) == ['conv.weight', 'bn.count']
    assert torch.equal(found.weights['conv.weight'], WEIGHTS['module.conv.weight'])
    assert bool(found.inert) == ('metrics' in content or 'hyper_parameters' in content)
    if found.inert:
        assert any(name.endswith('Hyper') for name in found.inert)


@pytest.mark.parametrize('zipped', [True, False])
def test_code_in_a_file_never_runs(tmp_path, zipped):
    path, trace = tmp_path / 'model.pth', tmp_path / 'trace'
    torch.save(
        dict(state_dict=WEIGHTS, evil=Runs(f'touch {trace}')),
        path,
        _use_new_zipfile_serialization=zipped,
    )
    found = read_foreign_checkpoint(path)
    assert not trace.exists()
    assert any(name.endswith('.system') for name in found.inert)
    assert list(found.weights) == ['conv.weight', 'bn.count']


def test_a_file_changes_no_function_and_writes_nothing(tmp_path, monkeypatch):
    """torch's reader of its older format writes a patch for classes that say ``dump_patches``, to a
    path that is their name.
    """
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'model.pth'

    def text(value):
        return b'X' + len(value).to_bytes(4, 'little') + value.encode()

    changed = b'ctorch._utils\n_rebuild_parameter\nN}(%b\x88%b%bu\x86b' % (
        text('dump_patches'),
        text('__name__'),
        text('owned'),
    )
    body = b'\x80\x02}%b(%b%b%b%btQs.' % (
        text('a'),
        text('module'),
        changed,
        text('source.py'),
        text('any text\n'),
    )
    path.write_bytes(
        b''.join(pickle.dumps(value, 2) for value in (MAGIC_NUMBER, PROTOCOL_VERSION, {}))
        + body
        + pickle.dumps([], 2)
    )
    with pytest.raises(CheckpointError, match='sets attributes of _rebuild_parameter'):
        read_foreign_checkpoint(path)
    assert torch._utils._rebuild_parameter.__name__ == '_rebuild_parameter'
    assert [file.name for file in tmp_path.iterdir()] == ['model.pth']


def test_a_cut_file_of_the_older_format(tmp_path):
    path = tmp_path / 'model.pth'
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for size in range(2, len(whole), 7):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError, match=r'model\.pth cannot be read'):
            read_foreign_checkpoint(path)


def test_a_small_file_asks_for_no_large_memory(tmp_path):
    path = tmp_path / 'model.pth'
    torch.save(dict(a=torch.ones(1).expand(1 << 40)), path)
    with pytest.raises(CheckpointError, match=r"'a' has shape \(1099511627776,\)"):
        read_foreign_checkpoint(path)


def test_a_parameter_and_a_double_are_read(tmp_path):
    path = tmp_path / 'model.pth'
    torch.save(
        dict(
            model=dict(a=torch.nn.Parameter(torch.ones(2)), b=torch.zeros(3, dtype=torch.float64)),
            log=Hyper(),
        ),
        path,
    )
    weights = read_foreign_checkpoint(path).weights
    assert {k: (v.dtype, v.requires_grad) for k, v in weights.items()} == dict(
        a=(torch.float32, False), b=(torch.float64, False)
    )


def test_only_a_prefix_that_all_keys_share_is_cut(tmp_path):
    path = tmp_path / 'model.pth'
    torch.save({f'model._orig_mod.module.{key}': torch.ones(1) for key in ('a', 'model.b')}, path)
    assert list(read_foreign_checkpoint(path).weights) == ['a', 'model.b']
    torch.save({'module.a': torch.ones(1), 'b': torch.ones(1)}, path)
    assert list(read_foreign_checkpoint(path).weights) == ['module.a', 'b']


def test_safetensors_are_read(tmp_path):
    safetensors = pytest.importorskip('safetensors.torch')
    path = tmp_path / 'model.safetensors'
    safetensors.save_file({'a.weight': torch.ones(2, 2)}, path)
    assert torch.equal(read_foreign_checkpoint(path).weights['a.weight'], torch.ones(2, 2))
    path.write_bytes(b'no such thing')
    with pytest.raises(CheckpointError, match=r'model\.safetensors cannot be read'):
        read_foreign_checkpoint(path)


def test_what_is_no_checkpoint_is_said(tmp_path):
    with pytest.raises(CheckpointError, match='not a file'):
        read_foreign_checkpoint(tmp_path / 'absent.pth')
    path = tmp_path / 'model.pth'
    path.write_bytes(b'<html>')
    with pytest.raises(CheckpointError, match='web page'):
        read_foreign_checkpoint(path)
    torch.save(dict(epoch=1, lr=0.1), path)
    with pytest.raises(
        CheckpointError, match=r"no state dict: the file is a dict with keys \['epoch', 'lr'\]"
    ):
        read_foreign_checkpoint(path)
    path.write_bytes(pickle.dumps(Hyper(dict(a=1)), protocol=2))
    with pytest.raises(CheckpointError, match=r'model\.pth'):
        read_foreign_checkpoint(path)


def test_a_memo_of_millions_takes_no_memory(tmp_path):
    """A pickle may number what it remembers as it likes; C's reader makes room for all numbers."""
    path = tmp_path / 'model.pth'
    memo = b'r' + (1 << 25).to_bytes(4, 'little')
    names = b'cargparse\nNamespace\n)\x81' + memo + b'0'
    path.write_bytes(b''.join(pickle.dumps(v, 2) for v in (MAGIC_NUMBER, PROTOCOL_VERSION, {})))
    path.write_bytes(path.read_bytes() + b'\x80\x02' + names + b'}.' + pickle.dumps([], 2))
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match='no state dict'):
            read_foreign_checkpoint(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
