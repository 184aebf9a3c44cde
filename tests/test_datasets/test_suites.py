from pcdet_kd.datasets.suites import CLEAN, SUITES


def test_names():
    assert [(s.name, s.title) for s in SUITES.values()] == [
        ('modelnet40-c', 'ModelNet40-C'),
        ('modelnet-c', 'ModelNet-C'),
    ]
    assert list(SUITES) == [s.name for s in SUITES.values()]


def test_sets_begin_with_the_clean_one():
    first, second = SUITES['modelnet40-c'].sets, SUITES['modelnet-c'].sets
    assert first[:3] == [(CLEAN, 0), ('occlusion', 1), ('occlusion', 2)] and len(first) == 76
    assert second[-1] == ('add_local', 4) and len(second) == 36


def test_names_and_files():
    m40, mc = SUITES['modelnet40-c'], SUITES['modelnet-c']
    # Sun et al. (2022), tables: density, noise, transformation; Ren et al. (2022), file list
    assert ' '.join(m40.corruptions) == (
        'occlusion lidar density_inc density cutout uniform gaussian impulse upsampling '
        'background rotation shear distortion distortion_rbf distortion_rbf_inv'
    )
    assert (
        ' '.join(mc.corruptions)
        == 'scale jitter rotate dropout_global dropout_local add_global add_local'
    )
    assert (
        m40.file_name('distortion_rbf', 3) == 'data_distortion_rbf_3.npy'
        and mc.file_name('add_local', 0) == 'add_local_0.h5'
    )
    assert len(m40.file_names()) == 75 + 2 and len(mc.file_names()) == 35 + 1
    assert {'label.npy', 'data_original.npy'} <= set(
        m40.file_names()
    ) and 'clean.h5' in mc.file_names()
    assert [c.name for c in m40.corruptions.values() if c.needs_mesh] == ['occlusion', 'lidar']
    assert {c.group for c in m40.corruptions.values()} == {'density', 'noise', 'transformation'}
