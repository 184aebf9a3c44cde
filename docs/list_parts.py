"""Writes the lists of transforms and losses, docs/en/transforms.md and docs/en/losses.md, from the
docstrings. The pictures are those of draw_transforms.py::

    python docs/list_parts.py
"""

import inspect
import re
from pathlib import Path

from pcdet_kd.registry import BATCH_AUGMENTS, LOSSES, TRANSFORMS, Registry

PAGES = Path(__file__).parent / 'en'

# Title, text (or picture), and the files whose classes are listed, in this order. A file that is in
# no group is an error.
LOSS_GROUPS = [
    ('Labels', '', ['cross_entropy']),
    (
        'Class scores',
        'Student and teacher need the same classes.',
        ['logit_kd', 'decoupled_kd', 'joint_graph_entropy', 'logit_mse'],
    ),
    (
        'Features of a cloud',
        'Widths must be equal, or a connector makes them so.',
        ['feature_mse', 'normalized_mse', 'variational', 'inheritance_exploration'],
    ),
    (
        'Relations between the clouds of a batch',
        'Widths may differ. Batches need two clouds or more.',
        ['relational_kd', 'similarity_preserving', 'probabilistic_transfer', 'contrastive'],
    ),
    ('Maps', 'Features at the same places.', ['attention_transfer']),
    ('Clouds', 'Distances between generated clouds.', ['point_set', 'point_l2']),
    (
        'Self-supervised training',
        'Terms of [AsymDSD](asymdsd.md).',
        ['self_distillation', 'feature_smooth_l1', 'koleo'],
    ),
]
TRANSFORM_GROUPS = [
    (
        'Number and order of points',
        'points',
        ['sampling', 'dropout', 'shuffle', 'score_every_point'],
    ),
    ('Position, size and up axis', 'position', ['normalize', 'up_axis']),
    ('Random changes', 'random', ['rotation', 'scale_shift', 'jitter', 'point_wolf']),
    ('Corruptions', 'corruptions', ['corruption']),
    ('Several clouds from one', 'several', ['siamese', 'multi_crop']),
    ('Other inputs, and packing', 'views', ['height', 'views', 'load_views', 'packing']),
]
AUGMENT_GROUP = (
    'Mixing the clouds of a batch',
    'mixing',
    ['point_mixup', 'point_cut_mix', 'rsmix', 'random_batch_augment'],
)
LOSSES_HEAD = """# Losses

<!-- Written by docs/list_parts.py from the docstrings: change those. -->

What a config can write as `type` in `losses`, or as the loss of a head. Formulas, shapes and errors
are in the [reference](api/losses.rst); which distiller uses which loss is in
[Distillation methods](kd_methods.md). [Your own loss](add_a_distillation_loss.md) takes 20 lines.

"""
TRANSFORMS_HEAD = """# Transforms

<!-- Written by docs/list_parts.py from the docstrings: change those. -->

What a config can write as `type` in a pipeline, and in the last section as a `batch_augment` of
`PointDataPreprocessor`. Details are in the [reference](api/transforms.rst).
`pcdet-kd browse-dataset CONFIG` shows the pipeline of a config on its own data, step by step.

"""


def parts(registry: Registry) -> dict[str, list[type]]:
    """Return a registry's own classes by the name of their file."""
    registry.import_from_location()
    found: dict[str, list[type]] = {}
    for part in registry.module_dict.values():
        if part.__module__.startswith('pcdet_kd.'):
            found.setdefault(part.__module__.rpartition('.')[2], []).append(part)
    return found


def check_groups(found: dict[str, list[type]], groups: list[tuple]) -> None:
    """Raise ``ValueError`` if a file is in no group."""
    missing = set(found) - {file for group in groups for file in group[2]}
    if missing:
        raise ValueError(f'docs/list_parts.py: add {", ".join(sorted(missing))} to a group')


def describe(part: type) -> tuple[str, str]:
    """Return the first sentence of a docstring without its source, and the source."""
    text = ' '.join(inspect.getdoc(part).partition('\n\n')[0].split())
    source = re.search(r' \(([^()]*\b(?:19|20)\d\d\b[^()]*)\)', text)
    if source:
        text = text.replace(source[0], '')
    text = re.sub(r',? see :func:.*', '.', text)
    text = re.split(r'(?<=[.])\s+(?=[A-Z])', text)[0]
    text = re.sub(r':\w+:`~?\.?([^`]*)`', r'`\1`', text).replace('``', '`').replace('|', r'\|')
    return text.rstrip('.'), source[1] if source else ''


def arguments(part: type) -> str:
    """Return the arguments of a class with their defaults."""
    shown = []
    for argument in inspect.signature(part).parameters.values():
        if isinstance(argument.default, float):
            argument = argument.replace(default=float(f'{argument.default:.4g}'))
        shown.append(str(argument.replace(annotation=argument.empty)))
    return f'`{", ".join(shown)}`' if shown else ''


def table(found: dict[str, list[type]], files: list[str]) -> str:
    rows = ['| name | what it does | arguments |', '|---|---|---|']
    for part in (p for file in files for p in found[file]):
        what, source = describe(part)
        what += f' ({source})' if source else ''
        rows.append(f'| `{part.__name__}` | {what} | {arguments(part)} |')
    return '\n'.join(rows) + '\n'


def losses_page() -> str:
    found = parts(LOSSES)
    check_groups(found, LOSS_GROUPS)
    sections = [
        f'## {title}\n\n' + (f'{text}\n\n' if text else '') + table(found, files)
        for title, text, files in LOSS_GROUPS
    ]
    return LOSSES_HEAD + '\n'.join(sections)


def transforms_page() -> str:
    found = {**parts(TRANSFORMS), **parts(BATCH_AUGMENTS)}
    check_groups(found, [*TRANSFORM_GROUPS, AUGMENT_GROUP])
    sections = []
    for title, picture, files in [*TRANSFORM_GROUPS, AUGMENT_GROUP]:
        image = f'![{title}](images/transforms/{picture}.png)\n\n' if picture else ''
        sections.append(f'## {title}\n\n{image}{table(found, files)}')
    return TRANSFORMS_HEAD + '\n'.join(sections)


def main() -> None:
    (PAGES / 'losses.md').write_text(losses_page())
    (PAGES / 'transforms.md').write_text(transforms_page())


if __name__ == '__main__':
    main()
