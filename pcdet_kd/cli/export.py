"""Export a trained classifier to ONNX, torch.export or a folder of safetensors, and compare it with
the model.
"""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import add_config_options, positive
from pcdet_kd.utils.exported_files import ENDS, format_of


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='What was exported is run and compared before it is written: if its logits differ '
        'from those of the model by more than 1e-4, nothing is written.',
    )
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument(
        'checkpoint', help="a run's checkpoint; of a distiller, the student is exported"
    )
    parser.add_argument(
        '--out', required=True, metavar='PATH', help='file.onnx, file.pt2, or a folder'
    )
    parser.add_argument('--format', choices=list(ENDS), help="default: what --out's name says")
    parser.add_argument(
        '--num-points', type=positive, help='points of a cloud; default: what the config tests with'
    )
    parser.add_argument(
        '--num-views',
        type=positive,
        help="views of a shape, for image models; default: the model's",
    )
    parser.add_argument(
        '--image-size', type=positive, help="side of a view in pixels; default: the model's"
    )
    add_config_options(parser)
    args = parser.parse_args()
    args.format = args.format or format_of(args.out)
    return args


@guarded
def main() -> None:
    """Run the command."""
    args = parse_args()
    from pcdet_kd.apis import export_model

    result = export_model(
        args.config,
        args.checkpoint,
        args.out,
        args.format,
        args.num_points,
        args.num_views,
        args.image_size,
        args.cfg_options,
    )
    print(report(result))
    trust = ' --trust' if result.format == 'torch' else ''
    print(f'next: pcdet-kd predict {result.path} FILES{trust}')


def report(result: object) -> str:
    """Return what was written, how far it is from the model, and how fast both are."""
    import torch

    from pcdet_kd.apis.export.comparison import LIMIT
    from pcdet_kd.apis.export.export import CHECKED
    from pcdet_kd.visualization import comparison_table

    description = result.description
    shape = ', '.join('any' if n is None else str(n) for n in description.input_shape)
    rows = [
        {'batch': t.batch_size, 'model, ms': t.eager, f'{result.format}, ms': t.exported}
        for t in result.latencies
    ]
    sizes = ', '.join(map(str, CHECKED))
    return '\n'.join(
        (
            f'{result.path}: input {description.input} (batch, {shape}), output logits (batch, '
            f'{len(description.classes)}) and feature',
            f'largest difference of the logits: {result.difference:.1e} (batches of {sizes}; '
            f'at most {LIMIT:.0e})',
            comparison_table(rows),
            f'medians on the CPU, threads: {torch.get_num_threads()}',
        )
    )
