"""``skd export`` writes files that ONNX Runtime runs."""

import sys

import numpy as np
import onnxruntime
import pytest

import skd


@pytest.fixture
def model(make_model, tmp_path):
    model = make_model()
    model.normalization = (0.5, 0.25)
    model.save(tmp_path / "model.safetensors")
    return model


@pytest.fixture
def classifier(model, make_split, tmp_path):
    split = make_split(num_classes=3)
    fitted = skd.FewShotClassifier(model, head="ridge").fit(split.images[::10], split.labels[::10])
    fitted.save(tmp_path / "classifier.safetensors")
    fitted.save(tmp_path / "head.safetensors", include_model=False)
    return fitted


def outputs(path):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return {output.name for output in session.get_outputs()}


def test_a_checkpoint_becomes_a_file(run, model, tmp_path):
    out = tmp_path / "model.onnx"
    result = run("export", tmp_path / "model.safetensors", "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"resnet12, 16 px: {out}\n"
    assert outputs(out) == {"embedding", "logits"}
    assert run("export", "--pretrained", "photos-84", "--out", out).exit_code == 0


def test_a_classifier_brings_its_model_or_gets_it(run, model, classifier, tmp_path):
    out = tmp_path / "model.onnx"
    whole, head = tmp_path / "classifier.safetensors", tmp_path / "head.safetensors"
    words = ((), whole), ((tmp_path / "model.safetensors",), head)
    for checkpoint, file in words:
        result = run("export", *checkpoint, "--classifier", file, "--out", out)
        assert result.stdout == f"resnet12, 16 px, ridge on 3 classes: {out}\n", result.output
        images = np.zeros((2, 16, 16, 3), np.uint8)
        session = onnxruntime.InferenceSession(out, providers=["CPUExecutionProvider"])
        (label,) = session.run(["label"], {"images": images})
        assert label.tolist() == classifier.predict(images).tolist()


@pytest.mark.parametrize(
    ("words", "status", "reason"),
    [
        ((), 2, "CHECKPOINT must be given, or --pretrained in its place; got neither."),
        (("--classifier", "head.safetensors"), 2, "CHECKPOINT must be given, because"),
        (("model.safetensors", "--input-dtype", "int8"), 2, "--input-dtype must be one of 'uint8'"),
        (("--classifier", "model.safetensors"), 2, "--classifier must be a file that FewShotCl"),
        (("nothing.safetensors",), 2, "There is no checkpoint 'nothing.safetensors'."),
    ],
)
def test_wrong_input_ends_in_one_line(
    run, one_line, classifier, tmp_path, monkeypatch, words, status, reason
):
    monkeypatch.chdir(tmp_path)
    line = one_line(run("export", *words, "--out", "model.onnx"), status)
    assert line.startswith(f"skd export: {reason}")
    assert not (tmp_path / "model.onnx").exists()


def test_a_missing_package_is_named(run, one_line, model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    result = run("export", tmp_path / "model.safetensors", "--out", tmp_path / "model.onnx")
    assert one_line(result, 1) == "skd export: ONNX files need the package onnx: pip install onnx"
