"""Train a config and all that it requires."""

import argparse


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import OptionAction, add_config_options, add_launcher

    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='The same command given again goes on where the last one stopped.',
    )
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument(
        '--work-dir', help='where to train; default: work_dirs/<name of the config>'
    )
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='checkpoint to go on from; without a file (and without this '
        'option) the newest whole one in the work directory',
    )
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on CPU)')
    parser.add_argument(
        '--seed', type=int, help='seed of the config itself; finished stages are reused as they are'
    )
    parser.add_argument(
        '--with-baseline',
        action='store_true',
        help="train the distiller's student alone too, and compare",
    )
    parser.add_argument(
        '--retrain',
        nargs='+',
        default=[],
        metavar='STAGE',
        help="stages to train from scratch, or 'all'",
    )
    parser.add_argument(
        '--stage-options',
        nargs='+',
        action=OptionAction,
        default={},
        metavar='STAGE.KEY=VALUE',
        help='change the config of a required stage',
    )
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
        help='start loader processes anew each epoch',
    )
    parser.add_argument(
        '--dry-run', action='store_true', help='check everything and show the stages, train nothing'
    )
    add_config_options(parser)
    add_launcher(parser)
    return parser.parse_args()


def train(args: argparse.Namespace) -> list:
    """Plan and run the stages; return them."""
    from mmengine.dist import is_main_process

    from pcdet_kd.apis import model_config
    from pcdet_kd.engine.distributed import setup_distributed
    from pcdet_kd.engine.pipeline import run_stages
    from pcdet_kd.engine.stages import plan

    args.config = str(model_config(args.config))
    options = dict(args.cfg_options)
    if args.seed is not None:
        options['randomness.seed'] = args.seed
    stages = plan(args.config, options, args.stage_options, args.work_dir, args.with_baseline)
    for stage in stages:
        adjust(stage.cfg, args, of_leaf=stage.config == stages[-1].config)
    if args.resume and args.resume != 'auto':
        stages[-1].cfg.load_from, stages[-1].cfg.resume = args.resume, True
    if args.dry_run:
        for stage in stages:
            print(f'{stage.name:20} {stage.config} -> {stage.work_dir}')
        return stages
    setup_distributed(args.launcher, **(stages[-1].cfg.get('env_cfg') or {}).get('dist_cfg') or {})
    return run_stages(
        stages,
        set(args.retrain),
        say=lambda text: print(text, flush=True) if is_main_process() else None,
    )


def adjust(cfg, args: argparse.Namespace, of_leaf: bool) -> None:
    """Apply the command line's switches to a stage's config."""
    cfg.launcher = args.launcher
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if cfg.get(name):
            if args.no_pin_memory:
                cfg[name].pin_memory = False
            if args.no_persistent_workers:
                cfg[name].persistent_workers = False
    if not of_leaf:
        return
    if args.amp:
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
        cfg.default_hooks.checkpoint.save_best = None
    if args.auto_scale_lr:
        from pcdet_kd.engine.config_check import ConfigError

        if not cfg.get('auto_scale_lr') or 'base_batch_size' not in cfg.auto_scale_lr:
            raise ConfigError(
                args.config,
                ['auto_scale_lr: --auto-scale-lr needs auto_scale_lr = dict(base_batch_size=...)'],
            )
        cfg.auto_scale_lr.enable = True


def report(stages: list, with_baseline: bool) -> None:
    """Print what the stages reached and what to do next."""
    from pcdet_kd.engine.summary import rows, verdict
    from pcdet_kd.visualization import comparison_table, draw_curves

    leaf = stages[-1]
    print(f'\nTest split, in %:\n{comparison_table(rows(stages))}')
    if with_baseline:
        from pcdet_kd.registry import DATASETS

        print(verdict(leaf, stages[-2], len(DATASETS.build(leaf.cfg.test_dataloader.dataset))))
        logged = ('loss_cls', 'accuracy') if leaf.cfg.val_dataloader else ('loss_cls',)
        runs = {'alone': stages[-2].work_dir, 'distilled': leaf.work_dir}
        print('curves:', draw_curves(runs, leaf.work_dir / 'curves.png', logged))
    votes = ' --votes 10' if 'accuracy' in leaf.record.results.get('last', {}) else ''
    print(
        f'\nweights: {leaf.weights}\nnext:    python tools/test.py {leaf.config} '
        f'{leaf.work_dir}/last.pth{votes}'
    )


def main() -> int:
    """Run the command and return its exit code."""
    args = parse_args()
    from pcdet_kd.cli.guard import guarded

    @guarded
    def command() -> None:
        stages = train(args)
        from mmengine.dist import is_main_process

        if is_main_process() and not args.dry_run:
            report(stages, args.with_baseline)

    return command()
