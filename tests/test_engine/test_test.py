import torch

from pcdet_kd.engine import test as engine
from pcdet_kd.engine.train import train
from pcdet_kd.utils.checkpoint import load_checkpoint_file
from pcdet_kd.utils.student import student_weights, unwrapped


def test_a_distiller_is_tested_as_its_student_and_a_generator_with_its_teacher(tiny_configs):
    result = train(tiny_configs / 'tiny_pointcmt.py', {'max_epochs': 1})
    for checkpoint in (result.weights, result.weights.with_name('last.pth')):
        runner = engine.test_runner(tiny_configs / 'tiny_pointcmt.py', checkpoint)
        model, weights = unwrapped(runner.model), student_weights(load_checkpoint_file(checkpoint))
        assert type(model).__name__ == 'PointClassifier'
        assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())
    generator = result.stages[1]
    runner = engine.test_runner(generator.config, generator.weights, {'max_epochs': 1})
    assert runner.test() == generator.record.results['last']
