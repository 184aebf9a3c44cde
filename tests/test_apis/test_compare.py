import json

import pytest

from pcdet_kd.apis import compare
from pcdet_kd.utils.errors import DataError


def write(file, pred, ids=None):
    rows = [
        dict(sample_id=f's{i}' if ids is None else ids[i], gt=0, pred=p, score=0.9)
        for i, p in enumerate(pred)
    ]
    file.write_text(json.dumps(dict(classes=['a', 'b'], predictions=rows)))
    return file


def test_models_are_compared_with_the_first(tmp_path):
    plain = [write(tmp_path / f'p{i}.json', [1] * (5 + i) + [0] * (5 - i)) for i in range(3)]
    good = [write(tmp_path / f'g{i}.json', [1] * i + [0] * (10 - i)) for i in (0, 1, 1)]
    result = compare(dict(plain=plain, good=good, one=good[:1]))
    first, second, third = result.rows()
    assert first == {'model': 'plain', 'OA mean': 40, 'std': 10, 'runs': 3}
    assert second['OA mean'] == pytest.approx(280 / 3) and third['std'] is None
    assert list(result.differences) == ['good', 'one']
    assert result.counts()[1] == {
        'right': 'one',
        'both': 4.0,
        'only it': 6.0,
        'only plain': 0.0,
        'neither': 0.0,
    }
    content = json.loads(json.dumps(result.to_dict()))
    assert content['reference'] == 'plain' and len(content['models'][0]['files']) == 3
    assert content['differences'][0]['gain'] == pytest.approx(280 / 3 - 40)
    assert 'good' in content['differences'][0]['sentence']


def test_all_runs_must_have_the_same_shapes(tmp_path):
    one, other = write(tmp_path / 'a.json', [0, 1]), write(tmp_path / 'b.json', [0, 1], ['s0', 't'])
    with pytest.raises(DataError, match="b.json(.|\n)*shape 1 is 't', not 's1'"):
        compare(dict(a=[one, other]))
