"""Classify point clouds of files and folders with a trained model."""

import argparse
import csv
import io
import json
from pathlib import Path

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import (
    add_cloud_options,
    add_config_options,
    add_device_options,
    end_with,
    positive,
)
from pcdet_kd.utils.exported_files import is_exported


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The exit code is 1 if a file could not be read; the others are classified all the '
        'same.',
    )
    parser.add_argument(
        'model', help='config file, name of a model, or an exported .onnx or .pt2 file or folder'
    )
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='[checkpoint] inputs',
        help="the checkpoint of a config's model (an exported one needs none); then point-cloud "
        'files or meshes, folders of them, or patterns',
    )
    parser.add_argument(
        '--out',
        metavar='FILE',
        help='write the predictions there, as .csv or .json, or as a page with the clouds, .html',
    )
    parser.add_argument(
        '--topk',
        type=positive,
        help='how many classes to name (default: 1, or 3 on a page)',
    )
    parser.add_argument(
        '--features', action='store_true', help='with --out FILE.json: also the features'
    )
    add_cloud_options(parser)
    parser.add_argument(
        '--no-normalize',
        action='store_true',
        help='do not scale clouds into the unit sphere where the config does not either',
    )
    add_device_options(parser, batch_size=32)
    parser.add_argument(
        '--trust', action='store_true', help='read a .pt2 file, which can run code that it holds'
    )
    add_config_options(parser)
    args = parser.parse_args()
    args.checkpoint = None if is_exported(args.model) else args.inputs.pop(0)
    if not args.inputs:
        parser.error(
            f"'{args.model}' is no exported model: it takes a checkpoint and the files to classify"
        )
    if args.checkpoint is None and args.cfg_options:
        parser.error(f"--cfg-options: '{args.model}' is an exported model and has no config")
    if args.out and Path(args.out).suffix not in ('.csv', '.json', '.html'):
        parser.error(f"--out: '{args.out}' must end in .csv, .json or .html")
    if args.features and Path(args.out or '').suffix != '.json':
        parser.error('--features: needs --out FILE.json')
    return args


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    args = parse_args()
    from pcdet_kd.apis import PointCloudClassificationInferencer
    from pcdet_kd.utils.files import write_whole
    from pcdet_kd.visualization import comparison_table, gallery_page

    inferencer = PointCloudClassificationInferencer(
        args.model,
        args.checkpoint,
        args.device,
        args.up_axis,
        not args.no_normalize,
        args.cfg_options,
        show_progress=False,
        trust=args.trust,
    )
    print(f'each cloud: {"; ".join(inferencer.says) or "as it is"}')
    kind = Path(args.out).suffix if args.out else ''
    results = inferencer(
        args.inputs,
        batch_size=args.batch_size,
        topk=args.topk or (3 if kind == '.html' else 1),
        clouds=kind == '.html',
        features=args.features,
        columns=args.columns,
    )
    found, failed = results['predictions'], results['failed']
    if args.out:
        if kind == '.html':
            says = '; '.join(inferencer.says) or 'as they are'
            weights = {} if args.checkpoint is None else {'checkpoint': args.checkpoint}
            told = {'model': args.model, **weights, 'clouds': says}
            text = gallery_page(found, failed, told, inferencer.up_axis or 'z')
        else:
            text = as_csv(found) if kind == '.csv' else json.dumps(results, indent=1) + '\n'
        write_whole(args.out, text)
        print(f'{len(found)} predictions written: {args.out}')
    elif found:
        print(comparison_table(as_rows(found)))
        print('next:    add --out predictions.html to see the clouds')
    return end_with(failed)


def as_rows(predictions: list[dict]) -> list[dict]:
    """Return one flat row per cloud: its name, and class and score of each place."""
    rows = []
    for prediction in predictions:
        row = {'name': prediction['name']}
        for place, (name, score) in enumerate(prediction['top'], 1):
            end = '' if place == 1 else f' {place}'
            row.update({f'class{end}': name, f'score{end}': round(score, 4)})
        rows.append(row)
    return rows


def as_csv(predictions: list[dict]) -> str:
    """Return the rows as a CSV file with a header."""
    rows = as_rows(predictions)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ['name', 'class', 'score'])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
