"""Calibrated probabilities, calibration errors and rejection, against formulas in NumPy."""

import numpy as np
import pytest

import skd

HEADS = ("logistic", "nearest_centroid", "nearest_centroid_cosine", "ridge", "linear_svc")
NEAREST = ("nearest_neighbor", "nearest_neighbor_cosine")


def make(head):
    """Return an estimator with the parameters of a head of `skd.evaluate`."""
    return {
        "logistic": skd.LogisticRegression,
        "nearest_centroid": skd.NearestCentroid,
        "nearest_centroid_cosine": lambda: skd.NearestCentroid(metric="cosine"),
        "ridge": skd.RidgeClassifier,
        "linear_svc": skd.LinearSVC,
    }[head]()


def scores(estimator, features):
    """Return a score for each class, also of two."""
    found = estimator.decision_function(features)
    if found.ndim == 2:
        return found
    other = (
        0 * found
        if isinstance(estimator, (skd.LogisticRegression, skd.NearestCentroid))
        else -found
    )
    return np.column_stack([other, found])


def margin(estimator, features, labels):
    table = scores(estimator, features)
    own = table[np.arange(len(labels)), labels]
    return (own - (table.sum(axis=1) - own) / (table.shape[1] - 1)).mean()


def softmax(table):
    powers = np.exp(table - table.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def temperature(head, features, labels):
    """Return the temperature by the formula of `CalibratedClassifier`, from a fine grid."""
    place = np.array([np.sum(labels[:n] == label) for n, label in enumerate(labels)])
    alone = np.bincount(labels)[labels] == 1
    tables, truths = [], []
    for left in range(place.max() + 1):
        held = (place == left) & ~alone
        if held.any():
            fitted = make(head).fit(features[~held], labels[~held])
            unit = margin(fitted, features[~held], labels[~held])
            tables.append(scores(fitted, features[held]) / unit)
            truths.append(labels[held])
    shifts = np.linspace(-3, 3, 60_001)
    objective = 4 * shifts**2
    if tables:
        table, truth = np.concatenate(tables), np.concatenate(truths)
        for row, label in zip(table, truth, strict=True):
            z = 6.5 * np.exp(shifts)[:, None] * row
            objective += np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1) - z[:, label]
    whole = make(head).fit(features, labels)
    return margin(whole, features, labels) / (6.5 * np.exp(shifts[objective.argmin()]))


@pytest.fixture
def make_set(rng):
    """Return a function that makes unit features of classes with so many examples each."""

    def make_features(*counts, dimensions=8):
        labels = np.repeat(np.arange(len(counts)), counts)
        rows = np.eye(dimensions)[labels] + 0.5 * rng.standard_normal((len(labels), dimensions))
        return skd.l2_normalize(rows), labels

    return make_features


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("counts", [(4, 4, 4), (1, 1, 1, 1), (3, 2, 1), (5, 5)])
def test_the_temperature_is_that_of_the_formula(make_set, head, counts):
    features, labels = make_set(*counts)
    fitted = skd.CalibratedClassifier(head).fit(features, labels)
    # The heads are fitted to tolerances, and the grid is that fine.
    assert fitted.temperature_ == pytest.approx(temperature(head, features, labels), rel=5e-4)
    query, _ = make_set(*counts)
    table = scores(make(head).fit(features, labels), query) / fitted.temperature_
    np.testing.assert_allclose(fitted.predict_proba(query), softmax(table), atol=1e-6)
    np.testing.assert_array_equal(
        fitted.predict(query), make(head).fit(features, labels).predict(query)
    )


def test_one_example_of_each_class_gives_the_prior(make_set):
    features, labels = make_set(1, 1, 1)
    fitted = skd.CalibratedClassifier("ridge").fit(features, np.array(["c", "a", "b"])[labels])
    rows = np.array([2, 0, 1])[labels]
    assert fitted.temperature_ == pytest.approx(
        margin(fitted.head_, features, rows) / 6.5, rel=1e-6
    )
    assert fitted.classes_.tolist() == ["a", "b", "c"]


def test_copies_of_an_example_are_left_out_together(make_set):
    features, labels = make_set(3, 3)
    alone = skd.CalibratedClassifier("nearest_centroid").fit(features, labels)
    doubled, groups = np.tile(features, (2, 1)), np.tile([5, 3, 9, 1, 0, 7], 2)
    both = skd.CalibratedClassifier("nearest_centroid").fit(doubled, np.tile(labels, 2), groups)
    apart = skd.CalibratedClassifier("nearest_centroid").fit(doubled, np.tile(labels, 2))
    # The order of the examples decides which are left out together.
    order = np.argsort([5, 3, 9, 1, 0, 7])
    same = skd.CalibratedClassifier("nearest_centroid").fit(features[order], labels[order])
    assert both.temperature_ == pytest.approx(same.temperature_, rel=1e-9)
    assert apart.temperature_ < alone.temperature_  # it has seen what it is asked


def test_scores_without_a_margin_give_temperature_one():
    fitted = skd.CalibratedClassifier("nearest_centroid").fit(np.ones((4, 3)), [0, 0, 1, 1])
    assert fitted.temperature_ == 1
    np.testing.assert_allclose(fitted.predict_proba(np.zeros((1, 3))), [[0.5, 0.5]])


def test_calibration_lowers_the_error_on_new_images(rng):
    centres = rng.standard_normal((40, 16))
    tables, plain, truth = [], [], []
    for _ in range(60):
        classes = rng.choice(40, 5, replace=False)
        support = skd.l2_normalize(centres[classes].repeat(5, 0) + rng.normal(0, 1.5, (25, 16)))
        query = skd.l2_normalize(centres[classes].repeat(15, 0) + rng.normal(0, 1.5, (75, 16)))
        labels = np.arange(5).repeat(5)
        tables.append(skd.CalibratedClassifier().fit(support, labels).predict_proba(query))
        plain.append(skd.LogisticRegression().fit(support, labels).predict_proba(query))
        truth.append(np.arange(5).repeat(15))
    errors = [
        skd.expected_calibration_error(np.concatenate(found), np.concatenate(truth))
        for found in (tables, plain)
    ]
    assert errors[0] < 0.05 < errors[1]


def test_the_calibration_error_is_that_of_the_definition(rng):
    table = softmax(3 * rng.standard_normal((500, 4)))
    labels = rng.integers(0, 4, 500)
    confidence, right = table.max(axis=1), table.argmax(axis=1) == labels
    for n_bins in (1, 7, 15):
        bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
        expected = sum(
            abs(right[bins == b].sum() - confidence[bins == b].sum()) for b in range(n_bins)
        ) / len(table)
        found = skd.reliability(table, labels, n_bins=n_bins)
        assert found.error == pytest.approx(expected, abs=1e-12)
        assert skd.expected_calibration_error(table, labels, n_bins=n_bins) == found.error
        assert found.counts.tolist() == np.bincount(bins, minlength=n_bins).tolist()
    names = np.array(["d", "a", "c", "b"])
    named = skd.reliability(table, names[labels], classes=names)
    assert named.error == skd.reliability(table, labels).error


def test_the_threshold_is_a_quantile_of_left_out_scores(make_set):
    features, labels = make_set(3, 3)
    known = []
    for left in range(3):
        held = np.arange(6) % 3 == left
        centroids = skd.NearestCentroid().fit(features[~held], labels[~held]).centroids_
        known += skd.open_set_scores(features[held], centroids).tolist()
    for rate in (0.5, 0.95):
        found = skd.rejection_threshold(features, labels, known_rate=rate)
        assert found == pytest.approx(np.quantile(known, 1 - rate), abs=1e-9)


def test_arguments_are_refused_by_name(make_set):
    features, labels = make_set(2, 2)
    for head in NEAREST:
        with pytest.raises(
            ValueError, match=r"'head' parameter of CalibratedClassifier\.fit must be"
        ):
            skd.CalibratedClassifier(head).fit(features, labels)
    with pytest.raises(ValueError, match="classifies all queries of a task at once"):
        skd.CalibratedClassifier("simple_shot").fit(features, labels)
    with pytest.raises(ValueError, match=r"'groups' .* of one class each"):
        skd.CalibratedClassifier().fit(features, labels, [0, 1, 1, 2])
    with pytest.raises(ValueError, match=r"'known_rate' parameter of rejection_threshold"):
        skd.rejection_threshold(features, labels, known_rate=1)
    wrong = {
        "rows sum to 1": ([[0.5, 0.4]], [0]),
        "in 0..1 without 'classes'": ([[0.5, 0.5]], [2]),
        "of length 1": ([[0.5, 0.5]], [0, 1]),
    }
    for reason, given in wrong.items():
        with pytest.raises(ValueError, match=reason):
            skd.expected_calibration_error(*given)
    with pytest.raises(ValueError, match=r"'labels' .* entries of 'classes'; got 'c'"):
        skd.reliability([[0.5, 0.5]], ["c"], classes=["a", "b"])
    with pytest.raises(ValueError, match=r"'classes' .* all different"):
        skd.reliability([[0.5, 0.5]], ["a"], classes=["a", "a"])
