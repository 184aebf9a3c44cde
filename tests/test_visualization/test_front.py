import math

from pcdet_kd.visualization.front import draw_front, pareto


def test_the_front_leaves_out_what_is_beaten():
    points = dict(slow=(10, 88), beaten=(20, 80), fast=(900, 86), equal=(900, 85), worse=(9, 88))
    assert pareto(points) == ['slow', 'fast']
    assert pareto(dict(a=(1, 5), b=(1, 5))) in (['a'], ['b'])


def test_a_picture(tmp_path):
    models = dict(teacher=(400.0, 88.6, math.nan), student=(9000.0, 86.2, 0.3))
    path = draw_front(models, tmp_path / 'front.svg', title='ModelNet40')
    text = path.read_text()
    assert 'teacher' in text and 'clouds per second' in text
