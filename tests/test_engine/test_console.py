import logging
import sys

from pcdet_kd.engine.console import BriefFormatter, make_brief


def record(text, *args):
    return logging.LogRecord('x', logging.INFO, '', 0, text, args, None)


def test_long_messages_become_a_pointer_and_short_ones_stay():
    brief = BriefFormatter(logging.Formatter('> %(message)s'), 'run.log')
    assert brief.format(record('loss %s', 3)) == '> loss 3'
    long = record('\n-----\nConfig:\n' + 'a\n' * 40)
    assert brief.format(long) == '> Config: 41 lines, in run.log'
    assert 'a\na' in long.getMessage(), 'the file must get the whole message'


def test_only_consoles_beside_a_file_are_made_brief(tmp_path):
    logger = logging.Logger('test')
    console = logging.StreamHandler(sys.stdout)
    logger.addHandler(console)
    make_brief(logger)
    assert console.formatter is None
    file = logging.FileHandler(tmp_path / 'run.log')
    logger.addHandler(file)
    make_brief(logger)
    assert isinstance(console.formatter, BriefFormatter) and file.formatter is None
    file.close()
