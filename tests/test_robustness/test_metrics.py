import pytest

from pcdet_kd.robustness.metrics import MODELNET_C_BASELINE, error_rates, modelnet_c_scores

NAMES = ['scale', 'jitter', 'dropout_global', 'dropout_local', 'add_global', 'add_local', 'rotate']
# ModelNet-C, Ren et al. 2022: CE per corruption in the order above; mCE, RmCE and clean accuracy
PUBLISHED_CE = {
    'PointNet': ([1.266, 0.642, 0.500, 1.072, 2.980, 1.593, 1.902], 1.422, 1.488, 0.907),
    'PointNet++': ([0.872, 1.177, 0.641, 1.802, 0.614, 0.993, 1.405], 1.072, 1.114, 0.930),
    'RSCNN': ([1.074, 1.171, 0.806, 1.517, 0.712, 1.153, 1.479], 1.130, 1.201, 0.923),
    'SimpleView': ([0.872, 0.715, 1.242, 1.357, 0.983, 0.844, 1.316], 1.047, 1.181, 0.939),
    'GDANet': ([0.830, 0.839, 0.794, 0.894, 0.871, 1.036, 0.981], 0.892, 0.865, 0.934),
    'PCT': ([0.872, 0.870, 0.528, 1.000, 0.780, 1.385, 1.042], 0.925, 0.884, 0.930),
}
# ModelNet40-C, Sun et al. 2022: error rates per corruption, and their mean
PUBLISHED_ER = {
    'PointNet': (
        [52.3, 54.9, 10.5, 11.6, 12.0, 12.4, 14.4, 29.1, 14.0, 93.6, 36.8, 25.4, 21.3, 18.6, 17.8],
        28.3,
    ),
    'DGCNN': (
        [59.2, 81.0, 14.1, 17.3, 15.4, 14.6, 16.6, 24.9, 19.1, 53.1, 19.1, 12.1, 13.1, 14.5, 14.0],
        25.9,
    ),
    'PCT': (
        [56.6, 76.7, 11.8, 14.3, 14.5, 12.1, 13.9, 39.1, 17.4, 57.9, 18.1, 11.5, 12.4, 13.0, 12.6],
        25.5,
    ),
}


def baseline_levels():
    return {name: [MODELNET_C_BASELINE[name]] * 5 for name in NAMES}


def test_the_reference_model_scores_one():
    scores = modelnet_c_scores(MODELNET_C_BASELINE['clean'], baseline_levels())
    assert scores['mean'] == dict(OA=0.764, CE=1.0, RCE=1.0)
    assert all(scores[name]['CE'] == scores[name]['RCE'] == 1.0 for name in NAMES)


@pytest.mark.parametrize('model', PUBLISHED_CE)
def test_published_rows_of_modelnet_c(model):
    """Accuracies that have the published CE give CE, mCE and RmCE back; so do unrounded means."""
    ces, mce, rmce, clean = PUBLISHED_CE[model]
    oas = {name: 1 - ce * (1 - MODELNET_C_BASELINE[name]) for name, ce in zip(NAMES, ces)}
    scores = modelnet_c_scores(clean, {name: [oa] * 5 for name, oa in oas.items()})
    for name, value in zip(NAMES, ces):  # an accuracy has three decimals
        assert scores[name]['CE'] == pytest.approx(value, abs=0.0055)
    assert scores['mean']['CE'] == pytest.approx(mce, abs=0.0011)
    assert scores['mean']['RCE'] == pytest.approx(rmce, abs=0.0011)
    base = MODELNET_C_BASELINE
    drops = [(clean - oas[name]) / (base['clean'] - base[name]) for name in NAMES]
    assert sum(ces) / 7 == pytest.approx(mce, abs=0.001)
    assert sum(drops) / 7 == pytest.approx(rmce, abs=0.001)


def test_each_step_is_rounded():
    levels = baseline_levels()
    levels['scale'] = [0.9, 0.9, 0.9, 0.9, 0.9024]  # mean 0.90048 -> 0.9
    scores = modelnet_c_scores(0.92449, levels)
    assert scores['clean']['OA'] == 0.924
    assert scores['scale'] == dict(OA=0.9, CE=round(0.1 / 0.094, 3), RCE=round(0.024 / 0.020, 3))
    assert scores['mean']['CE'] == round((6 + 1.064) / 7, 3)
    drops = [scores[name]['RCE'] for name in NAMES]
    assert scores['mean']['RCE'] == round(sum(drops) / 7, 3)


def test_the_means_are_those_of_rounded_ratios():
    oas = [0.933, 0.714, 0.697, 0.805, 0.660, 0.717, 0.784]  # in the order above, found by search
    found = modelnet_c_scores(0.93, {name: [oa] * 5 for name, oa in zip(NAMES, oas)})
    base = [MODELNET_C_BASELINE[name] for name in NAMES]
    for key, clean, over in (('CE', 1, 1), ('RCE', 0.93, MODELNET_C_BASELINE['clean'])):
        ratios = [(clean - oa) / (over - b) for oa, b in zip(oas, base)]
        unrounded = round(sum(ratios) / 7, 3)
        assert found['mean'][key] == round(sum(round(r, 3) for r in ratios) / 7, 3) != unrounded
        assert found['mean'][key] == pytest.approx(unrounded, abs=0.0011)


@pytest.mark.parametrize('model', PUBLISHED_ER)
def test_published_rows_of_modelnet40_c(model):
    rates, mean = PUBLISHED_ER[model]
    accuracies = {
        str(i): [1 - (rate + shift) / 100 for shift in (-2, -1, 0, 1, 2)]
        for i, rate in enumerate(rates)
    }
    found = error_rates(accuracies)
    assert [found[str(i)] for i in range(15)] == pytest.approx(rates)
    assert found['mean'] == pytest.approx(mean, abs=0.05)


def test_an_incomplete_suite_is_refused():
    levels = baseline_levels()
    del levels['jitter']
    with pytest.raises(ValueError, match=r'mCE needs exactly .*jitter'):
        modelnet_c_scores(0.9, levels)
    with pytest.raises(ValueError, match='every corruption needs an accuracy'):
        error_rates(dict(rotation=[]))
