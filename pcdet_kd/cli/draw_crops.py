"""Draw the crops and masks that a pre-training makes of a cloud."""

import argparse

from pcdet_kd.cli.guard import guarded
from pcdet_kd.cli.options import add_config_options


@guarded
def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config, or name, of a pre-training with AsymDSD')
    parser.add_argument('--sample', type=int, default=0, help='number of the cloud (%(default)s)')
    parser.add_argument('--seed', type=int, default=0, help='of crops and masks (%(default)s)')
    parser.add_argument('--out', default='crops.png', metavar='FILE', help='image (%(default)s)')
    add_config_options(parser)
    args = parser.parse_args()

    import numpy as np
    import torch

    from pcdet_kd.apis.models import model_config
    from pcdet_kd.distillers import AsymDSD
    from pcdet_kd.engine.config import load_config
    from pcdet_kd.engine.config_check import ConfigError
    from pcdet_kd.registry import DATASETS, MODELS
    from pcdet_kd.visualization import draw_crops

    cfg = load_config(model_config(args.config), args.cfg_options)
    kind = MODELS.get(cfg.model.type)
    if not (isinstance(kind, type) and issubclass(kind, AsymDSD)):
        raise ConfigError(args.config, [f'model.type: {cfg.model.type}, expected AsymDSD'])
    torch.manual_seed(args.seed)
    model = MODELS.build(cfg.model)
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    if not 0 <= args.sample < len(dataset):
        parser.error(f'--sample is {args.sample}, expected 0 to {len(dataset) - 1}')
    np.random.seed(args.seed)
    results = dataset.get_data_info(args.sample)
    for transform in dataset.pipeline.transforms:
        if type(transform).__name__ == 'MultiCrop':
            whole = results
        results = transform(results)
    print(
        draw_crops(
            model, whole['points'][:, :3], results['inputs'], args.out, whole.get('up_axis', 'z')
        )
    )
    return 0
