import json
import threading

import numpy as np
import pytest
import torch
from torch import nn

from pcdet_kd.datasets.suites import SUITES
from pcdet_kd.robustness.evaluate import (
    Predictor,
    batches_of_equal_size,
    evaluate_suite,
)
from pcdet_kd.robustness.results import (
    SetResult,
    SuiteResult,
    set_file,
    worst_mistakes,
)
from pcdet_kd.robustness.suite_data import SuiteData
from pcdet_kd.structures import PointDataSample
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
        assert not self.training and torch.is_inference_mode_enabled()
        return [PointDataSample().set_pred_score(score) for score in self.score(points)]

    def score(self, points):
        return (self.scale * points.var(dim=1)).softmax(-1)


def suite_of(root, suite='modelnet-c', **options):
    return SuiteData(suite, str(root), metainfo=CLASSES, **options)


@pytest.mark.parametrize('suite', ['modelnet-c', 'modelnet40-c'])
def test_every_cloud_of_every_set_counts_once(write_suite, tmp_path, suite):
    root = write_suite(suite)
    model = LongestAxis()
    folder = evaluate_suite(model, suite_of(root, suite), tmp_path / 'out', RUN, batch_size=5)
    result = SuiteResult.read(folder)
    assert list(result.sets) == SUITES[suite].sets
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


def test_an_interrupted_evaluation_goes_on(write_suite, tmp_path):
    root = write_suite('modelnet-c')
    whole = evaluate_suite(LongestAxis(), suite_of(root), tmp_path / 'whole', RUN, batch_size=5)
    with pytest.raises(KeyboardInterrupt):
        evaluate_suite(
            LongestAxis(stop_after=10), suite_of(root), tmp_path / 'parts', RUN, batch_size=5
        )
    folder = next((tmp_path / 'parts' / 'modelnet-c').iterdir())
    done = {file.name: file.stat().st_mtime_ns for file in (folder / 'sets').iterdir()}
    assert sorted(done) == ['clean.npz', 'scale_0.npz', 'scale_1.npz']
    with pytest.raises(DataError, match='3 of 36 sets'):
        SuiteResult.read(folder)
    model = LongestAxis()
    assert evaluate_suite(model, suite_of(root), tmp_path / 'parts', RUN, batch_size=5) == folder
    assert len(model.seen) == 3 * 33 and done == {
        name: (folder / 'sets' / name).stat().st_mtime_ns for name in done
    }
    for name in SUITES['modelnet-c'].sets:
        first, second = (
            SetResult.read(set_file(whole, name)),
            SetResult.read(set_file(folder, name)),
        )
        assert np.array_equal(first.pred, second.pred) and np.array_equal(first.score, second.score)
    model = LongestAxis()
    evaluate_suite(model, suite_of(root), tmp_path / 'parts', RUN)
    assert model.seen == []


def test_other_weights_data_or_settings_get_another_folder(write_suite, tmp_path):
    root, other = write_suite('modelnet-c'), write_suite('modelnet-c', count=9, name='other')

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


def test_a_folder_with_something_else_is_refused(write_suite, tmp_path):
    root = write_suite('modelnet-c')
    folder = evaluate_suite(LongestAxis(), suite_of(root), tmp_path, RUN)
    info = json.loads((folder / 'run.json').read_text())
    (folder / 'run.json').write_text(json.dumps(dict(info, key='0')))
    with pytest.raises(DataError, match='another evaluation'):
        evaluate_suite(LongestAxis(), suite_of(root), tmp_path, RUN)


def test_models_that_do_not_fit_or_are_broken(write_suite, tmp_path):
    root = write_suite('modelnet-c')
    forty = SuiteData('modelnet-c', str(root))
    with pytest.raises(ValueError, match='the model has 3 classes, clean.h5 has 40'):
        evaluate_suite(LongestAxis(), forty, tmp_path, RUN)
    model = LongestAxis()
    nn.init.constant_(model.scale, float('nan'))
    with pytest.raises(ValueError, match=r'clean.h5: the scores of cloud 0 hold NaN'):
        evaluate_suite(model, suite_of(root), tmp_path, RUN)


class Moody(LongestAxis):
    """Draws random numbers in a test."""

    def score(self, points):
        return torch.rand(len(points), 3).softmax(-1)


def test_each_set_starts_from_the_seed(write_suite, tmp_path):
    root = write_suite('modelnet-c')
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


def test_mistakes_due_to_the_corruption_come_first(write_suite, tmp_path):
    result = SuiteResult.read(
        evaluate_suite(BlindToZ(), suite_of(write_suite('modelnet-c')), tmp_path, RUN)
    )
    clean, changed = result.sets['clean', 0].correct, 0
    assert clean.sum() == 8
    for found in list(result.sets.values())[1:]:
        arrays = found.gt, found.pred, found.score, found.true_score
        assert found.worst.tolist() == worst_mistakes(*arrays, clean, 3).tolist()
        changed += found.worst.tolist() != worst_mistakes(*arrays, None, 3).tolist()
    assert changed


@pytest.mark.parametrize('kind, threads', [(LongestAxis, 2), (Moody, 1)])
def test_threads_change_nothing(write_suite, kind, threads):
    dataset = suite_of(write_suite('modelnet-c', count=30)).build(('jitter', 2))
    found = []
    try:
        for count in (1, 2, 2):
            torch.set_num_threads(count)
            torch.manual_seed(3)
            with Predictor(kind().eval(), 4) as predictor:
                found.append(predictor.scores(dataset))
                assert predictor.threads == min(count, threads)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(1)
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[1], found[2])


def test_threads_take_the_models_gpu(write_suite, monkeypatch):
    """A thread begins with GPU 0 as the current one, which is another process's in distributed
    evaluation.
    """
    dataset, model, of = (
        suite_of(write_suite('modelnet-c')).build(('clean', 0)),
        LongestAxis().eval(),
        [],
    )
    real = torch.cuda.device_of
    monkeypatch.setattr(
        torch.cuda,
        'device_of',
        lambda tensor: of.append((tensor, threading.current_thread())) or real(tensor),
    )
    with Predictor(model, 4) as predictor:
        predictor.scores(dataset)
    assert len(of) == len(model.seen) and all(tensor is model.scale for tensor, _ in of)
    assert of[-1][1] is not threading.main_thread()


def test_numpy_generator_is_left_alone(write_suite):
    dataset = suite_of(write_suite('modelnet-c')).build(('clean', 0))
    np.random.seed(5)
    expected = np.random.random()
    np.random.seed(5)
    with Predictor(LongestAxis().eval(), 4) as predictor:
        predictor.scores(dataset)
    assert np.random.random() == expected


def test_each_process_takes_its_share_and_all_is_put_together(write_suite, monkeypatch):
    from pcdet_kd.robustness import evaluate

    dataset = suite_of(write_suite('modelnet-c', count=11)).build(('rotate', 4))
    with Predictor(LongestAxis().eval(), 4) as predictor:
        alone = predictor.scores(dataset)
    shares = []
    monkeypatch.setattr(
        evaluate, 'all_gather_object', lambda found: shares.append(found) or [*shares]
    )
    for rank in (0, 1, 2):
        monkeypatch.setattr(evaluate, 'get_dist_info', lambda rank=rank: (rank, 3))
        with Predictor(LongestAxis().eval(), 4) as predictor:
            if rank < 2:
                with pytest.raises(ValueError, match='predictions for 11 clouds'):
                    predictor.scores(dataset)
            else:
                assert np.array_equal(predictor.scores(dataset), alone)
    assert [sum(len(chosen) for chosen, _ in share) for share in shares] == [4, 4, 3]
    shares[:] = [[*shares[0], *shares[0]], shares[1]]
    with pytest.raises(ValueError, match='every cloud must count once'):
        with Predictor(LongestAxis().eval(), 4) as predictor:
            predictor.scores(dataset)


def test_batches_hold_clouds_of_one_size_and_are_full():
    sizes = np.array([8, 9, 8, 9, 8, 9, 9, 7])
    batches = [b.tolist() for b in batches_of_equal_size(np.array([0, 1, 2, 3, 4, 6, 7]), sizes, 2)]
    assert batches == [[7], [0, 2], [4], [1, 3], [6]]
