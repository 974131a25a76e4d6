"""Internals of progress: the pace of lines, and the choice of a bar."""

import io
import sys
import types

import numpy as np

import skd
from skd import _progress_bar as _progress
from skd.callbacks import RunStart
from skd.cli import _display
from skd.history import EpochRecord


class Clock:
    """A clock that a test moves on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_lines_come_now_and_then_with_what_is_done_and_left():
    clock, log = Clock(), io.StringIO()
    with _progress.ProgressLines(100, "Gen0", "step", log, clock) as bar:
        for step in range(50):
            bar.set_postfix(epoch=1, loss="2.345", refresh=False)
            bar.update()
            clock.now += 1
            assert log.getvalue().count("\n") <= (step + 1) // 10
    lines = log.getvalue().splitlines()
    assert lines[0] == "Gen0: 11/100 steps, 11 %, 0:10, about 1:21 left, epoch 1, loss 2.345"
    assert lines[-1].startswith("Gen0: 50/100 steps, 50 %, 0:50")
    assert len(lines) == 5


def test_what_takes_a_moment_leaves_no_line():
    log = io.StringIO()
    with _progress.ProgressLines(3, "read", "image", log, Clock()) as bar:
        bar.update(3)
    assert log.getvalue() == ""


def test_a_log_of_a_day_has_some_hundred_lines():
    clock = Clock()
    pace = _progress.Pace(clock)
    lines = 0
    for clock.now in range(0, 86_400, 5):
        lines += pace.is_due()
    assert 100 < lines < 400


def test_a_pipe_that_nobody_reads_ends_nothing():
    class Broken(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    clock = Clock()
    with _progress.ProgressLines(2, "Gen0", "step", Broken(), clock) as bar:
        clock.now = 60
        bar.update()


def test_the_total_may_be_known_later():
    clock, log = Clock(), io.StringIO()
    with _progress.ProgressLines(0, "evaluate", "image", log, clock) as bar:
        bar.reset(4)
        clock.now = 11
        bar.update(4)
    assert log.getvalue().splitlines()[0] == "evaluate: 4/4 images, 100 %, 0:11"


def test_the_kind_of_bar_follows_the_standard_error(error_stream):
    for kind, shown in (("terminal", "tqdm"), ("file", "ProgressLines"), (None, "tqdm")):
        error_stream(kind)
        with _progress.progress_bar(3, "fit", "step", wanted=True) as bar:
            assert type(bar).__name__ == shown
            bar.set_postfix(loss="1", refresh=False)
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
    with _progress.progress_bar(3, "fit", "step", wanted=True) as bar:
        bar.update(3)
    assert "fit: 100%" in stream.getvalue()
    shell.config.clear()  # IPython in a terminal
    assert not _progress.is_notebook()


def test_a_log_of_the_command_has_lines_of_epochs_now_and_then(error_stream):
    log, clock = error_stream("file"), Clock()
    display = _display.Display("gen0")
    display.on_begin(RunStart("Gen0", 30, 10, 64, 0, ()))
    display._pace = _progress.Pace(clock)
    losses = skd.Losses(*np.ones(7))
    for epoch in range(1, 31):
        clock.now += 4
        display.on_epoch(EpochRecord(epoch, 0.05, losses, 4.0, 160.0))
    display.on_end(None)
    lines = log.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[0] == "epoch 3: loss 1.000, accuracy 100.0 %, 160 images/s"
