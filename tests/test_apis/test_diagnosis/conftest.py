"""A run without training: a teacher, a student and the student alone on 60 shapes."""

import sys
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config

from pcdet_kd.apis.diagnosis import Observed, Run, diagnosis
from pcdet_kd.cli.diagnose import main
from pcdet_kd.evaluation.predictions import Predictions

GT = np.arange(60) % 3


def scores(right, sure=0.7):
    """Probabilities of 4 classes; the first ``right`` shapes are classified correctly."""
    pred = np.where(np.arange(60) < right, GT, (GT + 1) % 4)
    return (np.eye(4)[pred] * (sure - (1 - sure) / 3) + (1 - sure) / 3).astype(np.float32)


@pytest.fixture
def run():
    """The teacher has 50 shapes right, the student 45."""
    layers = {
        'feature': np.random.default_rng(0).normal(size=(60, 5)),
        'logits': np.eye(4)[GT],
    }
    student = Observed('student', scores(45), {'stage 1': np.ones((60, 2)), **layers})
    classes, ids = ('a', 'b', 'c', 'unseen'), tuple(map(str, range(60)))
    return Run(Config(), classes, ids, GT, student, [Observed('image', scores(50), layers)])


@pytest.fixture
def alone():
    """Make predictions of the student alone."""

    def make(right):
        found = scores(right)
        ids = tuple(map(str, range(60)))
        pred, gt = found.argmax(1), GT
        return Predictions(Path('x'), ('a', 'b', 'c', 'unseen'), ids, gt, pred, found.max(1))

    return make


@pytest.fixture
def content(run, alone):
    """The whole content of a page."""
    found = diagnosis(run, alone(30))
    return dict(name='leaf', epoch='last', protocol=dict(config='<leaf>.py'), **found)


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command in this process; returns its exit code, output and errors."""

    def run_command(*arguments):
        monkeypatch.setattr(sys, 'argv', ['diagnose', *map(str, arguments)])
        capsys.readouterr()
        try:
            code = main()
        except SystemExit as exit_:
            code = exit_.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command
