import io
import logging
import sys
from pathlib import Path

import pytest

from pcdet_kd.engine.console import BriefFormatter, ConsoleFilter, make_brief
from pcdet_kd.utils.progress import progress_bar


class Terminal(io.StringIO):
    def isatty(self):
        return True


def record(text, *args, level=logging.INFO):
    return logging.LogRecord('x', level, '', 0, text, args, None)


def test_long_messages_become_a_pointer_and_short_ones_stay():
    brief = BriefFormatter(logging.Formatter('> %(message)s'), 'run.log')
    assert brief.format(record('loss %s', 3)) == '> loss 3'
    long = record('\n-----\nKeys:\n' + 'a\n' * 40)
    assert brief.format(long) == '> Keys: 41 lines, in run.log'
    assert 'a\na' in long.getMessage(), 'the file must get the whole message'
    report = record('Config:\n' + 'a\n' * 40)
    assert brief.format(report) == '> log, with environment, config and hooks: run.log'


def test_a_console_shows_one_report_and_no_notes():
    keep = ConsoleFilter(terminal=False).filter
    reports = ['System environment:\n', 'Config:\n', 'Hooks will be executed in this order:\n']
    assert [keep(record(title + 'a\n' * 40)) for title in reports] == [True, False, False]
    assert not keep(record('Exp name: a_2026'))
    assert not keep(record('Distributed training is not used, all SyncBatchNorm (SyncBN) layers'))
    assert keep(record('Config: short')) and keep(record('Keys:\n' + 'a\n' * 40))
    assert keep(record('Exp name: a', level=logging.WARNING))


@pytest.mark.parametrize('terminal', [False, True])
def test_progress_within_an_epoch(terminal):
    time = [0.0]
    keep = ConsoleFilter(terminal, lambda: time[0]).filter
    assert keep(record('Epoch(train)  [3][ 10/246]  lr: 1e-3  loss: 2.7')) != terminal
    assert keep(record('Epoch(val) [3][25/25]    accuracy: 12.2'))
    assert keep(record('Epoch(test) [62/62]    accuracy: 35.1'))
    assert keep(record('Epoch 3 is the best so far'))
    assert not keep(record('Epoch(test) [10/62]    eta: 0:00:02'))
    time[0] = 31.0
    assert keep(record('Epoch(val) [ 3][20/62]    eta: 0:00:02')) != terminal
    assert not keep(record('Epoch(test) [30/62]    eta: 0:00:02'))


def test_only_consoles_beside_a_file_are_made_brief(tmp_path):
    logger = logging.Logger('test')
    handler = logging.StreamHandler(sys.stdout)
    logger.addHandler(handler)
    make_brief(logger)
    assert handler.formatter is None and not handler.filters
    file = logging.FileHandler(tmp_path / 'run.log')
    logger.addHandler(file)
    make_brief(logger)
    assert isinstance(handler.formatter, BriefFormatter) and file.formatter is None
    assert len(handler.filters) == 1 and not file.filters
    file.close()


def test_lines_go_above_a_bar(tmp_path, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, 'stderr', stream)
    monkeypatch.setattr(sys, 'stdout', stream)
    logger = logging.Logger('test')
    logger.addHandler(logging.StreamHandler(stream))
    logger.addHandler(logging.FileHandler(tmp_path / 'run.log'))
    make_brief(logger)
    with progress_bar(total=3, ncols=60, delay=0) as bar:
        bar.update(2)
        bar.refresh()
        start = stream.tell()
        logger.info('a line')
    # the bar is wiped, the line is written, the bar is drawn again
    wiped, line, drawn = stream.getvalue()[start:].partition('a line\n')
    assert line and wiped.strip('\r ') == '' and '2/3' in drawn
    logger.handlers[1].close()


@pytest.mark.skipif(not Path('/dev/full').exists(), reason='no /dev/full')
def test_a_full_disk_is_an_error_and_no_traceback_of_logging(capsys):
    logger, handler = logging.Logger('full'), logging.FileHandler('/dev/full')
    logger.addHandler(handler)
    make_brief(logger)
    with pytest.raises(OSError, match="No space left.*'/dev/full'"):
        logger.warning('text')
    assert capsys.readouterr().err == ''
    logger.warning('%d', 'text')
    assert 'TypeError' in capsys.readouterr().err
    with pytest.raises(OSError, match='No space left'):
        handler.close()
