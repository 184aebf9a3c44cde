import pytest

from pcdet_kd.utils.arguments import check_at_least, check_choice, check_one_per, from_preset


def test_a_choice_names_the_argument_all_choices_and_the_nearest():
    check_choice('mode', 'mean', ('mean', 'max', None))
    check_choice('mode', None, ('mean', 'max', None))
    with pytest.raises(ValueError) as raised:
        check_choice('mode', 'maen', ('mean', 'bbox', None))
    assert str(raised.value) == (
        "mode is 'maen', must be one of 'mean', 'bbox', None. Did you mean 'mean'?"
    )
    with pytest.raises(ValueError, match=r'^depth is 7, must be one of 18, 34\.$'):
        check_choice('depth', 7, {18: 'a', 34: 'b'})


def test_a_bound_belongs_to_the_range():
    check_at_least('n', 1)
    check_at_least('n', 2.5, 2)
    with pytest.raises(ValueError, match='^n is 0, must be at least 1$'):
        check_at_least('n', 0)
    with pytest.raises(ValueError, match='^n is 1, must be at least 2$'):
        check_at_least('n', 1, 2)


def test_lists_that_go_together_are_equally_long_and_not_empty():
    check_one_per('Net', 'stage', channels=(1, 2), strides=[3, 4])
    message = '^Net: 2 channels, 1 strides: give one of each per stage$'
    with pytest.raises(ValueError, match=message):
        check_one_per('Net', 'stage', channels=(1, 2), strides=[3])
    with pytest.raises(ValueError, match='^Net: 0 channels, 0 strides'):
        check_one_per('Net', 'stage', channels=(), strides=[])


def test_what_is_given_replaces_the_values_of_a_preset():
    presets = dict(small=dict(depth=2, width=8), large=dict(depth=4, width=16))
    assert from_preset('preset', 'small', presets) == dict(depth=2, width=8)
    assert from_preset('preset', 'large', presets, depth=0, width=None) == dict(depth=0, width=16)
    assert presets['large'] == dict(depth=4, width=16)
    with pytest.raises(ValueError, match="preset is 'big', must be one of 'small', 'large'"):
        from_preset('preset', 'big', presets)
