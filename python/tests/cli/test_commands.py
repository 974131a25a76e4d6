"""The command line prints what it should, and says what it needs."""

import subprocess
import sys

import data_files
import numpy as np
import pytest

import skd
from skd.datasets.catalogue import PUBLISHED


def test_version_is_that_of_the_package(run):
    assert run("--version").output.strip() == skd.__version__


def test_importing_the_package_of_the_command_is_quick():
    script = "import sys, skd.cli; print('typer' in sys.modules, 'rich' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]


@pytest.fixture
def imported(tmp_path):
    """Return the folder of an imported data set of few images."""
    source = tmp_path / "source"
    source.mkdir()
    data_files.write_pickles(source, data_files.make_parts(32))
    return skd.datasets.import_data(source, name="cifar-fs", to=tmp_path / "imported")


def test_data_import_makes_the_folder(run, tmp_path):
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    target = str(tmp_path / "to")
    result = run("data", "import", str(tmp_path), "--as", "fc100", "--to", target)
    assert result.exit_code == 0
    assert "Imported fc100" in result.output
    assert skd.datasets.load("fc100", target).train.num_classes == 3


def test_data_import_says_what_is_wrong_in_one_line(run, tmp_path):
    result = run("data", "import", str(tmp_path), "--as", "fc100", "--to", str(tmp_path / "to"))
    assert result.exit_code == 2
    assert "holds no complete fc100" in result.output
    assert "Download cifar-100-python.tar.gz from https://www.cs.toronto.edu" in result.output
    assert "Traceback" not in result.output
    assert run("data", "import", str(tmp_path), "--as", "mnist").exit_code == 2


def test_data_info_prints_the_parts_and_draws_a_sheet(run, imported):
    result = run("data", "info", str(imported))
    assert result.exit_code == 0
    assert "cifar-fs, RGB" in result.output
    assert "32x32x3" in result.output
    assert skd.datasets.load("cifar-fs", imported).train.sha256 in result.output
    assert (imported / "contact-sheet.png").read_bytes().startswith(b"\x89PNG")


def test_data_info_notices_changed_images(run, imported):
    path = imported / "val" / "images.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    result = run("data", "info", str(imported))
    assert result.exit_code == 2
    assert "The images of val differ from meta.json" in result.output


def test_data_info_refuses_what_is_no_data_set(run, tmp_path):
    for data, reason in (
        (tmp_path, "It is not an imported data set either: it has no train/meta.json"),
        (tmp_path / "nowhere", "DATA must be one of 'glyphs'"),
        ("mnist", "or a folder of pictures with a folder for each class"),
    ):
        result = run("data", "info", str(data))
        assert result.exit_code == 2
        assert reason in result.output


def test_data_info_shows_what_needs_no_import(run, tmp_path):
    glyphs = run("data", "info", "glyphs")
    assert glyphs.exit_code == 0, glyphs.output
    assert skd.datasets.load("glyphs").test.sha256 in glyphs.output
    images = np.random.default_rng(0).integers(0, 256, (12, 9, 9, 3), dtype=np.uint8)
    (tmp_path / "photos").mkdir()
    data_files.write_pictures(tmp_path / "photos", images, np.arange(12) % 4)
    (tmp_path / "photos" / "class000" / "note.png").write_text("no picture")
    sheet = tmp_path / "sheet.png"
    words = ("--image-size", "8", "--contact-sheet", str(sheet))
    own = run("data", "info", str(tmp_path / "photos"), *words)
    assert own.exit_code == 0, own.output
    assert "8x8x3" in own.output
    assert "left out  1 file" in own.output
    assert "note.png" in own.output
    assert sheet.exists()
    assert not list((tmp_path / "photos").glob("*.png"))


def test_pictures_of_your_own_need_no_import(run, tmp_path):
    result = run("data", "import", str(tmp_path), "--as", "folder")
    assert result.exit_code == 2
    assert "--as must be the name of a published data set" in result.output
    assert "data.name = 'folder'" in result.output


def test_data_import_is_quiet_on_request(run, tmp_path):
    data_files.write_pickles(tmp_path, data_files.make_parts(32))
    result = run("data", "import", tmp_path, "--as", "fc100", "--to", tmp_path / "to", "--quiet")
    assert result.stdout == f"Imported fc100 into {tmp_path / 'to'}\n"
    assert result.stderr == ""


@pytest.mark.parametrize("name", PUBLISHED)
def test_missing_data_says_where_to_get_it(run, one_line, make_model, name, tmp_path):
    root, model = tmp_path / "nowhere", tmp_path / "model.safetensors"
    make_model().save(model)
    words = ("--data", name, "--root", root, "--out", tmp_path / "features.npz")
    line = one_line(run("embed", model, *words), 2)
    assert line.startswith(f"skd embed: There is no {str(root)!r} to read {name!r} from. Download ")
    assert "https://" in line
    assert line.endswith(f" --as {name}")
