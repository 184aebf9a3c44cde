"""The README.md of a pretrained folder: what a person needs to know of a model."""

import json

import yaml

from pcdet_kd.apis.export.description import Description

_METRICS = dict(accuracy='overall accuracy', mean_class_accuracy='mean class accuracy')
_TASK = 'point-cloud-classification'


def model_card(description: Description, num_parameters: int) -> str:
    """Return a model card in Hugging Face's form: YAML metadata, then Markdown.

    Args:
        description: Of the model.
        num_parameters: How many numbers its weights are.
    """
    d, name = description, description.name or 'model'
    front = yaml.safe_dump(_metadata(d, name), sort_keys=False, allow_unicode=True)
    shape = ', '.join('any' if size is None else str(size) for size in d.input_shape)
    backbone = (d.model or {}).get('backbone', {}).get('type', 'unknown')
    facts = {
        'Architecture': f'{backbone}, {num_parameters:,} parameters',
        'Input': f'`{d.input}` (batch, {shape}), float32',
        'Up axis': d.up_axis or 'not known',
        'Trained on': d.training.get('data_set', 'not known'),
        'Config': f'`{d.training["config"]}`' if 'config' in d.training else 'not a shipped one',
    }
    lines = [f'| {key} | {value} |' for key, value in facts.items()]
    return '\n'.join(
        (
            f'---\n{front}---\n',
            f'# {name}\n',
            'A point-cloud classifier of pcdet_kd.\n',
            '| | |\n|---|---|',
            *lines,
            f'\n## Results\n\n{_results(d)}\n',
            '## Preprocessing\n',
            *(_steps(d) or ['None: clouds as they are.']),
            f'\n## Classes\n\n{", ".join(d.classes)}\n',
            '## Use\n',
            '```python\nfrom pcdet_kd.apis import PointCloudClassificationInferencer\n',
            "classify = PointCloudClassificationInferencer('.')  # this folder",
            "print(classify('scan.ply')['predictions'])\n```",
            '',
        )
    )


def _metadata(d: Description, name: str) -> dict:
    metadata: dict = dict(library_name='pcdet_kd', tags=['point-cloud', _TASK])
    results = d.training.get('results')
    if results:
        data = d.training.get('data_set', 'unknown')
        metrics = [
            dict(type=key, name=_METRICS.get(key, key), value=round(float(value), 2))
            for key, value in results.items()
        ]
        result = dict(
            task=dict(type=_TASK, name='Point-cloud classification'),
            dataset=dict(type=data, name=data, split=d.training.get('split', 'test')),
            metrics=metrics,
        )
        metadata['model-index'] = [dict(name=name, results=[result])]
    return metadata


def _results(d: Description) -> str:
    results = d.training.get('results')
    if not results:
        return 'Not known.'
    rows = [f'| {_METRICS.get(key, key)} | {value:.2f} |' for key, value in results.items()]
    count = d.training.get('test_samples')
    on = f' of {count:,} shapes' if count else ''
    split = d.training.get('split', 'test')
    return '\n'.join(
        (f"Split '{split}'{on}, in %, one vote.\n", '| metric | value |\n|---|--:|', *rows)
    )


def _steps(d: Description) -> list[str]:
    steps = [dict(step) for step in d.preprocessing]
    if d.views:
        steps.append(dict(d.views))
    return [
        f'{number}. `{step.pop("type")}`' + (f' `{json.dumps(step)}`' if step else '')
        for number, step in enumerate(steps, 1)
    ]
