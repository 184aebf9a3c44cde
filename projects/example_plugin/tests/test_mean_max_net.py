from pcdet_kd.testing import check_backbone


def test_it_keeps_the_contract():
    check_backbone(dict(type='MeanMaxNet', width=8), order='any')
