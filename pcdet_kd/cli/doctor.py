"""Look at the environment, data, a config or a checkpoint; say what is broken and what mends it."""

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import nullcontext, redirect_stdout
from typing import Any

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import add_config_options


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
    data = subjects.add_parser(
        'data',
        parents=[common],
        help='which data sets are there, whether they are whole, what is in them',
    )
    data.add_argument(
        'root',
        nargs='?',
        default='data',
        metavar='ROOT|CONFIG',
        help='a folder of data sets, one data set, or a config (default: data)',
    )
    data.add_argument(
        '--quick', action='store_true', help='look at the files only, not at what is in them'
    )
    add_config_options(data)
    config = subjects.add_parser(
        'config',
        parents=[common],
        help='check a config with all its stages; measure memory and time of a few steps',
    )
    config.add_argument('config', help='config file, or the name of a model')
    config.add_argument('--work-dir', help='as of train: where finished stages are looked for')
    add_config_options(config)
    ckpt = subjects.add_parser(
        'ckpt', parents=[common], help='what a checkpoint holds, and which models it fits'
    )
    ckpt.add_argument('file', help='a checkpoint of this project, or of a published network')
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
    return int(report.is_broken)


def _env(args: argparse.Namespace) -> Any:
    from pcdet_kd.apis.doctor import check_env

    return check_env()


def _data(args: argparse.Namespace) -> Any:
    from pathlib import Path

    from pcdet_kd.apis.doctor import check_data, check_data_of_config
    from pcdet_kd.apis.models import model_config, model_infos
    from pcdet_kd.engine.config import load_config
    from pcdet_kd.utils.errors import UserError

    path = Path(args.root)
    is_config = path.suffix == '.py' or (not path.exists() and args.root in model_infos())
    if not is_config:
        if args.cfg_options:
            raise UserError(f'--cfg-options is for a config, and {path} is not one')
        return check_data(path, args.quick)
    if args.quick:
        raise UserError(f'--quick is for folders, and {path} is a config')
    return check_data_of_config(load_config(model_config(args.root), args.cfg_options), args.root)


def _config(args: argparse.Namespace) -> Any:
    from pcdet_kd.apis.doctor import check_config

    return check_config(args.config, args.cfg_options, args.work_dir)


def _ckpt(args: argparse.Namespace) -> Any:
    from pcdet_kd.apis.doctor import check_ckpt

    return check_ckpt(args.file)


_LOOK: dict[str, Callable[[argparse.Namespace], Any]] = dict(
    env=_env, data=_data, config=_config, ckpt=_ckpt
)
