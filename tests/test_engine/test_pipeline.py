import copy
import json
import os
import socket
import subprocess
import sys

import pytest
import torch

from pcdet_kd.datasets.collate import collate_points
from pcdet_kd.datasets.read_once import note_file
from pcdet_kd.engine import pipeline
from pcdet_kd.engine.config_check import ConfigError
from pcdet_kd.engine.distributed import WorkDirInUse, WorkDirLock, start_time
from pcdet_kd.engine.pipeline import StaleStageError, run_stages
from pcdet_kd.engine.stage_record import FILE
from pcdet_kd.engine.stages import plan
from pcdet_kd.evaluation.predictions import predictions_file, read_predictions
from pcdet_kd.registry import DATASETS, MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
from pcdet_kd.utils.errors import UserError

LEAF = 'tiny_pointcmt.py'


def names(stages):
    return [s.name for s in stages]


def run(folder, options=None, said=None, leaf=LEAF, retrain=None, **kwargs):
    said = [] if said is None else said
    stages = plan(folder / leaf, options, **kwargs)
    run_stages(stages, retrain, say=said.append)
    return stages, said


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'model.preset': 'code'}, "preset is 'code'"),
        ({'model.student.head.hidden_channels': (8,)}, r'feature is \(2, 8\)'),
        ({'optim_wrapper.optimizer.lr': -1}, 'learning rate'),
        ({'test_evaluator.dump': 'a.txt', 'test_evaluator.out_dir': 'o'}, 'must end with .json'),
        ({'load_from': 'nothing.pth'}, 'nothing.pth'),
        ({'visualizer.vis_backends': [dict(type='AimVisBackend')]}, 'aim'),
    ],
)
def test_what_cannot_work_is_known_before_the_first_stage_trains(tiny_configs, options, words):
    stages = plan(tiny_configs / LEAF, options)
    with pytest.raises(UserError, match=rf'(?s){words}'):
        run_stages(stages)
    assert not (tiny_configs.parent / 'work_dirs').exists()


def test_data_are_read_once_and_finished_stages_are_neither_read_nor_built(
    tiny_configs, monkeypatch
):
    reads = []
    tiny = DATASETS.get('TinyClouds')
    original = tiny.load_records

    def load_records(self):
        reads.append(self.official_split)
        note_file(tiny_configs / 'tiny_base.py')
        return original(self)

    monkeypatch.setattr(tiny, 'load_records', load_records)
    run(tiny_configs, {'max_epochs': 1})
    assert sorted(reads) == ['test', 'train']
    reads.clear()
    run(tiny_configs, {'max_epochs': 1})
    assert not reads
    os.utime(tiny_configs / 'tiny_base.py', (0, 0))
    stages, said = run(tiny_configs, {'max_epochs': 1})
    assert reads == ['train'] and all(stage.reused for stage in stages)


def test_a_second_run_is_refused_before_it_writes_anything(tiny_configs):
    leaf = 'tiny_teacher.py'
    run(tiny_configs, {'max_epochs': 1}, leaf=leaf)
    folder = tiny_configs.parent / 'work_dirs/tiny_teacher'
    record = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps({**record, 'finished': False}))
    before = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    holder = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)
    lock = WorkDirLock(folder)
    lock.file.write_text(f'{socket.gethostname()} {holder.pid} {start_time(holder.pid)}')
    try:
        for options, retrain in (({'max_epochs': 3}, None), ({'max_epochs': 1}, {'teacher'})):
            with pytest.raises(WorkDirInUse, match=str(holder.pid)):
                run(tiny_configs, options, leaf=leaf, retrain=retrain and {'tiny_teacher'})
        lock.file.unlink()
        assert {p.name: p.stat().st_mtime_ns for p in folder.iterdir()} == before
    finally:
        holder.communicate(b'\n')


def test_one_call_trains_all_and_the_next_trains_nothing(tiny_configs, monkeypatch):
    stages, said = run(tiny_configs, with_baseline=True)
    assert names(stages) == ['teacher', 'generator', 'tiny_pointcmt_baseline', 'tiny_pointcmt']
    assert all('trains in' in line for line in said)
    for stage in stages:
        assert stage.record.finished and stage.weights.is_file()
        assert set(stage.record.results) == {'last', 'best'}
        check_predictions(stage)
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


def check_predictions(stage):
    """Those of the last and of the best epoch lie beside the weights, if it classifies."""
    for which, metrics in stage.record.results.items():
        if 'accuracy' in metrics:
            assert read_predictions(stage.work_dir, which).accuracy == metrics['accuracy']
        else:
            assert not predictions_file(stage.work_dir, which).exists()
    if 'accuracy' in metrics:
        last, best = (read_predictions(stage.work_dir, which) for which in ('last', 'best'))
        same = os.path.samefile(stage.work_dir / 'last.pth', stage.work_dir / 'best.pth')
        assert (last.score == best.score).all() == same


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


def test_a_stage_that_another_process_finished_meanwhile_is_reused(tiny_configs, monkeypatch):
    leaf, options = 'tiny_teacher.py', {'max_epochs': 1}
    rehearse = pipeline.rehearse

    def rehearse_late(stage, look):
        monkeypatch.setattr(pipeline, 'rehearse', rehearse)
        run(tiny_configs, options, leaf=leaf)

    monkeypatch.setattr(pipeline, 'rehearse', rehearse_late)
    stages, said = run(tiny_configs, options, leaf=leaf)
    assert 'finished meanwhile, reused' in said[0] and len(said) == 1
    assert stages[0].reused and stages[0].record.finished
    assert len(list(stages[0].work_dir.glob('2*'))) == 1, 'it was trained once'


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


def test_the_config_in_a_work_directory_is_one_by_itself(tiny_configs):
    from pcdet_kd.apis import init_model, test

    stages, _ = run(tiny_configs)
    folder = stages[-1].work_dir
    config = folder / 'tiny_pointcmt.py'
    assert 'eval_pipeline' not in config.read_text()
    init_model(config, folder / 'student_last.pth')
    again = test(config, folder / 'last.pth')
    assert again.metrics['accuracy'] == stages[-1].record.results['last']['accuracy']
    _, said = run(folder, leaf=config.name, work_dir=folder.with_name('again'))
    assert len(said) == 1 and said[0].startswith('[1/1] tiny_pointcmt: trains')
