"""Compute a teacher's outputs for a config once, so that training looks them up."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    from pcdet_kd.cli.options import add_config_options

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'config',
        help='config whose model has a FeatureBank; the stages it requires must be trained',
    )
    parser.add_argument('--work-dir', help='the --work-dir of tools/train.py, if one was given')
    add_config_options(parser)
    args = parser.parse_args()
    import torch

    from pcdet_kd.apis.models import model_config
    from pcdet_kd.engine.pipeline import feature_banks
    from pcdet_kd.engine.stages import plan

    stages = plan(model_config(args.config), args.cfg_options, work_dir=args.work_dir)
    banks = feature_banks(stages[-1].resolved())
    if not banks:
        raise FileNotFoundError(f'{args.config}: its model has no FeatureBank')
    for bank in banks:
        print(bank.build('cuda' if torch.cuda.is_available() else 'cpu'))
