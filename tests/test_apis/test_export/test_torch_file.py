import pytest
import torch

from pcdet_kd.apis.export.program import example
from pcdet_kd.apis.export.torch_file import TorchModel, to_torch
from pcdet_kd.utils.checkpoint import CheckpointError

pytestmark = pytest.mark.filterwarnings('ignore:.*LeafSpec:FutureWarning')  # torch's own


def test_a_file_gives_the_same_for_any_batch(deployed, program, description, tmp_path):
    content = to_torch(program, description)
    (tmp_path / 'net.pt2').write_bytes(content)
    for model in (TorchModel(content, 'net'), TorchModel(tmp_path / 'net.pt2', 'net')):
        assert model.description == description
        for size in (1, 3):
            points = example(deployed, size, 24)
            for one, other in zip(model(points), deployed(points)):
                torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    plain = torch.export.load(tmp_path / 'net.pt2')
    assert not [node for node in plain.graph.nodes if 'pcdet_kd' in str(node.target)]


def test_what_is_no_such_file_or_does_not_describe_itself(program, tmp_path):
    with pytest.raises(CheckpointError, match=r'x\.pt2 cannot be read by torch.export'):
        TorchModel(b'no archive', 'x.pt2')
    torch.export.save(program, tmp_path / 'x.pt2')
    with pytest.raises(CheckpointError, match=r'x\.pt2 does not describe itself'):
        TorchModel(tmp_path / 'x.pt2', 'x.pt2')
