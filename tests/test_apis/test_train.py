import pytest

from pcdet_kd.apis import train
from pcdet_kd.utils.config_root import config_root


def test_configs_are_found_by_file_name_and_shipped_path(monkeypatch):
    seen = []
    monkeypatch.setattr('pcdet_kd.engine.train.train', lambda path, *_, **__: seen.append(path))
    train('pcdet_kd::kd/x.py', {'a': 1}, seed=1)
    train('dgcnn_modelnet40')
    train('mine.py')
    configs = config_root() / 'configs'
    assert seen[0] == configs / 'kd/x.py' and seen[1].name == 'dgcnn_modelnet40.py'
    assert str(seen[2]) == 'mine.py'
    with pytest.raises(FileNotFoundError, match='dgcnn_modelnet40'):
        train('dgcnn_modelnet4')
