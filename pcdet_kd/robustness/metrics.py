"""Scores of the two corruption suites, with the arithmetic and the roundings of their evaluators.

Accuracies are fractions here, from 0 to 1; error rates are percentages, as both papers print them.
"""

from collections.abc import Mapping, Sequence

# Ren et al., ICML 2022: overall accuracy of DGCNN, clean and as the mean over the five levels of
# each corruption
MODELNET_C_BASELINE = dict(
    clean=0.926,
    scale=0.906,
    jitter=0.684,
    rotate=0.785,
    dropout_global=0.752,
    dropout_local=0.793,
    add_global=0.705,
    add_local=0.725,
)


def error_rates(accuracies: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the error rate of each corruption and their mean, as ModelNet40-C (Sun et al., 2022)
    reports them.

    Args:
        accuracies: Overall accuracy per severity, for each corruption.

    Returns:
        Per corruption 100 minus the mean accuracy in percent, and under ``'mean'`` the mean over
        the corruptions. No rounding.

    Raises:
        ValueError: A corruption has no accuracy, or there is no corruption.
    """
    if not accuracies or not all(len(values) for values in accuracies.values()):
        raise ValueError(
            'every corruption needs an accuracy, got '
            f'{ ({k: len(v) for k, v in accuracies.items()}) }'
        )
    rates = {name: 100 * (1 - sum(values) / len(values)) for name, values in accuracies.items()}
    return {**rates, 'mean': sum(rates.values()) / len(rates)}


def modelnet_c_scores(
    clean: float,
    accuracies: Mapping[str, Sequence[float]],
    baseline: Mapping[str, float] = MODELNET_C_BASELINE,
) -> dict[str, dict[str, float]]:
    """Return OA, CE and RCE of each corruption of ModelNet-C, and mOA, mCE and RmCE.

    The arithmetic is that of the official evaluator, which rounds to three decimals at each step:
    the mean accuracy of the five levels, the clean accuracy, every CE = (1 - OA) / (1 - OA of
    DGCNN), every RCE = (OA clean - OA) / (OA clean - OA, of DGCNN), and only then the means. Means
    of unrounded ratios agree with the paper's tables to 0.001, too.

    Args:
        clean: Overall accuracy on the clean set.
        accuracies: Overall accuracy per level, for each of the seven corruptions.
        baseline: Those of the reference model, the mean over the levels.

    Returns:
        ``{corruption: {'OA', 'CE', 'RCE'}}``, and under ``'mean'`` ``{'OA', 'CE', 'RCE'}``, which
        the paper calls mOA, mCE and RmCE; under ``'clean'`` only ``'OA'``.

    Raises:
        ValueError: A corruption is missing or unknown: the means would not be comparable.
    """
    expected = set(baseline) - {'clean'}
    if set(accuracies) != expected:
        raise ValueError(f'mCE needs exactly {sorted(expected)}, got {sorted(accuracies)}')
    clean = round(clean, 3)
    scores = {'clean': dict(OA=clean)}
    for name, values in accuracies.items():
        oa, base = round(sum(values) / len(values), 3), baseline[name]
        scores[name] = dict(
            OA=oa,
            CE=round((1 - oa) / (1 - base), 3),
            RCE=round((clean - oa) / (baseline['clean'] - base), 3),
        )
    scores['mean'] = {
        key: round(sum(scores[name][key] for name in accuracies) / len(accuracies), 3)
        for key in ('OA', 'CE', 'RCE')
    }
    return scores
