import json

from pcdet_kd.apis import model_infos
from pcdet_kd.apis.zoo import model_rows, zoo_page


def test_a_published_result_is_a_row():
    info = next(iter(model_infos().values()))
    result = dict(
        Dataset='ModelNet40', Metrics=dict(OA=92, mAcc=90.2), Source='paper', Protocol='one run'
    )
    rows = model_rows(
        [info._replace(results=[result, dict(result, Source='code')]), info._replace(results=[])]
    )
    assert [row['published in'] for row in rows] == ['paper', 'code', None]
    assert rows[0]['OA'] == '92.0' and rows[0]['protocol'] == 'one run'
    assert rows[2]['OA'] is None and rows[2]['model'] == info.name


def test_the_page_holds_every_model_and_what_was_measured(tmp_path):
    runs = tmp_path / 'zoo.json'
    row = {'OA, small run': 30.0, 'train samples/s': 3.25, 'parameters': '3,480,049'}
    runs.write_text(json.dumps(dict(about='On a toaster.', models=dict(pointnet=row))))
    published, measured = zoo_page(runs).split('On a toaster.')
    assert all(f'| {name} ' in published for name in model_infos())
    line = next(
        line for line in published.splitlines() if line.startswith('| repsurf_2x_scanobjectnn ')
    )
    assert '86.05' in line  # with the digits published
    note = line.split('[')[1].split(']')[0]
    assert f'\n{note}. RepSurf, README; best epoch on the test set, 10 votes\n' in published
    assert '| pointnet |  3,480,049 |    3.25 |' in measured and '| pointnet | 30.00 |' in measured
