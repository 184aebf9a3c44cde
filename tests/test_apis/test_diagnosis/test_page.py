from html.parser import HTMLParser

from pcdet_kd.apis.diagnosis import page
from pcdet_kd.apis.diagnosis.page import accuracy_table, class_table, outcome_table


class Reader(HTMLParser):
    """Checks that tags are closed, and collects them with what they load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.loads, self.ids = [], [], []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.loads += [value for name, value in attrs if name in ('src', 'href')]
        self.ids += [value for name, value in attrs if name == 'id']
        if tag not in ('meta', 'br'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        pass


def test_the_page_stands_alone(content):
    text = page(content)
    reader = Reader(text)
    assert all(link.startswith('#') for link in reader.loads) and '<script' not in text
    sections = ['protocol', 'accuracy', 'pairs', 'calibration', 'classes', 'similarity']
    assert [name for name in reader.ids if name] == sections
    assert '&lt;leaf&gt;.py' in text and '<leaf>' not in text
    assert content['sentences'][0] in text


def test_a_student_without_teachers_has_a_page(content):
    student = content['models'][-1:]
    alone = dict(content, models=student, pairs=[], transfer=[], similarity=[])
    assert Reader(page(alone)).ids.count('similarity') == 0


def test_tables(content):
    assert accuracy_table(content).rows[2][0] == 'distilled student'
    assert outcome_table(content).rows[0][0] == 'teacher image / distilled student'
    table = class_table(content)
    assert [row[:2] for row in table.rows] == [['a', '20'], ['b', '20'], ['c', '20']]
    assert table.header[-1] == 'change' and table.rows[0][-1].startswith('+')
