"""How well frozen features tell classes apart: nearest neighbours and a linear SVM."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pcdet_kd.evaluation.backbone_features import Features
from pcdet_kd.utils.errors import UserError

METHODS = ('svm', 'knn')
_CHUNK = 1024  # rows whose similarities are in memory at a time


def probe_features(
    train: Features, test: Features, methods: Sequence[str] = METHODS
) -> dict[str, float]:
    """Return the test accuracy in percent of each method, fitted to the training features."""
    functions = dict(svm=svm_predict, knn=knn_predict)
    return {
        name: 100 * (functions[name](*train, test.values) == test.labels).double().mean().item()
        for name in methods
    }


def check_methods(methods: Sequence[str]) -> None:
    """Raise unless the methods are known, and what they need is installed.

    Raises:
        ValueError: A name is unknown, or there is none.
        UserError: scikit-learn is needed and missing.
    """
    if not methods or not set(methods) <= set(METHODS):
        raise ValueError(f'methods are {list(methods)}, must be some of {", ".join(METHODS)}')
    if 'svm' in methods:
        _linear_svc()


def knn_predict(train: Tensor, labels: Tensor, test: Tensor, k: int = 5) -> Tensor:
    """Return the class that most of the k nearest training features have, by cosine similarity.

    Args:
        train: (n, D).
        labels: (n,) int64.
        test: (m, D).
        k: Neighbours.

    Returns:
        (m,) int64; of classes with equally many neighbours, the first.

    Raises:
        ValueError: There are fewer than k training features.
    """
    if len(train) < k:
        raise ValueError(f'{k} nearest neighbours of {len(train)} training features')
    train, classes = F.normalize(train, dim=1), int(labels.max()) + 1
    found = []
    for part in F.normalize(test, dim=1).split(_CHUNK):
        nearest = labels[(part @ train.T).topk(k, dim=1).indices]
        found.append(F.one_hot(nearest, classes).sum(dim=1).argmax(dim=1))
    return torch.cat(found)


def svm_predict(train: Tensor, labels: Tensor, test: Tensor) -> Tensor:
    """Return the classes (m,) that scikit-learn's ``LinearSVC`` gives to (m, D), fitted to (n, D)
    with labels (n,).

    Features are scaled to length 1. All settings are scikit-learn's defaults: C = 1.0, squared
    hinge loss, one class against the rest. The solver's random numbers have a seed of their own.

    Raises:
        UserError: scikit-learn is not installed.
        ValueError: The training features have fewer than two classes.
    """
    classifier = _linear_svc()(dual='auto', random_state=0)
    classifier.fit(F.normalize(train, dim=1).numpy(), labels.numpy())
    return torch.from_numpy(
        classifier.predict(F.normalize(test, dim=1).numpy()).astype(np.int64, copy=False)
    )


def _linear_svc() -> type:
    try:
        from sklearn.svm import LinearSVC
    except ImportError as error:
        raise UserError(
            "the linear SVM needs scikit-learn: install it (pip install 'scikit-learn>=1.3'), or "
            "ask for nearest neighbours alone (methods=['knn'])"
        ) from error
    return LinearSVC
