"""Evaluate a checkpoint on a config's test split, plain or with votes, or on a whole corruption
suite.
"""

import argparse
import sys
from pathlib import Path
from typing import Any


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    from pcdet_kd.cli.options import add_config_options, add_launcher
    from pcdet_kd.cli.suite import add_suite_options

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a model')
    parser.add_argument(
        'checkpoint',
        help="a run's checkpoint (last.pth, best.pth, epoch_N.pth) or an exported student",
    )
    parser.add_argument(
        '--work-dir',
        help='where logs, confusion matrix and predictions go; default: '
        'work_dirs/<name of the config>/test',
    )
    parser.add_argument(
        '--votes',
        type=int,
        default=0,
        metavar='N',
        help='also average over N scaled copies of each cloud '
        '(the first is the cloud itself); plain and voted accuracy are both shown',
    )
    parser.add_argument(
        '--tta',
        action='store_true',
        help="votes as the config's voting = dict(...) says; by default 10",
    )
    parser.add_argument('--out', metavar='FILE.json', help="write every sample's prediction")
    parser.add_argument('--amp', action='store_true', help='mixed precision (bfloat16 on CPU)')
    parser.add_argument('--seed', type=int, help='seed')
    add_suite_options(parser)
    add_config_options(parser)
    add_launcher(parser)
    args = parser.parse_args()
    if args.votes == 1 or args.votes < 0:
        parser.error(
            f'--votes is {args.votes}, must be at least 2 (one vote is the plain test; leave it '
            'out)'
        )
    return args


def build(args: argparse.Namespace) -> tuple[Any, Any, Any]:
    """Return the config, a runner that holds the model with its weights, and that model."""
    from pcdet_kd.apis import model_config
    from pcdet_kd.cli.suite import check_options
    from pcdet_kd.engine.config import load_config
    from pcdet_kd.engine.config_check import ConfigError
    from pcdet_kd.engine.distributed import setup_distributed
    from pcdet_kd.engine.stages import plan, work_dir_of
    from pcdet_kd.registry import RUNNERS
    from pcdet_kd.teachers import Frozen, Teacher
    from pcdet_kd.utils.checkpoint import load_checkpoint_file, load_weights
    from pcdet_kd.utils.student import is_distiller, student_config, student_weights

    args.config = str(model_config(args.config))
    cfg = load_config(args.config, args.cfg_options)
    check_options(args, cfg)
    if cfg.get('requires') and not is_distiller(
        cfg.model
    ):  # a generator looks at its teacher in the test too
        folder = Path(args.checkpoint).parent
        inside = folder if (folder / 'stages').is_dir() else None
        cfg = plan(args.config, args.cfg_options, work_dir=inside)[-1].resolved()
    cfg.launcher = args.launcher
    if args.seed is not None:
        cfg.randomness.seed = args.seed
    cfg.work_dir = args.work_dir or str(work_dir_of(args.config) / 'test')
    cfg.model = student_config(cfg.model)  # a distiller is tested as its student, without teachers
    state = student_weights(load_checkpoint_file(args.checkpoint), args.checkpoint)
    if args.votes or args.tta:
        voting = dict(cfg.get('voting') or dict(type='VotingTTA', num_votes=10))
        cfg.model = dict(
            voting, module=cfg.model, **(dict(num_votes=args.votes) if args.votes else {})
        )
    for evaluator in (
        [cfg.test_evaluator] if isinstance(cfg.test_evaluator, dict) else cfg.test_evaluator
    ):
        if evaluator['type'] == 'PointAccuracy':
            evaluator.update(per_class=True, out_dir=cfg.work_dir)
            if args.out:
                evaluator['dump'] = str(Path(args.out).absolute())
    if args.out and 'dump' not in str(cfg.test_evaluator):
        raise ConfigError(
            args.config,
            ['test_evaluator: --out needs a PointAccuracy, which knows the predictions'],
        )
    for key in (
        'train_dataloader',
        'train_cfg',
        'optim_wrapper',
        'param_scheduler',
        'val_dataloader',
        'val_cfg',
        'val_evaluator',
    ):
        cfg.pop(key, None)
    if args.amp:
        cfg.test_cfg = {**(cfg.test_cfg or {}), 'fp16': True}
    setup_distributed(args.launcher, **(cfg.get('env_cfg') or {}).get('dist_cfg') or {})
    runner = RUNNERS.build(cfg)
    model = (
        getattr(runner.model, 'module', runner.model) if cfg.launcher != 'none' else runner.model
    )
    load_weights(model, state)
    for part in model.modules():
        if isinstance(part, (Frozen, Teacher)):  # they have no weights in the checkpoint
            part.init_weights()
    return cfg, runner, model


def report(metrics: dict[str, float], work_dir: str) -> None:
    """Print plain and voted accuracy."""
    from pcdet_kd.visualization import comparison_table

    table = [
        {
            'protocol': 'plain',
            'OA': metrics.get('accuracy'),
            'mAcc': metrics.get('mean_class_accuracy'),
        }
    ]
    if 'accuracy_voted' in metrics:
        table.append(
            {
                'protocol': 'voted',
                'OA': metrics['accuracy_voted'],
                'mAcc': metrics['mean_class_accuracy_voted'],
            }
        )
    others = {k: v for k, v in metrics.items() if 'accuracy' not in k}
    if 'accuracy' in metrics:
        print(f'\nTest split, in %:\n{comparison_table(table)}')
    for name, value in others.items():
        print(f'{name}: {value:.5g}')
    print(f'\nper-class table in the log, confusion matrix and log: {work_dir}')


def main() -> int:
    """Run the command and return its exit code."""
    args = parse_args()
    from pcdet_kd.cli.guard import guarded

    @guarded
    def command() -> int | None:
        from mmengine.dist import is_main_process

        from pcdet_kd.cli import suite

        cfg, runner, model = build(args)
        if not suite.wants_suite(args, cfg):
            metrics = runner.test()
            if is_main_process():
                report(metrics, cfg.work_dir)
            return None
        try:
            folder = suite.evaluate(args, cfg, runner, model)
        except KeyboardInterrupt:
            print(
                '\nstopped; the same command goes on after the last finished set', file=sys.stderr
            )
            return 130
        if is_main_process():
            out = Path(args.report) if args.report else None
            suite.show(suite.make_report({Path(args.config).stem: [folder]}, out))
            print(
                f'predictions: {folder}' + (f'\nreport:      {out / "report.html"}' if out else '')
            )
            print(f'compare:     pcdet-kd robustness-report {folder} OTHER_FOLDER ... --out DIR')
        return None

    return command()
