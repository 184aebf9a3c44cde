import json

import numpy as np
import pytest

from pcdet_kd.evaluation.predictions import check_same_shapes, predictions_file, read_predictions
from pcdet_kd.utils.errors import DataError

CLASSES = ['bag', 'bin', 'box']


def write(folder, gt=(0, 1, 2, 0), pred=(0, 1, 1, 2), ids=None, classes=CLASSES):
    folder.mkdir(exist_ok=True)
    ids = ids or [f'test/{i}' for i in range(len(gt))]
    rows = [dict(sample_id=i, gt=g, pred=p, score=0.5) for i, g, p in zip(ids, gt, pred)]
    file = predictions_file(folder)
    file.write_text(json.dumps(dict(classes=classes, predictions=rows)))
    return file


def test_a_work_directory_and_its_file_are_the_same(tmp_path):
    file = write(tmp_path)
    for run in (tmp_path, file, str(tmp_path)):
        found = read_predictions(run)
        assert found.file == file and found.classes == tuple(CLASSES)
        assert found.ids == ('test/0', 'test/1', 'test/2', 'test/3')
        assert found.right.tolist() == [True, True, False, False] and found.accuracy == 50
        assert found.gt.dtype == np.int64 and found.score.tolist() == [0.5] * 4


def test_the_epoch_is_chosen(tmp_path):
    write(tmp_path)
    with pytest.raises(DataError, match='predictions_best.json\n.*no such file'):
        read_predictions(tmp_path, 'best')


@pytest.mark.parametrize('content', ['', '{}', '[]', '{"classes": [], "predictions": [{}]}', '3'])
def test_what_is_no_file_of_predictions_is_named(tmp_path, content):
    file = tmp_path / 'a.json'
    file.write_text(content)
    with pytest.raises(DataError, match=r'a\.json(.|\n)*pcdet-kd test CONFIG'):
        read_predictions(file)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(ids=['test/0', 'x', 'y', 'test/3']), "shape 1 is 'x', not 'test/1'"),
        (dict(gt=(0, 1), pred=(0, 1)), '2 shapes, not 4'),
        (dict(gt=(0, 1, 0, 0)), r"shape 2 \('test/2'\) is labelled 'bag', not 'box'"),
        (dict(classes=['bag', 'can', 'box']), "class 1 is 'can', not 'bin'"),
        (dict(classes=[*CLASSES, 'cup']), '4 classes, not 3'),
    ],
)
def test_the_first_difference_between_two_test_splits_is_named(tmp_path, change, words):
    runs = [read_predictions(write(tmp_path / 'a')), read_predictions(write(tmp_path / 'b'))]
    check_same_shapes(runs)
    with pytest.raises(DataError, match=rf'b/predictions_last.json(.|\n)*{words}'):
        check_same_shapes([runs[0], read_predictions(write(tmp_path / 'b', **change))])
