from pathlib import Path

from pcdet_kd.cli.demo import CONFIG, what_each_saw
from pcdet_kd.engine.stages import plan

ROOT = Path(__file__).parents[2]


def test_it_says_what_teacher_and_students_saw(monkeypatch, tmp_path):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    options = dict(num_train=60, num_test=15, labels=15, student_points=32, num_points=64)
    text = what_each_saw(*plan(ROOT / CONFIG, options, with_baseline=True))
    assert text.splitlines()[1:] == [
        '  teacher: 45 clouds with labels, as 6 depth images drawn from 64 points',
        '  student alone: 15 clouds with labels, 32 points of each',
        "  distilled: the same, and 30 more clouds without labels; the teacher's outputs for all",
    ]
