import pytest
import torch

from pcdet_kd.apis import get_model
from pcdet_kd.apis.complexity import count_complexity, measure_speed, random_inputs


def test_pointmlp_costs_less_than_its_textbook_form():
    # 31.2 GFLOPs at 1,024 points (openpoints' model zoo has 31.4); the first layer of each stage
    # runs per point here
    model = get_model('pointmlp_modelnet40').train()
    cost = count_complexity(model, random_inputs(model, 1, 1024))
    assert cost.parameters == 13_238_504
    assert 0.75 * 31.21e9 < cost.flops < 0.9 * 31.21e9
    assert cost.by_module['backbone'] <= cost.flops
    assert model.training


def test_cost_is_per_sample_and_linear_layers_count_two_per_multiply_add():
    model = get_model('pointnet_modelnet40')
    one, three = (count_complexity(model, random_inputs(model, n, 64)) for n in (1, 3))
    assert one == three
    head = 2 * (1024 * 512 + 512 * 256 + 256 * 40)
    assert one.flops - one.by_module['backbone'] == head


def test_inputs_suit_the_model():
    model = get_model('pointnet_modelnet40')
    points = random_inputs(model, 2, 33)['points']
    assert points.shape == (2, 33, 3)
    torch.testing.assert_close(points.norm(dim=-1), torch.ones(2, 33))
    model.input_key = 'views'
    assert random_inputs(model, 2, 33, 16, 4)['views'].shape == (2, 4, 3, 16, 16)


@pytest.mark.parametrize('amp', [False, True])
def test_speed_is_measured_and_the_mode_kept(amp):
    model = get_model('pointnet_modelnet40').eval()
    speed = measure_speed(model, random_inputs(model, 2, 32), seconds=0.01, amp=amp)
    assert speed.forward > 0 and speed.train > 0 and speed.steps >= 1
    assert not model.training


def test_a_part_segmentor_is_counted_and_timed():
    options = {'model.backbone.num_points': (16, 8)}
    model = get_model('partseg_pointnet2_ssg_shapenetpart', **options)
    inputs = random_inputs(model, 2, 32)
    assert inputs['points'].shape == (2, 32, 6) and inputs['category'].tolist() == [0, 0]
    cost = count_complexity(model, inputs)
    assert set(cost.by_module) == {'backbone', 'decode_head'}
    assert sum(cost.by_module.values()) == cost.flops
    speed = measure_speed(model, inputs, seconds=0.01)
    assert speed.forward > 0 and speed.train > 0
