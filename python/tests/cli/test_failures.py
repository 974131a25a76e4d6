"""Full disks, full outputs and signals end a command with its status and one line."""

import os
import signal
import subprocess
import sys

import data_files
import pytest
import recipe_data
from file_size_limit import file_size_limit

import skd


def quick(*words):
    """Return the words that make `skd train gen0-glyphs` take a hundred steps of one image."""
    changes = [
        *recipe_data.changes(skd.recipes.load("gen0-glyphs")),
        *("model.architecture=convnet4", "model.widths=[8, 8, 8, 8]"),
        *("data.images_per_class=20", "data.num_classes=5", "schedule.batch_size=1"),
        *words,
    ]
    return [word for change in changes for word in ("--set", change)]


def test_a_disk_that_fills_within_an_epoch_ends_a_training_which_can_be_resumed(
    run, tmp_path, one_line
):
    command = ["train", "gen0-glyphs", *quick(), "--output", tmp_path / "run"]
    with file_size_limit(1500):  # the recipe fits, the events of the epoch do not
        line = one_line(run(*command), 1)
    assert line.startswith("skd train: [Errno 27] File too large, writing ")
    assert str(tmp_path / "run" / "tensorboard" / "events.out.tfevents.") in line
    assert "The earlier records are kept. To resume: skd train gen0-glyphs --resume" in line
    assert run(*command, "--resume").exit_code == 0


def test_an_import_that_does_not_fit_names_the_file_and_leaves_nothing(run, tmp_path, one_line):
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    before = sorted(os.listdir(tmp_path))
    target = tmp_path / "to"
    with file_size_limit(1000):
        line = one_line(run("data", "import", tmp_path, "--as", "fc100", "--to", target), 1)
    assert line == (
        f"skd data: [Errno 27] File too large, writing {str(target / 'train' / 'images.npy')!r}. "
        "Nothing was left of it."
    )
    assert sorted(os.listdir(tmp_path)) == before


def test_sigterm_ends_an_import_which_leaves_nothing(run, tmp_path, monkeypatch, one_line):
    def write_part(*arguments):
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("the import went on")

    monkeypatch.setattr("skd.datasets.native_form.write_part", write_part)
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    before, handler = sorted(os.listdir(tmp_path)), signal.getsignal(signal.SIGTERM)
    result = run("data", "import", tmp_path, "--as", "fc100", "--to", tmp_path / "to")
    assert one_line(result, 143) == "skd data: ended."
    assert sorted(os.listdir(tmp_path)) == before
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.mark.parametrize("words", [("info",), ("--version",), ("recipes", "show", "gen0-glyphs")])
def test_a_full_standard_output_ends_a_command_with_status_1_and_one_line(words):
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "skd.cli", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.endswith("No space left on device, writing the standard output.")


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_a_closed_standard_output_or_error_is_no_failure(closed):
    descriptor = {"stdout": 1, "stderr": 2}[closed]
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m skd.cli --version {descriptor}>&-', sys.executable],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""


def test_a_full_standard_error_changes_no_status(tmp_path):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "skd.cli", "train", "none.toml"]
        done = subprocess.run(command, cwd=tmp_path, stderr=full, check=False)
    assert done.returncode == 2
