import copy
import json

import pytest
import torch

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.engine import pipeline
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.pipeline import StaleStageError, run_stages
from pcdet_kd.engine.stage_record import FILE
from pcdet_kd.engine.stages import plan
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights

LEAF = 'tiny_pointcmt.py'


def names(stages):
    return [s.name for s in stages]


def run(folder, options=None, said=None, leaf=LEAF, retrain=None, **kwargs):
    said = [] if said is None else said
    stages = plan(folder / leaf, options, **kwargs)
    run_stages(stages, retrain, say=said.append)
    return stages, said


def test_a_model_that_cannot_be_built_is_known_before_the_first_stage_trains(tiny_configs):
    stages = plan(tiny_configs / LEAF, {'model.preset': 'code'})
    with pytest.raises(ConfigError, match=r'tiny_pointcmt\.py.*\n.*must be one of'):
        run_stages(stages)
    assert not (tiny_configs.parent / 'work_dirs').exists()


def test_one_call_trains_all_and_the_next_trains_nothing(tiny_configs, monkeypatch):
    stages, said = run(tiny_configs, with_baseline=True)
    assert names(stages) == ['teacher', 'generator', 'tiny_pointcmt_baseline', 'tiny_pointcmt']
    assert all('trains in' in line for line in said)
    for stage in stages:
        assert stage.record.finished and stage.weights.is_file()
        assert set(stage.record.results) == {'last', 'best'}
    assert 0 <= stages[-1].record.results['last']['accuracy'] <= 100
    assert stages[1].record.results['last']['emd'] > 0
    assert (
        len(list((tiny_configs.parent / 'work_dirs/tiny_teacher').glob('feature_bank_*.pt'))) == 1
    ), 'II and III share it'
    before = copy.deepcopy([s.record for s in stages])
    monkeypatch.setattr(pipeline.RUNNERS, 'build', None)
    again, said = run(tiny_configs, with_baseline=True)
    assert all('finished before, reused' in line for line in said)
    assert [s.record for s in again] == before

    check_the_exported_student(again[-1])
    check_stale_stages(tiny_configs)


def check_the_exported_student(leaf):
    """Its logits are the distiller's, bit for bit, in a plain classifier."""
    student = MODELS.build(leaf.cfg.model.student).eval()
    load_weights(student, leaf.weights)
    distiller = MODELS.build(leaf.cfg.model).eval()
    load_weights(distiller, load_checkpoint_file(leaf.work_dir / 'last.pth')['state_dict'])
    dataset = DATASETS.build(leaf.cfg.test_dataloader.dataset)
    batch = collate_points([dataset[i] for i in range(5)])
    assert torch.equal(student(batch['inputs']).logits, distiller(batch['inputs']).logits)
    keys = load_checkpoint_file(leaf.work_dir / 'last.pth')['state_dict']
    assert all(key.startswith('student.') for key in keys), (
        'a teacher or helper is in the checkpoint'
    )


def check_stale_stages(folder):
    """A finished run of another config, of other data, or with other weights is named and not
    reused.
    """
    with pytest.raises(
        StaleStageError, match=r'tiny_teacher.*\n.*max_epochs: 2 -> 3(.|\n)*--retrain teacher'
    ):
        run(folder, stage_options={'teacher.max_epochs': 3})
    with pytest.raises(StaleStageError, match=r'tiny_pointcmt.*\n.*lr: 0\.01 -> 0\.5'):
        run(folder, {'optim_wrapper.optimizer.lr': 0.5})
    with pytest.raises(ConfigError, match=r"no stage 'teachr'.*'teacher'"):
        run(folder, retrain={'teachr'})
    record = folder.parent / 'work_dirs/tiny_teacher' / FILE
    content = json.loads(record.read_text())
    record.write_text(json.dumps({**content, 'data': 'other'}))
    with pytest.raises(StaleStageError, match='the training data'):
        run(folder)
    record.write_text(json.dumps({**content, 'weights_sha256': '0'}))
    with pytest.raises(StaleStageError, match='missing or changed'):
        run(folder)


def test_retraining_a_stage_moves_the_old_one_aside_and_makes_later_stages_stale(tiny_configs):
    leaf = 'tiny_generator.py'
    run(tiny_configs, {'max_epochs': 1}, leaf=leaf)
    with pytest.raises(StaleStageError, match=r'model\.teacher\.teacher\.checkpoint: sha256'):
        run(
            tiny_configs,
            {'max_epochs': 1},
            leaf=leaf,
            retrain={'teacher'},
            stage_options={'teacher.randomness.seed': 1},
        )
    assert len(list((tiny_configs.parent / 'work_dirs').glob('tiny_teacher.*'))) == 1


def test_an_unfinished_stage_is_resumed(tiny_configs, monkeypatch):
    teacher = 'tiny_teacher.py'
    monkeypatch.setattr(
        pipeline, 'test_last_and_best', lambda runner: exec('raise KeyboardInterrupt')
    )
    with pytest.raises(KeyboardInterrupt):
        run(tiny_configs, leaf=teacher)
    monkeypatch.undo()
    monkeypatch.chdir(tiny_configs.parent)
    stages, said = run(tiny_configs, leaf=teacher)
    assert 'resumes from' in said[0] and stages[0].record.finished


def test_a_foreign_work_dir_is_refused(tiny_configs):
    run(tiny_configs, {'max_epochs': 1}, leaf='tiny_teacher.py')
    (tiny_configs.parent / 'work_dirs/tiny_teacher' / FILE).unlink()
    with pytest.raises(StaleStageError, match='without a record'):
        run(tiny_configs, {'max_epochs': 1}, leaf='tiny_teacher.py')
