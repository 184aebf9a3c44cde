from pcdet_kd.datasets.class_names import (
    MODELNET40,
    SCANOBJECTNN,
    SHAPENET55,
    SHAPENET_PART,
    number_parts,
)


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


def test_shapenet_part():
    assert len(SHAPENET_PART) == 16 and list(SHAPENET_PART) == sorted(SHAPENET_PART)
    assert sum(len(parts) for _, parts in SHAPENET_PART.values()) == 50
    both = set(SHAPENET_PART) & set(SHAPENET55)
    same = {key for key in both if SHAPENET_PART[key][0] == SHAPENET55[key]}
    assert len(both) == 16 and both == same


def test_parts_are_numbered_from_class_to_class():
    assert number_parts([('a', 'b'), ('c',), ('d', 'e')]) == ((0, 1), (2,), (3, 4))
