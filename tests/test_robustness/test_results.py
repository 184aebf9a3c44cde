import json

import numpy as np
import pytest

from pcdet_kd.robustness.results import (
    SetResult,
    SuiteResult,
    read_info,
    set_file,
    worst_mistakes,
    write_info,
)
from pcdet_kd.utils.errors import DataError


def write(result):
    write_info(result.folder, result.info)
    for name, found in result.sets.items():
        found.write(set_file(result.folder, name))
    return result.folder


def test_results_come_back_as_they_were(suite_result):
    result = suite_result()
    result.sets['scale', 0].clouds[0] = result.sets['scale', 0].clouds[0][
        :7
    ]  # clouds may differ in size
    found = SuiteResult.read(write(result))
    assert (
        found.info == result.info
        and found.suite == 'modelnet-c'
        and list(found.sets) == list(result.sets)
    )
    assert found.corruptions == [
        'scale',
        'jitter',
        'rotate',
        'dropout_global',
        'dropout_local',
        'add_global',
        'add_local',
    ]
    for name, wanted in result.sets.items():
        for field in ('gt', 'pred', 'score', 'true_score', 'num_points', 'worst', 'correct'):
            assert np.array_equal(getattr(found.sets[name], field), getattr(wanted, field)), (
                name,
                field,
            )
        assert all(
            np.array_equal(a, b)
            for a, b in zip(found.sets[name].clouds, wanted.clouds, strict=True)
        )


def test_what_is_missing_or_damaged_is_named(suite_result, tmp_path):
    folder = write(suite_result())
    (folder / 'sets' / 'jitter_2.npz').unlink()
    with pytest.raises(DataError, match='35 of 36 sets'):
        SuiteResult.read(folder)
    (folder / 'sets' / 'jitter_2.npz').write_bytes(
        (folder / 'sets' / 'jitter_1.npz').read_bytes()[:200]
    )
    with pytest.raises(DataError, match=r'jitter_2\.npz\n  found: +200 bytes that cannot be read'):
        SuiteResult.read(folder)
    np.savez(folder / 'sets' / 'jitter_2.npz', gt=np.zeros(3))
    with pytest.raises(DataError, match='cannot be read'):
        SuiteResult.read(folder)
    with pytest.raises(DataError, match='no such file'):
        SetResult.read(folder / 'sets' / 'nothing.npz')
    with pytest.raises(DataError, match=r'no run\.json'):
        SuiteResult.read(tmp_path)
    info = json.loads((folder / 'run.json').read_text())
    (folder / 'run.json').write_text(json.dumps(dict(info, suite='modelnet')))
    with pytest.raises(DataError, match='cannot be read'):
        read_info(folder)


def test_sets_of_other_shapes_do_not_mix(suite_result):
    folder = write(suite_result())
    suite_result(count=59).sets['jitter', 3].write(folder / 'sets' / 'jitter_3.npz')
    with pytest.raises(DataError, match=r'jitter_3\.npz\n  found: +other labels than'):
        SuiteResult.read(folder)


def test_worst_mistakes():
    gt, pred = np.zeros(6, int), np.array([0, 1, 1, 1, 1, 0])
    score, true_score = (
        np.array([0.9, 0.6, 0.9, 0.8, 0.5, 0.9]),
        np.array([0.9, 0.1, 0.05, 0.1, 0.2, 0.9]),
    )
    assert worst_mistakes(gt, pred, score, true_score, None, 3).tolist() == [
        2,
        3,
        1,
    ]  # least of the truth, most of the other
    clean = np.array([1, 0, 0, 1, 1, 1], bool)
    assert worst_mistakes(gt, pred, score, true_score, clean, 3).tolist() == [
        3,
        4,
        2,
    ]  # right before corruption first
    assert worst_mistakes(gt, gt, score, true_score, clean).tolist() == []
