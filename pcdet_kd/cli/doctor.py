"""Look at the environment, data, a config or a checkpoint; say what is broken and what mends it."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from typing import Any

from pcdet_kd.cli.guard import guarded


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog='The exit code is 1 if something is broken.'
    )
    subjects = parser.add_subparsers(dest='subject', required=True, metavar='SUBJECT')
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('--json', action='store_true', help='write the report as JSON')
    subjects.add_parser(
        'env', parents=[common], help='versions, processor, GPUs, kernels, optional packages'
    )
    return parser.parse_args()


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    args = parse_args()
    # with --json, what the log and the parts say must not be in the way
    with redirect_stdout(sys.stderr) if args.json else nullcontext():
        report = _LOOK[args.subject](args)
    if args.json:
        print(json.dumps(report.to_dict(), indent=1))
    else:
        print(report.text())
        if args.subject == 'env' and not report.is_broken:
            print('\nnext: pcdet-kd doctor data')
    return int(report.is_broken)


def _env(args: argparse.Namespace) -> Any:
    from pcdet_kd.apis.doctor import check_env

    return check_env()


_LOOK: dict[str, Callable[[argparse.Namespace], Any]] = dict(env=_env)
