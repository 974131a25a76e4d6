"""Many heads are scored on the same episodes, each as if it were alone."""

import json
from fractions import Fraction

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import skd

LABELS = np.repeat(np.arange(6), 40)
OPTIONS = {"n_way": 3, "n_query": 5, "n_episodes": 30}


@pytest.fixture
def features(rng):
    return np.eye(6)[LABELS] + rng.normal(0, 0.6, (240, 6))


@pytest.mark.parametrize(
    "options",
    [{}, {"query_distribution": "dirichlet", "n_way": (2, 4), "n_shot": (1, 3), "open_set": 2}],
)
def test_each_head_has_the_result_it_has_alone(features, options):
    names = ["nearest_centroid", "logistic", "ridge", "simple_shot", "nearest_neighbor_cosine"]
    options = {**OPTIONS, **options}
    comparison = skd.evaluate_many_features(features, LABELS, heads=names, **options)
    assert list(comparison.results) == names
    for name in names:
        alone = skd.evaluate_features(features, LABELS, classifier=name, **options)
        assert comparison[name].to_json() == alone.to_json()


def test_images_pass_once_for_all_heads(make_model, make_split, monkeypatch):
    split, model, passed = make_split(), make_model(), []
    embed = model.embed

    def counted(images):
        passed.append(len(images))
        return embed(images)

    monkeypatch.setattr(model, "embed", counted)
    options = {**OPTIONS, "n_episodes": 20}
    comparison = skd.evaluate_many(model, split, heads=["logistic", "ridge"], **options)
    batches = len(passed)
    passed.clear()
    alone = skd.evaluate(model, split, classifier="ridge", **options)
    assert len(passed) == batches
    assert comparison["ridge"].to_json() == alone.to_json()


class Majority:
    """A transductive head of a user: all queries get the first label."""

    def fit_predict(self, support, labels, query):
        assert support.dtype == query.dtype == np.float32
        return np.full(len(query), labels[0])


def test_objects_are_heads(features):
    heads = {
        "C = 1": skd.LogisticRegression(),
        "C = 0.1": skd.LogisticRegression(C=0.1),
        "fine": skd.LogisticRegression(C=0.1, tol=1e-9),
        "alpha": skd.RidgeClassifier(alpha=0.5),
        "half": skd.PTMAP(power=Fraction(1, 2), n_steps=np.int8(3)),
        "cosine": skd.NearestCentroid(metric="cosine"),
        "simple": skd.SimpleShot(),
        "theirs": KNeighborsClassifier(1),
        "majority": Majority(),
    }
    result = skd.evaluate_many_features(features, LABELS, heads=heads, **OPTIONS)
    assert result["majority"].mean == pytest.approx(100 / 3)
    names = [
        ("C = 1", "logistic"),
        ("cosine", "nearest_centroid_cosine"),
        ("simple", "simple_shot"),
        ("theirs", "nearest_neighbor"),
    ]
    for label, name in names:
        alone = skd.evaluate_features(features, LABELS, classifier=name, **OPTIONS)
        np.testing.assert_array_equal(result[label].accuracies, alone.accuracies)
        assert result[label].options["classifier"] == label
    assert result["C = 0.1"].options["head_parameters"]["C"] == 0.1
    assert "head_parameters" not in result["theirs"].options
    for label in ("alpha", "half", "cosine"):
        json.loads(result[label].to_json())
    rows = skd.l2_normalize(features)
    sampler = skd.EpisodeSampler(LABELS, n_way=3, n_query=5)
    for label in ("C = 0.1", "fine", "alpha"):
        for number in range(5):
            episode = sampler.episode(number)
            ways = np.arange(3)
            predicted = (
                heads[label].fit(rows[episode.support[:, 0]], ways).predict(rows[episode.query])
            )
            expected = 100 * (predicted == episode.query_ways).mean()
            assert result[label].accuracies[number] == pytest.approx(expected)


def test_differences_are_paired_with_the_baseline(features):
    names = ["nearest_centroid", "logistic", "ridge"]
    first = skd.evaluate_many_features(features, LABELS, heads=names, **OPTIONS)
    assert first.baseline == "nearest_centroid"
    assert list(first.differences) == names[1:]
    for name, difference in first.differences.items():
        accuracies = first[name].accuracies - first["nearest_centroid"].accuracies
        assert difference == skd.mean_ci95(accuracies)
        assert difference.is_significant == (abs(difference.mean) > difference.ci95)
        assert str(difference).startswith("+" if difference.mean >= 0 else "-")
    other = skd.evaluate_many_features(features, LABELS, heads=names, baseline="ridge", **OPTIONS)
    assert list(other.differences) == names[:2]


def test_a_comparison_is_shown_and_saved(features, tmp_path):
    names = ["nearest_centroid", "ridge"]
    result = skd.evaluate_many_features(
        features, LABELS, heads=names, query_distribution="dirichlet", open_set=2, **OPTIONS
    )
    for text in (str(result), result.to_markdown(), result._repr_html_()):
        assert all(word in text for word in ("ridge", "dirichlet", "3-way 1-shot", "AUROC"))
        assert str(result["ridge"]) in text
        assert str(result.differences["ridge"]) in text
    path = tmp_path / "heads.json"
    result.save(path)
    assert json.loads(path.read_text()) == result.to_dict()
    loaded = skd.HeadComparison.load(path)
    assert loaded.to_json() == result.to_json()
    assert repr(loaded) == repr(result)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "skd-evaluation"}, "format"),
        ({"version": 2}, "version"),
        ({"baseline": "svm"}, "names"),
        ({"heads": []}, "heads"),
        ({"differences": []}, "differences"),
        ({"differences": [{"head": "ridge", "mean": 50.0, "ci95": 1.0}]}, "differences"),
        ({"differences": [{}]}, "KeyError"),
    ],
)
def test_a_changed_comparison_is_refused(features, tmp_path, change, reason):
    names = ["nearest_centroid", "ridge"]
    result = skd.evaluate_many_features(features, LABELS, heads=names, **OPTIONS)
    path = tmp_path / "heads.json"
    path.write_text(json.dumps({**result.to_dict(), **change}))
    with pytest.raises(ValueError, match=rf"'path' parameter of HeadComparison\.load.*{reason}"):
        skd.HeadComparison.load(path)


class Wrong:
    """A head that answers with too few predictions."""

    def fit_predict(self, support, labels, query):
        return [0]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"heads": []}, "'heads'.*1 to 100"),
        ({"heads": "logistic"}, "'heads'"),
        ({"heads": ["svm"]}, "'heads'.*'logistic'"),
        ({"heads": ["ridge", "ridge"]}, "'heads'.*ridge twice"),
        ({"heads": [skd.LogisticRegression]}, "'heads'.*fit_predict"),
        ({"heads": [3]}, "'heads'.*fit_predict"),
        ({"heads": {3: "ridge"}}, "'heads'.*str"),
        ({"heads": [Wrong()]}, "'heads'.*one label for each of 15 queries"),
        ({"heads": ["ridge"], "baseline": "logistic"}, "'baseline'.*'ridge'"),
        ({"heads": ["ridge"], "n_way": 1}, "'n_way'"),
    ],
)
def test_wrong_options_are_refused_by_name(features, options, named):
    with pytest.raises((ValueError, TypeError), match=named):
        skd.evaluate_many_features(features, LABELS, **{**OPTIONS, **options})
