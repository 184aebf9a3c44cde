from pcdet_kd.utils.exported_files import format_of, is_exported


def test_names_and_formats(tmp_path):
    assert [format_of(p) for p in ('a.onnx', 'b/c.pt2', 'net_1.2', 'net')] == [
        'onnx',
        'torch',
        'safetensors',
        'safetensors',
    ]
    assert is_exported('a.onnx') and is_exported('not/there.pt2')
    assert not is_exported(tmp_path) and not is_exported('configs/net.py')
    (tmp_path / 'config.json').touch()
    assert is_exported(tmp_path)
