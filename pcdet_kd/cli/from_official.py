"""Convert a published checkpoint to one of this project. Each key is renamed or left out by a rule;
a partial match is an error.
"""

import argparse
from pathlib import Path

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'src', metavar='SRC', help='published file: .pth, .pt, .t7, .ckpt, .tar or .safetensors'
    )
    parser.add_argument('dst', metavar='DST', help='file to write')
    parser.add_argument(
        '--arch',
        required=True,
        metavar='NAME',
        help='published network, such as pointmlp; --list shows all',
    )
    parser.add_argument('--quiet', action='store_true', help='do not list the keys')
    parser.add_argument('--list', action=_List, help='show the published networks and exit')
    args = parser.parse_args()
    from pcdet_kd.apis import convert_file
    from pcdet_kd.apis.official_archs import OFFICIAL

    conversion, inert = convert_file(args.src, args.dst, args.arch)
    if not args.quiet:
        width = max(len(old) for old, _ in conversion.renamed)
        for old, new in conversion.renamed:
            print(f'{old:{width}} -> {new}')
        for key in conversion.left:
            print(f'{key:{width}} left out: our model does not use it')
    print(
        f'{args.dst}: {len(conversion.renamed)} tensors from {Path(args.src).name} '
        f'({OFFICIAL[args.arch].source}), {len(conversion.left)} left out by rule'
    )
    if inert:
        print(f'Python objects in the file that were not read: {", ".join(inert)}')
    print(f"In Python: pcdet_kd.apis.init_model(checkpoint='{args.dst}')")


class _List(argparse.Action):
    def __init__(self, option_strings: list[str], dest: str, help: str) -> None:
        super().__init__(
            option_strings, dest=argparse.SUPPRESS, default=argparse.SUPPRESS, nargs=0, help=help
        )

    def __call__(self, parser: argparse.ArgumentParser, *args: object) -> None:
        from pcdet_kd.apis.official_archs import OFFICIAL

        width = max(map(len, OFFICIAL))
        for name, official in OFFICIAL.items():
            print(f'{name:{width}}  {official.source}')
        parser.exit()
