import torch

from pcdet_kd.registry import LOSSES


def test_built_from_a_config():
    student, teacher = torch.randn(4, 7), torch.randn(4, 7)
    loss = LOSSES.build(dict(type='FeatureMSELoss', loss_weight=100.0))
    torch.testing.assert_close(
        loss(student_feat=student, teacher_feat=teacher), 100 * (student - teacher).square().mean()
    )
