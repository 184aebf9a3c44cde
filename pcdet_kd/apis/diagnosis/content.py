"""What distillation did to a student, as plain values."""

from typing import Any

import numpy as np

from pcdet_kd.apis.diagnosis.collect import Observed, Run
from pcdet_kd.evaluation.calibration import reliability
from pcdet_kd.evaluation.functional import class_recalls, confusion_matrix, mean_class_accuracy
from pcdet_kd.evaluation.paired_test import mcnemar
from pcdet_kd.evaluation.predictions import Predictions
from pcdet_kd.evaluation.similarity import linear_cka
from pcdet_kd.evaluation.transfer import outcomes, transfer

ALONE, DISTILLED = 'student alone', 'distilled student'


def diagnosis(run: Run, alone: Predictions | None = None) -> dict[str, Any]:
    """Return accuracies, agreement, calibration, transfer per class and the similarity of layers.

    Args:
        run: The distiller's run.
        alone: Predictions of the student alone on the same shapes, if they are known.
    """
    gt, classes = run.gt, run.classes
    predicted: dict[str, tuple[np.ndarray, np.ndarray]] = {
        f'teacher {teacher.name}': _best(teacher)
        for teacher in run.teachers
        if teacher.scores is not None
    }
    teachers = list(predicted)
    if alone is not None:
        predicted[ALONE] = alone.pred, np.minimum(alone.score, 1.0)
    predicted[DISTILLED] = _best(run.student)
    models = []
    for name, (pred, score) in predicted.items():
        matrix = confusion_matrix(gt, pred, len(classes))
        bins = reliability(score, pred == gt)
        models.append(
            dict(
                name=name,
                oa=100 * float((pred == gt).mean()),
                macc=mean_class_accuracy(matrix),
                confidence=100 * float(score.mean()),
                ece=bins.ece,
                bins=[
                    dict(count=int(n), confidence=float(c), accuracy=float(a))
                    for n, c, a in zip(bins.counts, bins.confidence, bins.accuracy)
                ],
                recalls=[None if np.isnan(r) else float(r) for r in class_recalls(matrix)],
            )
        )
    pairs = [(name, DISTILLED) for name in (*teachers, *[ALONE] * (alone is not None))]
    pairs += [(name, ALONE) for name in teachers if alone is not None]
    content = dict(
        classes=list(classes),
        counts=np.bincount(gt, minlength=len(classes)).tolist(),
        shapes=len(gt),
        models=models,
        pairs=[_pair(one, other, predicted, gt) for one, other in pairs],
        transfer=[
            dict(
                teacher=name,
                **transfer(
                    predicted[DISTILLED][0], predicted[ALONE][0], predicted[name][0], gt
                )._asdict(),
            )
            for name in teachers
            if alone is not None
        ],
        similarity=[_similarity(teacher, run.student) for teacher in run.teachers],
    )
    return dict(content, sentences=sentences(content))


def _best(model: Observed) -> tuple[np.ndarray, np.ndarray]:
    pred = model.scores.argmax(axis=1)
    return pred, model.scores[np.arange(len(pred)), pred].clip(0, 1)


def _pair(
    one: str, other: str, predicted: dict[str, tuple[np.ndarray, np.ndarray]], gt: np.ndarray
) -> dict[str, Any]:
    counts = outcomes(predicted[one][0], predicted[other][0], gt)
    p = mcnemar(counts.only_one, counts.only_other)
    return dict(one=one, other=other, p=p, **counts._asdict())


def _similarity(teacher: Observed, student: Observed) -> dict[str, Any]:
    values = [
        [linear_cka(of_teacher, of_student) for of_student in student.layers.values()]
        for of_teacher in teacher.layers.values()
    ]
    return dict(
        teacher=f'teacher {teacher.name}',
        rows=list(teacher.layers),
        columns=list(student.layers),
        values=[[None if np.isnan(v) else v for v in row] for row in values],
    )


def sentences(content: dict[str, Any]) -> list[str]:
    """Return the outcome in plain words."""
    models = {model['name']: model for model in content['models']}
    found = []
    student, alone = models[DISTILLED], models.get(ALONE)
    if alone is None:
        found.append(
            f'The distilled student reaches {student["oa"]:.1f} % OA. The student alone is not '
            'known: train it with --with-baseline, or name its run with --alone.'
        )
    else:
        pair = next(p for p in content['pairs'] if (p['one'], p['other']) == (ALONE, DISTILLED))
        gain = student['oa'] - alone['oa']
        size = f'{alone["oa"]:.1f} to {student["oa"]:.1f} % OA, McNemar p = {pair["p"]:.2g}'
        if gain <= 0:
            found.append(f'No gain from distillation: {size}.')
        elif pair['p'] > 0.05:
            found.append(f'No clear gain from distillation: {size}.')
        else:
            found.append(f'Distillation gained {gain:.1f} points: {size}.')
    for name, model in models.items():
        if name.startswith('teacher ') and alone is not None and model['oa'] <= alone['oa']:
            found.append(
                f'The {name} ({model["oa"]:.1f} %) is not better than the student alone: there is '
                'little to learn from it.'
            )
    for entry in content['transfer']:
        if entry['could_learn']:
            found.append(
                f'Of {entry["could_learn"]} shapes that the {entry["teacher"]} has right and the '
                f'student alone wrong, the distilled student has {entry["learned"]} right '
                f'({100 * entry["learned"] / entry["could_learn"]:.0f} %).'
            )
        if entry['could_lose']:
            found.append(
                f'Of {entry["could_lose"]} shapes that the student alone has right and the '
                f'{entry["teacher"]} wrong, the distilled student lost {entry["lost"]}, '
                f"{entry['copied']} of them to the teacher's class."
            )
    return found
