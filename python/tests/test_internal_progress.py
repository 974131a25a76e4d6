"""Internals of progress: the pace of lines, and the choice of a bar."""

import io
import logging
import sys
import types

import pytest

from skd._display import progress_bar as _progress


class Clock:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def log(caplog):
    """Return a function that gives the lines that were logged so far."""
    caplog.set_level(logging.INFO, "skd")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "skd"]


def test_lines_come_now_and_then_with_what_is_done_and_left(log):
    clock = Clock()
    with _progress.ProgressLines(100, "Gen0", "step", clock=clock) as bar:
        for step in range(50):
            bar.set_postfix_str("loss 2.345", refresh=False)
            bar.update()
            clock.now += 1
            assert len(log()) <= 1 + (step + 1) // 10
    lines = log()
    assert lines[0] == "Gen0: 3/100 steps, 3 %, 0:02, about 1:05 left, loss 2.345"
    assert lines[1].startswith("Gen0: 13/100 steps, 13 %, 0:12, about 1:20 left")
    assert lines[-1].startswith("Gen0: 50/100 steps, 50 %, 0:50")
    assert len(lines) == 6


def test_what_takes_a_moment_leaves_no_line(log):
    with _progress.ProgressLines(3, "read", "image", clock=Clock()) as bar:
        bar.update(3)
    assert log() == []


def test_a_log_of_a_day_has_some_hundred_lines():
    clock = Clock()
    pace = _progress.Pace(clock, 0)
    lines = 0
    for clock.now in range(0, 86_400, 5):
        lines += pace.is_due()
    assert 100 < lines < 400


def test_the_total_may_be_known_later(log):
    clock = Clock()
    with _progress.ProgressLines(0, "evaluate", "image", clock=clock) as bar:
        bar.reset(4)
        clock.now = 11
        bar.update(4)
    assert log()[0] == "evaluate: 4/4 images, 100 %, 0:11"


@pytest.fixture
def hide_handlers(monkeypatch):
    """Return a function after which no logging is set up; pytest sets it up before a test."""
    return lambda: monkeypatch.setattr(_progress.LOGGER, "propagate", False)


def test_lines_go_to_the_standard_error_unless_logging_is_set_up(error_stream, hide_handlers):
    stream = error_stream("file")
    hide_handlers()
    _progress.inform("a line")
    assert stream.getvalue() == "a line\n"
    handler = logging.StreamHandler(io.StringIO())
    _progress.LOGGER.addHandler(handler)
    _progress.LOGGER.setLevel(logging.INFO)
    try:
        _progress.inform("another")
        assert handler.stream.getvalue() == "another\n"
    finally:
        _progress.LOGGER.removeHandler(handler)
        _progress.LOGGER.setLevel(logging.NOTSET)
    assert stream.getvalue() == "a line\n"


def test_a_higher_level_silences_the_lines(error_stream, hide_handlers, monkeypatch):
    stream = error_stream("file")
    hide_handlers()
    monkeypatch.setattr(_progress.LOGGER, "level", logging.WARNING)
    _progress.inform("a line")
    assert stream.getvalue() == ""


def test_a_pipe_that_nobody_reads_ends_nothing(error_stream, hide_handlers):
    def write(text):
        raise BrokenPipeError

    error_stream("file").write = write
    hide_handlers()
    _progress.inform("a line")


def test_the_kind_of_bar_follows_the_standard_error(error_stream):
    for kind, shown in (("terminal", "tqdm"), ("file", "ProgressLines"), (None, "tqdm")):
        error_stream(kind)
        with _progress.progress_bar(3, "fit", "step", wanted=True) as bar:
            assert type(bar).__name__ == shown
            bar.set_postfix_str("loss 1", refresh=False)
            bar.update(3)
            assert getattr(bar, "disable", False) == (kind is None)
        with _progress.progress_bar(3, "fit", "step", wanted=False) as bar:
            assert bar.disable


def test_a_kernel_gets_a_bar_without_widgets_too(error_stream, monkeypatch):
    stream = error_stream("file")
    shell = types.SimpleNamespace(config={"IPKernelApp": {}})
    interactive = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", interactive)
    assert _progress.is_notebook()
    from tqdm import tqdm

    monkeypatch.setattr(_progress, "_notebook_bar", lambda: tqdm)
    with _progress.progress_bar(3, "fit", "step", wanted=True, delay=0) as bar:
        bar.update(3)
    assert "fit: 100%" in stream.getvalue()
    shell.config.clear()  # IPython in a terminal
    assert not _progress.is_notebook()


def test_no_call_within_silence_shows_progress(log):
    with _progress.silence():
        bar = _progress.progress_bar(1, "read", "image", wanted=True, delay=0)
    assert bar.disable
    assert isinstance(
        _progress.progress_bar(1, "read", "image", wanted=True), _progress.ProgressLines
    )
