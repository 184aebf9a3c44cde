"""Show a config with everything that it inherits."""

import argparse

from pcdet_kd.cli.guard import guarded


@guarded
def main() -> None:
    """Run the command and return its exit code."""
    from pcdet_kd.cli.options import add_config_options

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file, or the name of a model')
    add_config_options(parser)
    args = parser.parse_args()
    from pcdet_kd.apis import model_config
    from pcdet_kd.engine.config import load_config

    print(load_config(model_config(args.config), args.cfg_options).pretty_text)
