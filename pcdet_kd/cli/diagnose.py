"""Say what distillation did to a student, on a page: who is right, calibration, classes, layers."""

import argparse
from pathlib import Path

from pcdet_kd.cli.guard import guarded


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import add_device_options

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The student and its teachers run on the test split of the config. The student '
        'alone is read from the predictions that its run left.',
    )
    parser.add_argument('config', help="the distiller's config file, or the name of a model")
    parser.add_argument('work_dir', help='directory of its run')
    parser.add_argument(
        '--alone',
        metavar='RUN',
        help='work directory or predictions of the student alone; default: what --with-baseline '
        'left beside the run',
    )
    parser.add_argument(
        '--epoch', choices=['last', 'best'], default='last', help='(default: %(default)s)'
    )
    parser.add_argument(
        '--out', metavar='FILE.html', help='default: diagnosis.html in the work directory'
    )
    add_device_options(parser, batch_size=32, workers=True)
    args = parser.parse_args()
    if args.out and not args.out.endswith('.html'):
        parser.error(f"--out: '{args.out}' must end with .html")
    return args


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    args = parse_args()
    from pcdet_kd.apis import diagnose
    from pcdet_kd.apis.diagnosis import diagnosis_text, write_diagnosis

    content = diagnose(
        args.config,
        args.work_dir,
        alone=args.alone,
        which=args.epoch,
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        device=args.device,
    )
    print(diagnosis_text(content))
    files = write_diagnosis(content, args.out or Path(args.work_dir) / 'diagnosis.html')
    print('\nwritten:', *files)
