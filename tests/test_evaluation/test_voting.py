import pytest
import torch
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope

from pcdet_kd.evaluation import PointAccuracy, VotingTTA
from pcdet_kd.registry import MODELS
from pcdet_kd.structures import PointDataSample


class Extent(BaseModel):
    """Scores from the extent of the first points; remembers the clouds that it saw."""

    def __init__(self, input_key='points', data_preprocessor=None):
        super().__init__(data_preprocessor)
        self.input_key = input_key
        self.weight = torch.nn.Parameter(torch.tensor([1.0, 0.5, 0.1]))
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        assert mode == 'predict'
        self.seen.append(inputs['points'].clone())
        logits = inputs['points'][:, 0, :3] * self.weight
        for sample, score in zip(data_samples, logits.softmax(-1)):
            sample.set_pred_score(score)
        return data_samples


def batch(names, channels=3):
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(len(names), 4, channels, generator=generator)
    samples = [
        PointDataSample(metainfo=dict(sample_idx=i, sample_id=name)).set_gt_label(0)
        for i, name in enumerate(names)
    ]
    return dict(inputs=dict(points=points), data_samples=samples)


@torch.no_grad()
def vote(names, channels=3, **arguments):
    tta = VotingTTA(Extent(), **arguments)
    data = batch(names, channels)
    return tta.test_step(data), tta.module.seen, data


def test_scores_are_the_mean_over_scaled_copies():
    samples, seen, data = vote(['a', 'b'], num_votes=4)
    points, weight = data['inputs']['points'], torch.tensor([1.0, 0.5, 0.1])
    factors = VotingTTA(Extent(), num_votes=4).factors(['a', 'b'])
    assert len(seen) == 4
    scores = []
    for v in range(4):
        torch.testing.assert_close(seen[v], points * factors[:, v, None])
        scores.append(
            (points[:, 0].double() * factors[:, v].double() * weight.double()).softmax(-1)
        )
    for i, sample in enumerate(samples):
        torch.testing.assert_close(sample.plain_score.double(), scores[0][i], rtol=0, atol=1e-6)
        torch.testing.assert_close(
            sample.pred_score.double(), torch.stack(scores).mean(0)[i], rtol=0, atol=1e-6
        )
        assert sample.pred_label == sample.pred_score.argmax()


def test_vote_0_is_raw_and_votes_do_not_multiply_up():
    factors = VotingTTA(Extent(), num_votes=200, scale=(0.85, 1.15)).factors(['a'])[0]
    assert (factors[0] == 1).all()
    assert factors[1:].min() >= 0.85 and factors[1:].max() <= 1.15
    assert len(factors[1:].unique()) > 590  # per axis, and fresh in every vote
    assert abs(float(factors[1:].mean()) - 1) < 0.02


def test_factors_depend_on_sample_vote_and_seed_only():
    tta = VotingTTA(Extent(), num_votes=3)
    both = tta.factors(['a', 'b'])
    assert torch.equal(both[1], tta.factors(['b'])[0])
    assert not torch.equal(both[0], both[1])
    assert torch.equal(both, VotingTTA(Extent(), num_votes=5).factors(['a', 'b'])[:, :3])
    assert not torch.equal(both, VotingTTA(Extent(), num_votes=3, seed=1).factors(['a', 'b']))


def test_random_state_and_batch_are_untouched():
    state = torch.get_rng_state()
    _, _, data = vote(['a', 'b'])
    assert torch.equal(state, torch.get_rng_state())
    assert torch.equal(data['inputs']['points'], batch(['a', 'b'])['inputs']['points'])


def test_only_coordinates_are_scaled():
    _, seen, data = vote(['a'], channels=6, num_votes=2)
    assert torch.equal(seen[1][..., 3:], data['inputs']['points'][..., 3:])
    assert not torch.equal(seen[1][..., :3], data['inputs']['points'][..., :3])


def test_a_list_of_clouds_is_taken():
    data = batch(['a', 'b'])
    data['inputs']['points'] = list(data['inputs']['points'])
    with torch.no_grad():
        samples = VotingTTA(Extent(), num_votes=2).test_step(data)
    assert torch.equal(samples[1].pred_score, vote(['a', 'b'], num_votes=2)[0][1].pred_score)


def test_plain_and_voted_accuracy_are_reported_together():
    samples, _, _ = vote(['a', 'b', 'c'])
    metric = PointAccuracy()
    metric.dataset_meta = dict(classes=('x', 'y', 'z'))
    metric.process(None, [sample.to_dict() for sample in samples])
    assert set(metric.evaluate(3)) == {
        'accuracy',
        'mean_class_accuracy',
        'accuracy_voted',
        'mean_class_accuracy_voted',
    }


def test_delivered_images_are_refused():
    data = batch(['a'])
    data['inputs']['views'] = torch.zeros(1, 2, 3, 4, 4)
    with pytest.raises(ValueError, match="looks at 'views' as the data set delivers them"):
        VotingTTA(Extent(input_key='views')).test_step(data)


def test_samples_need_a_name():
    data = batch(['a'])
    data['data_samples'] = [PointDataSample()]
    with pytest.raises(KeyError, match='sample_id'):
        VotingTTA(Extent()).test_step(data)


def test_weights_are_the_modules():
    tta = VotingTTA(Extent())
    assert set(tta.state_dict()) == {'weight'}
    tta.load_state_dict({'weight': torch.zeros(3)}, strict=True)
    assert not tta.module.weight.any()


@pytest.mark.parametrize(
    'arguments', [dict(num_votes=1), dict(scale=(1.2, 0.8)), dict(scale=(0, 1)), dict(scale=(1,))]
)
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match='must be'):
        VotingTTA(Extent(), **arguments)


def test_is_built_from_a_config():
    with DefaultScope.overwrite_default_scope('pcdet_kd'):
        MODELS.register_module(module=Extent)
        try:
            cfg = dict(
                type='VotingTTA',
                module=dict(type='Extent'),
                data_preprocessor=dict(type='BaseDataPreprocessor'),
            )
            tta = MODELS.build(cfg)
        finally:
            MODELS.module_dict.pop('Extent')
    assert isinstance(tta.module, Extent)
    assert cfg['module'] == dict(type='Extent')


class Parts(BaseModel):
    """Part scores from the points; of the whole cloud where a sample has ``nearest``."""

    class_parts = ((0, 1), (2,))

    def forward(self, inputs, data_samples=None, mode='tensor'):
        scores = inputs['points'].softmax(-1)
        return [
            sample.new().set_part_score(score[sample.nearest], self.class_parts[0])
            for sample, score in zip(data_samples, scores)
        ]


@torch.no_grad()
def test_parts_are_voted_for_all_points_of_clouds_of_any_size():
    data = batch(['a', 'b'])
    data['inputs']['points'] *= 20
    back = [torch.tensor([0, 3, 3, 1, 2, 0]), torch.tensor([1, 0])]
    for sample, nearest in zip(data['data_samples'], back):
        sample.set_nearest(nearest)
    tta = VotingTTA(Parts(), num_votes=3)
    factors = tta.factors(['a', 'b']).double()
    for i, sample in enumerate(tta.test_step(data)):
        points = data['inputs']['points'][i].double()
        votes = [(points * factors[i, vote]).softmax(-1)[back[i]] for vote in range(3)]
        torch.testing.assert_close(sample.plain_part_score.double(), votes[0], rtol=0, atol=1e-5)
        mean = torch.stack(votes).mean(0)
        torch.testing.assert_close(sample.part_score.double(), mean, rtol=0, atol=1e-5)
        assert torch.equal(sample.pred_parts, mean[:, :2].argmax(1))
        assert 'pred_score' not in sample
