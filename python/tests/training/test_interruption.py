"""Signals end `fit` within a step, and what they leave can be resumed."""

import os
import signal
import threading

import internals
import pytest
import run_fit

import skd.callbacks


@pytest.fixture(scope="module")
def expected():
    trainer = run_fit.make_trainer()
    return run_fit.digest(trainer, run_fit.fit(trainer, None))


def resumed(folder):
    trainer = run_fit.make_trainer()
    return run_fit.digest(trainer, run_fit.fit(trainer, folder))


def signalling(trainer, number, step):
    """Let a signal come in the middle of a step of the trainer."""
    original = trainer.step

    def step_with_signal(*batch, **options):
        if trainer.steps_taken + 1 == step:
            signal.raise_signal(number)
        return original(*batch, **options)

    trainer.step = step_with_signal
    return trainer


@pytest.mark.parametrize("step", [1, 4, 5, 20])
@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_ends_the_run_after_the_step_and_loses_nothing(
    tmp_path, expected, number, error, step
):
    handlers = [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)]
    trainer = signalling(run_fit.make_trainer(), number, step)
    with pytest.raises(error) as caught:
        run_fit.fit(trainer, tmp_path)
    assert trainer.steps_taken == step
    assert handlers == [signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)]
    if error is SystemExit:
        assert caught.value.code == 128 + signal.SIGTERM
    assert (tmp_path / f"step-{step:012}.safetensors").exists()
    assert resumed(tmp_path) == expected


def test_a_signal_breaks_off_a_validation_and_the_epoch_is_not_trained_again(
    tmp_path, expected, monkeypatch
):
    def evaluate(*arguments, **options):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the validation went on")

    internals.replace_validation(monkeypatch, evaluate)
    trainer = run_fit.make_trainer()
    with pytest.raises(KeyboardInterrupt):
        run_fit.fit(trainer, tmp_path)
    assert trainer.steps_taken == 10
    monkeypatch.undo()
    again = run_fit.make_trainer()
    steps = []
    signalling(again, signal.SIGINT, step=-1)
    original = again.step
    again.step = lambda *batch, **options: steps.append(1) or original(*batch, **options)
    history = run_fit.fit(again, tmp_path)
    assert len(steps) == 10
    assert run_fit.digest(again, history) == expected


def test_a_signal_breaks_off_a_callback_after_the_epoch_is_saved(tmp_path, expected):
    def callback(record):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the callback went on")

    with pytest.raises(KeyboardInterrupt):
        run_fit.fit(run_fit.make_trainer(), tmp_path, callbacks=[run_fit.OnEpoch(callback)])
    assert resumed(tmp_path) == expected


def test_a_handler_of_the_caller_is_called_and_training_still_ends(tmp_path, expected):
    calls = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    try:
        with pytest.raises(KeyboardInterrupt):
            run_fit.fit(signalling(run_fit.make_trainer(), signal.SIGTERM, 3), tmp_path)
        assert calls == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)
    assert resumed(tmp_path) == expected


def test_an_ignored_signal_stays_ignored(tmp_path):
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        trainer = signalling(run_fit.make_trainer(), signal.SIGTERM, 3)
        run_fit.fit(trainer, tmp_path, epochs=1)
        assert trainer.steps_taken == 5
    finally:
        signal.signal(signal.SIGTERM, before)


def test_without_checkpoints_or_outside_the_main_thread_no_handler_is_installed(tmp_path):
    before, seen = signal.getsignal(signal.SIGTERM), []

    def look(record):
        seen.append(signal.getsignal(signal.SIGTERM))

    run_fit.fit(run_fit.make_trainer(), None, epochs=1, callbacks=[run_fit.OnEpoch(look)])
    thread = threading.Thread(
        target=lambda: run_fit.fit(
            run_fit.make_trainer(), tmp_path, epochs=1, callbacks=[run_fit.OnEpoch(look)]
        )
    )
    thread.start()
    thread.join()
    assert seen == [before, before]


class Waiting(skd.callbacks.Callback):
    """Waits in a step for what never comes, as at a queue that nobody empties."""

    def __init__(self, step, number):
        self._step, self._number = step, number

    def on_step(self, record):
        if record.steps_done == self._step:
            os.kill(os.getpid(), self._number)
            threading.Event().wait()


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_breaks_off_a_callback_that_waits_in_a_step(tmp_path, expected, number, error):
    trainer = run_fit.make_trainer()
    with pytest.raises(error):
        run_fit.fit(trainer, tmp_path, callbacks=[Waiting(7, number)])
    assert trainer.steps_taken == 7
    assert (tmp_path / "step-000000000007.safetensors").exists()
    assert resumed(tmp_path) == expected


def test_who_insists_with_a_second_signal_ends_a_step_that_waits(tmp_path, expected, monkeypatch):
    internals.lose_patience(monkeypatch)
    trainer = run_fit.make_trainer()
    original = trainer.step

    def step(*batch, **options):
        if trainer.steps_taken == 6:
            for _ in range(2):
                signal.raise_signal(signal.SIGTERM)
            pytest.fail("the step went on")
        return original(*batch, **options)

    trainer.step = step
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit):
        run_fit.fit(trainer, tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before
    assert resumed(tmp_path) == expected


def test_a_signal_that_a_launcher_sends_twice_still_saves(tmp_path):
    trainer = run_fit.make_trainer()
    signalling(signalling(trainer, signal.SIGINT, 7), signal.SIGINT, 7)
    with pytest.raises(KeyboardInterrupt):
        run_fit.fit(trainer, tmp_path)
    assert (tmp_path / "step-000000000007.safetensors").exists()


@pytest.mark.parametrize("moment", ["on_begin", "on_end"])
def test_a_signal_breaks_off_a_callback_that_begins_or_ends(tmp_path, moment):
    class Slow(skd.callbacks.Callback):
        """Waits in one of its methods."""

    def wait(*arguments):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the callback went on")

    monkey, others = Slow(), skd.callbacks.HistoryFile(tmp_path / "history.csv")
    setattr(monkey, moment, wait)
    with pytest.raises(KeyboardInterrupt):
        run_fit.fit(run_fit.make_trainer(), tmp_path / "run", epochs=1, callbacks=[monkey, others])
