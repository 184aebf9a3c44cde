import io
import sys

from pcdet_kd.utils import progress
from pcdet_kd.utils.progress import progress_bar


def test_a_bar_writes_little_to_a_file(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', io.StringIO())
    with progress_bar(total=7) as bar:
        assert bar.total == 7 and bar.mininterval == 30
    assert sys.stderr.getvalue() == '', 'what is done at once has no bar'
    monkeypatch.setattr(progress, 'is_main_process', lambda: False)
    assert progress_bar().disable


def test_it_counts_what_it_iterates_over(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', io.StringIO())
    assert list(progress_bar('abc', desc='letters', delay=0)) == ['a', 'b', 'c']
    assert 'letters: 100%' in sys.stderr.getvalue() and '3/3' in sys.stderr.getvalue()
