import json
import logging
from functools import partial
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from torch import nn

from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.engine import PointRunner
from pcdet_kd.robustness import evaluate
from pcdet_kd.robustness.results import SetResult, SuiteResult, set_file, worst_mistakes
from pcdet_kd.robustness.suite_data import SuiteData
from pcdet_kd.utils.errors import DataError

CLASSES = dict(classes=('along_x', 'along_y', 'along_z'), up_axis='y')
RUN = dict(name='toy', config='toy.py', checkpoint='runs/last.pth', sha256='1', model='toy')


class LongestAxis(nn.Module):
    """Takes the axis along which a cloud is longest for its class."""

    def __init__(self, stop_after=None):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.seen, self.stop_after = [], stop_after

    def test_step(self, batch):
        if self.stop_after is not None and len(self.seen) >= self.stop_after:
            raise KeyboardInterrupt
        points = batch['inputs']['points']
        self.seen.append(tuple(points.shape))
        assert not self.training and not torch.is_grad_enabled()
        return [s.set_pred_score(v) for s, v in zip(batch['data_samples'], self.score(points))]

    def score(self, points):
        return (self.scale * points.var(dim=1)).softmax(-1)


@pytest.fixture(scope='module')
def runner(tmp_path_factory):
    runner = PointRunner(LongestAxis(), str(tmp_path_factory.mktemp('runner')))
    yield runner
    for handler in runner.logger.handlers:
        handler.close()


@pytest.fixture
def evaluate_suite(runner):
    """Evaluate another model with the one runner."""

    def call(model, *args, **options):
        runner.model = model
        return evaluate.evaluate_suite(runner, *args, **options)

    return call


@pytest.fixture
def small_suite(write_suite):
    """Write a generated ModelNet-C of the clean set and two corruptions."""
    skip = set(SUITES['modelnet-c'].corruptions) - {'scale', 'add_local'}
    return partial(write_suite, 'modelnet-c', marked=True, skip=skip)


def suite_of(root, suite='modelnet-c', **options):
    return SuiteData(suite, str(root), metainfo=CLASSES, **options)


@pytest.mark.parametrize('suite', ['modelnet-c', 'modelnet40-c'])
def test_every_cloud_of_every_set_counts_once(evaluate_suite, write_suite, tmp_path, suite):
    skip = set(list(SUITES[suite].corruptions)[1:-1])
    root = write_suite(suite, marked=True, skip=skip)
    model = LongestAxis()
    folder = evaluate_suite(model, suite_of(root, suite), tmp_path / 'out', RUN, batch_size=5)
    result = SuiteResult.read(folder)
    assert list(result.sets) == [name for name in SUITES[suite].sets if name[0] not in skip]
    assert [shape[0] for shape in model.seen] == [5, 5, 2] * len(result.sets)
    for name, found in result.sets.items():
        dataset = suite_of(root, suite).build(name)
        points = torch.from_numpy(np.array(dataset.records.points))
        scores = model.score(points).detach().numpy()
        assert np.array_equal(found.gt, np.arange(12) % 3)
        assert np.array_equal(found.pred, scores.argmax(1))
        assert np.allclose(found.score, scores.max(1)) and np.allclose(
            found.true_score, scores[np.arange(12), found.gt]
        )
        assert (found.num_points == points.shape[1]).all()
        for i, cloud in zip(found.worst, found.clouds):
            assert found.pred[i] != found.gt[i] and np.array_equal(cloud, points[i].numpy())
    assert result.info['protocol']['clouds'] == f'12 in each of {len(result.sets)} sets'
    assert (
        result.sets['clean', 0].correct.all()
        and not result.sets[list(result.sets)[-1]].correct.all()
    )


def test_an_interrupted_evaluation_goes_on(evaluate_suite, small_suite, tmp_path):
    root = small_suite()
    whole = evaluate_suite(LongestAxis(), suite_of(root), tmp_path / 'whole', RUN, batch_size=5)
    with pytest.raises(KeyboardInterrupt):
        evaluate_suite(
            LongestAxis(stop_after=10), suite_of(root), tmp_path / 'parts', RUN, batch_size=5
        )
    folder = next((tmp_path / 'parts' / 'modelnet-c').iterdir())
    done = {file.name: file.stat().st_mtime_ns for file in (folder / 'sets').iterdir()}
    assert sorted(done) == ['clean.npz', 'scale_0.npz', 'scale_1.npz']
    with pytest.raises(DataError, match='3 of 11 sets'):
        SuiteResult.read(folder)
    model = LongestAxis()
    assert evaluate_suite(model, suite_of(root), tmp_path / 'parts', RUN, batch_size=5) == folder
    assert len(model.seen) == 3 * 8 and done == {
        name: (folder / 'sets' / name).stat().st_mtime_ns for name in done
    }
    for name in SuiteResult.read(whole).sets:
        first, second = (
            SetResult.read(set_file(whole, name)),
            SetResult.read(set_file(folder, name)),
        )
        assert np.array_equal(first.pred, second.pred) and np.array_equal(first.score, second.score)
    model = LongestAxis()
    evaluate_suite(model, suite_of(root), tmp_path / 'parts', RUN)
    assert model.seen == []


def test_other_weights_data_or_settings_get_another_folder(evaluate_suite, small_suite, tmp_path):
    root, other = small_suite(), small_suite(count=9, name='other')

    def folder(data, run=RUN, **options):
        return evaluate_suite(LongestAxis(), data, tmp_path / 'out', run, **options)

    first = folder(suite_of(root))
    assert folder(suite_of(root), batch_size=3) == first and first.name.startswith('last-')
    others = [
        folder(suite_of(root), dict(RUN, sha256='2')),
        folder(suite_of(root), dict(RUN, model='toy2')),
        folder(suite_of(root, renormalize='sphere')),
        folder(suite_of(root), seed=1),
        folder(suite_of(root), amp=True),
        folder(suite_of(other)),
    ]
    assert len({first, *others}) == 7


def test_a_folder_with_something_else_is_refused(evaluate_suite, small_suite, tmp_path):
    root = small_suite()
    folder = evaluate_suite(LongestAxis(), suite_of(root), tmp_path, RUN)
    info = json.loads((folder / 'run.json').read_text())
    (folder / 'run.json').write_text(json.dumps(dict(info, key='0')))
    with pytest.raises(DataError, match='another evaluation'):
        evaluate_suite(LongestAxis(), suite_of(root), tmp_path, RUN)


def test_models_that_do_not_fit_or_are_broken(evaluate_suite, small_suite, tmp_path):
    root = small_suite()
    with pytest.raises(ValueError, match='the model has 3 classes, clean.h5 has 40'):
        evaluate_suite(LongestAxis(), SuiteData('modelnet-c', str(root)), tmp_path, RUN)
    model = LongestAxis()
    nn.init.constant_(model.scale, float('nan'))
    with pytest.raises(ValueError, match=r'clean.h5: the scores of cloud 0 hold NaN'):
        evaluate_suite(model, suite_of(root), tmp_path, RUN)


def test_hooks_and_the_log_see_every_set(
    evaluate_suite, runner, small_suite, tmp_path, monkeypatch
):
    seen, said, console = [], [], StringIO()
    monkeypatch.setattr(evaluate, 'print_log', lambda text, *args, **kwargs: said.append(text))
    for handler in runner.logger.handlers:  # its stream may be an earlier test's
        if type(handler) is logging.StreamHandler:
            handler.setStream(console)

    class Watch(Hook):
        def before_test_epoch(self, runner):
            seen.append(len(runner.test_dataloader.dataset))

    runner.register_hook(Watch())
    level = [handler.level for handler in runner.logger.handlers]
    evaluate_suite(LongestAxis(), suite_of(small_suite()), tmp_path, RUN)
    assert seen == [12] * 11 and level == [handler.level for handler in runner.logger.handlers]
    log = (Path(runner.log_dir) / f'{runner.timestamp}.log').read_text()
    assert 'scale 1: OA' in log and 'scale 1: OA' not in console.getvalue()
    assert said[0].startswith('ModelNet-C: 11 sets, results in')


class Moody(LongestAxis):
    """Draws random numbers in a test."""

    def score(self, points):
        return torch.rand(len(points), 3).softmax(-1)


def test_each_set_starts_from_the_seed(evaluate_suite, small_suite, tmp_path):
    root = small_suite()
    folder = evaluate_suite(Moody(), suite_of(root), tmp_path, RUN, seed=4)
    first = SuiteResult.read(folder).sets
    for name in (('scale', 1), ('add_local', 0)):
        set_file(folder, name).unlink()
    torch.rand(7)
    assert evaluate_suite(Moody(), suite_of(root), tmp_path, RUN, seed=4) == folder
    again = SuiteResult.read(folder).sets
    assert all(np.array_equal(first[name].score, again[name].score) for name in first)
    assert not np.array_equal(first['scale', 1].score, first['scale', 2].score)
    other = SuiteResult.read(evaluate_suite(Moody(), suite_of(root), tmp_path, RUN, seed=5)).sets
    assert not np.array_equal(first['scale', 1].score, other['scale', 1].score)


class BlindToZ(LongestAxis):
    """Never finds the third class, whatever the corruption."""

    def score(self, points):
        return (self.scale * points.var(dim=1) * torch.tensor([3.0, 3.0, 0.0])).softmax(-1)


def test_mistakes_due_to_the_corruption_come_first(evaluate_suite, small_suite, tmp_path):
    result = SuiteResult.read(evaluate_suite(BlindToZ(), suite_of(small_suite()), tmp_path, RUN))
    clean, changed = result.sets['clean', 0].correct, 0
    assert clean.sum() == 8
    for found in list(result.sets.values())[1:]:
        arrays = found.gt, found.pred, found.score, found.true_score
        assert found.worst.tolist() == worst_mistakes(*arrays, clean, 3).tolist()
        changed += found.worst.tolist() != worst_mistakes(*arrays, None, 3).tolist()
    assert changed
