import builtins
import warnings

import numpy as np
import pytest
import torch

from pcdet_kd.evaluation.backbone_features import Features
from pcdet_kd.evaluation.feature_probe import (
    check_methods,
    knn_predict,
    probe_features,
    svm_predict,
)
from pcdet_kd.utils.errors import UserError


def blobs(n, seed, noise=0.6, classes=4, dims=6):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    centres = np.random.default_rng(0).normal(size=(classes, dims))
    values = (centres[labels] + noise * rng.normal(size=(n, dims))) * rng.uniform(1, 9, (n, 1))
    return Features(torch.from_numpy(values).float(), torch.from_numpy(labels))


def test_nearest_neighbours_against_a_double_loop():
    train, test = blobs(70, 1), blobs(1100, 2)
    values = train.values.double().numpy()
    expected = []
    for cloud in test.values.double().numpy():
        cosine = values @ cloud / np.linalg.norm(values, axis=1) / np.linalg.norm(cloud)
        nearest = train.labels.numpy()[np.argsort(-cosine)[:5]]
        votes = [int((nearest == c).sum()) for c in range(4)]
        expected.append(votes.index(max(votes)))
    found = knn_predict(*train, test.values)
    assert found.tolist() == expected and len(set(expected)) == 4


def test_a_tie_goes_to_the_first_class_and_length_does_not_count():
    train = torch.tensor([[1.0, 0.0], [9.0, 0.1], [0.0, 1.0], [0.1, 0.2]])
    labels = torch.tensor([2, 2, 1, 1])
    assert knn_predict(train, labels, torch.tensor([[1.0, 0.9]]), k=4).tolist() == [1]
    assert knn_predict(train, labels, torch.tensor([[7.0, 0.0]]), k=2).tolist() == [2]
    with pytest.raises(ValueError, match='5 nearest neighbours of 4'):
        knn_predict(train, labels, train)


def test_svm_is_scikit_learn_s_with_its_defaults():
    svm = pytest.importorskip('sklearn.svm')
    train, test = blobs(200, 1), blobs(80, 2)
    a, b = (
        v.double().numpy() / np.linalg.norm(v.numpy(), axis=1, keepdims=True)
        for v in (train.values, test.values)
    )
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        expected = svm.LinearSVC(random_state=3).fit(a, train.labels.numpy()).predict(b)
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    found = svm_predict(*train, test.values)
    assert found.tolist() == expected.tolist()
    assert np.array_equal(np.random.get_state()[1], before), 'it draws no global random number'
    scores = probe_features(train, test)
    assert scores['svm'] == pytest.approx(100 * (expected == test.labels.numpy()).mean())
    assert 30 < scores['svm'] < 100 and 30 < scores['knn'] < 100


def test_without_scikit_learn_nearest_neighbours_still_work(monkeypatch):
    original = builtins.__import__

    def no_sklearn(name, *args, **kwargs):
        if name.startswith('sklearn'):
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', no_sklearn)
    with pytest.raises(UserError, match='needs scikit-learn: install it'):
        check_methods(['svm', 'knn'])
    check_methods(['knn'])
    assert probe_features(blobs(50, 1), blobs(9, 2), ['knn']).keys() == {'knn'}
    with pytest.raises(ValueError, match="methods are .'nn'., must be some of svm, knn"):
        check_methods(['nn'])
