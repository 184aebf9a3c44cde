import os

import pytest
import torch

from pcdet_kd.apis import init_model
from pcdet_kd.engine import StudentExportHook
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights, save_checkpoint_file

DISTILLER = dict(
    model=dict(type='ToyDistiller', student=dict(type='ToyModel', width=6)),
    checkpoint=dict(save_best='toy/top1'),
)


def test_student_files(runner_of, toy, tmp_path):
    runner = runner_of(epochs=2, **DISTILLER)
    runner.train()
    exported = load_checkpoint_file(tmp_path / 'student_last.pth')
    assert exported['meta']['model'] == dict(type='ToyModel', width=6) and exported['meta'][
        'classes'
    ] == ['left', 'right']
    assert exported['meta']['epoch'] == 2
    student = toy.ToyModel(width=6).eval()
    load_weights(student, exported)
    points = torch.randn(5, 7, 3)
    assert torch.equal(student(dict(points=points)), runner.model.eval()(dict(points=points)))
    best = load_checkpoint_file(tmp_path / 'best.pth')
    assert (
        load_checkpoint_file(tmp_path / 'student_best.pth')['meta']['scores']
        == best['meta']['scores']
    )


def test_a_run_that_is_complete_writes_what_is_missing_only(runner_of, tmp_path):
    runner_of(epochs=1, **DISTILLER).train()
    (tmp_path / 'student_last.pth').unlink()
    stamp = (tmp_path / 'student_best.pth').stat().st_mtime_ns
    runner_of(epochs=1, resume=True, **DISTILLER).train()
    assert (tmp_path / 'student_last.pth').is_file()
    assert (tmp_path / 'student_best.pth').stat().st_mtime_ns == stamp
    old = (tmp_path / 'last.pth').stat().st_mtime_ns - 10**9
    os.utime(tmp_path / 'student_last.pth', ns=(old, old))
    runner_of(epochs=1, resume=True, **DISTILLER).train()
    assert (tmp_path / 'student_last.pth').stat().st_mtime_ns > old


def test_plain_models_are_left_alone(runner_of, tmp_path):
    runner_of(epochs=1).train()
    assert not list(tmp_path.glob('student_*'))


def test_export_without_config():
    weights = {'student.a': torch.zeros(1), 'teachers.b': torch.zeros(1)}
    exported = StudentExportHook.export(dict(meta=dict(epoch=3, cfg='text'), state_dict=weights))
    assert list(exported['state_dict']) == ['a'] and exported['meta'] == dict(epoch=3)


def test_a_student_that_plain_values_cannot_tell_needs_its_config(tmp_path, toy):
    student = dict(
        type='PointClassifier',
        backbone=dict(type='WrappedModule', module='torch.nn:Identity', out_channels=3),
        head=dict(type='MLPHead', num_classes=2),
    )
    checkpoint = dict(meta=dict(epoch=3), state_dict={'student.a': torch.zeros(1)})
    exported = StudentExportHook.export(checkpoint, dict(type='ToyDistiller', student=student))
    assert exported['meta'] == dict(epoch=3)
    save_checkpoint_file(exported, tmp_path / 'student_last.pth')
    with pytest.raises(ValueError, match='student_last.pth does not describe its model'):
        init_model(checkpoint=tmp_path / 'student_last.pth')


def test_an_exported_student_is_built_from_its_file(tmp_path, toy):
    model = dict(type=toy.ToyDistiller, student=dict(type=toy.ToyModel, width=6))
    state = MODELS.build(model).state_dict()
    exported = StudentExportHook.export(dict(meta={}, state_dict=state), model)
    assert exported['meta']['model'] == dict(type='ToyModel', width=6)
    save_checkpoint_file(exported, tmp_path / 'student_last.pth')
    assert type(init_model(checkpoint=tmp_path / 'student_last.pth')) is toy.ToyModel
