import numba
import pytest

from pcdet_kd.ops.cpu import options


def test_without_a_place_for_the_cache_kernels_compile_all_the_same(monkeypatch):
    assert options.can_cache() is options.OPTIONS['cache']

    def refuse(**_):
        def decorate(function):
            raise RuntimeError(f"cannot cache function '{function.__name__}': no locator available")

        return decorate

    monkeypatch.setattr(numba, 'njit', refuse)
    with pytest.warns(UserWarning, match='set NUMBA_CACHE_DIR'):
        assert not options.can_cache()
