import re

from pcdet_kd.robustness.report.style import CSS


def test_nothing_is_loaded_and_paper_is_thought_of():
    assert not re.search(r'url\(|@import|http', CSS)
    assert '@media print' in CSS and 'print-color-adjust: exact' in CSS and '@page' in CSS
    assert CSS.count('{') == CSS.count('}')
