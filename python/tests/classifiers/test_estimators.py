"""The classifiers are estimators to scikit-learn, and find what scikit-learn finds."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import sklearn.linear_model
import sklearn.neighbors
import sklearn.svm
from golden_episode import CLASSIFIER, ClassifierEpisode
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning as PeerConvergenceWarning
from sklearn.exceptions import NotFittedError as PeerNotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

import skd

ESTIMATORS = (
    skd.CalibratedClassifier(),
    skd.CalibratedClassifier("ridge"),
    skd.LogisticRegression(),
    skd.RidgeClassifier(),
    skd.LinearSVC(),
    skd.NearestCentroid(),
    skd.NearestCentroid(metric="cosine"),
    skd.NearestNeighbor(),
    skd.NearestNeighbor(metric="cosine"),
)
EPISODES = range(0, int(CLASSIFIER["count"]), 4)


def made(classifier):
    return pytest.mark.parametrize("classifier", ESTIMATORS, ids=repr)(classifier)


@made
def test_every_check_of_scikit_learn_passes(classifier):
    with warnings.catch_warnings():
        # Warnings that we do not inherit from scikit-learn, which is the point, and of its checks.
        warnings.simplefilter("ignore")
        results = check_estimator(classifier, on_fail=None, on_skip=None)
    assert len(results) > 40
    assert [result for result in results if result["status"] != "passed"] == []


def assert_same_linear(ours, theirs, query):
    """Compare coefficients, and predictions where the scores are not within their error."""
    scale = np.abs(theirs.coef_).max()
    expected = np.atleast_2d(theirs.coef_)  # some versions give a vector for two classes
    np.testing.assert_allclose(ours.coef_, expected, rtol=0, atol=1e-3 * scale)
    assert ours.coef_.shape == expected.shape
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=1e-3 * scale)
    scores = theirs.decision_function(query)
    np.testing.assert_allclose(ours.decision_function(query), scores, rtol=0, atol=2e-3 * scale)
    if scores.ndim == 1:
        clear = np.abs(scores) > 5e-3 * scale
    else:
        ordered = np.sort(scores, axis=1)
        clear = ordered[:, -1] - ordered[:, -2] > 5e-3 * scale
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(ours.predict(query)[clear], theirs.predict(query)[clear])


def linear_pairs(strength=1.0):
    """Return our linear classifiers beside scikit-learn's, which is made to converge."""
    return [
        (
            skd.LogisticRegression(C=strength),
            sklearn.linear_model.LogisticRegression(C=strength, tol=1e-8, max_iter=10_000),
        ),
        (
            skd.RidgeClassifier(alpha=strength),
            sklearn.linear_model.RidgeClassifier(alpha=strength),
        ),
        (
            skd.LinearSVC(C=strength),
            sklearn.svm.LinearSVC(C=strength, tol=1e-8, max_iter=1_000_000, random_state=0),
        ),
    ]


@pytest.mark.parametrize("number", EPISODES)
def test_linear_classifiers_agree_on_the_golden_features(number):
    episode = ClassifierEpisode(number)
    support, query = episode.support.astype(np.float64), episode.query.astype(np.float64)
    for ours, theirs in linear_pairs():
        ours.fit(episode.support, episode.labels)
        assert_same_linear(ours, theirs.fit(support, episode.labels), query)


@pytest.mark.parametrize("strength", [0.1, 10.0])
@pytest.mark.parametrize(
    "shape", [(60, 7, 3), (12, 30, 3), (25, 24, 5), (150, 160, 5), (700, 20, 5)]
)
def test_linear_classifiers_agree_on_features_of_any_extent(rng, shape, strength):
    rows, dimensions, classes = shape
    features = rng.standard_normal((rows, dimensions)).astype(np.float32) + 0.5
    labels = np.array(["c", "a", "b", "e", "d"])[np.arange(rows) % classes]
    query = rng.standard_normal((200, dimensions)).astype(np.float32)
    for ours, theirs in linear_pairs(strength):
        ours.fit(features, labels)
        theirs.fit(features.astype(np.float64), labels)
        assert ours.classes_.tolist() == theirs.classes_.tolist()
        assert_same_linear(ours, theirs, query)


def test_linear_classifiers_agree_on_many_classes_of_one_row(rng):
    features = skd.l2_normalize(rng.standard_normal((300, 70)).astype(np.float32))
    labels = rng.permutation(300)
    query = features + 0.03 * rng.standard_normal(features.shape).astype(np.float32)
    for ours, theirs in linear_pairs():
        ours.fit(features, labels)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            theirs.fit(features.astype(np.float64), labels)
            assert_same_linear(ours, theirs, query)


@pytest.mark.parametrize("strength", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e37])
@pytest.mark.parametrize("shape", [(300, 7, 300), (140, 150, 4), (700, 9, 5)])
def test_large_fits_of_any_scale_stay_finite(rng, shape, scale, strength):
    rows, dimensions, classes = shape
    features = scale * rng.standard_normal((rows, dimensions))
    features[: rows // 2] = features[rows // 2 : rows // 2 * 2]
    labels = np.arange(rows) % classes
    for ours, _ in linear_pairs(strength):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", skd.ConvergenceWarning)
            ours.fit(features.astype(np.float32), labels)
        assert np.isfinite(ours.coef_).all()
        assert np.isfinite(ours.intercept_).all()


@pytest.mark.parametrize("shape", [(150, 160, 5), (700, 20, 5)])
def test_large_fits_have_the_same_bits_on_one_and_two_threads(rng, shape):
    rows, dimensions, classes = shape
    features = rng.standard_normal((rows, dimensions)).astype(np.float32)
    labels = np.arange(rows) % classes
    for ours, _ in linear_pairs():
        found = []
        for count in (1, 2):
            with skd.threads(count):
                found.append(ours.fit(features, labels).coef_.tobytes())
        assert found[0] == found[1]


def test_linear_classifiers_agree_on_two_classes(rng):
    features = rng.standard_normal((30, 6)).astype(np.float32)
    labels = np.where(features[:, 0] + 0.3 * rng.standard_normal(30) > 0, "yes", "no")
    for ours, theirs in linear_pairs():
        if isinstance(ours, skd.LogisticRegression):
            ours.set_params(C=0.5)  # it has a row of coefficients for each class: see its Notes
        ours.fit(features, labels)
        theirs.fit(features.astype(np.float64), labels)
        assert_same_linear(ours, theirs, features)
        if hasattr(ours, "predict_proba"):
            expected = theirs.predict_proba(features)
            np.testing.assert_allclose(ours.predict_proba(features), expected, atol=1e-3)


@pytest.mark.parametrize("number", EPISODES)
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_nearest_classifiers_agree_on_the_golden_features(number, metric):
    episode = ClassifierEpisode(number)
    support, query = episode.support.astype(np.float64), episode.query.astype(np.float64)
    theirs = sklearn.neighbors.KNeighborsClassifier(1, metric=metric, algorithm="brute")
    theirs.fit(support, episode.labels)
    ours = skd.NearestNeighbor(metric=metric).fit(episode.support, episode.labels)
    clear = episode["gap_nn"] > 1e-5
    predicted = ours.predict(episode.query)
    np.testing.assert_array_equal(predicted[clear], theirs.predict(query)[clear])

    means = np.stack([support[episode.labels == k].mean(axis=0) for k in range(episode.ways)])
    ours = skd.NearestCentroid(metric=metric).fit(episode.support, episode.labels)
    np.testing.assert_allclose(ours.centroids_, means, rtol=0, atol=1e-12)
    if metric == "euclidean":
        peer = sklearn.neighbors.NearestCentroid().fit(support, episode.labels)
        np.testing.assert_array_equal(ours.predict(query), peer.predict(query))
        nearness = -((query[:, None] - means[None]) ** 2).sum(axis=2)
    else:
        nearness = sklearn.metrics.pairwise.cosine_similarity(query, means)
    np.testing.assert_allclose(ours.decision_function(query), nearness, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(ours.predict(query), nearness.argmax(axis=1))
    probabilities = np.exp(nearness) / np.exp(nearness).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(ours.predict_proba(query), probabilities, rtol=0, atol=1e-12)


def test_equally_near_rows_give_the_first():
    classifier = skd.NearestNeighbor().fit([[0.0], [2.0], [0.0]], ["z", "a", "b"])
    assert classifier.predict([[1.0], [0.0]]).tolist() == ["z", "z"]


def test_cosine_with_zero_is_zero():
    classifier = skd.NearestCentroid(metric="cosine").fit([[0.0, 0.0], [-1.0, 0.0]], [0, 1])
    assert classifier.predict([[1.0, 0.0], [-1.0, 1.0], [0.0, 0.0]]).tolist() == [0, 1, 0]


@made
def test_pipelines_and_searches_take_them(classifier, rng):
    features = np.concatenate([rng.standard_normal((20, 4)) + 3 * shift for shift in range(3)])
    labels = np.repeat(["low", "middle", "high"], 20)
    pipeline = make_pipeline(StandardScaler(), clone(classifier)).fit(features, labels)
    assert pipeline.score(features, labels) > 0.6
    (parameter, *_) = classifier.get_params()
    words = {"metric": ["euclidean", "cosine"], "head": ["logistic", "ridge"]}
    grid = {parameter: words.get(parameter, [0.1, 1.0])}
    search = GridSearchCV(classifier, grid, cv=3, error_score="raise").fit(features, labels)
    assert search.best_estimator_.get_params()[parameter] in grid[parameter]
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict(features), pipeline.predict(features))


class Frame:
    """What is asked of a data frame."""

    def __init__(self, values, columns):
        self.values, self.columns = np.asarray(values), columns

    def __array__(self, dtype=None, copy=None):
        return self.values


@made
def test_columns_of_data_frames_are_remembered(classifier):
    values = [[0.0, 1.0], [1.0, 0.5], [4.0, 1.0]]
    frame = Frame(values, ["width", "height"])
    fitted = clone(classifier).fit(frame, [0, 0, 1])
    assert fitted.feature_names_in_.tolist() == ["width", "height"]
    assert fitted.predict(frame).shape == (3,)
    with pytest.raises(ValueError, match="feature names of fit, in their order; got height, width"):
        fitted.predict(Frame(values, ["height", "width"]))
    with pytest.warns(UserWarning, match="fit had feature names"):
        fitted.predict(values)
    fitted.fit(values, [0, 0, 1])
    assert not hasattr(fitted, "feature_names_in_")
    with pytest.warns(UserWarning, match="X has feature names"):
        fitted.predict(frame)


@made
def test_a_call_before_fit_raises_both_errors(classifier):
    for error in (skd.NotFittedError, skd.SKDError, PeerNotFittedError):
        with pytest.raises(error, match=r"predict needs a fitted classifier; call fit first"):
            clone(classifier).predict([[1.0]])


@made
def test_no_rows_have_no_classes(classifier):
    fitted = clone(classifier).fit([[0.0], [1.0]], ["a", "b"])
    assert fitted.predict(np.empty((0, 1))).shape == (0,)


@made
def test_a_refused_fit_keeps_the_earlier_one(classifier):
    fitted = clone(classifier).fit([[0.0], [1.0], [2.0]], ["a", "b", "b"])
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match="'y' parameter"):
        fitted.fit([[0.0], [1.0]], [3, 3])
    (parameter, *_) = fitted.get_params()
    fitted.set_params(**{parameter: -1})
    with pytest.raises((TypeError, ValueError), match=f"'{parameter}' parameter"):
        fitted.fit([[0.0], [1.0]], [0, 1])
    fitted.set_params(**{parameter: before[parameter]})
    assert vars(fitted) == before


def test_labels_of_any_type_come_back():
    features = [[0.0], [1.0], [5.0], [6.0]]
    for labels in (
        ["x", "x", "y", "y"],
        [-7, -7, 2**40, 2**40],
        [False, False, True, True],
        [1.0, 1.0, 2.0, 2.0],
        np.array(["long name", "long name", "b", "b"], dtype=object),
        np.array([3, 3, 4, 4], dtype=object),
        np.array([0, 0, 255, 255], dtype=np.uint8),
    ):
        classifier = skd.RidgeClassifier().fit(features, labels)
        assert classifier.predict(features).tolist() == list(labels)
        assert classifier.score(features, labels) == 1
        assert classifier.score(features, ["none"] * 4) == 0
        assert classifier.score(features[:2], labels[1:3], sample_weight=[3, 1]) == 0.75


@pytest.fixture
def unscaled(rng):
    """Return columns of scales that differ by twelve orders of magnitude, and labels."""
    labels = np.r_[np.arange(4), rng.integers(0, 4, 76)]
    features = rng.normal(size=(4, 12))[labels] + rng.normal(size=(80, 12))
    return features * 10.0 ** np.arange(-6, 6), labels


@pytest.mark.parametrize(
    "classifier",
    [skd.LogisticRegression(), skd.LogisticRegression(max_iter=1), skd.LinearSVC(max_iter=1)],
)
@pytest.mark.parametrize("category", [skd.ConvergenceWarning, PeerConvergenceWarning])
def test_a_fit_that_stops_at_its_limit_warns_those_of_both_names(unscaled, classifier, category):
    with pytest.warns(category, match=r"stopped at max_iter=\d+ .* raise 'max_iter'"):
        clone(classifier).fit(*unscaled)


def test_a_fit_that_rounding_ends_says_so():
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [5.0, 4.0], [4.0, 5.0]])
    with pytest.warns(skd.ConvergenceWarning, match=r"rounding prevents .* raise 'tol'"):
        skd.LogisticRegression(tol=1e-30).fit(rows, [0, 1, 1, 0])


def test_a_fit_that_converges_does_not_warn(rng):
    rows, labels = rng.normal(size=(60, 5)), np.arange(60) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skd.LogisticRegression().fit(rows, labels)
        skd.LinearSVC().fit(rows, labels)
        iterations = skd.LinearSVC().fit(rows, labels).n_iter_
        skd.LinearSVC(max_iter=iterations).fit(rows, labels)  # the last one that is allowed


def test_a_warning_is_silenced_by_the_filter_for_scikit_learn(unscaled):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PeerConvergenceWarning)
        skd.LogisticRegression(max_iter=1).fit(*unscaled)


def test_the_classifiers_need_no_scikit_learn():
    script = (
        "import sys, numpy as np\n"
        "import skd\n"
        "X, y = np.eye(4, dtype=np.float32), list('aabb')\n"
        "for name in ('LogisticRegression', 'RidgeClassifier', 'LinearSVC', 'NearestCentroid',\n"
        "             'NearestNeighbor'):\n"
        "    classifier = getattr(skd, name)()\n"
        "    try:\n"
        "        classifier.predict(X)\n"
        "    except skd.NotFittedError:\n"
        "        pass\n"
        "    assert classifier.fit(X, y).score(X, y) == 1\n"
        "assert 'sklearn' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
