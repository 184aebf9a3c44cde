"""List the models: parameters, published accuracy with its source and protocol."""

import argparse
import sys
from pathlib import Path

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import positive


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'pattern',
        nargs='?',
        default='*',
        help="part of a name, or a shell pattern such as 'dgcnn*' (default: all)",
    )
    parser.add_argument(
        '--measure',
        action='store_true',
        help='instead of published results: config, GFLOPs, and samples per second on this machine',
    )
    parser.add_argument(
        '--num-points', type=positive, default=1024, help='for --measure (default: %(default)s)'
    )
    parser.add_argument(
        '--page',
        metavar='RUNS',
        help="write the model zoo's page from this JSON of benchmarks/zoo.py ...",
    )
    parser.add_argument(
        '--out', default='docs/en/model_zoo.md', help='... here (default: docs/en/model_zoo.md)'
    )
    args = parser.parse_args()
    import torch

    from pcdet_kd.apis import list_models, model_infos
    from pcdet_kd.apis.zoo import measured_rows, model_rows, zoo_page
    from pcdet_kd.registry import did_you_mean
    from pcdet_kd.visualization import comparison_table

    if args.page:
        page = zoo_page(Path(args.page))
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        Path(args.out).write_text(page, encoding='utf-8')
        print(f'{args.out} written')
        return 0
    names, infos = list_models(args.pattern), model_infos()
    if not names:
        print(
            f"no model matches '{args.pattern}'.{did_you_mean(args.pattern, infos)} Without a "
            'pattern all are listed',
            file=sys.stderr,
        )
        return 1
    chosen = [infos[name] for name in names]
    if args.measure:
        print(comparison_table(measured_rows(chosen, args.num_points)))
        print(
            f'\nMeasured here: {args.num_points} points, {torch.get_num_threads()} threads, '
            'batches of 8, float32. A distiller is its student.'
        )
        return 0
    print(comparison_table(model_rows(chosen)))
    families = dict.fromkeys(f'configs/{infos[name].config.parent.name}/' for name in names)
    print('\nThe results are those of the source named; --measure shows cost and speed here.')
    print(
        f'Configs: {", ".join(families)}. train, test, print-config, get-flops and '
        'benchmark take a name too.'
    )
    return 0
