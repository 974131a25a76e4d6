"""Scores of unknown classes and their quality agree with their definitions."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import skd

LABELS = np.repeat(np.arange(8), 30)


def naive_quality(known, unknown):
    """Return AUROC pair by pair, and FPR95 threshold by threshold."""
    wins = (known[:, None] > unknown).sum() + (known[:, None] == unknown).sum() / 2
    threshold = max(t for t in known if (known >= t).mean() >= 0.95)
    return 100 * wins / (len(known) * len(unknown)), 100 * (unknown >= threshold).mean()


@pytest.mark.parametrize("values", [1, 3, 20, 10**6])
def test_quality_matches_the_definitions_with_ties(rng, values):
    for n_known, n_unknown in ((1, 1), (20, 3), (75, 75), (19, 41), (101, 10)):
        known = rng.integers(0, values, n_known) + values // 4.0
        unknown = rng.integers(0, values, n_unknown).astype(float)
        quality = skd.open_set_quality(known, unknown)
        assert quality == pytest.approx(naive_quality(known, unknown), abs=1e-11)
        truth = np.repeat([1, 0], [n_known, n_unknown])
        expected = roc_auc_score(truth, np.concatenate([known, unknown]))
        assert quality.auroc == pytest.approx(100 * expected, abs=1e-11)


def naive_scores(rows, centroids, score):
    rows = rows.astype(np.float64)
    if score == "centroid_cosine":
        norms = np.linalg.norm(rows, axis=1)[:, None] * np.linalg.norm(centroids, axis=1)
        return (rows @ centroids.T / norms).max(axis=1)
    near = -((rows[:, None] - centroids) ** 2).sum(axis=-1)
    return np.exp(near).max(axis=1) / np.exp(near).sum(axis=1)


@pytest.mark.parametrize("score", ["centroid_cosine", "max_probability"])
def test_scores_match_their_formulas(rng, score):
    rows = rng.standard_normal((9, 5)).astype(np.float32)
    centroids = rng.standard_normal((3, 5))
    scores = skd.open_set_scores(rows, centroids, score=score)
    np.testing.assert_allclose(scores, naive_scores(rows, centroids, score), rtol=1e-12)
    assert skd.open_set_scores(rows[:0], centroids, score=score).shape == (0,)


@pytest.mark.parametrize("n_shot", [1, 3])
def test_episodes_match_the_definitions(rng, n_shot):
    features = (np.eye(8)[LABELS] + rng.normal(0, 0.5, (240, 8))).astype(np.float32)
    options = {"n_shot": n_shot, "n_query": 7, "open_set": 3, "seed": 5}
    result = skd.evaluate_features(features, LABELS, n_episodes=25, **options)
    closed = skd.evaluate_features(features, LABELS, n_episodes=25, **{**options, "open_set": None})
    np.testing.assert_array_equal(result.accuracies, closed.accuracies)
    rows = skd.l2_normalize(features)
    sampler = skd.EpisodeSampler(LABELS, **options)
    for score, found in result.open_set.items():
        expected = []
        for number in range(25):
            episode = sampler.episode(number)
            centroids = rows[episode.support].mean(axis=1)
            scores = naive_scores(rows[episode.query], centroids, score)
            known = episode.query_ways < 5
            expected.append(naive_quality(scores[known], scores[~known]))
        np.testing.assert_allclose(np.stack([found.aurocs, found.fpr95s], axis=1), expected)
        assert (found.auroc, found.auroc_ci95) == skd.mean_ci95(found.aurocs)
        assert (found.fpr95, found.fpr95_ci95) == skd.mean_ci95(found.fpr95s)
    assert result.open_set["centroid_cosine"].auroc > 60


def test_a_report_holds_both_scores(rng, tmp_path):
    features = rng.standard_normal((240, 6))
    result = skd.evaluate_features(features, LABELS, n_episodes=6, open_set=3)
    assert result.options["open_set"] == 3
    assert set(result.open_set) == {"centroid_cosine", "max_probability"}
    result.save(tmp_path / "report.json")
    loaded = skd.EvaluationResult.load(tmp_path / "report.json")
    assert loaded.to_json() == result.to_json()
    for text in (
        result.to_markdown(),
        result._repr_html_(),
        str(result.open_set["centroid_cosine"]),
    ):
        assert "AUROC" in text
        assert "FPR95" in text
    closed = skd.evaluate_features(features, LABELS, n_episodes=6)
    assert not closed.open_set
    assert "open_set" not in closed.to_dict()


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: skd.open_set_quality([], [1.0]), "'known'"),
        (lambda: skd.open_set_quality([1.0], [np.nan]), "'unknown'"),
        (lambda: skd.open_set_quality([1.0], [[1.0]]), "'unknown'"),
        (lambda: skd.open_set_scores([[1.0]], [[1.0, 2.0]]), "'centroids'.*'X'"),
        (lambda: skd.open_set_scores([[1.0]], [[np.inf]]), "'centroids'"),
        (lambda: skd.open_set_scores([[np.nan]], [[1.0]]), "'X'"),
        (lambda: skd.open_set_scores([[1.0]], [[1.0]], score="energy"), "'max_probability'"),
    ],
)
def test_wrong_arguments_are_refused_by_name(call, named):
    with pytest.raises((ValueError, TypeError), match=named):
        call()
