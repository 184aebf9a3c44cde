import pytest


@pytest.fixture
def report_of(suite_result):
    """Make a report on models with made-up predictions: ``report_of(plain=[0.8], ours=[0.9,
    0.85])``, accuracies of the runs.
    """
    from pcdet_kd.robustness import robustness_report

    def make(suite='modelnet-c', names=None, draws=200, options=None, **models):
        models = models or dict(plain=[0.8])
        runs = {
            name: [
                suite_result(suite, seed=10 * i + j, accuracy=accuracy, **(options or {}))
                for j, accuracy in enumerate(accuracies)
            ]
            for i, (name, accuracies) in enumerate(models.items())
        }
        return robustness_report(
            {(names or {}).get(name, name): results for name, results in runs.items()}, draws
        )

    return make
