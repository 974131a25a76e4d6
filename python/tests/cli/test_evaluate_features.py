"""``skd evaluate`` of files of features."""

import json

import numpy as np
import pytest

import skd

PROTOCOL = ("--n-way", 3, "--n-query", 4, "--episodes", 20)


@pytest.fixture
def matrix(rng):
    return (2 * np.eye(6)[np.arange(40) % 4] + rng.standard_normal((40, 6))).astype(np.float32)


@pytest.fixture
def folder(matrix, tmp_path, monkeypatch):
    """Return a folder with features, labels and a support set, and work in it."""
    monkeypatch.chdir(tmp_path)
    np.savez("theirs.npz", features=matrix, labels=np.arange(40) % 4)
    np.save("features.npy", matrix)
    np.save("labels.npy", np.arange(40) % 4)
    np.savez("support.npz", features=np.eye(6)[:4], labels=np.arange(4))
    return tmp_path


@pytest.fixture
def embedded(run, make_model, make_split, tmp_path, monkeypatch):
    """Return the file of features that ``skd embed`` wrote."""
    split = make_split(num_classes=4)
    few = skd.datasets.FewShotData(split, split, split)
    monkeypatch.setattr(skd.datasets, "load", lambda name, root=None: few)
    make_model().save(tmp_path / "model.safetensors")
    words = ("--data", "glyphs", "--out", tmp_path / "features.npz")
    assert run("embed", tmp_path, *words).exit_code == 0
    return tmp_path / "features.npz"


def test_the_features_of_skd_embed_are_scored_as_the_model(run, embedded, tmp_path):
    report, other = tmp_path / "report.json", tmp_path / "other.json"
    result = run("evaluate", embedded, *PROTOCOL, "--json", report)
    assert result.exit_code == 0, result.output
    none = ("--support-augmentation", "none", "--data", "glyphs")
    assert run("evaluate", tmp_path, *PROTOCOL, *none, "--json", other).exit_code == 0
    found, whole = (json.loads(path.read_text()) for path in (report, other))
    assert found["accuracies"] == whole["accuracies"]
    assert found["provenance"]["model"] == whole["provenance"]["model"]
    lines = result.stdout.splitlines()
    assert lines[2] == "method    logistic on embedding"
    assert lines[3].startswith("model     resnet12, 16 px, sha256 ")
    assert lines[4].startswith(
        "data      glyphs val, 80 images of 4 classes, 16 dimensions, sha256"
    )


def test_features_of_other_programs_and_their_labels(run, matrix, folder):
    expected = skd.evaluate_features(matrix, np.arange(40) % 4, n_way=3, n_query=4, n_episodes=20)
    for words in (("theirs.npz",), ("features.npy", "--labels", "labels.npy")):
        result = run("evaluate", *words, *PROTOCOL)
        assert result.exit_code == 0, result.output
        assert str(expected) in result.stdout
        assert "data      features, 40 images of 4 classes, 6 dimensions" in result.stdout


def test_queries_come_from_a_second_file(run, folder):
    result = run("evaluate", "support.npz", "--query", "theirs.npz", *PROTOCOL, "--verbose")
    assert result.exit_code == 0, result.output
    assert "queries   features, 40 images of 4 classes, 6 dimensions, sha256" in result.stdout
    assert "provenance" not in result.stdout
    assert "query.sha256" in result.stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("features.npy",), "'features.npy': it has no array 'labels'"),
        (("theirs.npz", "--data", "glyphs"), "--data must be left out for a file of features"),
        (("theirs.npz", "--no-flip"), "--flip must be left out for a file of features; got False"),
        (("theirs.npz", "--split", "test"), "--split must be left out for a file of features"),
        (("theirs.npz", "--query", "none.npz"), "There is no file of features 'none.npz'."),
        (("theirs.npz", "--n-way", "9"), "--n-way must be at most the number of classes, 4"),
        (("--query", "theirs.npz", "--data", "x"), "--query must be left out where CHECKPOINT is"),
        (("none.npz",), "--data must be given, unless CHECKPOINT is a file of features"),
    ],
)
def test_wrong_input_ends_in_one_line(run, one_line, folder, words, reason):
    assert one_line(run("evaluate", *words), 2).startswith(f"skd evaluate: {reason}")


def test_another_network_is_named(run, one_line, embedded, make_model, tmp_path):
    make_model(seed=1).save(tmp_path / "model.safetensors")
    other = tmp_path / "other.npz"
    assert run("embed", tmp_path, "--data", "glyphs", "--out", other).exit_code == 0
    line = one_line(run("evaluate", embedded, "--query", other), 2)
    assert "skd evaluate: --query must be features of the network" in line
    assert "the model is resnet12 " in line
