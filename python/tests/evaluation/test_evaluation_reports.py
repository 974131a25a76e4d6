"""Reports of evaluations are kept as JSON, read with care, and compared episode by episode."""

import json

import numpy as np
import pytest

import skd

LABELS = np.repeat(np.arange(4), 20)
OPTIONS = {"n_way": 3, "n_query": 5, "n_episodes": 30}


@pytest.fixture
def result(rng):
    return skd.evaluate_features(rng.standard_normal((80, 6)), LABELS, **OPTIONS)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "report.json"


def test_a_report_is_read_as_it_was_saved(make_model, make_split, path):
    result = skd.evaluate(make_model(widths=None), make_split(), **OPTIONS, split_name="test")
    result.save(path)
    loaded = skd.EvaluationResult.load(path)
    assert (loaded.mean, loaded.ci95) == (result.mean, result.ci95)
    assert loaded.options == result.options
    assert loaded.provenance == result.provenance
    np.testing.assert_array_equal(loaded.accuracies, result.accuracies)
    assert loaded.to_json() == result.to_json() == path.read_text()


def test_the_file_says_percent_and_ci95_and_never_std(result, path):
    result.save(path)
    content = json.loads(path.read_text())
    assert set(content) == {
        "format",
        "version",
        "mean",
        "ci95",
        "unit",
        "options",
        "provenance",
        "accuracies",
    }
    assert content["unit"] == "percent"
    assert len(content["accuracies"]) == 30
    assert content["mean"] == pytest.approx(np.mean(content["accuracies"]))


def test_a_difference_is_paired(rng):
    features = rng.standard_normal((80, 6)) + np.eye(6)[LABELS]
    a = skd.evaluate_features(features, LABELS, **OPTIONS)
    b = skd.evaluate_features(features[:, ::-1] + 0.1, LABELS, **OPTIONS)
    mean, ci95 = a.difference(b)
    assert mean == pytest.approx(a.mean - b.mean)
    assert (mean, ci95) == skd.mean_ci95(a.accuracies - b.accuracies)
    assert a.difference(a) == (0, 0)


def test_a_difference_needs_the_same_episodes(result):
    features = np.random.default_rng(0).standard_normal((80, 6))
    for change in ({"seed": 1}, {"n_episodes": 29}, {"n_query": 4}):
        other = skd.evaluate_features(features, LABELS, **{**OPTIONS, **change})
        with pytest.raises(ValueError, match=r"'other'.*same episodes"):
            result.difference(other)
    unknown = skd.EvaluationResult(result.mean, result.ci95, result.accuracies, result.options)
    for pair in ((result, unknown), (unknown, result), (unknown, unknown)):
        with pytest.raises(ValueError, match="'other'"):
            pair[0].difference(pair[1])
    with pytest.raises(TypeError, match="'other'"):
        result.difference(70.0)


WRONG_CHANGES = {
    "no format": {"format": None},
    "another format": {"format": "skd"},
    "another version": {"version": 2},
    "accuracies in words": {"accuracies": "all"},
    "a truth value": {"accuracies": [True] * 30},
    "nested accuracies": {"accuracies": [[50.0]] * 30},
    "no accuracies": {"accuracies": []},
    "few accuracies": {"accuracies": [50.0] * 29},
    "above 100": {"accuracies": [101.0] * 30},
    "below 0": {"accuracies": [-1.0] * 30},
    "huge numbers": {"accuracies": [10**400] * 30},
    "another mean": {"mean": 99.0},
    "mean in words": {"mean": "high"},
    "no interval": {"ci95": None},
    "another interval": {"ci95": 0.0},
    "options in a list": {"options": []},
    "provenance in words": {"provenance": "unknown"},
}


@pytest.mark.parametrize("case", WRONG_CHANGES)
def test_a_changed_report_is_refused(result, path, case):
    content = {**json.loads(result.to_json()), **WRONG_CHANGES[case]}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"'path' parameter of EvaluationResult\.load"):
        skd.EvaluationResult.load(path)


@pytest.mark.parametrize("missing", ["version", "mean", "ci95", "options", "accuracies"])
def test_a_report_without_an_entry_is_refused(result, path, missing):
    content = json.loads(result.to_json())
    del content[missing]
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="'path'"):
        skd.EvaluationResult.load(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"<!doctype html>", b"[" * 10**5, b'{"mean": NaN}'],
)
def test_a_file_that_is_no_report_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="'path'"):
        skd.EvaluationResult.load(path)


def test_a_missing_file_and_a_missing_folder_are_named(result, path):
    with pytest.raises(FileNotFoundError, match=r"report\.json"):
        skd.EvaluationResult.load(path)
    with pytest.raises(FileNotFoundError, match="no folder"):
        result.save(path / "below")
    with pytest.raises(ValueError, match="the name of a file"):
        result.save(path.parent)


def test_a_report_made_of_numbers_of_numpy_is_saved(path):
    options = {"n_episodes": np.int64(2), "seeds": np.arange(2), "flip": np.bool_(True)}
    made = skd.EvaluationResult(np.float32(50), np.float64(0), np.array([50.0, 50.0]), options)
    made.save(path)
    loaded = skd.EvaluationResult.load(path)
    assert str(loaded) == "50.00 ± 0.00 %"
    assert loaded.options == {"n_episodes": 2, "seeds": [0, 1], "flip": True}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!doctype html>", "an HTML page"),
        (b"PK\3\4" + bytes(40), "a zip archive"),
        (b"", "empty"),
    ],
)
def test_what_is_no_report_is_called_what_it_is(tmp_path, content, kind):
    (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(ValueError, match=rf"report\.json.*{kind}"):
        skd.EvaluationResult.load(tmp_path / "report.json")
