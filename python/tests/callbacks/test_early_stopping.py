"""Early stopping: when a training ends, and that a resumed one ends in the same way."""

import logging
from types import SimpleNamespace

import numpy as np
import pytest

import skd
from skd.callbacks import Callback, EarlyStopping, RunStart
from skd.history import EpochRecord, Losses

FIT = {"batch_size": 20, "progress": False}
START = RunStart("Gen0", 50, 5, 20, 0, (), val_every=1)


def record(epoch, *, accuracy=None, loss=1.0):
    losses = Losses(loss, loss, 0.0, 0.0, 0.0, 0.5, 0.0)
    validation = None if accuracy is None else SimpleNamespace(mean=accuracy)
    return EpochRecord(epoch, 0.1, losses, 1.0, 1.0, validation)


def last_epoch(stopping, records, start=START):
    """Return the epoch after which a run of these records ends."""
    stopping.on_begin(start)
    for entry in records:
        if stopping.should_stop:
            break
        stopping.on_epoch(entry)
        last = entry.epoch
    return last


def accuracies(*values):
    return [record(epoch, accuracy=value) for epoch, value in enumerate(values, 1)]


@pytest.mark.parametrize(
    ("options", "values", "last", "best"),
    [
        ({"patience": 2}, (50, 60, 55, 60, 70), 4, 2),
        ({"patience": 3}, (50, 60, 55, 60, 70, 71), 6, 6),
        ({"patience": 1}, (50, 50, 70), 2, 1),
        ({"patience": 2, "min_delta": 5}, (50, 54, 56, 60, 61, 62), 5, 3),
        ({"patience": 2}, (50, None, 40, None, None, 40, 70), 6, 1),
    ],
)
def test_a_run_ends_after_validations_without_improvement(options, values, last, best):
    stopping = EarlyStopping(**options)
    assert last_epoch(stopping, accuracies(*values)) == last
    assert stopping.best_epoch == best


def test_the_loss_can_be_monitored():
    records = [record(epoch, loss=loss) for epoch, loss in enumerate((3, 2, 2.5, 2, 1), 1)]
    stopping = EarlyStopping(patience=2, monitor="loss")
    assert last_epoch(stopping, records) == 4
    assert stopping.best_epoch == 2


def test_a_second_run_begins_anew():
    stopping = EarlyStopping(patience=1)
    assert last_epoch(stopping, accuracies(50, 40, 60)) == 2
    assert last_epoch(stopping, accuracies(10, 20, 30)) == 3
    assert not stopping.should_stop


def test_fit_returns_the_epochs_so_far(make_model, make_split, caplog):
    stopping = EarlyStopping(patience=2)
    trainer = skd.Supervised(make_model(), optimizer=skd.SGD(lr=0.0))  # nothing improves
    with caplog.at_level(logging.INFO, logger="skd"):
        history = trainer.fit(make_split(), epochs=9, val=make_split(), callbacks=[stopping], **FIT)
    assert len(history) == stopping.best_epoch + 2 < 9
    assert trainer.steps_taken == 5 * len(history)
    ends = f"ends the training after epoch {len(history)}; epoch {stopping.best_epoch} was"
    assert ends in caplog.text


def test_a_resumed_run_ends_where_an_uninterrupted_one_ends(make_model, make_split, tmp_path):
    split, val = make_split(), make_split()

    def trained(folder, epochs):
        model = make_model(seed=5)
        history = skd.Supervised(model, optimizer=skd.SGD(lr=0.001)).fit(
            split, epochs=epochs, val=val, callbacks=[EarlyStopping(patience=2)],
            checkpoint_dir=tmp_path / folder, resume=True, **FIT,
        )  # fmt: skip
        return model, history

    model, history = trained("whole", 12)
    for epochs in (2, 3, 12):
        resumed, same = trained("parts", epochs)
    assert [r.validation.mean for r in same] == [r.validation.mean for r in history]
    for name, view in model.state_dict().items():
        np.testing.assert_array_equal(resumed.state_dict()[name], view, name)
    again, _ = trained("whole", 12)  # a finished run takes no further step
    np.testing.assert_array_equal(
        again.state_dict()["classifier.weight"], model.state_dict()["classifier.weight"]
    )


class Stopper(Callback):
    """Ends after some epochs, and keeps what it hears."""

    def __init__(self, epochs):
        self.epochs, self.heard = epochs, []

    def on_epoch(self, record):
        self.should_stop = record.epoch == self.epochs
        self.heard.append(record.epoch)

    def on_end(self, error):
        self.heard.append(error)


def test_any_callback_can_end_a_training(make_model, make_split):
    first, second = Stopper(2), Stopper(3)
    history = skd.Gen0(make_model()).fit(make_split(), epochs=9, callbacks=[first, second], **FIT)
    assert len(history) == 2
    assert first.heard == second.heard == [1, 2, None]


def test_a_callback_may_end_a_training_before_it_begins(make_model, make_split):
    stopper = Stopper(1)
    stopper.should_stop = True
    trainer = skd.Gen0(make_model())
    assert len(trainer.fit(make_split(), epochs=9, callbacks=[stopper], **FIT)) == 0
    assert trainer.steps_taken == 0


def test_a_run_without_validation_is_refused_before_its_first_step(make_model, make_split):
    trainer = skd.Gen0(make_model())
    message = r"'val' parameter of Gen0.fit must be a Split for EarlyStopping\(patience=10, "
    with pytest.raises(ValueError, match=message):
        trainer.fit(make_split(), epochs=2, callbacks=[EarlyStopping()], **FIT)
    assert trainer.steps_taken == 0
    loss = EarlyStopping(monitor="loss")
    assert len(trainer.fit(make_split(), epochs=1, callbacks=[loss], **FIT)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patience": 0}, "'patience' parameter of EarlyStopping must be at least 1"),
        ({"monitor": "twin"}, "'monitor' .* one of 'val_accuracy', 'loss'"),
        ({"min_delta": -1}, "'min_delta' .* >= 0"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**options)
