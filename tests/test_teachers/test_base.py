import copy

import pytest
import torch

from pcdet_kd.registry import MODELS
from pcdet_kd.teachers import Frozen
from pcdet_kd.utils.checkpoint import save_checkpoint_file


@pytest.fixture
def weights(tiny_student, tmp_path):
    torch.manual_seed(1)
    model = MODELS.build(tiny_student)
    save_checkpoint_file(dict(state_dict=model.state_dict()), tmp_path / 'teacher.pth')
    return str(tmp_path / 'teacher.pth'), model.state_dict()


@pytest.fixture
def frozen(tiny_student, weights):
    frozen = Frozen(tiny_student, weights[0])
    frozen.init_weights()
    return frozen


def test_it_leaves_no_trace_in_its_owner(frozen):
    assert not list(frozen.parameters()) and not frozen.state_dict() and not list(frozen.children())


def test_it_has_the_files_weights_after_init_and_keeps_them(frozen, weights):
    for _ in range(2):
        for name, value in frozen.model.state_dict().items():
            assert torch.equal(value, weights[1][name])
        frozen.init_weights()  # a Runner calls it again on resume


def test_it_stays_in_eval_mode_without_gradients(frozen):
    frozen.train()
    assert not any(m.training for m in frozen.model.modules())
    assert not any(p.requires_grad for p in frozen.model.parameters())


def test_it_moves_with_its_owner(frozen):
    torch.nn.Sequential(frozen).double()
    assert all(p.dtype == torch.float64 for p in frozen.model.parameters())


def test_apply_reaches_it_so_that_preprocessors_learn_the_device(frozen):
    seen = []
    torch.nn.Sequential(frozen).apply(seen.append)
    assert frozen.model.data_preprocessor in seen


def test_its_preprocessor_follows_without_a_model_around_it(frozen):
    frozen.to('meta')  # as a feature bank moves its teacher
    assert frozen.model.data_preprocessor.device.type == 'meta'


def test_copies_share_it(frozen):
    assert copy.deepcopy(frozen).model is frozen.model


def test_its_hash_follows_the_weights(frozen):
    before = frozen.weights_hash()
    assert before == frozen.weights_hash()
    next(frozen.model.parameters()).data[0] += 1e-3
    assert frozen.weights_hash() != before


def test_without_weights_it_does_not_run(tiny_student, weights):
    with pytest.raises(RuntimeError, match='init_weights'):
        Frozen(tiny_student, weights[0]).model  # noqa: B018
    with pytest.raises(ValueError, match='needs checkpoint'):
        Frozen(tiny_student).init_weights()
    with pytest.raises(ValueError, match="stage 'teacher'"):
        Frozen(tiny_student, 'stage:teacher').init_weights()


def test_weights_that_do_not_fit_are_an_error(tiny_student, weights):
    tiny_student['head']['num_classes'] = 4
    with pytest.raises(Exception, match=r'head\.fc\.weight'):
        Frozen(tiny_student, weights[0]).init_weights()
