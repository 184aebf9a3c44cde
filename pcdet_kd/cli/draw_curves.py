"""Draw the learning curves of runs: a panel for each value, a line for each run or model."""

import argparse
from pathlib import Path

from pcdet_kd.cli.guard import guarded


def titled(text: str) -> tuple[str, list[str]]:
    """Return title and runs of ``[TITLE=]RUN[,RUN...]``: a type for ``add_argument``. Without a
    title, the name of the run's directory is taken.
    """
    title, sign, runs = text.partition('=')
    found = [run for run in runs.split(',') if run]
    if sign and title and found and not Path(text).exists():
        return title, found
    return Path(text).resolve().name, [text]


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'runs',
        nargs='+',
        type=titled,
        metavar='[TITLE=]RUN[,RUN...]',
        help='work directories, or files scalars.json; several runs of one title are seeds of a '
        'model, of which the mean is drawn',
    )
    parser.add_argument(
        '--names',
        nargs='+',
        default=['loss', 'accuracy'],
        metavar='NAME',
        help='of the logged values (default: loss accuracy)',
    )
    parser.add_argument('--out', default='curves.png', metavar='FILE', help='image (%(default)s)')
    args = parser.parse_args()
    titles = [title for title, _ in args.runs]
    double = sorted({title for title in titles if titles.count(title) > 1})
    if double:
        parser.error(f"two runs are called '{double[0]}': write TITLE=RUN")

    from pcdet_kd.visualization import draw_curves

    print(draw_curves(dict(args.runs), args.out, args.names))
    return 0
