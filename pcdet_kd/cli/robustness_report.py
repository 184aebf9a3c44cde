"""Write a report on one or several models that were evaluated on a corruption suite."""

import argparse
from pathlib import Path

from pcdet_kd.cli.guard import guarded


def parse_models(arguments: list[str]) -> dict[str, list[Path]]:
    """Return the folders of each model, from ``FOLDER`` or ``NAME=FOLDER,FOLDER,...``.

    Without a name, the run's own (the config's) is taken, with the folder's if two have the same.

    Raises:
        ConfigError: A name is given twice.
    """
    from pcdet_kd.engine.config_check import ConfigError
    from pcdet_kd.robustness.results import read_info

    models = {}
    for argument in arguments:
        name, sign, folders = argument.partition('=')
        if sign and not Path(argument).is_dir():
            paths = [Path(folder) for folder in folders.split(',') if folder]
        else:
            paths = [Path(argument)]
            name = read_info(paths[0])['run']['name']
            if name in models:
                name = f'{name} ({paths[0].name})'
        if not name or not paths or name in models:
            problem = (
                f"two models are called '{name}'"
                if name in models
                else 'a name and at least one folder are needed'
            )
            raise ConfigError('command line', [f'{argument}: {problem}: NAME=FOLDER,FOLDER,...'])
        models[name] = paths
    return models


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'results',
        nargs='+',
        metavar='[NAME=]FOLDER[,FOLDER...]',
        help='folders that tools/test.py --corruptions has printed; several folders of one model '
        'are its seeds. The other models are compared with the first one',
    )
    parser.add_argument(
        '--out', required=True, metavar='DIR', help='folder for report.html, .json, .md and .tex'
    )
    args = parser.parse_args()
    from pcdet_kd.cli.suite import show
    from pcdet_kd.robustness import make_report

    out = Path(args.out)
    show(make_report(parse_models(args.results), out))
    print(f'report: {out / "report.html"}')
