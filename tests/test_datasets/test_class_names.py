from pcdet_kd.datasets.class_names import MODELNET40, SCANOBJECTNN, SHAPENET55


def test_sizes_and_order():
    assert len(set(SCANOBJECTNN)) == 15 and len(set(MODELNET40)) == 40
    assert list(MODELNET40) == sorted(MODELNET40) and MODELNET40[23] == 'night_stand'
    assert (
        SCANOBJECTNN[0] == 'bag'
        and SCANOBJECTNN[9:11] == ('table', 'bed')
        and SCANOBJECTNN[14] == 'toilet'
    )


def test_shapenet():
    assert len(SHAPENET55) == len(set(SHAPENET55.values())) == 55
    assert list(SHAPENET55) == sorted(SHAPENET55) and all(len(key) == 8 for key in SHAPENET55)
    assert SHAPENET55['03001627'] == 'chair' and SHAPENET55['02691156'] == 'airplane'
