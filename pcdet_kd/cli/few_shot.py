"""Evaluate a pre-trained backbone on few-shot tasks."""

import argparse
from pathlib import Path
from typing import Any

from pcdet_kd.cli.guard import guarded


def number_or_all(text: str) -> int | None:
    """Return a whole number above zero, or None for ``all``."""
    from pcdet_kd.cli.options import positive

    return None if text == 'all' else positive(text)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import add_config_options, add_probe_options, positive

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='If training was stopped, give the same command again: tasks that are finished are '
        'not trained again.',
    )
    parser.add_argument('config', help='few-shot config, or its name')
    parser.add_argument(
        '--load-backbone',
        metavar='FILE',
        help='checkpoint with the weights; default: what the config says',
    )
    parser.add_argument(
        '--way', type=number_or_all, default=5, help="classes of a task, or 'all' (default: 5)"
    )
    parser.add_argument(
        '--shot', type=positive, default=10, help='training clouds per class (default: 10)'
    )
    parser.add_argument('--folds', type=positive, default=10, help='tasks (default: 10)')
    parser.add_argument(
        '--work-dir', help='where to train; default: work_dirs/ and the path below configs/'
    )
    parser.add_argument('--seed', type=int, help='seed of training, or of a random backbone')
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on CPU)')
    parser.add_argument(
        '--frozen',
        action='store_true',
        help='do not train: fit the methods below to frozen features',
    )
    add_probe_options(parser.add_argument_group('with --frozen'))
    add_config_options(parser)
    return parser.parse_args()


def run(args: argparse.Namespace) -> Any:
    """Train the tasks or probe them, and return the result."""
    from pcdet_kd.apis import few_shot, few_shot_probe

    tasks = dict(way=args.way, shot=args.shot, folds=args.folds)
    if not args.frozen:
        settings = dict(work_dir=args.work_dir, seed=args.seed, amp=args.amp)
        settings.update(say=lambda text: print(text, flush=True))
        return few_shot(args.config, args.load_backbone, args.cfg_options, **tasks, **settings)
    return few_shot_probe(
        args.config,
        args.load_backbone,
        args.cfg_options,
        **tasks,
        seed=args.seed or 0,
        methods=args.methods,
        pool=args.pool,
        batch_size=args.batch_size,
        num_workers=args.num_workers,
        device=args.device,
    )


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    args = parse_args()
    import json

    from pcdet_kd.apis import model_config
    from pcdet_kd.engine.stages import work_dir_of
    from pcdet_kd.utils.files import atomic_write
    from pcdet_kd.visualization import comparison_table

    result = run(args)
    folder = Path(args.work_dir or work_dir_of(model_config(args.config)))
    name = f'{args.way or "all"}way_{args.shot}shot{"_frozen" if args.frozen else ""}.json'
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder / name) as file:
        file.write(json.dumps(result.as_dict(), indent=1).encode())
    names = dict(last='trained, last epoch', svm='linear SVM (C = 1)', knn='5 nearest neighbours')
    rows = [
        {
            'method': names[method],
            'mean OA': result.mean(method),
            'std': result.deviation(method),
            'each task': ' '.join(f'{value:.1f}' for value in values),
        }
        for method, values in result.accuracy.items()
    ]
    print(
        f'\n{args.way or "all"} way, {args.shot} shot, {args.folds} tasks, test clouds, in %; '
        f'backbone: {result.weights or "random"}\n{comparison_table(rows)}\n\n'
        f'written: {folder / name}'
    )
