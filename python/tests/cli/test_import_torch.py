"""``skd import-torch`` writes the model that `skd.import_torch` returns."""

import numpy as np
import pytest
from torch_writer import torch_file

import skd
from skd.datasets.catalogue import CATALOGUE


@pytest.fixture
def source(make_model, tmp_path):
    state = {name: np.array(view) for name, view in make_model().state_dict().items()}
    return torch_file(tmp_path / "resnet12_last.pth", {"epoch": 3, "model": state})


def test_the_model_is_that_of_the_file(run, source, tmp_path):
    out = tmp_path / "model.safetensors"
    result = run("import-torch", source, "--image-size", 16, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"resnet12, 5 classes, 16 px: {out}\n"
    assert result.stderr.startswith("skd import-torch: without --normalization the model has none")
    model, expected = skd.load_model(out), skd.import_torch(source, image_size=16)
    assert model.config == expected.config
    assert model.normalization is None
    for name, view in expected.state_dict().items():
        np.testing.assert_array_equal(model.state_dict()[name], view)


def test_a_data_set_gives_the_normalisation(run, source, tmp_path):
    out = tmp_path / "model.safetensors"
    words = ("--image-size", 16, "--out", out, "--normalization", "cifar-fs")
    result = run("import-torch", source, *words)
    assert result.stderr == ""
    mean, std = skd.load_model(out).normalization
    np.testing.assert_allclose(mean, CATALOGUE["cifar-fs"].mean)
    np.testing.assert_allclose(std, CATALOGUE["cifar-fs"].std)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--image-size", "0"), "--image-size must be"),
        (("--image-size", "16", "--num-classes", "7"), "--num-classes must be 5"),
        (("--image-size", "16", "--architecture", "vit"), "--architecture must be one of"),
        (("--image-size", "16", "--normalization", "mnist"), "--normalization must be one of"),
        (("--image-size", "16", "--classifier", "none.pth"), "There is no checkpoint 'none.pth'"),
    ],
)
def test_wrong_input_ends_in_one_line_and_writes_nothing(
    run, one_line, source, tmp_path, words, reason
):
    out = tmp_path / "model.safetensors"
    line = one_line(run("import-torch", source, "--out", out, *words), 2)
    assert line.startswith(f"skd import-torch: {reason}")
    assert not out.exists()


def test_a_file_of_another_kind_is_named(run, one_line, tmp_path):
    source = tmp_path / "page.pth"
    source.write_text("<!doctype html>")
    words = ("--image-size", 16, "--out", tmp_path / "model.safetensors")
    line = one_line(run("import-torch", source, *words), 2)
    assert line.startswith("skd import-torch: SOURCE must be a checkpoint of PyTorch; got ")
