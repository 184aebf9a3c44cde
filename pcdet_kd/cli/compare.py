"""Compare models by their predictions on the same test shapes, with paired tests."""

import argparse

from pcdet_kd.cli.guard import guarded


def model_runs(text: str) -> tuple[str, list[str]]:
    """Return name and runs of ``NAME=RUN,RUN``: a type for ``add_argument``."""
    name, sign, runs = text.partition('=')
    found = [run for run in runs.split(',') if run]
    if not (sign and name and found):
        raise argparse.ArgumentTypeError(f"'{text}' is not NAME=RUN or NAME=RUN,RUN")
    return name, found


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='With one run each, the exact McNemar test; with several, a paired t-test over runs '
        'in the order given, which should be that of their seeds. The 95 % interval is that of '
        'the paired bootstrap over shapes and runs; with two or three runs it is too short.',
    )
    parser.add_argument(
        'models',
        nargs='+',
        type=model_runs,
        metavar='NAME=RUN[,RUN...]',
        help='a model and its runs: work directories, or files of predictions; the first model is '
        'what the others are compared with',
    )
    parser.add_argument(
        '--epoch',
        choices=['last', 'best'],
        default='last',
        help='of work directories: the last epoch, or the best on the validation split '
        '(default: %(default)s)',
    )
    parser.add_argument('--out', metavar='FILE.json', help='also write the result there')
    args = parser.parse_args()
    names = [name for name, _ in args.models]
    double = sorted({name for name in names if names.count(name) > 1})
    if double:
        parser.error(f"'{double[0]}' is there twice: write NAME=RUN,RUN")
    return args


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    args = parse_args()
    import json

    from pcdet_kd.apis.compare import compare
    from pcdet_kd.utils.files import write_whole
    from pcdet_kd.visualization import comparison_table

    result = compare(dict(args.models), args.epoch)
    print(comparison_table(result.rows()))
    if result.differences:
        print(f'\nshapes that are classified correctly\n{comparison_table(result.counts())}\n')
        print('\n'.join(result.sentences()))
    if args.out:
        write_whole(args.out, json.dumps(result.to_dict(), indent=1) + '\n')
        print(f'written to {args.out}')
