import json

import pytest

from pcdet_kd.utils.errors import DataError
from pcdet_kd.visualization import curves, draw_curves, read_scalars


def write(file, *entries):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(''.join(json.dumps(entry) + '\n' for entry in entries))


@pytest.fixture
def work_dir(tmp_path):
    """A run that was resumed in its second epoch."""
    write(
        tmp_path / 'run' / '20250101_000000' / 'vis_data' / 'scalars.json',
        dict(loss=3.0, lr=0.1, epoch=1, iter=1, step=1),
        dict(loss=2.0, lr=0.1, epoch=1, iter=2, step=2),
        dict(accuracy=50.0, step=1),
        dict(loss=9.0, lr=0.1, epoch=2, iter=3, step=3),
    )
    write(
        tmp_path / 'run' / '20250102_000000' / 'vis_data' / 'scalars.json',
        dict(loss=1.0, lr=0.1, epoch=2, iter=3, step=3),
        dict(accuracy=60.0, step=2),
    )
    return tmp_path / 'run'


def test_means_over_epochs_and_resumed_runs(work_dir):
    assert read_scalars(work_dir) == dict(
        loss={1: 2.5, 2: 1.0}, lr={1: 0.1, 2: 0.1}, accuracy={1: 50.0, 2: 60.0}
    )


def test_a_line_that_was_being_written_is_left_out(work_dir):
    file = work_dir / '20250102_000000' / 'vis_data' / 'scalars.json'
    file.write_text(file.read_text() + '{"loss": 0.')
    assert read_scalars(file) == dict(loss={2: 1.0}, lr={2: 0.1}, accuracy={2: 60.0})
    file.write_text('{"loss": 0.\n' + file.read_text())
    with pytest.raises(DataError, match='line 1'):
        read_scalars(file)


def test_no_file(tmp_path):
    with pytest.raises(DataError, match=r'no \*/vis_data/scalars.json'):
        read_scalars(tmp_path)
    with pytest.raises(DataError, match='nothing'):
        read_scalars(tmp_path / 'none')


def test_a_panel_per_name_and_a_line_per_run(work_dir, monkeypatch):
    figures = []
    monkeypatch.setattr(curves, 'save', lambda figure, path: figures.append(figure) or path)
    write(work_dir.parent / 'other.json', dict(loss=4.0, epoch=1, step=1))
    draw_curves({'first': work_dir, 'second': work_dir.parent / 'other.json'}, 'x.png')
    loss, accuracy = figures[0].axes
    assert [line.get_label() for line in loss.lines] == ['first', 'second']
    assert list(loss.lines[0].get_xdata()) == [1, 2] and list(loss.lines[0].get_ydata()) == [
        2.5,
        1.0,
    ]
    assert [line.get_label() for line in accuracy.lines] == ['first']
    assert loss.get_title() == 'loss, training split'
    assert accuracy.get_title() == 'accuracy in %, validation split'


def test_seeds_are_a_mean_with_a_band(work_dir, monkeypatch):
    figures = []
    monkeypatch.setattr(curves, 'save', lambda figure, path: figures.append(figure) or path)
    other = work_dir.parent / 'other.json'
    write(other, *(dict(loss=4.0 + epoch, epoch=epoch, step=1) for epoch in (1, 2, 3)))
    draw_curves({'both': [work_dir, other]}, 'x.png', ['loss'])
    (line,) = figures[0].axes[0].lines
    assert list(line.get_xdata()) == [1, 2] and list(line.get_ydata()) == [3.75, 3.5]
    band = figures[0].axes[0].collections[0].get_paths()[0].vertices
    low, high = band[band[:, 0] == 1][:, 1].min(), band[band[:, 0] == 1][:, 1].max()
    assert (high - low) / 2 == pytest.approx(2.5 / 2**0.5)  # of 2.5 and 5


def test_file_and_unknown_name(work_dir, tmp_path):
    assert draw_curves({'run': work_dir}, tmp_path / 'curves.png').stat().st_size > 1000
    with pytest.raises(
        ValueError,
        match=r"logged 'acuracy'. Did you mean 'accuracy'\?\n.*one of: accuracy, loss, lr",
    ):
        draw_curves({'run': work_dir}, tmp_path / 'curves.png', names=['acuracy'])
