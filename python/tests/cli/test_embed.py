"""``skd embed`` writes features that `skd.evaluate_features` scores as `skd.evaluate` does."""

import json
import zipfile

import numpy as np
import pytest

import skd

PROTOCOL = {"n_way": 3, "n_query": 5, "n_episodes": 12}


@pytest.fixture
def data(monkeypatch, make_split):
    """Return a few images of three splits, which take the place of the glyphs."""
    val, test = make_split(num_classes=4, per_class=18), make_split(num_classes=3)
    few = skd.datasets.FewShotData(make_split(), val, test)
    monkeypatch.setattr(skd.datasets, "load", lambda name, root=None: few)
    return few


@pytest.fixture
def checkpoint(make_model, tmp_path):
    make_model().save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("kind", ["embedding", "logits"])
def test_the_file_holds_what_an_evaluation_computes(run, data, checkpoint, tmp_path, kind):
    out = tmp_path / "features.npz"
    result = run("embed", checkpoint, "--data", "glyphs", "--features", kind, "--out", out)
    assert result.exit_code == 0, result.output
    model = skd.load_model(checkpoint)
    dimensions = model.embedding_dim if kind == "embedding" else model.num_classes
    assert result.stdout == f"72 features of {dimensions} dimensions: {out}\n"
    assert result.stderr == ""
    with np.load(out) as file:  # no pickle is needed
        features, labels = file["features"], file["labels"]
        names, meta = file["class_names"], json.loads(str(file["meta"]))
    assert features.dtype == np.float32
    assert features.shape == (72, dimensions)
    np.testing.assert_array_equal(labels, data.val.labels)
    assert tuple(names) == data.val.class_names
    found = skd.evaluate_features(features, labels, **PROTOCOL)
    names = {"data_name": "glyphs", "split_name": "val", "features": kind}
    whole = skd.evaluate(model, data.val, **PROTOCOL, **names, support_augmentation="none")
    np.testing.assert_array_equal(found.accuracies, whole.accuracies)
    assert meta["model"] == whole.provenance["model"]
    assert meta["data"] == whole.provenance["data"]
    assert meta["normalization"] == whole.options["normalization"]
    assert meta["sha256"] == found.provenance["data"]["sha256"]
    assert (meta["format"], meta["version"], meta["features"]) == ("skd-features", 1, kind)


def test_equal_inputs_give_equal_bytes(run, data, checkpoint, tmp_path):
    outs = [tmp_path / "one.npz", tmp_path / "other.npz"]
    for threads, out in enumerate(outs, start=1):
        words = ("--data", "glyphs", "--out", out, "--threads", threads, "--split", "train")
        assert run("embed", tmp_path, *words).exit_code == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    with zipfile.ZipFile(outs[0]) as archive:
        assert {member.date_time[0] for member in archive.infolist()} == {1980}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--split", "trainval"), "--split must be one of 'train', 'val', 'test'; got 'trainval'."),
        (("--features", "pixels"), "--features must be one of 'embedding', 'logits'"),
        (("--data", "mnist"), "--data must be one of 'glyphs'"),
        (("--pretrained", "none"), "CHECKPOINT must be left out where --pretrained is given"),
    ],
)
def test_wrong_input_ends_in_one_line_and_writes_nothing(
    run, one_line, data, checkpoint, tmp_path, words, reason
):
    out = tmp_path / "features.npz"
    line = one_line(run("embed", checkpoint, "--data", "glyphs", "--out", out, *words), 2)
    assert line.startswith(f"skd embed: {reason}")
    assert not out.exists()


def test_a_file_that_cannot_be_written_is_refused_first(run, one_line, tmp_path):
    missing = tmp_path / "missing"
    line = one_line(run("embed", missing, "--data", "glyphs", "--out", missing / "f.npz"), 2)
    assert line.startswith("skd embed: There is no folder")
    line = one_line(run("embed", missing, "--data", "glyphs", "--out", tmp_path), 2)
    assert line.startswith("skd embed: --out must be the name of a file")
