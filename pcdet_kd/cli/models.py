"""List the models: parameters, published accuracy with its source and protocol."""

import argparse
from pathlib import Path


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('pattern', nargs='?', default='*', help="shell pattern of names, such as '*dgcnn*' (default: all)")
    parser.add_argument('--page', metavar='RUNS', help="write the model zoo's page from this JSON of benchmarks/zoo.py ...")
    parser.add_argument('--out', default='docs/en/model_zoo.md', help='... here (default: docs/en/model_zoo.md)')
    args = parser.parse_args()
    from pcdet_kd.cli.guard import guarded

    @guarded
    def command() -> int:
        from pcdet_kd.apis import list_models, model_infos
        from pcdet_kd.apis.zoo import model_rows, zoo_page
        from pcdet_kd.visualization import comparison_table
        if args.page:
            Path(args.out).write_text(zoo_page(Path(args.page)), encoding='utf-8')
            print(f'{args.out} written')
            return 0
        names = list_models(args.pattern)
        if not names:
            print(f"no model matches '{args.pattern}'; without a pattern all are listed")
            return 1
        infos = model_infos()
        print(comparison_table(model_rows([infos[name] for name in names]), decimals=1))
        print("\nA model's config runs with tools/train.py; get-flops and benchmark take its name too.")
        return 0

    return command()
