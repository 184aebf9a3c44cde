import numpy as np
import pytest

from pcdet_kd.datasets.class_names import MODELNET40
from pcdet_kd.datasets.suites import CLEAN
from pcdet_kd.robustness import MODELNET_C_BASELINE, modelnet_c_scores, robustness_report
from pcdet_kd.utils.errors import DataError


def accuracy(result, name):
    return float((result.sets[name].pred == result.sets[name].gt).mean())


def test_scores_on_modelnet_c(suite_result):
    run = suite_result(classes=MODELNET40, count=400)
    report = robustness_report({'a': [run]}, draws=200)
    model = report['models'][0]
    accuracies = {c: [accuracy(run, (c, s)) for s in range(5)] for c in run.corruptions}
    official = modelnet_c_scores(accuracy(run, (CLEAN, 0)), accuracies)
    assert (
        report['baseline'] == MODELNET_C_BASELINE
        and report['title'] == 'ModelNet-C (generated)'
        and report['clouds'] == 400
    )
    assert model['scores']['mce'] == dict(mean=official['mean']['CE'], std=None)
    assert (
        model['scores']['rmce']['mean'] == official['mean']['RCE']
        and model['scores']['moa']['mean'] == official['mean']['OA']
    )
    mean = 100 * np.mean([np.mean(v) for v in accuracies.values()])
    assert model['scores']['oa']['mean'] == pytest.approx(mean) and model['scores']['er'][
        'mean'
    ] == pytest.approx(100 - mean)
    assert model['scores']['drop']['mean'] == pytest.approx(100 * accuracy(run, (CLEAN, 0)) - mean)
    for name, values in accuracies.items():
        assert model['corruptions'][name]['ce']['mean'] == official[name]['CE']
        assert model['corruptions'][name]['er']['mean'] == pytest.approx(
            100 - 100 * np.mean(values)
        )
        assert [model['sets'][name][str(s)]['oa'] for s in range(5)] == pytest.approx(
            [100 * v for v in values]
        )
    value, low, high = model['intervals']['OA']
    assert value == pytest.approx(mean) and low < value < high
    assert model['intervals']['mCE'][0] == pytest.approx(
        official['mean']['CE'], abs=0.002
    )  # without the roundings
    assert model['intervals']['RmCE'][0] == pytest.approx(official['mean']['RCE'], abs=0.006)


def test_classes(suite_result):
    run = suite_result('modelnet40-c')
    model = robustness_report({'a': [run]}, draws=10)['models'][0]
    for i, entry in enumerate(model['per_class']):
        own = run.sets[CLEAN, 0].gt == i
        recalls = [
            100 * found.correct[own].mean() for name, found in run.sets.items() if name[0] != CLEAN
        ]
        assert entry['n'] == 20 and entry['corrupted'] == pytest.approx(np.mean(recalls))
        assert entry['clean'] == pytest.approx(100 * run.sets[CLEAN, 0].correct[own].mean())
    assert model['clean']['macc'] == pytest.approx(
        np.mean([entry['clean'] for entry in model['per_class']])
    )


def test_ce_needs_the_shapes_and_corruptions_that_its_baseline_has(suite_result):
    for run in (suite_result('modelnet40-c', classes=MODELNET40), suite_result('modelnet-c')):
        report = robustness_report({'a': [run]}, draws=10)
        assert report['baseline'] is None and 'mce' not in report['models'][0]['scores']
    run = suite_result(classes=MODELNET40)
    for name in [name for name in run.sets if name[0] == 'scale']:
        del run.sets[name], run.info['sets'][name]
    report = robustness_report({'a': [run]}, draws=10)
    assert report['baseline'] is None and report['corruptions'][0]['name'] == 'jitter'


def test_without_a_clean_set_nothing_is_said_about_it(suite_result):
    report = robustness_report({'a': [suite_result('modelnet40-c', clean=False)]}, draws=10)
    model = report['models'][0]
    assert (
        model['clean'] is None
        and 'drop' not in model['scores']
        and 'clean' not in model['intervals']
    )
    assert model['per_class'][0]['clean'] is None and len(model['worst']) == 15
    assert (
        report['views'] == ['occlusion', 'lidar'] and report['title'] == 'ModelNet40-C (generated)'
    )
    assert (
        robustness_report({'a': [suite_result(generated=False)]}, draws=10)['title'] == 'ModelNet-C'
    )


def test_runs_are_averaged(suite_result):
    runs = [
        suite_result(seed=seed, accuracy=accuracy)
        for seed, accuracy in ((0, 0.9), (1, 0.7), (2, 0.8))
    ]
    single = [robustness_report({'a': [run]}, draws=10)['models'][0] for run in runs]
    model = robustness_report({'a': runs}, draws=400)['models'][0]
    values = [one['scores']['oa']['mean'] for one in single]
    assert model['scores']['oa'] == dict(
        mean=pytest.approx(np.mean(values)), std=pytest.approx(np.std(values, ddof=1))
    )
    assert [run['scores']['oa'] for run in model['runs']] == values
    assert model['sets']['jitter']['3']['oa'] == pytest.approx(
        np.mean([one['sets']['jitter']['3']['oa'] for one in single])
    )
    spread = model['intervals']['OA'][2] - model['intervals']['OA'][1]
    alone = single[0]['intervals']['OA']
    assert spread > 1.5 * (alone[2] - alone[1])  # runs that differ by 20 points make it wide


def test_comparisons_are_with_the_first_model(suite_result):
    good, bad = suite_result(seed=1, accuracy=0.95), suite_result(seed=2, accuracy=0.7)
    report = robustness_report({'bad': [bad], 'good': [good], 'again': [bad]}, draws=500)
    first, second = report['comparisons']
    assert (first['model'], first['reference']) == ('good', 'bad') and first['OA'][1] > 0
    means = [model['scores']['oa']['mean'] for model in report['models']]
    assert first['OA'][0] == pytest.approx(means[1] - means[0])
    drops = [model['scores']['drop']['mean'] for model in report['models']]
    assert first['drop'][0] == pytest.approx(drops[1] - drops[0])
    assert list(first['corruptions']) == good.corruptions and second['OA'] == [0, 0, 0]


def test_results_on_other_data_are_not_compared(suite_result):
    first = suite_result()
    with pytest.raises(DataError, match='on ModelNet40-C'):
        robustness_report({'a': [first], 'b': [suite_result('modelnet40-c', seed=1)]})
    other = suite_result(seed=1)
    other.info['sets']['rotate', 2] = 'changed'
    with pytest.raises(DataError, match=r"'b' on other data \(rotate 2\)"):
        robustness_report({'a': [first], 'b': [other]})
    del other.info['sets']['rotate', 2]
    with pytest.raises(DataError, match='on other data'):
        robustness_report({'a': [other], 'b': [first]})


def test_worst_samples(suite_result):
    run = suite_result()
    spared = run.sets[CLEAN, 0].correct
    chosen = robustness_report({'a': [run]}, draws=10)['models'][0]['worst']
    assert [entry['corruption'] for entry in chosen] == [
        c for c in run.corruptions for _ in range(2)
    ]
    for entry in chosen:
        found = run.sets[entry['corruption'], entry['severity']]
        place = found.worst.tolist().index(entry['sample'])
        assert np.array_equal(entry['points'], found.clouds[place])
        assert entry['pred'] == found.pred[entry['sample']] != entry['gt']
        assert (
            entry['clean_correct'] == spared[entry['sample']]
            and entry['id'] == f'test/{entry["sample"]:04d}'
        )
    for a, b in zip(chosen[::2], chosen[1::2]):
        assert a['sample'] != b['sample']
        assert (not a['clean_correct'], a['true_score']) <= (
            not b['clean_correct'],
            b['true_score'],
        )
