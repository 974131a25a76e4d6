"""Files are replaced whole or not at all, by one module, with errors that name them."""

import errno
import os
import shutil

import data_files
import pytest
import run_fit
from file_size_limit import file_size_limit

import skd
from skd.callbacks import Callback, HistoryFile, TensorBoard


def test_an_error_of_a_whole_folder_names_the_file_as_it_would_be_called(tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    data_files.write_pickles(source, data_files.make_parts(32))
    with file_size_limit(10_000), pytest.raises(skd.WriteError) as caught:
        skd.datasets.import_data(source, name="fc100", to=tmp_path / "to")
    assert caught.value.filename == str(tmp_path / "to" / "train" / "images.npy")
    assert caught.value.kept == "Nothing was left of it."
    assert os.listdir(tmp_path) == ["source"]


class Action(Callback):
    """Does something after an epoch."""

    def __init__(self, act):
        self._act = act

    def on_epoch(self, record):
        self._act()


def test_events_that_do_not_fit_end_the_training_at_once(tmp_path):
    trainer, board = run_fit.make_trainer(), TensorBoard(tmp_path, every_steps=1)
    with file_size_limit(4096), pytest.raises(skd.WriteError, match=r"events\.out") as caught:
        run_fit.fit(trainer, None, callbacks=[board])
    assert caught.value.kept == "The earlier records are kept."
    assert 1 < trainer.steps_taken < 20


def test_an_error_within_an_epoch_names_the_checkpoint_that_was_kept(tmp_path):
    (tmp_path / "logs").mkdir()
    logs = HistoryFile(tmp_path / "logs" / "history.csv")
    lost = Action(lambda: shutil.rmtree(tmp_path / "logs"))
    with pytest.raises(skd.WriteError, match=r"history.csv.*resumed from") as caught:
        run_fit.fit(run_fit.make_trainer(), tmp_path / "run", callbacks=[lost, logs])
    assert caught.value.checkpoint == tmp_path / "run" / "step-000000000005.safetensors"
    (tmp_path / "logs").mkdir()
    trainer = run_fit.make_trainer()
    again = run_fit.digest(trainer, run_fit.fit(trainer, tmp_path / "run"))
    steady = run_fit.make_trainer()
    assert again == run_fit.digest(steady, run_fit.fit(steady, None))


def test_a_folder_that_disappears_is_named_and_no_checkpoint_is_promised(tmp_path):
    lost = Action(lambda: shutil.rmtree(tmp_path / "run"))
    with pytest.raises(skd.WriteError, match=r"step-000000000006.*Nothing was left") as caught:
        run_fit.fit(run_fit.make_trainer(), tmp_path / "run", callbacks=[lost])
    assert (caught.value.errno, caught.value.checkpoint) == (errno.ENOENT, None)


def test_errors_at_the_end_are_told_with_the_first_and_hide_nothing():
    class Failing(Callback):
        def on_end(self, error):
            ended.append(error)
            raise OSError(errno.ENOSPC, "full")

    ended = []
    with pytest.raises(RuntimeError, match="first") as caught:
        run_fit.fit(run_fit.make_trainer(), None, callbacks=[Failing(), Action(fail_first)])
    assert ended == [caught.value]
    assert "full" in caught.value.__notes__[0]
    with pytest.raises(OSError, match="full") as caught:
        run_fit.fit(run_fit.make_trainer(), None, epochs=1, callbacks=[Failing(), Failing()])
    assert ended[1:] == [None, None]
    assert len(caught.value.__notes__) == 1


def fail_first():
    raise RuntimeError("first")


def test_event_files_of_one_second_are_kept_apart(tmp_path, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0)
    for _ in range(3):
        run_fit.fit(run_fit.make_trainer(), None, epochs=1, callbacks=[TensorBoard(tmp_path)])
    assert len(os.listdir(tmp_path)) == 3
