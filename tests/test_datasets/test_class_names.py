from pcdet_kd.datasets.class_names import MODELNET40, SCANOBJECTNN


def test_sizes_and_order():
    assert len(set(SCANOBJECTNN)) == 15 and len(set(MODELNET40)) == 40
    assert list(MODELNET40) == sorted(MODELNET40) and MODELNET40[23] == 'night_stand'
    assert (
        SCANOBJECTNN[0] == 'bag'
        and SCANOBJECTNN[9:11] == ('table', 'bed')
        and SCANOBJECTNN[14] == 'toilet'
    )
