import dataclasses

import yaml

from pcdet_kd.apis.export.model_card import model_card


def test_a_card_says_what_is_known(description):
    known = dataclasses.replace(
        description,
        name='net',
        model=dict(type='PointClassifier', backbone=dict(type='PointNet')),
        preprocessing=[dict(type='FirstPoints', num_points=24), dict(type='PackPointInputs')],
        training=dict(
            data_set='ModelNet40',
            config='configs/a/net.py',
            results=dict(accuracy=81.316),
            split='test',
            test_samples=1970,
        ),
    )
    card = model_card(known, 1234)
    _, front, text = card.split('---\n', 2)
    (entry,) = yaml.safe_load(front)['model-index']
    (result,) = entry['results']
    assert result['dataset'] == dict(type='ModelNet40', name='ModelNet40', split='test')
    assert result['metrics'] == [dict(type='accuracy', name='overall accuracy', value=81.32)]
    for part in (
        '# net\n',
        '| Architecture | PointNet, 1,234 parameters |',
        '| Input | `points` (batch, 24, 3), float32 |',
        '| Up axis | y |',
        '| Config | `configs/a/net.py` |',
        "Split 'test' of 1,970 shapes, in %, one vote.",
        '| overall accuracy | 81.32 |',
        '1. `FirstPoints` `{"num_points": 24}`\n2. `PackPointInputs`\n',
        'a, b, c, d, e',
    ):
        assert part in text, part


def test_what_is_not_known_is_said(description):
    card = model_card(dataclasses.replace(description, input_shape=[None, 3], up_axis=None), 5)
    assert 'model-index' not in card and '## Results\n\nNot known.' in card
    assert '| Up axis | not known |' in card and '(batch, any, 3)' in card
    drawn = dataclasses.replace(description, views=dict(type='PerspectiveProjection', num_views=2))
    assert '1. `PerspectiveProjection` `{"num_views": 2}`' in model_card(drawn, 5)
