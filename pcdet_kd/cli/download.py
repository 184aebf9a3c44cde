"""Download a published data set, or say where and under which terms it can be had."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='After a stop of any kind, the same command goes on where it stopped.',
    )
    parser.add_argument('name', nargs='?', help='name of the data set, see --list')
    parser.add_argument(
        '--root', default='data', help="where the data set's folder is made (default: data)"
    )
    parser.add_argument(
        '--list', action='store_true', help='show the data sets with size, terms and folders'
    )
    args = parser.parse_args()
    if (args.name is None) != args.list:
        parser.error('give the name of a data set, or --list')
    if args.list:
        from pcdet_kd.apis.download import published_text

        print(published_text(args.root))
        print('\nnext: pcdet-kd download NAME (of one to be got by hand, it says what to do)')
        return 0
    from pcdet_kd.apis.download import download

    folder = download(args.name, args.root, lambda text: print(text, flush=True))
    print(f'next: pcdet-kd doctor data {folder}')
    return 0
