from importlib import metadata

from packaging.requirements import Requirement

from pcdet_kd.apis.doctor import packages
from pcdet_kd.apis.doctor.packages import check_required, optional_rows, required, version_of
from pcdet_kd.apis.doctor.report import Report


def test_what_is_required_is_there():
    report = Report('')
    versions = check_required(required(), report)
    assert not report.findings and versions['torch'] and 'scikit-learn' not in versions


def test_missing_and_old_packages(monkeypatch):
    report, torch = Report(''), version_of('torch')
    wanted = [Requirement('torch>=99'), Requirement('not-there>=1.0'), Requirement('numpy')]
    assert check_required(wanted, report)['not-there'] is None
    assert [(f.about, f.fix) for f in report.findings] == [
        ('torch', "pip install 'torch>=99'"),
        ('not-there', "pip install 'not-there>=1.0'"),
    ]
    assert torch in report.findings[0].text and report.is_broken
    found = {'mmcv': '2.2.0'}
    monkeypatch.setattr(packages, 'version_of', found.get)
    report = Report('')
    assert check_required([Requirement('mmcv-lite>=2.1')], report) == {'mmcv-lite': '2.2.0'}
    assert not report.findings


def test_without_an_installation(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, 'requires', missing)
    assert required() == []


def test_optional_packages_say_what_they_are_for(monkeypatch):
    monkeypatch.setattr(packages, 'version_of', {'onnx': '1.0'}.get)
    rows = {row['package']: row for row in optional_rows()}
    assert rows['onnx']['version'] == '1.0' and rows['onnx']['install'] is None
    assert rows['triton']['install'] == 'pip install triton'
    assert all(row['used_for'] for row in rows.values())
