import torch

from pcdet_kd.structures import Crops


def test_all_points_count_unless_said():
    crops = Crops(torch.zeros(2, 3, 8, 3), torch.zeros(2, 3, 4), torch.zeros(2, 3, 4, 5))
    assert crops.num_points is None and crops._fields[0] == 'points'
