"""Measure a config's samples per second, forward and in training, on this machine with random
clouds.
"""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    from pcdet_kd.cli.options import add_config_options, add_input_sizes, positive

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        'configs', nargs='+', metavar='CONFIG', help='config files, or names of models'
    )
    parser.add_argument(
        '--batch-size',
        type=positive,
        default=16,
        help='samples per step (default: 16); 1: forward only',
    )
    add_input_sizes(parser)
    parser.add_argument('--seconds', type=float, default=5.0, help='time per figure (default: 5)')
    parser.add_argument('--device', default='cpu', help='cpu, cuda, cuda:1 ... (default: cpu)')
    parser.add_argument('--amp', action='store_true', help='under bfloat16 autocast')
    add_config_options(parser)
    args = parser.parse_args()
    import torch

    from pcdet_kd.apis import init_model
    from pcdet_kd.apis.complexity import measure_speed, random_inputs
    from pcdet_kd.utils.allocator import configure
    from pcdet_kd.utils.checkpoint import first_line
    from pcdet_kd.visualization import comparison_table

    configure()
    try:
        torch.empty(0, device=args.device)
    except (AssertionError, RuntimeError) as error:
        parser.error(f'--device {args.device}: {first_line(error)}')
    rows = []
    for name in args.configs:
        model = init_model(name, device=args.device, options=args.cfg_options)
        inputs = random_inputs(
            model,
            args.batch_size,
            args.num_points,
            args.image_size,
            args.num_views,
            args.device,
        )
        speed = measure_speed(model, inputs, args.seconds, amp=args.amp)
        rows.append(
            {
                'model': name,
                'forward samples/s': round(speed.forward, 1),
                'train samples/s': round(speed.train, 1),
                'steps timed': speed.steps,
            }
        )
    print(
        f'batches of {args.batch_size}, {args.num_points} points, {args.device}, '
        f'{torch.get_num_threads()} threads, '
        f'{"bfloat16 autocast" if args.amp else "float32"}, torch {torch.__version__}; '
        'medians of wall time\n'
    )
    print(comparison_table(rows, decimals=1))
