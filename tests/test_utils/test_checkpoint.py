import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch
from torch import nn

from pcdet_kd.utils.checkpoint import (
    CheckpointError,
    checkpoint_damage,
    load_checkpoint_file,
    load_weights,
    save_checkpoint_file,
)
from pcdet_kd.utils.files import file_sha256


class RunsCode:
    def __reduce__(self):
        return os.mkdir, (str(Path(os.environ['PCDET_KD_TEST_TARGET'])),)


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A file whose unpickling makes a directory, and that directory."""
    target = tmp_path / 'code_ran'
    monkeypatch.setenv('PCDET_KD_TEST_TARGET', str(target))
    torch.save(dict(state_dict={}, x=RunsCode()), tmp_path / 'evil.pth')
    return tmp_path / 'evil.pth', target


def save(path, value=1.0):
    save_checkpoint_file(dict(state_dict=dict(w=torch.full((1000,), value))), path)
    return path


def test_objects_are_refused_by_path_and_nothing_is_written(tmp_path):
    save(tmp_path / 'c.pth')
    before = file_sha256(tmp_path / 'c.pth')
    with pytest.raises(TypeError, match=r"'meta.things\[1\]' is a pathlib"):
        save_checkpoint_file(dict(meta=dict(things=[1, Path('x')])), tmp_path / 'c.pth')
    assert file_sha256(tmp_path / 'c.pth') == before and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    'damage, message',
    [
        (lambda b: b'', 'empty'),
        (lambda b: b[: len(b) // 2], 'truncated'),
        (lambda b: b[:-1], 'truncated'),
        (lambda b: b[:2000] + bytes(64) + b[2064:], 'damaged'),
        (lambda b: b'<!DOCTYPE html><html>login', 'HTML'),
        (lambda b: b'version https://git-lfs.github.com/spec/v1', 'git lfs pull'),
        (lambda b: b'hello', 'not a checkpoint'),
    ],
)
def test_damage_is_named_with_the_file(tmp_path, damage, message):
    file = save(tmp_path / 'c.pth')
    content = file.read_bytes()
    assert any(content[2000:2064])  # what is zeroed is not zero
    file.write_bytes(damage(content))
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint_file(file)
    assert str(file) in str(error.value)
    assert message in checkpoint_damage(file)


def test_missing_file_lists_those_that_are_there(tmp_path):
    save(tmp_path / 'epoch_3.pth')
    with pytest.raises(CheckpointError, match=r'epoch_3\.pth'):
        load_checkpoint_file(tmp_path / 'epoch_4.pth')


def test_legacy_format_loads_and_its_truncation_is_named(tmp_path):
    torch.save(dict(w=torch.ones(50)), tmp_path / 'old.pth', _use_new_zipfile_serialization=False)
    assert torch.equal(load_checkpoint_file(tmp_path / 'old.pth')['w'], torch.ones(50))
    content = (tmp_path / 'old.pth').read_bytes()
    for size in (2, 60, len(content) - 100):
        (tmp_path / 'old.pth').write_bytes(content[:size])
        with pytest.raises(CheckpointError, match=r'old\.pth .*truncated'):
            load_checkpoint_file(tmp_path / 'old.pth')


def test_code_in_a_file_runs_only_on_request(evil):
    file, target = evil
    with pytest.raises(CheckpointError, match=r'trust=True'):
        load_checkpoint_file(file)
    assert not target.exists()
    load_checkpoint_file(file, trust=True)
    assert target.exists()


@pytest.fixture
def served(tmp_path):
    """Serve tmp_path over http on this machine; the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            file = tmp_path / self.path.lstrip('/')
            self.send_response(200 if file.is_file() else 404)
            self.end_headers()
            if file.is_file():
                self.wfile.write(file.read_bytes())

        def log_message(self, *args):
            pass

    server = HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


def test_urls_are_as_safe_as_files(tmp_path, served, evil):
    file = save(tmp_path / 'c.pth')
    assert (
        load_checkpoint_file(f'{served}/c.pth', sha256=file_sha256(file)[:8])['state_dict'][
            'w'
        ].sum()
        == 1000
    )
    with pytest.raises(CheckpointError, match='SHA-256'):
        load_checkpoint_file(f'{served}/c.pth', sha256='0' * 64)
    with pytest.raises(CheckpointError, match='trust=True'):
        load_checkpoint_file(f'{served}/evil.pth')
    with pytest.raises(CheckpointError, match='needs sha256|give sha256'):
        load_checkpoint_file(f'{served}/evil.pth', trust=True)
    assert not evil[1].exists()
    with pytest.raises(CheckpointError, match=r'gone\.pth cannot be downloaded.*404'):
        load_checkpoint_file(f'{served}/gone.pth')


def test_load_weights_strict_names_all_kinds_of_misfit_and_changes_nothing():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    state = dict(before)
    state['0.weight'] = torch.zeros(5, 2)
    del state['1.bias']
    state['extra'] = torch.zeros(1)
    with pytest.raises(CheckpointError) as error:
        load_weights(model, state, source='some.pth')
    for part in (
        'some.pth',
        '0.weight: file (5, 2), model (3, 2)',
        'missing in the file (1)',
        '1.bias (4,)',
        'extra (1,)',
    ):
        assert part in str(error.value)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    report = load_weights(model, state, strict=False)
    assert report == (['1.bias'], ['extra'], ['0.weight'])


def test_load_weights_shows_five_keys_of_many():
    with pytest.raises(CheckpointError, match='and 3 more') as error:
        load_weights(nn.Linear(1, 1), {f'a{i}': torch.zeros(1) for i in range(8)})
    assert 'a4' in str(error.value) and 'a5' not in str(error.value)


def test_load_weights_layouts_prefixes_and_hint(tmp_path):
    source, target = nn.Linear(2, 2), nn.Linear(2, 2)
    for layout in (
        source.state_dict(),
        dict(state_dict=source.state_dict()),
        dict(model=source.state_dict(), epoch=3),
        {f'module.{k}': v for k, v in source.state_dict().items()},
    ):
        nn.init.zeros_(target.weight)
        load_weights(target, layout)
        assert torch.equal(target.weight, source.weight)
    nested = dict(
        state_dict={f'student.{k}': v for k, v in source.state_dict().items()}
        | {'teacher.x': torch.zeros(1)}
    )
    nn.init.zeros_(target.weight)
    save_checkpoint_file(nested, tmp_path / 'd.pth')
    load_weights(target, tmp_path / 'd.pth', prefix='student')
    assert torch.equal(target.weight, source.weight)
    with pytest.raises(CheckpointError, match=r"prefix='student\.'"):
        load_weights(target, nested)
    with pytest.raises(CheckpointError, match=r"'pupil\.'.*student"):
        load_weights(target, nested, prefix='pupil')


def test_load_weights_refuses_what_holds_none():
    for thing in ([torch.zeros(1)], dict(a=1), {}):
        with pytest.raises(CheckpointError, match='holds no weights'):
            load_weights(nn.Linear(1, 1), thing)
    with pytest.raises(CheckpointError):  # not strict, but nothing fits
        load_weights(nn.Linear(1, 1), dict(x=torch.zeros(1)), strict=False)


def test_load_weights_takes_files_from_before_num_batches_tracked():
    state = nn.BatchNorm1d(2).state_dict()
    del state['num_batches_tracked']
    assert not any(load_weights(nn.BatchNorm1d(2), state))
