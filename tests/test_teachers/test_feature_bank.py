import shutil
import socket

import cv2
import numpy as np
import pytest
import torch

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.teachers import FeatureBank, FrozenTeacher, feature_bank
from pcdet_kd.testing import check_teacher
from pcdet_kd.utils.checkpoint import save_checkpoint_file

DATA = dict(type='TinyClouds', num=9, pipeline=[dict(type='PackPointInputs')])


@pytest.fixture
def teacher_cfg(tiny_student, tmp_path):
    save_checkpoint_file(
        dict(state_dict=MODELS.build(tiny_student).state_dict()), tmp_path / 'teacher.pth'
    )
    return dict(type='FrozenTeacher', model=tiny_student, checkpoint=str(tmp_path / 'teacher.pth'))


@pytest.fixture
def samples():
    dataset = DATASETS.build(DATA)
    return collate_points([dataset[i] for i in (4, 0, 8)])


def filled(teacher_cfg, data=DATA, **kwargs):
    bank = FeatureBank(teacher_cfg, data, batch_size=4, **kwargs)
    bank.build()
    bank.init_weights()
    return bank


def test_it_answers_as_the_teacher_would(teacher_cfg, samples):
    bank = filled(teacher_cfg)
    teacher = FrozenTeacher(**{k: v for k, v in teacher_cfg.items() if k != 'type'})
    teacher.init_weights()
    expected = teacher(samples['inputs'], samples['data_samples'])
    found = bank({}, samples['data_samples'])
    torch.testing.assert_close(found.feat, expected.feat)
    torch.testing.assert_close(found.logits, expected.logits)
    check_teacher(bank, samples['inputs'], samples['data_samples'])


def test_it_is_built_once(teacher_cfg, monkeypatch):
    path = FeatureBank(teacher_cfg, DATA).build()
    monkeypatch.setattr(FeatureBank, '_run', None)
    assert FeatureBank(teacher_cfg, DATA).build() == path


def test_what_killed_builds_left_is_removed(teacher_cfg, tmp_path, monkeypatch):
    dead = f'{socket.gethostname()}.{2**22 + 1}.tmp'  # no process has such a number
    left = [tmp_path / f'.feature_bank_x.pt.{dead}', tmp_path / 'feature_bank_x.pt.x.partial']
    left[0].touch()
    left[1].mkdir()
    (left[1] / f'.running.{dead}').touch()
    runs = tmp_path / 'feature_bank_y.pt.y.partial'
    runs.mkdir()
    (runs / '.running.another-machine.1.tmp').touch()
    seen = []
    run = FeatureBank._run
    monkeypatch.setattr(
        FeatureBank,
        '_run',
        lambda *args: seen.extend(tmp_path.glob('*.partial/.running.*')) or run(*args),
    )
    path = FeatureBank(teacher_cfg, DATA).build()
    assert not any(file.exists() for file in left) and runs.is_dir()
    assert any(file.parent.name.startswith(path.name) for file in seen)  # ours is seen by others
    assert not list(tmp_path.glob(f'{path.name}.*'))


def test_it_lies_on_the_device_it_was_moved_to_before_it_was_read(teacher_cfg, samples):
    FeatureBank(teacher_cfg, DATA).build()
    bank = FeatureBank(teacher_cfg, DATA).to(
        'meta'
    )  # a Runner moves its model, then calls init_weights
    bank.init_weights()
    found = bank({}, samples['data_samples'])
    assert found.feat.device.type == found.logits.device.type == 'meta'


def test_it_stays_in_eval_mode_so_that_its_buffers_are_not_averaged_over_processes(teacher_cfg):
    assert not filled(teacher_cfg).train().training


def test_it_has_no_state_of_its_own(teacher_cfg):
    bank = filled(teacher_cfg)
    assert not bank.state_dict() and not list(bank.parameters())


@pytest.mark.parametrize('change', ['weights', 'data', 'transforms', 'file'])
def test_a_stale_bank_is_refused(teacher_cfg, tiny_student, change, tmp_path):
    old = FeatureBank(teacher_cfg, DATA, path=str(tmp_path / 'bank.pt')).build()
    data = DATA
    if change == 'weights':
        torch.manual_seed(5)
        save_checkpoint_file(
            dict(state_dict=MODELS.build(tiny_student).state_dict()), teacher_cfg['checkpoint']
        )
    elif change == 'data':
        data = dict(DATA, noise=0.2)
    elif change == 'file':
        save_checkpoint_file([1], old)
    else:
        data = dict(DATA, pipeline=[dict(type='UnitSphere'), dict(type='PackPointInputs')])
    with pytest.raises(FileNotFoundError, match=r'stale.*build-feature-bank'):
        FeatureBank(teacher_cfg, data, path=str(old)).init_weights()
    with pytest.raises(FileNotFoundError, match='no feature bank'):
        FeatureBank(teacher_cfg, data).init_weights()


def test_a_bank_does_not_know_folders(teacher_cfg, tmp_path):
    """Pictures count through the data's fingerprint, wherever they lie."""
    banks = []
    for place in ('one', 'two'):
        (tmp_path / place / 'train').mkdir(parents=True)
        for i in range(9):
            assert cv2.imwrite(
                str(tmp_path / place / 'train' / f'{i}_001.png'), np.full((4, 4), 9 * i, np.uint8)
            )
        views = dict(
            type='LoadViews',
            views_root=str(tmp_path / place),
            cache_dir=str(tmp_path / place),
            num_views=1,
            image_size=4,
            name='{sample_id}',
        )
        banks.append(
            FeatureBank(teacher_cfg, dict(DATA, pipeline=[views, dict(type='PackPointInputs')]))
        )
    assert banks[0].build() == banks[1].build()
    cv2.imwrite(
        str(tmp_path / 'one' / 'train' / '0_001.png'), np.arange(16, dtype=np.uint8).reshape(4, 4)
    )
    assert banks[0].build() != banks[1].build()


def test_a_missing_bank_says_how_to_build_it(teacher_cfg):
    with pytest.raises(FileNotFoundError, match='pcdet-kd build-feature-bank CONFIG'):
        FeatureBank(teacher_cfg, DATA).init_weights()


def test_random_transforms_are_refused(teacher_cfg):
    data = dict(DATA, pipeline=[dict(type='RandomJitter'), dict(type='PackPointInputs')])
    with pytest.raises(ValueError, match='fixed inputs'):
        FeatureBank(teacher_cfg, data).build()


def test_an_unknown_sample_is_named(teacher_cfg, samples):
    bank = filled(teacher_cfg, dict(DATA, num=3))
    with pytest.raises(KeyError, match='train/4'):
        bank({}, samples['data_samples'])


def test_an_interrupted_build_goes_on(teacher_cfg, monkeypatch):
    monkeypatch.setattr(feature_bank, '_CHUNK', 3)
    calls = []
    run = FeatureBank._run

    def stops(self, teacher, dataset, indices, *rest):
        calls.append(list(indices))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return run(self, teacher, dataset, indices, *rest)

    monkeypatch.setattr(FeatureBank, '_run', stops)
    with pytest.raises(KeyboardInterrupt):
        FeatureBank(teacher_cfg, DATA).build()
    path = FeatureBank(teacher_cfg, DATA).build()
    assert calls == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [6, 7, 8]]
    whole = torch.load(path)
    shutil.os.remove(path)
    monkeypatch.undo()
    again = torch.load(FeatureBank(teacher_cfg, DATA).build())
    torch.testing.assert_close(whole['feat'], again['feat'])
    assert whole['ids'] == again['ids']


def test_a_mixed_sample_is_refused(teacher_cfg, samples):
    bank = filled(teacher_cfg)
    samples['data_samples'][1].set_gt_score(torch.tensor([0.5, 0.5, 0]))
    with pytest.raises(
        ValueError, match="sample 'train/0' is mixed with another.*type='FrozenTeacher'"
    ):
        bank({}, samples['data_samples'])


def test_it_knows_the_width_of_the_feature_without_being_filled(teacher_cfg):
    assert FeatureBank(teacher_cfg, DATA).feat_channels == 16
    assert FeatureBank(dict(type='FrozenTeacher', checkpoint='stage:t'), DATA).feat_channels is None
