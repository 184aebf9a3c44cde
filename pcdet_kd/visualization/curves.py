"""Training curves of one or several runs, from MMEngine's scalars.json."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pcdet_kd.utils.errors import DataError
from pcdet_kd.visualization.canvas import new_figure, save, style


def read_scalars(path: str | Path) -> dict[str, dict[int, float]]:
    """Read what a run logged, per epoch.

    Args:
        path: A ``scalars.json``, or a work dir: then those of all its (resumed) runs, where the
            later one counts.

    Returns:
        For each name its value by epoch: validation values as logged, training values as their mean
        over the epoch.

    Raises:
        DataError: There is no such file, or a line in it is not a JSON object.
    """
    path = Path(path)
    files = [path] if path.is_file() else sorted(path.glob('*/vis_data/scalars.json'))
    if not files:
        raise DataError(
            path,
            'no */vis_data/scalars.json' if path.is_dir() else 'nothing',
            'the work dir of a run',
            'train with the LocalVisBackend, or check the path',
        )
    curves = defaultdict(dict)
    for file in files:
        seen = defaultdict(list)
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines):
            try:
                entry = dict(json.loads(line))
            except (ValueError, TypeError):
                if number == len(lines) - 1:
                    continue  # the run was killed while it wrote this line
                raise DataError(
                    f'{file}, line {number + 1}', line[:60], 'a JSON object', 'remove the line'
                ) from None
            epoch = entry.get(
                'epoch', entry.get('step')
            )  # validation lines have the epoch as their step
            for name, value in entry.items():
                if name not in ('epoch', 'iter', 'step') and isinstance(value, (int, float)):
                    seen[name, int(epoch)].append(value)
        for (name, epoch), values in seen.items():
            curves[name][epoch] = float(np.mean(values))
    return {name: dict(sorted(values.items())) for name, values in curves.items()}


def draw_curves(
    runs: Mapping[str, str | Path | Sequence[str | Path]],
    path: str | Path,
    names: Sequence[str] = ('loss', 'accuracy'),
) -> Path:
    """Draw logged values over epochs: a panel for each name, a line for each run.

    Args:
        runs: For each line its title and its work dir or ``scalars.json``; or several of these, of
            the seeds of one model: then their mean is drawn, over the epochs that all have, with a
            band of one standard deviation (n - 1).
        path: File to write; its suffix chooses the format.
        names: Of the values to draw. A run that did not log one has no line in that panel.

    Returns:
        The path.

    Raises:
        DataError: A run cannot be read, or no run logged one of the names.
    """
    sources = {
        title: [given] if isinstance(given, (str, Path)) else list(given)
        for title, given in runs.items()
    }
    logged = {title: [read_scalars(source) for source in of] for title, of in sources.items()}
    every = [scalars for of in logged.values() for scalars in of]
    for name in names:
        if not any(name in scalars for scalars in every):
            from pcdet_kd.registry import did_you_mean

            known = sorted(set().union(*every))
            raise DataError(
                ', '.join(str(source) for of in sources.values() for source in of),
                f"no run logged '{name}'.{did_you_mean(name, known)}",
                f'one of: {", ".join(known)}',
                'choose one of these',
            )
    figure = new_figure(4.6 * len(names), 3.3)
    for column, name in enumerate(names):
        axes = figure.add_subplot(1, len(names), column + 1)
        for i, (title, of) in enumerate(logged.items()):
            curves = [scalars[name] for scalars in of if name in scalars]
            if curves:
                epochs = sorted(set.intersection(*map(set, curves)))
                values = np.array([[curve[epoch] for epoch in epochs] for curve in curves])
                mean = values.mean(axis=0)
                marker = 'o' if len(epochs) <= 20 else None
                look = dict(color=f'C{i}', linewidth=1.6, marker=marker, markersize=3.5)
                axes.plot(epochs, mean, label=title, **look)
                if len(curves) > 1:
                    std = values.std(axis=0, ddof=1)
                    axes.fill_between(
                        epochs, mean - std, mean + std, color=f'C{i}', alpha=0.18, linewidth=0
                    )
        style(axes, 'epoch', title=_title(name))
        axes.xaxis.get_major_locator().set_params(integer=True)
        if len(logged) > 1:
            axes.legend(frameon=False, fontsize=9)
    return save(figure, path)


def _title(name: str) -> str:
    """Return a logged value's name with its unit and split: what starts with ``loss`` or ``stat``
    is logged in training, accuracies in validation.
    """
    words = name.replace('_', ' ')
    if name.startswith(('loss', 'stat_', 'lr')):
        return f'{words}, training split'
    return f'{words} in %, validation split' if name.endswith('accuracy') else words
