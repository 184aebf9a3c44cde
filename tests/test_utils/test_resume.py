import os

import torch

from pcdet_kd.utils.checkpoint import save_checkpoint_file
from pcdet_kd.utils.resume import find_resume


def save(path):
    save_checkpoint_file(dict(state_dict=dict(w=torch.ones(1000))), path)
    return path


def age(path, seconds):
    stamp = path.stat().st_mtime_ns - int(seconds * 1e9)
    os.utime(path, ns=(stamp, stamp))


def test_find_resume(tmp_path, caplog):
    assert find_resume(tmp_path) is None
    for n in (1, 2, 10):
        age(save(tmp_path / f'epoch_{n}.pth'), 100 - n)
    save(tmp_path / 'best_acc_epoch_11.pth')
    assert find_resume(tmp_path).name == 'epoch_10.pth'
    pointer = tmp_path / 'last_checkpoint'
    # The directory was moved: only the name counts; and epoch_10 is of an earlier run, older than
    # the named file.
    pointer.write_text('elsewhere/epoch_2.pth')
    os.utime(tmp_path / 'epoch_2.pth')
    assert find_resume(tmp_path).name == 'epoch_2.pth'
    save(tmp_path / 'epoch_3.pth')  # killed before the pointer was updated
    assert find_resume(tmp_path).name == 'epoch_3.pth'
    for text in ('', 'epoch_7.pth'):
        pointer.write_text(text)
        assert find_resume(tmp_path).name == 'epoch_3.pth'
    pointer.write_text('epoch_3.pth')
    content = (tmp_path / 'epoch_3.pth').read_bytes()
    (tmp_path / 'epoch_3.pth').write_bytes(content[:-10])
    assert find_resume(tmp_path).name == 'epoch_2.pth'
    for n in (1, 2, 10):
        (tmp_path / f'epoch_{n}.pth').write_bytes(b'')
    assert find_resume(tmp_path) is None
    save(tmp_path / 'last.pth')
    assert find_resume(tmp_path).name == 'last.pth'
