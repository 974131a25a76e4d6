"""Listeners of `fit` hear everything once, in order, and the files they write are complete."""

import contextlib
import csv
import importlib.util
import signal
import sys
import types

import event_files
import pytest
import run_fit

import skd
from skd.callbacks import (
    Callback,
    HistoryFile,
    MetricsCallback,
    MLflow,
    TensorBoard,
    WeightsAndBiases,
)

STEPS, EPOCHS = 5, 4  # of run_fit


class Listener(Callback):
    """Writes down what it hears."""

    def __init__(self):
        self.heard, self.start, self.steps, self.epochs = [], None, [], []

    def on_begin(self, start):
        self.heard.append("begin")
        self.start = start

    def on_step(self, record):
        self.heard.append("step")
        self.steps.append(record)

    def on_epoch(self, record):
        self.heard.append("epoch")
        self.epochs.append(record)

    def on_end(self, error):
        self.heard.append(error)


def test_all_is_heard_in_order():
    listener = Listener()
    trainer = run_fit.make_trainer()
    history = run_fit.fit(trainer, None, callbacks=[listener])
    assert listener.heard == ["begin", *(["step"] * STEPS + ["epoch"]) * EPOCHS, None]
    assert listener.epochs == list(history)
    start = listener.start
    assert (start.objective, start.epochs, start.steps_per_epoch) == ("Gen0", EPOCHS, STEPS)
    assert (start.batch_size, start.steps_done, start.records) == (8, 0, ())
    assert [record.steps_done for record in listener.steps] == list(range(1, 21))
    assert [record.epoch for record in listener.steps[4:6]] == [1, 2]
    assert [record.step for record in listener.steps[4:6]] == [5, 1]
    first = listener.steps[:STEPS]
    mean = sum(record.losses.total for record in first) / STEPS
    assert history[0].losses.total == pytest.approx(mean)
    assert {record.learning_rate for record in first} == {history[0].learning_rate}
    assert sum(record.seconds for record in first) == pytest.approx(history[0].seconds)


def test_listening_changes_no_bit_of_the_training():
    digests = []
    for callbacks in ((), [Listener()]):
        trainer = run_fit.make_trainer()
        digests.append(run_fit.digest(trainer, run_fit.fit(trainer, None, callbacks=callbacks)))
    assert digests[0] == digests[1]


def interrupted(folder, step, callbacks):
    """Train until Ctrl-C comes in a step."""
    trainer = run_fit.make_trainer()
    original = trainer.step

    def step_with_signal(*batch, **options):
        if trainer.steps_taken + 1 == step:
            signal.raise_signal(signal.SIGINT)
        return original(*batch, **options)

    trainer.step = step_with_signal
    with pytest.raises(KeyboardInterrupt):
        run_fit.fit(trainer, folder, callbacks=callbacks)


def test_a_resumed_run_tells_what_was_done_before(tmp_path):
    first, second = Listener(), Listener()
    interrupted(tmp_path, 7, [first])
    assert first.heard[:-1] == ["begin", *["step"] * STEPS, "epoch", "step", "step"]
    assert isinstance(first.heard[-1], KeyboardInterrupt)
    run_fit.fit(run_fit.make_trainer(), tmp_path, callbacks=[second])
    assert second.start.steps_done == 7
    assert second.start.records == tuple(first.epochs)
    assert [record.steps_done for record in second.steps] == list(range(8, 21))


def test_an_error_of_a_callback_ends_the_training_and_all_who_began_are_told():
    class Failing(Listener):
        def on_begin(self, start):
            raise RuntimeError("no")

    before, failing, after = Listener(), Failing(), Listener()
    with pytest.raises(RuntimeError, match="no") as caught:
        run_fit.fit(run_fit.make_trainer(), None, callbacks=[before, failing, after])
    assert before.heard == ["begin", caught.value]
    assert failing.heard == [caught.value]
    assert after.heard == []


@pytest.mark.parametrize("callbacks", [print, [print], [Listener], None, "x"])
def test_what_is_no_callback_is_refused_before_the_first_step(callbacks):
    trainer = run_fit.make_trainer()
    with pytest.raises(TypeError, match=r"'callbacks' parameter of Gen0\.fit must be a"):
        run_fit.fit(trainer, None, callbacks=callbacks)
    assert trainer.steps_taken == 0


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_the_history_file_holds_every_epoch_once_after_a_resumed_run(tmp_path):
    path = tmp_path / "history.csv"
    interrupted(tmp_path / "run", 12, [HistoryFile(path)])
    assert [row["epoch"] for row in rows(path)] == ["1", "2"]
    trainer = run_fit.make_trainer()
    history = run_fit.fit(trainer, tmp_path / "run", callbacks=[HistoryFile(path)])
    table = rows(path)
    assert [int(row["epoch"]) for row in table] == [1, 2, 3, 4]
    for row, record in zip(table, history, strict=True):
        assert float(row["total"]) == record.losses.total
        assert float(row["learning_rate"]) == record.learning_rate
        expected = "" if record.validation is None else str(record.validation.mean)
        assert row["val_accuracy"] == expected


def test_own_terms_have_columns(tmp_path):
    term = skd.Term("shrink", lambda rows, labels, views: (1.5, 0 * rows), weight=2.0)
    model = run_fit.make_trainer().model
    gen0 = skd.Gen0(model, optimizer=skd.SGD(lr=0.02), terms=[term])
    path = tmp_path / "history.csv"
    run_fit.fit(gen0, None, epochs=1, callbacks=[HistoryFile(path)])
    assert float(rows(path)[0]["term.shrink"]) == 1.5


def test_a_history_file_without_a_folder_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        HistoryFile(tmp_path / "none" / "history.csv")


def test_tensorboard_gets_steps_and_epochs(tmp_path):
    trainer = run_fit.make_trainer()
    history = run_fit.fit(trainer, None, callbacks=[TensorBoard(tmp_path, every_steps=10)])
    found = event_files.scalars(tmp_path)
    assert list(found["step/total"]) == [10, 20]
    totals = {STEPS * r.epoch: pytest.approx(r.losses.total, rel=1e-6) for r in history}
    assert found["epoch/total"] == totals
    assert list(found["epoch/val_accuracy"]) == [10, 20]
    assert "epoch/distillation" not in found  # Gen-0 has no such loss


def test_every_steps_must_be_a_number_of_steps():
    with pytest.raises(ValueError, match="'every_steps' parameter of MetricsCallback"):
        MetricsCallback(every_steps=0)


class Tracker(types.ModuleType):
    """Stands for a tracking library: notes every call."""

    def __init__(self, name):
        super().__init__(name)
        self.__spec__ = importlib.util.spec_from_loader(name, None)
        self.calls = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments, **options):
            self.calls.append((name, arguments, options))
            return self

        return call


@pytest.fixture
def tracker(monkeypatch):
    def install(name):
        module = Tracker(name)
        monkeypatch.setitem(sys.modules, name, module)
        return module

    return install


def test_weights_and_biases_is_begun_told_and_ended(tracker):
    wandb = tracker("wandb")
    callback = WeightsAndBiases("project", config={"seed": 1}, every_steps=20, name="run")
    assert wandb.calls == []
    run_fit.fit(run_fit.make_trainer(), None, callbacks=[callback])
    (begin, *logs, end) = wandb.calls
    assert begin == ("init", (), {"project": "project", "config": {"seed": 1}, "name": "run"})
    assert [options["step"] for _, _, options in logs] == [5, 10, 15, 20, 20]
    assert {name for name, _, _ in logs} == {"log"}
    assert end == ("finish", (), {"exit_code": 0})


@pytest.mark.parametrize(
    ("error", "status"),
    [(None, "FINISHED"), (KeyboardInterrupt(), "KILLED"), (OSError(), "FAILED")],
)
def test_mlflow_gets_parameters_and_the_way_it_ended(tracker, error, status):
    mlflow = tracker("mlflow")
    callback = MLflow("experiment", config={"loss": {"alpha": 2.0}, "seed": 1}, every_steps=20)

    class Ending(Callback):
        def on_epoch(self, record):
            if error is not None:
                raise error

    with contextlib.suppress(KeyboardInterrupt, OSError):
        run_fit.fit(run_fit.make_trainer(), None, epochs=1, callbacks=[callback, Ending()])
    names = [name for name, _, _ in mlflow.calls]
    assert names == ["set_experiment", "start_run", "log_params", "log_metrics", "end_run"]
    assert mlflow.calls[2][1] == ({"loss.alpha": 2.0, "seed": 1},)
    assert mlflow.calls[-1][2] == {"status": status}


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("tensorboardX", lambda: TensorBoard("folder")),
        ("wandb", lambda: WeightsAndBiases("project")),
        ("mlflow", lambda: MLflow("experiment")),
    ],
)
def test_a_missing_library_is_named(monkeypatch, name, make):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=name):
        make()
