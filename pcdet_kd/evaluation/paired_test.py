"""Is one model better than another on the same test shapes? Tests over shapes and over runs."""

from dataclasses import dataclass

import numpy as np

from pcdet_kd.evaluation.paired_bootstrap import paired_bootstrap


@dataclass(frozen=True)
class Difference:
    """How a model differs from a reference, in points of accuracy.

    Attributes:
        gain: Mean accuracy of the model minus that of the reference.
        low, high: Ends of the 95 % interval of the paired bootstrap over shapes and runs.
        runs: Number of runs of the model and of the reference.
        shapes: Number of test shapes.
        counts: Shapes that ``both`` have right, only the ``model``, only the ``reference`` and
            ``neither``; with several runs, means over all pairs of a run with a run.
        p_mcnemar: Of the exact McNemar test; None with several runs.
        p_seeds: Of the paired t-test over runs; None unless both have the same number of runs, at
            least two, whose differences differ.
    """

    gain: float
    low: float
    high: float
    runs: tuple[int, int]
    shapes: int
    counts: dict[str, float]
    p_mcnemar: float | None
    p_seeds: float | None

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


def mcnemar(only_one: int, only_other: int) -> float:
    """Return the two-sided p of the exact McNemar test.

    Under the hypothesis that two models are equally good, each shape that exactly one of them has
    right is a fair coin: p is that of a binomial test of ``only_one`` of ``only_one + only_other``
    at 1/2; without such shapes it is 1.

    Source: McNemar (1947), "Note on the sampling error of the difference between correlated
    proportions or percentages".
    """
    from scipy.stats import binomtest

    total = only_one + only_other
    return float(binomtest(only_one, total, 0.5).pvalue) if total else 1.0


def compare_right(right: np.ndarray, reference: np.ndarray, draws: int = 5000) -> Difference:
    """Compare two models by what they have right.

    Args:
        right: Of the model, (runs, n) bool.
        reference: Of the reference on the same n shapes, (other runs, n) bool. With as many runs
            as the model's, run i of both is taken for a pair (the same seed).
        draws: Number of bootstrap draws.
    """
    right, reference = (np.atleast_2d(np.asarray(x, bool)) for x in (right, reference))
    interval = paired_bootstrap(100.0 * right[..., None], 100.0 * reference[..., None], draws)
    model, other = right.mean(axis=0), reference.mean(axis=0)  # per shape, over runs
    counts = dict(
        both=float((model * other).sum()),
        model=float((model * (1 - other)).sum()),
        reference=float(((1 - model) * other).sum()),
        neither=float(((1 - model) * (1 - other)).sum()),
    )
    single = len(right) == len(reference) == 1
    return Difference(
        gain=float(interval.value[0]),
        low=float(interval.low[0]),
        high=float(interval.high[0]),
        runs=(len(right), len(reference)),
        shapes=right.shape[1],
        counts=counts,
        p_mcnemar=mcnemar(int(counts['model']), int(counts['reference'])) if single else None,
        p_seeds=_p_of_runs(right.mean(axis=1), reference.mean(axis=1)),
    )


def _p_of_runs(accuracies: np.ndarray, reference: np.ndarray) -> float | None:
    from scipy.stats import ttest_rel

    if len(accuracies) != len(reference) or len(accuracies) < 2:
        return None
    if np.ptp(accuracies - reference) < 1e-12:  # without spread there is no test
        return None
    return float(ttest_rel(accuracies, reference).pvalue)


def sentence(difference: Difference, model: str, reference: str) -> str:
    """Return in plain words whether a model is better than its reference.

    "No clear gain" (or loss) is said when the interval holds 0, or when a test gives p above 5 %.
    """
    size = (
        f'{difference.gain:+.1f} points OA (95 % interval {difference.low:+.1f} to '
        f'{difference.high:+.1f}'
    )
    runs, others = difference.runs
    tests = {'McNemar': difference.p_mcnemar, 'paired t-test over runs': difference.p_seeds}
    size += ''.join(f', {name} p = {p:.2g}' for name, p in tests.items() if p is not None)
    size += f'; {difference.shapes} shapes, ' + (
        f'{runs} and {others} runs)' if (runs, others) != (1, 1) else 'one run each)'
    )
    doubts = [name for name, p in tests.items() if p is not None and p > 0.05]
    word = 'gain' if difference.gain >= 0 else 'loss'
    if not difference.clear:
        return f'No clear {word} of {model} over {reference}: {size}.'
    if doubts:
        return f'No clear {word} of {model} over {reference}, says the {doubts[0]}: {size}.'
    better = 'better' if difference.gain > 0 else 'worse'
    return f'{model} is {better} than {reference}: {size}.'
