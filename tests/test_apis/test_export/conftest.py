import pytest
import torch

from pcdet_kd.apis import init_model
from pcdet_kd.apis.export.description import Description
from pcdet_kd.apis.export.program import Deployed, example, trace
from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import save_checkpoint_file

CONFIG = 'pointnet_small_modelnet40'


@pytest.fixture(scope='session')
def weights(tmp_path_factory):
    """Random weights of the small PointNet, with a scale that shows in the logits."""
    torch.manual_seed(0)
    model = init_model(CONFIG)
    torch.nn.init.normal_(model.head.fc.weight)
    path = tmp_path_factory.mktemp('weights') / 'last.pth'
    save_checkpoint_file(dict(state_dict=model.state_dict()), path)
    return path


@pytest.fixture(scope='session')
def deployed():
    """A tiny classifier that samples and groups."""
    torch.manual_seed(0)
    backbone = dict(
        type='PointNet2SSG',
        num_points=(8,),
        radii=(0.6,),
        num_neighbors=(4,),
        mlp_channels=((8,),),
        global_channels=(8,),
    )
    head = dict(type='MLPHead', num_classes=5, hidden_channels=(6,))
    return Deployed(MODELS.build(dict(type='PointClassifier', backbone=backbone, head=head)))


@pytest.fixture(scope='session')
def program(deployed):
    """Its graph for clouds of 24 points."""
    return trace(deployed, example(deployed, 2, 24))


@pytest.fixture(scope='session')
def description():
    """What its file says."""
    return Description('points', [24, 3], list('abcde'), up_axis='y', num_points=24)
