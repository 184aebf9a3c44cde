import shutil
from pathlib import Path

import pytest

import pcdet_kd
from pcdet_kd.utils.config_root import config_root, shipped_hint


def test_it_is_the_repository_or_a_folder_in_the_installed_package(tmp_path, monkeypatch):
    root = config_root()
    assert (root / 'configs' / '_base_').is_dir()
    package = tmp_path / 'site' / 'pcdet_kd'
    (package / '.mim').mkdir(parents=True)
    monkeypatch.setattr(pcdet_kd, '__file__', str(package / '__init__.py'))
    with pytest.raises(FileNotFoundError, match=r'no model-index\.yml in'):
        config_root()
    shutil.copy(root / 'model-index.yml', package / '.mim')
    assert config_root() == package / '.mim'


@pytest.mark.parametrize(
    'path', ['configs/baseline/dgcnn_modelnet40.py', 'baseline/dgcnn_modelnet40.py']
)
def test_a_path_of_the_repository_has_a_name_elsewhere(path):
    assert ' pcdet_kd::baseline/dgcnn_modelnet40.py ' in shipped_hint(Path(path))


@pytest.mark.parametrize('path', ['configs/baseline/gone.py', 'dgcnn_modelnet40.py'])
def test_other_paths_have_none(path):
    assert shipped_hint(Path(path)) == ''
