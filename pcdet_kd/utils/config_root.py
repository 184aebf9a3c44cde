"""Where the shipped configs are."""

from pathlib import Path

import pcdet_kd

# before a base of a config: below the shipped configs, wherever the package is installed
PREFIX = 'pcdet_kd::'


def config_root() -> Path:
    """Return the folder that holds ``configs`` and ``model-index.yml``: the repository, or ``.mim``
    in an installed package.

    Raises:
        FileNotFoundError: The package was installed without them.
    """
    package = Path(pcdet_kd.__file__).resolve().parent
    for root in (package / '.mim', package.parent):
        if (root / 'model-index.yml').is_file():
            return root
    raise FileNotFoundError(
        f'no model-index.yml in {package / ".mim"} or {package.parent}: install pcdet_kd from its '
        'repository or wheel, with pip'
    )


def shipped_hint(path: Path) -> str:
    """Return a sentence that names the shipped config which has this path in the repository, such
    as ``configs/baseline/dgcnn_modelnet40.py``; empty if there is none.
    """
    parts = path.parts[path.parts.index('configs') + 1 :] if 'configs' in path.parts else path.parts
    name = '/'.join(parts)
    found = (config_root() / 'configs' / name).is_file()
    return f' The shipped one can be given as {PREFIX}{name} from any folder' if found else ''
