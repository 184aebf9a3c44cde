"""Train a config and all that it requires."""

import argparse
from typing import Any

from pcdet_kd.cli.guard import guarded


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import (
        add_config_options,
        add_launcher,
        add_stages,
        add_verify_data,
    )

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='If training was stopped, give the same command again: it resumes.',
    )
    parser.add_argument('config', nargs='?', help='config file, or the name of a model')
    own = parser.add_argument_group('own data', 'instead of a config: one is written, and trained')
    own.add_argument('--data', metavar='FOLDER', help='clouds or meshes, a folder per class')
    own.add_argument('--model', metavar='NAME', help='student, such as pointnext_s')
    own.add_argument('--up-axis', choices=['x', 'y', 'z'], help='axis that points up in the files')
    own.add_argument('--teacher', metavar='NAME', help="another student's name, or images")
    own.add_argument('--method', default='jgekd', help='with --teacher: jgekd or hinton')
    parser.add_argument(
        '--work-dir',
        help="where to train; default: work_dirs/ and the config's path below configs/",
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        metavar='FILE',
        help='checkpoint to continue from; without FILE, and without this option, the newest '
        'complete checkpoint in the work directory',
    )
    parser.add_argument(
        '--load-backbone',
        metavar='FILE',
        help='checkpoint whose backbone training starts from: of a pre-training (its EMA teacher), '
        'of a distiller (its student) or of a classifier',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on CPU)')
    parser.add_argument(
        '--seed',
        type=int,
        help='seed of this config; the stages that it requires keep their own',
    )
    parser.add_argument(
        '--with-baseline',
        action='store_true',
        help="also train the distiller's student alone, and compare",
    )
    add_stages(parser)
    parser.add_argument('--no-validate', action='store_true', help='no validation during training')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate by the batch size (auto_scale_lr)',
    )
    parser.add_argument(
        '--no-pin-memory', action='store_true', help='do not pin memory in data loaders'
    )
    parser.add_argument(
        '--no-persistent-workers',
        action='store_true',
        help='start new loader processes in each epoch',
    )
    parser.add_argument(
        '--dry-run',
        action='store_true',
        help='check every stage with a tiny batch and show the stages; train nothing',
    )
    add_verify_data(parser)
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args()
    if (args.config is None) == (args.data is None):
        parser.error('give a config, or --data FOLDER --model NAME --up-axis AXIS')
    if args.data and not (args.model and args.up_axis):
        parser.error(f'--data {args.data}: --model and --up-axis are needed too')
    return args


def report(result: Any) -> None:
    """Print what the stages reached and what to do next."""
    from pcdet_kd.cli.options import called
    from pcdet_kd.engine.summary import split_title
    from pcdet_kd.visualization import comparison_table, draw_curves

    leaf = result.stages[-1]
    if leaf.cfg.get('test_dataloader') is None:
        logged = sorted(name for name in leaf.cfg.model.get('losses', ()))
        names = [f'loss_{name}' for name in logged] or ['loss']
        curves = draw_curves({leaf.name: leaf.work_dir}, leaf.work_dir / 'curves.png', names)
        print(
            f'\ncurves:  {curves}'
            f'\nweights: {leaf.work_dir}/last.pth (this config tests nothing)\n'
            f'next:    {called("train")} CONFIG_OF_A_CLASSIFIER --load-backbone '
            f'{leaf.work_dir}/last.pth'
        )
        return
    split = leaf.cfg.test_dataloader.dataset.get('split', 'test')
    print(f'\n{split_title(split)}, in %:\n{comparison_table(result.table())}')
    print('\n'.join(result.outcome()))
    baseline = result.stages[-2] if len(result.stages) > 1 else leaf
    if baseline.name == f'{leaf.name}_baseline':
        logged = ('loss_cls', 'accuracy') if leaf.cfg.val_dataloader else ('loss_cls',)
        runs = {'alone': baseline.work_dir, 'distilled': leaf.work_dir}
        print('curves:', draw_curves(runs, leaf.work_dir / 'curves.png', logged))
    metrics = result.metrics.get('last', {})
    votes = ' --votes 10' if {'accuracy', 'instance_miou'} & set(metrics) else ''
    print(
        f'\nweights: {result.weights}\n'
        f'next:    {called("test")} {leaf.config} {leaf.work_dir}/last.pth{votes}'
    )


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    args = parse_args()
    from mmengine.dist import is_main_process

    from pcdet_kd.apis import train, write_config

    if args.data:
        own = write_config(args.data, args.model, args.up_axis, args.teacher, args.method)
        print(own.text(), flush=True)
        args.config = own.configs[-1]
    result = train(
        args.config,
        args.cfg_options,
        stage_options=args.stage_options,
        work_dir=args.work_dir,
        seed=args.seed,
        resume=args.resume,
        retrain=args.retrain,
        extend=args.extend,
        with_baseline=args.with_baseline,
        load_backbone=args.load_backbone,
        validate=not args.no_validate,
        amp=args.amp,
        auto_scale_lr=args.auto_scale_lr,
        pin_memory=not args.no_pin_memory,
        persistent_workers=not args.no_persistent_workers,
        verify_data=args.verify_data,
        dry_run=args.dry_run,
        launcher=args.launcher,
        say=lambda text: print(text, flush=True),
    )
    if args.dry_run:
        print('nothing was trained: this was a dry run, and all checks passed')
    elif is_main_process():
        report(result)
