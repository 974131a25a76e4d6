"""The display of a training: a bar on a terminal, a logged line for each epoch elsewhere."""

import logging

import pytest

import skd
from skd.callbacks import RunStart
from skd.history import EpochRecord
from skd.training._display import Display

LOSSES = skd.Losses(2.5, 2.0, 0.25, 0.0, 0.0, 0.5, 0.75)
RECORD = EpochRecord(2, 0.05, LOSSES, 5.0, 128.0)


def show(start):
    """Let a display show two steps and the end of an epoch."""
    with Display(start, wanted=True) as display:
        for _ in range(2):
            display.step(2, LOSSES, 128.0)
        display.epoch(RECORD)


def test_the_bar_shows_loss_accuracy_images_and_time_left_on_a_terminal(error_stream):
    output = error_stream("terminal")
    show(RunStart("Gen0", 3, 10, 64, 10, ()))
    shown = output.getvalue()
    for part in ("Gen0", "epoch 2/3", "12/30", "loss 2.500", "accuracy 50.0 %", "128 images/s"):
        assert part in shown
    assert "epoch 2/3: loss 2.500, accuracy 50.0 %, 128 images/s" in shown


def test_without_a_terminal_each_epoch_has_a_line(error_stream, caplog):
    error_stream("file")
    caplog.set_level(logging.INFO, "skd")
    show(RunStart("Gen0", 3, 10, 64, 10, ()))
    first, epoch = caplog.messages
    assert first == "Gen0: 3 epochs of 10 steps, 10 steps are done"
    assert epoch.startswith("Gen0 epoch 2/3: loss 2.500, accuracy 50.0 %, 128 images/s, about 0:")


def test_a_terminal_that_was_closed_ends_no_training(error_stream):
    def write(text):
        raise OSError(5, "Input/output error")

    error_stream("terminal").write = write
    show(RunStart("Gen0", 3, 10, 64, 0, ()))


@pytest.mark.parametrize("kind", ["terminal", "file", None])
def test_nothing_is_shown_unless_it_is_wanted(error_stream, caplog, kind):
    output = error_stream(kind)
    caplog.set_level(logging.INFO, "skd")
    with Display(RunStart("Gen0", 3, 10, 64, 0, ()), wanted=False) as display:
        display.step(1, LOSSES, 128.0)
        display.epoch(RECORD)
    assert caplog.messages == []
    assert output is None or output.getvalue() == ""
