import numpy as np
import pytest

from pcdet_kd.apis import write_config
from pcdet_kd.apis.own_data import students
from pcdet_kd.engine.config import load_config
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.stages import plan
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.utils.errors import UserError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two classes of ragged clouds without a test part."""
    rng = np.random.default_rng(0)
    for name in ('cup', 'lamp'):
        (tmp_path / 'things' / name).mkdir(parents=True)
        for i in range(10):
            np.save(tmp_path / f'things/{name}/{i}.npy', rng.normal(size=(140 + 10 * i, 3)))
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'things'


def test_a_folder_becomes_a_config(folder):
    own = write_config('things', 'pointnet_small', 'z')
    assert own.classes == dict(cup=10, lamp=10) and own.sizes == (140, 185, 230)
    assert own.num_points == 128 and not own.has_test
    assert '2 classes, 20 training clouds: cup 10, lamp 10' in own.text()
    assert 'no test folder' in own.text()
    cfg = load_config(own.configs[-1])
    assert str(own.configs[-1]) == 'work_dirs/things/pointnet_small.py'
    assert cfg.work_dir == 'work_dirs/things/pointnet_small'
    assert cfg.model.head.num_classes == 2
    parts = [DATASETS.build(cfg[f'{name}_dataloader'].dataset) for name in ('train', 'val', 'test')]
    assert [len(part) for part in parts] == [16, 4, 4]
    sample = parts[0][0]
    assert sample['inputs']['points'].shape == (128, 3) and sample['data_samples'].up_axis == 'z'


def test_a_test_folder_is_tested_on(folder):
    for name in ('cup', 'lamp'):
        for split in ('train', 'test'):
            (folder.parent / 'split' / split / name).mkdir(parents=True)
            for i in range(2):
                np.save(folder.parent / f'split/{split}/{name}/{i}.npy', np.random.rand(40, 3))
    own = write_config('split', 'pointnet_small', 'y')
    cfg = load_config(own.configs[-1])
    assert own.has_test and own.num_points == 64
    assert cfg.test_dataloader.dataset.split == 'test'
    assert cfg.train_dataloader.batch_size == 2


@pytest.mark.parametrize('method', ['jgekd', 'hinton'])
def test_a_teacher_comes_first(folder, method):
    own = write_config('things', 'pointnet_small', 'x', 'images', method)
    assert [file.stem for file in own.configs] == ['images', f'pointnet_small_{method}']
    teacher, student = plan(own.configs[-1])
    assert teacher.cfg.model.data_preprocessor.views.up_axis == 'x'
    assert teacher.cfg.model.head.num_classes == 2
    assert [str(s.work_dir) for s in (teacher, student)] == [
        'work_dirs/things/images',
        f'work_dirs/things/pointnet_small_{method}',
    ]
    assert [part.split for part in student.cfg.bank_data] == ['train', 'val']


@pytest.mark.parametrize('name', students())
def test_every_student_can_be_built(folder, name):
    cfg = load_config(write_config('things', name, 'z').configs[-1])
    assert MODELS.get(cfg.model.type) is MODELS.get('PointClassifier')


def test_mistakes(folder):
    for args, words in (
        (('pointnet_smal', 'z'), "--model.*\n.*Did you mean 'pointnet_small'"),
        (('pointnet_small', 'z', 'image'), "--teacher.*\n.*Did you mean 'images'"),
        (('pointnet_small', 'z', 'images', 'kd'), "--method.*\n.*no 'kd'"),
    ):
        with pytest.raises(ConfigError, match=words):
            write_config('things', *args)
    own = write_config('things', 'pointnet_small', 'z')
    write_config('things', 'pointnet_small', 'z')  # the same again
    own.configs[-1].write_text('lr = 1')
    with pytest.raises(UserError, match='is there and is another config'):
        write_config('things', 'pointnet_small', 'z')
    assert own.configs[-1].read_text() == 'lr = 1'
    for i in range(1, 10):
        (folder / f'cup/{i}.npy').unlink()
    with pytest.raises(UserError, match='at least two training clouds'):
        write_config('things', 'dgcnn', 'z')
