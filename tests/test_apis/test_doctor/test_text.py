from pcdet_kd.apis.doctor.text import facts_text, shown, size_text, span, time_text, wrapped


def test_numbers_as_people_read_them():
    sizes = {999: '999 bytes', 1500: '1.5 kB', 435_212_151: '435 MB', 25.3e9: '25.3 GB'}
    assert {size: size_text(size) for size in sizes} == sizes
    times = {0.0204: '20 ms', 1.5: '1.5 s', 90: '90.0 s', 600: '10.0 min', 36000: '10.0 hours'}
    assert {seconds: time_text(seconds) for seconds in times} == times
    assert time_text(100 * 86400) == '100.0 days'
    assert shown('free_bytes', None) == ('free', '-') and shown('n', 12345)[1] == '12,345'
    assert shown('of_class', {'a': 1, 'b': [2.5, False]}) == ('of class', 'a 1, b 2.5, no')
    assert shown('nothing', [])[1] == '-'


def test_dicts_of_dicts_stand_beside_each_other():
    parts = {f'part {i}': dict(size_bytes=1000 * i, classes=dict(a=i)) for i in range(1, 6)}
    lines = facts_text(dict(name='x', parts=parts)).splitlines()
    assert lines[:4] == [
        '  name  x',
        '',
        '        part 1  part 2  part 3  part 4',
        ('  size  1.0 kB  2.0 kB  3.0 kB  4.0 kB'),
    ]
    assert lines[4:7] == ['', '  classes', '  part 1  a 1']
    assert lines[11:13] == ['        part 5', '  size  5.0 kB']


def test_a_long_text_is_wrapped_below_its_start():
    lines = wrapped('  note  ', 'word ' * 40).splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 100
    assert lines[0].startswith('  note  word') and lines[1].startswith('        word')


def test_the_span_of_numbers():
    assert span([3, 1200, 2]) == '2 to 1,200' and span([5, 5]) == '5' and span([]) is None
