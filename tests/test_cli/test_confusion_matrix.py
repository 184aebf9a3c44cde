import json


def test_a_picture_of_predictions(command, tmp_path):
    rows = [
        dict(sample_id=str(i), gt=gt, pred=pred, score=0.5)
        for i, (gt, pred) in enumerate([(0, 0), (0, 1), (1, 1), (1, 1)])
    ]
    run = tmp_path / 'run'
    run.mkdir()
    (run / 'predictions_best.json').write_text(
        json.dumps(dict(classes=['chair', 'table'], predictions=rows))
    )
    out = tmp_path / 'm.svg'
    code, said, err = command('confusion_matrix', run, '--epoch', 'best', '--out', out)
    assert code == 0 and said == f'{out}\n', err
    picture = out.read_text()
    assert '<!-- run/predictions_best.json, test split' in picture
    assert 'OA 75.0 %, mAcc 75.0 %, 4 samples' in picture and '<!-- chair (2) -->' in picture
    code, _, err = command('confusion_matrix', run, '--out', out)
    assert code == 1 and 'predictions_last.json' in err and 'no such file' in err
