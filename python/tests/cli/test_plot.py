"""``skd plot`` draws the curves of a run that is finished or still training."""

import sys

import pytest

import skd
from skd.callbacks import HistoryFile


@pytest.fixture
def folder(make_model, make_split, tmp_path):
    """Return a folder with the history of two epochs."""
    listener = HistoryFile(tmp_path / "history.csv")
    trainer = skd.Supervised(make_model())
    options = {"epochs": 2, "batch_size": 20, "seed": 0, "progress": False}
    trainer.fit(make_split(), **options, callbacks=[listener])
    return tmp_path


def test_the_picture_is_put_where_a_run_keeps_it(run, folder):
    (folder / "plots").mkdir()
    result = run("plot", folder)
    assert result.exit_code == 0, result.output
    path = folder / "plots" / "training.png"
    assert result.stdout == f"{path}\n"
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "start"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.png", b"\x89PNG")]
)
def test_the_ending_of_the_name_decides_the_kind(run, folder, name, start):
    result = run("plot", folder / "history.csv", "--out", folder / name)
    assert result.exit_code == 0, result.output
    assert (folder / name).read_bytes().startswith(start)


def test_without_a_folder_of_plots_the_picture_lies_beside_the_history(run, folder):
    for given in (folder, folder / "history.csv"):
        assert run("plot", given).stdout == f"{folder / 'training.png'}\n"


def test_wrong_input_ends_in_one_line(run, one_line, folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for words, reason in (
        ((tmp_path / "empty",), "There is no history"),
        ((tmp_path / "none",), "There is no"),
        ((folder, "--out", folder / "a.gif"), "--out must be a file that ends in .png, .svg, .pdf"),
        ((folder, "--out", folder / "none" / "a.png"), "There is no folder"),
    ):
        assert one_line(run("plot", *words), 2).startswith(f"skd plot: {reason}")
    assert not list(folder.glob("*.png"))


def test_without_matplotlib_the_command_says_what_to_install(run, one_line, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install matplotlib" in one_line(run("plot", folder), 1)
