import pytest
import torch

from pcdet_kd.losses.logit_mse import LogitMSELoss, logit_mse


def test_it_is_the_mean_over_batch_and_classes(student, teacher):
    teacher = teacher[:, :5]
    expected = ((student.detach() - teacher).numpy() ** 2).sum() / (6 * 5)
    assert logit_mse(student, teacher).item() == pytest.approx(expected, rel=1e-12)
    assert LogitMSELoss(3.0)(student, teacher).item() == pytest.approx(3 * expected, rel=1e-12)
    taught = teacher.clone().requires_grad_()
    logit_mse(student, taught).backward()
    assert taught.grad is None


def test_precision(student, teacher, keeps_float32):
    keeps_float32(logit_mse, student, teacher[:, :5])


def test_other_numbers_of_classes_are_an_error(student, teacher):
    with pytest.raises(ValueError, match=r'\(6, 5\) and teacher_logits \(6, 7\)'):
        logit_mse(student, teacher)
    with pytest.raises(ValueError, match='expected .B, K.'):
        logit_mse(torch.zeros(3), torch.zeros(3))
