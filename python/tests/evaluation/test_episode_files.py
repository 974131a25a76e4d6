"""Episodes are saved and replayed, and no file makes an evaluation take wrong ones."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import skd

LABELS = np.repeat(np.arange(5), 20)
OPTIONS = {"n_way": 3, "n_query": 5, "n_episodes": 20}


@pytest.fixture
def features(rng):
    return rng.standard_normal((100, 8))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "episodes.safetensors"


@pytest.fixture
def run(features, path):
    """Return a function that evaluates the features on the episodes of the file."""

    def evaluate(**changes):
        labels = changes.pop("labels", LABELS)
        arguments = {**OPTIONS, "episodes_file": path, **changes}
        return skd.evaluate_features(features, labels, **arguments)

    return evaluate


@pytest.fixture
def change(run, path):
    """Return a function that writes the file of `run` anew, with changes."""

    def rewrite(arrays=None, metadata=None):
        run()
        with safe_open(path, framework="numpy") as file:
            content = {name: file.get_tensor(name) for name in ("classes", "support", "query")}
            description = json.loads(file.metadata()["skd_episodes"])
        content.update((arrays or (lambda content: {}))(content))
        content = {name: array for name, array in content.items() if array is not None}
        description.update(metadata or {})
        save_file(content, path, {"skd_episodes": json.dumps(description)})

    return rewrite


def test_a_new_file_holds_what_was_drawn(run, path):
    run(seed=3)
    drawn = skd.EpisodeSampler(LABELS, n_way=3, n_query=5, seed=3).sample(0, 20)
    with safe_open(path, framework="numpy") as file:
        for name, array in drawn._asdict().items():
            np.testing.assert_array_equal(file.get_tensor(name), array)


def test_a_file_is_replayed_whatever_the_seed(run, path):
    first, content = run(seed=3), path.read_bytes()
    again = run(seed=4)
    np.testing.assert_array_equal(again.accuracies, first.accuracies)
    assert again.provenance == first.provenance
    assert again.provenance["episodes"]["seed"] == 3
    assert again.provenance["episodes"]["file"] == path.name
    assert again.options["seed"] == 4
    assert path.read_bytes() == content
    assert (
        run(seed=4, episodes_file=None).provenance["episodes"]["sha256"]
        != (first.provenance["episodes"]["sha256"])
    )


def test_fewer_episodes_are_the_first_ones(run):
    np.testing.assert_array_equal(run().accuracies[:7], run(n_episodes=7).accuracies)


def test_models_and_features_meet_the_same_episodes(make_model, make_split, run):
    split = make_split()
    result = run()
    others = skd.evaluate(make_model(), split, **OPTIONS)
    assert others.provenance["episodes"]["sha256"] == result.provenance["episodes"]["sha256"]


def test_episodes_of_the_published_code_are_kept(run, path):
    legacy = run(legacy_episodes=True)
    assert legacy.provenance["episodes"]["legacy"]
    replayed = run()
    np.testing.assert_array_equal(replayed.accuracies, legacy.accuracies)
    assert replayed.provenance["episodes"]["legacy"]
    path.unlink()
    run()
    with pytest.raises(ValueError, match="not those of the published code"):
        run(legacy_episodes=True)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"n_way": 4}, "n_way is 3, not 4"),
        ({"n_shot": 2}, "n_shot is 1, not 2"),
        ({"n_query": 6}, "n_query is 5, not 6"),
        ({"n_way": 2, "n_query": 4}, "n_way is 3, not 2; n_query is 5, not 4"),
        ({"n_episodes": 21}, "20 episodes, fewer than 21"),
        ({"labels": LABELS[::-1]}, "labels of SHA-256"),
    ],
)
def test_a_file_of_other_labels_or_options_is_refused(run, path, changes, difference):
    run()
    content = path.read_bytes()
    with pytest.raises(ValueError, match=f"'episodes_file'.*{difference}"):
        run(**changes)
    assert path.read_bytes() == content


def with_entry(name, position, value):
    def changed(content):
        array = content[name].copy()
        array[position] = value(array) if callable(value) else value
        return {name: array}

    return changed


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        (with_entry("query", (3, 1, 2), 100), "positions are in"),
        (with_entry("support", (3, 1, 0), -1), "positions are in -1"),
        (with_entry("query", (19, 2, 4), 2**62), "positions are in"),
        (with_entry("classes", (0, 0), 17), "another class than stated"),
        (with_entry("query", (0, 0), lambda query: query[0, 1]), "another class than stated"),
        (with_entry("query", (5, 1, 0), lambda query: query[5, 1, 1]), "an image twice"),
        (lambda c: {"query": np.dstack([c["support"], c["query"][..., 1:]])}, "an image twice"),
        (lambda c: {name: a[:, [0, 0, 1]] for name, a in c.items()}, "a class twice"),
        (lambda c: {"query": c["query"].astype(np.int32)}, "query are int32"),
        (lambda c: {"query": c["query"].astype(np.float64)}, "query are float64"),
        (lambda c: {"classes": c["classes"][:, 0].copy()}, "classes are int64 of shape"),
        (lambda c: {"support": c["support"][:19]}, "do not fit"),
        (lambda c: {name: a[:0] for name, a in c.items()}, "of shape"),
        (lambda c: {"query": None}, "it holds"),
        (lambda c: {"more": c["query"]}, "it holds"),
    ],
)
def test_positions_that_no_episode_has_are_refused(change, run, arrays, reason):
    change(arrays)
    with pytest.raises(ValueError, match=f"'episodes_file'.*{reason}"):
        run()


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"version": 2}, "version"),
        ({"seed": -1}, "types"),
        ({"seed": 2**64}, "types"),
        ({"seed": True}, "types"),
        ({"legacy": 1}, "types"),
        ({"labels_sha256": None}, "types"),
        ({"labels_sha256": "0" * 64}, "labels of SHA-256"),
    ],
)
def test_a_wrong_description_is_refused(change, run, metadata, reason):
    change(metadata=metadata)
    with pytest.raises(ValueError, match=f"'episodes_file'.*{reason}"):
        run()


@pytest.mark.parametrize("header", [{}, {"skd_episodes": "["}, {"skd_episodes": "[" * 10**5}])
def test_a_file_without_a_description_is_refused(run, path, header):
    arrays = skd.EpisodeSampler(LABELS, n_way=3, n_query=5).sample(0, 20)._asdict()
    save_file(arrays, path, header)
    with pytest.raises(ValueError, match="it has no description"):
        run()


def test_a_file_that_was_cut_anywhere_is_refused(run, path):
    run()
    content = path.read_bytes()
    for length in (0, 1, 7, 8, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="'episodes_file'"):
            run()
        assert path.read_bytes() == content[:length]


@pytest.mark.parametrize("content", [b"<!doctype html>", b"\x80\x04.", b"PK\x03\x04", b"\xff" * 64])
def test_a_file_of_another_kind_is_refused(run, path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="'episodes_file'"):
        run()


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_computed(
    make_model, make_split, tmp_path, monkeypatch
):
    model = make_model()
    monkeypatch.setattr(model, "embed", None)
    with pytest.raises(ValueError, match="the name of a file"):
        skd.evaluate(model, make_split(), **OPTIONS, episodes_file=tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        skd.evaluate(model, make_split(), **OPTIONS, episodes_file=tmp_path / "none" / "file")


def test_a_refused_option_leaves_no_file(run, path):
    for wrong in ({"classifier": "svm"}, {"n_way": 9}, {"split_name": 3}, {"seed": -1}):
        with pytest.raises((ValueError, TypeError)):
            run(**wrong)
        assert not path.exists()
