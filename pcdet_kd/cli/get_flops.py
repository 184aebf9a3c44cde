"""Count a config's parameters and floating-point operations."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    from pcdet_kd.cli.options import add_config_options, add_input_sizes

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a model')
    add_input_sizes(parser)
    add_config_options(parser)
    args = parser.parse_args()
    from pcdet_kd.apis import init_model
    from pcdet_kd.apis.complexity import count_complexity, random_inputs
    from pcdet_kd.visualization import comparison_table

    model = init_model(args.config, options=args.cfg_options)
    inputs = random_inputs(model, 2, args.num_points, args.image_size, args.num_views)
    cost = count_complexity(model, inputs)
    shape = 'x'.join(map(str, next(iter(inputs.values())).shape[1:]))
    rows = [
        {
            'part': part,
            'GFLOPs': flops / 1e9,
            'parameters': f'{sum(p.numel() for p in model.get_submodule(part).parameters()):,}',
        }
        for part, flops in cost.by_module.items()
    ]
    rest = (
        cost.flops - sum(cost.by_module.values()),
        cost.parameters
        - sum(p.numel() for part in cost.by_module for p in model.get_submodule(part).parameters()),
    )
    if any(rest):
        rows.append({'part': 'head', 'GFLOPs': rest[0] / 1e9, 'parameters': f'{rest[1]:,}'})
    rows.append({'part': 'all', 'GFLOPs': cost.flops / 1e9, 'parameters': f'{cost.parameters:,}'})
    print(f'one sample of {shape}; two operations per multiply-add, as executed here\n')
    print(comparison_table(rows, decimals=3))
