"""Arguments that several commands share. Nothing heavy is imported here: ``--help`` must be
quick.
"""

import argparse
import ast
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def parse_value(text: str) -> Any:
    """Return the value of an option: a Python literal if it is one, ``a,b`` as a list, else the
    text itself.
    """
    try:
        value = ast.literal_eval(text)
        return list(value) if isinstance(value, tuple) and not text.startswith('(') else value
    except (ValueError, SyntaxError):
        pass
    simple = {'true': True, 'false': False, 'none': None, 'null': None}
    if text.lower() in simple:
        return simple[text.lower()]
    if ',' in text and not any(c in text for c in '[](){}'):
        return [parse_value(part) for part in text.split(',')]
    return text


def called(command: str) -> str:
    """Return how a command is called here: as this one was, by ``pcdet-kd`` or a file in
    ``tools``.
    """
    by_name = sys.argv[0].startswith('pcdet-kd')
    return f'pcdet-kd {command}' if by_name else f'python tools/{command.replace("-", "_")}.py'


def positive(text: str) -> int:
    """Return a whole number above zero: a type for ``add_argument``."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number above 0")
    return int(text)


class OptionAction(argparse.Action):
    """``--cfg-options a.b=1 c=x``: collects a dict of dotted paths."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Sequence[str],
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest) or {})
        for item in values:
            key, sign, value = item.partition('=')
            if not sign:
                parser.error(f"{option_string} takes KEY=VALUE, got '{item}'")
            options[key.strip()] = parse_value(value)
        setattr(namespace, self.dest, options)


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='KEY=VALUE',
        help='change values of the config: its variables (data_root=...) or dotted paths '
        '(optim_wrapper.optimizer.lr=.01)',
    )


def add_stages(parser: argparse.ArgumentParser) -> None:
    """Add ``--retrain``, ``--extend`` and ``--stage-options``."""
    parser.add_argument(
        '--retrain',
        nargs='+',
        default=[],
        metavar='STAGE',
        help="stages to train from scratch, or 'all'",
    )
    parser.add_argument(
        '--extend',
        nargs='+',
        default=[],
        metavar='STAGE',
        help='finished stages to train for more epochs (max_epochs has been raised)',
    )
    add_stage_options(parser)


def add_stage_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--stage-options``."""
    parser.add_argument(
        '--stage-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='STAGE.KEY=VALUE',
        help='change the config of a required stage',
    )


def add_input_sizes(parser: argparse.ArgumentParser) -> None:
    """Add ``--num-points``, ``--num-views`` and ``--image-size``, for random inputs."""
    for name, size, of in (
        ('--num-points', 1024, 'points per cloud'),
        ('--num-views', 6, 'views per shape, for image models'),
        ('--image-size', 224, 'side of a view in pixels'),
    ):
        parser.add_argument(name, type=positive, default=size, help=f'{of} (default: %(default)s)')


def add_probe_options(parser: argparse._ActionsContainer) -> None:
    """Add what the probes of frozen features take."""
    parser.add_argument(
        '--methods',
        nargs='+',
        choices=['svm', 'knn'],
        default=['svm', 'knn'],
        help='linear SVM (needs scikit-learn) and 5 nearest neighbours (default: both)',
    )
    parser.add_argument(
        '--pool',
        nargs='+',
        choices=['cls', 'mean', 'max'],
        help='what the feature of a transformer is made of; default: cls mean, or mean max '
        'without a class token',
    )
    add_device_options(parser, batch_size=64, workers=True)


def add_device_options(
    parser: argparse._ActionsContainer, batch_size: int | None = None, workers: bool = False
) -> None:
    """Add ``--device``, with a default for it ``--batch-size``, and ``--num-workers`` if asked."""
    if batch_size is not None:
        parser.add_argument(
            '--batch-size',
            type=positive,
            default=batch_size,
            help='clouds at a time (default: %(default)s)',
        )
    if workers:
        parser.add_argument(
            '--num-workers', type=int, default=0, help='processes that read clouds (default: 0)'
        )
    parser.add_argument('--device', help='cpu, cuda, ...; default: a GPU if there is one')


def add_cloud_options(parser: argparse.ArgumentParser) -> None:
    """Add what says how given clouds are to be read: ``--up-axis`` and ``--columns``."""
    parser.add_argument(
        '--up-axis', choices=['x', 'y', 'z'], help="axis that points up; default: the model's"
    )
    parser.add_argument(
        '--columns',
        type=lambda text: text.split(','),
        help='columns of text and npy files, such as x,y,z,nx,ny,nz',
    )


def end_with(failed: Sequence[Mapping[str, str]]) -> int:
    """Print which given clouds could not be read, and return the command's exit code."""
    for row in failed:
        print(f'not read: {" ".join(row["reason"].split())}')
    return int(bool(failed))


def add_verify_data(parser: argparse.ArgumentParser) -> None:
    """Add ``--verify-data``."""
    parser.add_argument(
        '--verify-data',
        action='store_true',
        help="compare the data's files with their SHA-256 hashes; the first run with this option "
        'writes the hashes',
    )


def add_launcher(parser: argparse.ArgumentParser) -> None:
    """Add ``--launcher``."""
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none',
        help='how the processes of a distributed run are started (%(default)s)',
    )
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS)
