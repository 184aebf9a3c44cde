import json

import numpy as np
import pytest
import torch

from pcdet_kd.evaluation import PartIoU, part_ious
from pcdet_kd.registry import METRICS
from pcdet_kd.structures import PointDataSample

PARTS = ((0, 1), (2, 3, 4), (5,))
META = dict(
    classes=('bag', 'chair', 'mug'),
    class_parts=PARTS,
    part_names=('bag/a', 'bag/b', 'chair/a', 'chair/b', 'chair/c', 'mug/a'),
)


def make_sample(idx, gt, target, score, plain=None):
    sample = PointDataSample(metainfo=dict(sample_idx=idx, sample_id=f's{idx}')).set_gt_label(gt)
    sample.set_gt_parts(torch.as_tensor(target))
    sample.set_field(torch.as_tensor(score), 'part_score', dtype=torch.Tensor)
    if plain is not None:
        sample.set_field(torch.as_tensor(plain), 'plain_part_score', dtype=torch.Tensor)
    return sample.to_dict()


def random_samples(seed=0, count=12):
    """Shapes of two of three classes, of different sizes, some points without a label."""
    rng = np.random.default_rng(seed)
    samples = []
    for _ in range(count):
        gt, size = int(rng.integers(2)), int(rng.integers(5, 30))
        target = rng.choice(PARTS[gt][: int(rng.integers(1, 4))], size)
        target[rng.random(size) < 0.2] = -1
        score = rng.random((size, 6)).astype(np.float32)
        score[:, PARTS[gt][-1]] *= rng.random() < 0.5  # a part that is predicted nowhere
        samples.append((gt, target, score))
    return samples


def reference(samples, own_parts, absent):
    """Loops over points, in plain Python."""
    shapes = []
    for gt, target, score in samples:
        tested = [(int(t), row) for t, row in zip(target, score) if t >= 0]
        allowed = PARTS[gt] if own_parts else range(6)
        pairs = [(t, max(allowed, key=lambda part: float(row[part]))) for t, row in tested]
        ious = []
        for part in PARTS[gt]:
            both = sum(t == part and p == part for t, p in pairs)
            any_ = sum(t == part or p == part for t, p in pairs)
            true = sum(t == part for t, _ in pairs)
            if absent == 'one':
                ious.append(both / any_ if any_ else 1.0)
            elif true:
                ious.append(both / any_)
        shapes.append((gt, sum(ious) / len(ious)))
    classes = {gt for gt, _ in shapes}
    means = [np.mean([iou for gt, iou in shapes if gt == c]) for c in classes]
    return dict(
        instance_miou=100 * np.mean([iou for _, iou in shapes]), class_miou=100 * np.mean(means)
    )


def run(metric, samples, batch=5):
    metric.dataset_meta = META
    dicts = [make_sample(i, *sample) for i, sample in enumerate(samples)]
    for start in range(0, len(dicts), batch):
        metric.process(None, dicts[start : start + batch])
    return metric.evaluate(len(dicts))


@pytest.mark.parametrize(
    ('convention', 'own_parts', 'absent'),
    [('official', True, 'one'), ('all_parts', False, 'one'), ('present_parts', False, 'skip')],
)
def test_conventions(convention, own_parts, absent):
    samples = random_samples()
    found = run(PartIoU(convention), samples)
    assert found == pytest.approx(reference(samples, own_parts, absent), rel=1e-12)


def test_the_default_is_official_and_conventions_differ():
    samples = random_samples()
    official = run(METRICS.build(dict(type='PartIoU')), samples)
    assert official == run(PartIoU('official'), samples)
    others = [
        run(PartIoU(name), samples)['instance_miou'] for name in ('all_parts', 'present_parts')
    ]
    assert len({official['instance_miou'], *others}) == 3
    with pytest.raises(ValueError, match="convention is 'mine'"):
        PartIoU('mine')


def test_a_part_absent_in_both_is_1_and_one_that_is_only_predicted_is_0():
    target = np.array([2, 2, 2, 2])
    np.testing.assert_array_equal(part_ious(target, target, (2, 3, 4)), [1, 1, 1])
    pred = np.array([2, 2, 2, 3])
    np.testing.assert_array_equal(part_ious(target, pred, (2, 3, 4)), [0.75, 0, 1])
    np.testing.assert_array_equal(
        part_ious(target, pred, (2, 3, 4), absent=None), [0.75, np.nan, np.nan]
    )
    np.testing.assert_array_equal(  # a point without a part counts nowhere
        part_ious(np.array([2, 2, -1]), np.array([2, 3, 3]), (2, 3)), [0.5, 0]
    )


def one_hot(pred):
    return np.eye(6, dtype=np.float32)[pred]


def test_instances_and_classes_weigh_differently():
    """Two bags of 1 and one chair of 0.5: by hand."""
    bag = (0, np.array([0, 1]), one_hot([0, 1]))
    chair = (1, np.array([2, 2, 3, 4]), one_hot([2, 3, 3, 2]))  # 1/3, 1/2, 0
    found = run(PartIoU(), [bag, bag, chair])
    third = (1 / 3 + 1 / 2 + 0) / 3
    assert found['instance_miou'] == pytest.approx(100 * (2 + third) / 3)
    assert found['class_miou'] == pytest.approx(100 * (1 + third) / 2)


def test_plain_and_voted_side_by_side():
    good, bad = one_hot([0, 1]), one_hot([1, 1])
    found = run(PartIoU(), [(0, np.array([0, 1]), good, bad)])
    assert found == {
        'instance_miou': pytest.approx(25.0),
        'class_miou': pytest.approx(25.0),
        'instance_miou_voted': pytest.approx(100.0),
        'class_miou_voted': pytest.approx(100.0),
    }


def test_shapes_without_a_labelled_point_are_left_out():
    bag = (0, np.array([0, 1]), one_hot([0, 1]))
    empty = (1, np.array([-1, -1]), one_hot([2, 2]))
    assert run(PartIoU(), [bag, empty])['instance_miou'] == 100.0
    with pytest.raises(ValueError, match='no shape has a point'):
        run(PartIoU(), [empty])


def test_details(tmp_path):
    file = tmp_path / 'shapes.json'
    samples = [(0, np.array([0, 1]), one_hot([0, 0])), (1, np.array([2, 3]), one_hot([2, 3]))]
    run(PartIoU('present_parts', per_class=True, dump=str(file)), samples)
    content = json.loads(file.read_text())
    assert content['shapes'][0] == dict(sample_id='s0', gt=0, ious=[0.5, 0.0])
    assert content['shapes'][1]['ious'] == [1.0, 1.0, None]
    with pytest.raises(ValueError, match='must end with .json'):
        PartIoU(dump='shapes.txt')


def test_the_table_names_parts():
    from pcdet_kd.evaluation.part_iou import part_table

    records = [dict(gt=1, ious=[1.0, 0.5, np.nan]), dict(gt=1, ious=[1.0, 1.0, np.nan])]
    table = part_table(records, META['classes'], META['part_names'], PARTS)
    row = next(line for line in table.splitlines() if 'chair' in line)
    assert '87.5' in row and 'a 100.0, b 75.0' in row and ' c ' not in row


@pytest.mark.parametrize(
    ('change', 'error', 'words'),
    [
        (dict(score=np.full((2, 6), np.nan)), ValueError, 'holds NaN or infinity'),
        (dict(target=np.array([0])), ValueError, 'of 2 points, gt_parts of 1'),
    ],
)
def test_what_cannot_be_scored_names_the_sample(change, error, words):
    sample = dict(target=np.array([0, 1]), score=one_hot([0, 1]))
    with pytest.raises(error, match=words) as info:
        metric = PartIoU()
        metric.dataset_meta = META
        metric.process(None, [make_sample(3, 0, **{**sample, **change})])
    assert "sample 3 ('s3')" in str(info.value)


def test_a_data_set_without_parts_is_named():
    metric = PartIoU()
    metric.dataset_meta = dict(classes=('a',))
    with pytest.raises(ValueError, match="no 'class_parts'"):
        metric.process(None, [make_sample(0, 0, np.array([0]), one_hot([0]))])
    with pytest.raises(KeyError, match="no 'gt_parts'"):
        metric.process(None, [dict(sample_idx=0)])
