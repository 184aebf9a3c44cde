import json

from pcdet_kd.apis import model_infos
from pcdet_kd.apis.zoo import model_rows, zoo_page


def test_a_published_result_is_a_row():
    info = next(iter(model_infos().values()))
    result = dict(Dataset='ModelNet40', Metrics=dict(OA=92, mAcc=90.2), Source='paper', Protocol='one run')
    rows = model_rows([info._replace(results=[result, dict(result, Source='code')]), info._replace(results=[])])
    assert [row['published in'] for row in rows] == ['paper', 'code', None]
    assert rows[0]['OA'] == '92.0' and rows[0]['protocol'] == 'one run'
    assert rows[2]['OA'] is None and rows[2]['model'] == info.name


def test_the_page_holds_every_model_and_what_was_measured(tmp_path):
    runs = tmp_path / 'zoo.json'
    row = {'OA, small run': 30.0, 'train samples/s': 3.25, 'parameters': '3,480,049'}
    runs.write_text(json.dumps(dict(about='On a toaster.', models=dict(pointnet=row))))
    page = zoo_page(runs)
    assert all(f'| {name} ' in page for name in model_infos())
    assert '| backbone | parameters | train samples/s | OA, small run |' in page.split('On a toaster.')[1]
    assert '|  3,480,049 |            3.25 |         30.00 |' in page and '86.05' in page  # with the digits published
