import torch

from pcdet_kd.apis.doctor.fit import count_parameters, fitting_models
from pcdet_kd.apis.models import get_model


def test_the_shipped_models_that_weights_fit():
    weights = get_model('pointnet_small_modelnet40').state_dict()
    found = fitting_models(weights)
    assert 'pointnet_small_modelnet40' in found and 'few_labels_jgekd_modelnet40' in found
    assert not any('scanobjectnn' in name for name in found)
    for old in [key for key in weights if key.endswith('num_batches_tracked')]:
        del weights[old]  # absent in old files
    assert fitting_models(weights) == found
    key, value = next((k, v) for k, v in weights.items() if v.dim() == 2)
    assert fitting_models({**weights, key: value.T}) == []  # as many numbers, another shape
    assert fitting_models({**weights, 'more': torch.zeros(1)}) == []


def test_parameters_are_counted_without_statistics():
    norm = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    wanted = sum(p.numel() for p in norm.parameters())
    assert count_parameters(norm.state_dict()) == wanted == 24
