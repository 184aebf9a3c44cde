import json
import subprocess
import sys

import torch

from pcdet_kd.registry import MODELS
from pcdet_kd.utils.checkpoint import load_checkpoint_file


def test_models_are_listed_by_pattern(command):
    code, out, _ = command('models', 'pointmlp_elite*')
    assert (
        code == 0
        and 'pointmlp_elite_modelnet40' in out
        and '716,232' in out
        and '| pointnet_' not in out
    )
    code, out, _ = command('models', 'PointMLP_elite_modelnet40')
    assert (
        code == 0 and '| pointmlp_elite_modelnet40_pointnext ' in out and 'configs/baseline/' in out
    )
    code, out, err = command('models', 'pointmlp_elit_modelnet40')
    assert code == 1 and not out and "Did you mean 'pointmlp_elite_modelnet40'" in err


def test_what_is_measured_here(command):
    code, out, _ = command('models', 'jgekd_pointnet_small_self_modelnet40', '--measure')
    config = 'configs/jgekd/pointnet_small_self_modelnet40.py'
    assert code == 0 and config in out and '85,096' in out and 'published' not in out
    assert '| 0.093 |' in ' '.join(out.split())  # benchmarks/zoo.json: pointnet_small


def test_a_reader_that_has_enough_is_no_error():
    lines = (
        f"{sys.executable} -c 'from pcdet_kd.cli.models import main; import sys; sys.exit(main())'"
    )
    run = subprocess.run(
        ['bash', '-c', f'{lines} | true; exit ${{PIPESTATUS[0]}}'], capture_output=True, text=True
    )
    assert run.returncode == 141 and not run.stderr


def test_the_page_is_written(command, tmp_path):
    runs, page = tmp_path / 'zoo.json', tmp_path / 'new' / 'page.md'
    runs.write_text(json.dumps(dict(about='Here.', models=dict(pointnet=dict(speed=1.5)))))
    code, out, _ = command('models', '--page', runs, '--out', page)
    assert code == 0 and str(page) in out and page.read_text().startswith('# Model zoo')


def test_operations_are_counted_by_name_and_by_config(command, tiny_configs):
    code, out, _ = command('get_flops', 'pointnet_modelnet40', '--num-points', 32)
    assert code == 0 and '32x3' in out and '3,480,049' in out
    code, _, err = command('get_flops', 'pointnet_modelnet4')
    assert code == 1 and "model. Did you mean 'pointnet_modelnet40'" in err
    code, _, err = command('get_flops', 'pointnet_modelnet40', '--num-points', 0)
    assert code == 2 and "'0' is not a whole number above 0" in err
    code, out, _ = command('print_config', 'pointnet_modelnet40')
    assert code == 0 and "type='PointNet'" in out
    code, out, _ = command('get_flops', tiny_configs / 'tiny_pointcmt.py', '--num-points', 32)
    assert code == 0 and '| all' in out


def test_speed_is_measured(command):
    code, out, _ = command(
        'benchmark', 'pointnet_modelnet40', '--num-points', 32, '--batch-size', 2, '--seconds', 0.01
    )
    assert code == 0 and 'train samples/s' in out and 'batches of 2, 32 points' in out
    code, out, _ = command(
        'benchmark', 'pointnet_modelnet40', '--num-points', 32, '--batch-size', 1, '--seconds', 0.01
    )
    assert (
        code == 0 and out.splitlines()[-1].split('|')[3].strip() == '-'
    )  # BatchNorm cannot train on one cloud
    code, _, err = command('benchmark', 'pointnet_modelnet40', '--device', 'gpu')
    assert code == 2 and '--device gpu: ' in err


def test_an_official_file_is_converted(command, tmp_path):
    from pcdet_kd.apis.official_archs import OFFICIAL

    source, output = tmp_path / 'generator.pth', tmp_path / 'ours.pth'
    torch.save({'cls.1.weight': torch.randn(3072, 512)}, source)
    code, out, _ = command('from_official', source, output, '--arch', 'pointcmt_generator')
    assert code == 0 and '-> decoder.1.weight' in out and '1 tensors from generator.pth' in out
    assert MODELS.build(load_checkpoint_file(output)['meta']['model'])
    code, _, err = command('from_official', source, output, '--arch', 'pointmlp')
    assert code == 1 and 'is not ma-xu/pointMLP-pytorch' in err
    code, out, _ = command('from_official', '--list')
    assert code == 0 and len(out.splitlines()) == len(OFFICIAL)
