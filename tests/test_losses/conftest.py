"""Features, and what every pure loss keeps besides its formula."""

import pytest
import torch


@pytest.fixture
def student():
    """Features (6, 5) float64 that ask for a gradient."""
    feat = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return feat.requires_grad_()


@pytest.fixture
def teacher():
    """Features (6, 7) float64."""
    return torch.randn(6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def keeps_float32():
    """Check that a function computes in float32 under autocast and on bfloat16 arguments, and that
    its gradient is right.
    """

    def check(function, *args):
        half = [a.bfloat16() if a.is_floating_point() else a for a in args]
        full = [a.float() if a.is_floating_point() else a for a in half]
        with torch.autocast('cpu', torch.bfloat16):
            results = [function(*half), function(*full)]
        for result in results:
            assert result.dtype == torch.float32
            assert torch.equal(result, function(*full))
        exact = [a.double() if a.is_floating_point() else a for a in args]
        first, *rest = exact
        assert torch.autograd.gradcheck(
            lambda x: function(x, *rest), (first.detach().requires_grad_(),)
        )

    return check
