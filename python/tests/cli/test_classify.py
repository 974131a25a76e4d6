"""``skd classify`` names the class of photos from a folder of examples."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import skd
from skd.cli.application import application

COLOURS = {"sky": (40, 60, 220), "grass": (40, 200, 60)}


def write_photos(folder, colour, count, rng):
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = np.array(colour) + rng.integers(-30, 31, (20, 24, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")


@pytest.fixture
def photos(tmp_path, rng):
    for name, colour in COLOURS.items():
        write_photos(tmp_path / "support" / name, colour, 5, rng)
        write_photos(tmp_path / "new" / name, colour, 1, rng)
    return tmp_path


@pytest.fixture
def checkpoint(make_model, tmp_path):
    model = make_model()
    model.normalization = (0.5, 0.25)
    model.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


def classify(*arguments):
    return CliRunner().invoke(application, ["classify", *map(str, arguments)])


def test_each_photo_gets_a_line_with_class_probability_and_file(photos, checkpoint):
    files = [photos / "new" / name / "0.png" for name in COLOURS]
    result = classify(photos / "support", *files, "--model", checkpoint)
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines] == list(COLOURS)
    assert [line[-1] for line in lines] == [str(file) for file in files]
    assert all(line[2] == "%" and 50 <= int(line[1]) <= 100 for line in lines)


def test_a_head_without_probabilities_gives_the_class_alone(photos, checkpoint):
    file = photos / "new" / "sky" / "0.png"
    result = classify(photos / "support", file, "--model", checkpoint, "--head", "nearest_neighbor")
    assert result.stdout.split() == ["sky", str(file)]


def test_quiet_changes_no_result(photos, checkpoint):
    words = [photos / "support", photos / "new" / "sky" / "0.png", "--model", checkpoint]
    assert classify(*words, "--quiet").output == classify(*words).output


def test_photos_of_no_class_are_rejected(photos, checkpoint):
    files = [photos / "new" / name / "0.png" for name in COLOURS]
    words = (photos / "support", *files, "--model", checkpoint)
    plain = classify(*words).stdout
    result = classify(*words, "--reject", "unknown")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.stdout.splitlines()]
    for line, before in zip(lines, plain.splitlines(), strict=True):
        assert line == before.split() or line == ["unknown", before.split()[-1]]
    result = classify(*words, "--reject", "sky")
    assert result.exit_code == 2
    assert "--reject must be a label that no class has; got 'sky'." in result.stderr


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"support": "nothing"}, "nothing"),
        ({"photo": "absent.png"}, "absent.png"),
        ({"model": "absent.safetensors"}, "absent.safetensors"),
        ({"head": "oracle"}, "'oracle'"),
    ],
)
def test_wrong_input_ends_in_one_line_that_names_it(photos, checkpoint, changed, named):
    threads = skd.get_num_threads()
    result = classify(
        photos / changed.get("support", "support"),
        photos / changed.get("photo", "new/sky/0.png"),
        "--model",
        photos / changed["model"] if "model" in changed else checkpoint,
        "--head",
        changed.get("head", "logistic"),
    )
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("skd classify: ")
    assert named in line
    assert skd.get_num_threads() == threads


def test_without_a_model_the_weights_that_come_along_classify(photos):
    files = [photos / "new" / name / "0.png" for name in COLOURS]
    result = classify(photos / "support", *files)
    assert result.exit_code == 0, result.output
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(COLOURS)
    named = classify(photos / "support", *files, "--pretrained", "photos-84")
    assert named.stdout == result.stdout


def test_a_model_and_weights_that_come_along_exclude_each_other(photos, checkpoint):
    photo = photos / "new" / next(iter(COLOURS)) / "0.png"
    options = ("--model", checkpoint, "--pretrained", "photos-84")
    result = classify(photos / "support", photo, *options)
    assert result.exit_code == 2
    assert "--model" in result.stderr
    assert "--pretrained" in result.stderr
