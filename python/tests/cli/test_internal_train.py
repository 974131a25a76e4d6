"""Internals of ``skd train``: its bar, its lines and its durations."""

import skd
from skd.callbacks import RunStart, StepRecord
from skd.cli import _display, _formatting, _recipes


def test_the_bar_shows_loss_accuracy_images_and_time_left_on_a_terminal(error_stream):
    output = error_stream("terminal")
    display = _display.Display("gen0")
    losses = skd.Losses(2.5, 2.0, 0.25, 0.0, 0.0, 0.5, 0.75)
    display.on_begin(RunStart("Gen0", 3, 10, 64, 10, ()))
    for step in (1, 2):
        display.on_step(StepRecord(2, step, 10 + step, 0.05, losses, 0.5))
    record = skd.EpochRecord(2, 0.05, losses, 5.0, 128.0)
    display.on_epoch(record)
    display.on_end(None)
    shown = output.getvalue()
    for part in ("gen0 2/3", "12/30", "loss 2.500", "accuracy 50.0 %", "128 images/s", ":"):
        assert part in shown
    assert "epoch 2: loss 2.500, accuracy 50.0 %, 128 images/s" in shown


def test_a_terminal_that_was_closed_ends_no_training(error_stream):
    def write(text):
        raise OSError(5, "Input/output error")

    error_stream("terminal").write = write
    display = _display.Display("gen0")
    losses = skd.Losses(*[0.0] * 7)
    display.on_begin(RunStart("Gen0", 3, 10, 64, 0, ()))
    display.on_step(StepRecord(1, 1, 1, 0.05, losses, 0.5))
    display.on_epoch(skd.EpochRecord(1, 0.05, losses, 5.0, 128.0))
    display.on_end(None)


def test_the_bar_is_quiet_where_there_is_no_terminal(error_stream):
    output = error_stream("file")
    display = _display.Display("gen0")
    display.on_begin(RunStart("Gen0", 3, 10, 64, 0, ()))
    display.on_step(StepRecord(1, 1, 1, 0.05, skd.Losses(*[0.0] * 7), 0.5))
    display.on_end(KeyboardInterrupt())
    assert output.getvalue() == ""


def test_durations_are_in_the_unit_that_suits_them():
    durations = [_formatting.duration(seconds) for seconds in (3.2, 89, 100, 5000, 9000, 4e5)]
    assert durations == ["3 s", "89 s", "2 min", "83 min", "2.5 h", "111 h"]


def test_a_recipe_without_expectation_has_dashes():
    assert _recipes._expected(None) == ("-", "-")
