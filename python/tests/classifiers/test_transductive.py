"""Transductive heads: their papers' formulas, any number of threads, and what they refuse."""

import json
import pickle

import numpy as np
import pytest
import transductive_reference as reference
from sklearn.base import clone

import skd
from skd import choices

#: Name, class and reference of each head.
HEADS = {
    "simple_shot": (skd.SimpleShot, reference.simple_shot),
    "bd_cspn": (skd.BDCSPN, reference.bd_cspn),
    "laplacian_shot": (skd.LaplacianShot, reference.laplacian_shot),
    "tim": (skd.TIM, reference.tim),
    "alpha_tim": (skd.AlphaTIM, reference.alpha_tim),
    "pt_map": (skd.PTMAP, reference.pt_map),
}
NAMES = {name: kind for name, (kind, _) in HEADS.items()}
LOSS = {
    "temperature": 3.0, "cross_entropy_weight": 0.7, "marginal_entropy_weight": 0.4,
    "conditional_entropy_weight": 0.2, "learning_rate": 0.01, "n_steps": 50,
}  # fmt: skip
CASES = [
    *((*head, {}) for head in HEADS.values()),
    (*HEADS["bd_cspn"], {"scale": 3.0, "n_pseudo_labels": 2}),
    (*HEADS["bd_cspn"], {"n_pseudo_labels": 0}),
    (
        *HEADS["laplacian_shot"],
        {"rectify": False, "center": False, "laplacian_weight": 0.3, "n_neighbors": 1},
    ),
    (*HEADS["laplacian_shot"], {"n_neighbors": 99, "laplacian_weight": 0.01, "max_iter": 2}),
    (*HEADS["laplacian_shot"], {"laplacian_weight": 0.0, "scale": 1.0, "center": False}),
    (*HEADS["tim"], LOSS),
    (*HEADS["tim"], {"n_steps": 0}),
    (*HEADS["alpha_tim"], LOSS | {"alpha": 7.0}),
    (*HEADS["alpha_tim"], LOSS | {"alpha": 1.3}),
    (*HEADS["pt_map"], {"power": 1.0, "scale": 3.0, "learning_rate": 0.7, "n_steps": 3}),
    (*HEADS["pt_map"], {"power": 0.25, "n_steps": 0}),
]
#: Ways, shots, queries of each class, and features.
EXTENTS = [(5, 1, 15, 64), (3, 2, 5, 19), (2, 5, 1, 7), (7, 1, 6, 33), (5, 5, 15, 640)]


def case(value):
    return pytest.mark.parametrize(("kind", "formula", "options"), value, ids=describe)


def describe(value):
    if isinstance(value, dict):
        return ",".join(f"{name}={number}" for name, number in value.items())
    return getattr(value, "__name__", None)


def task(rng, ways, shots, queries, dimensions):
    """Return the features of a task, mostly positive, and the classes of its queries."""
    centers = rng.random((ways, dimensions))

    def drawn(labels):
        rows = centers[labels] + 0.5 * rng.standard_normal((len(labels), dimensions))
        return np.where(rows < 0, 0.1 * rows, rows).astype(np.float32)

    labels = rng.permutation(np.repeat(np.arange(ways), shots))
    truth = rng.permutation(np.repeat(np.arange(ways), queries))
    return drawn(labels), labels, drawn(truth), truth


@pytest.mark.parametrize("extent", EXTENTS, ids=str)
@case(CASES)
def test_a_head_computes_the_formulas_of_its_paper(kind, formula, options, extent, rng):
    support, labels, query, _ = task(rng, *extent)
    head = kind(**options)
    predicted = head.fit_predict(support, labels, query)
    scores, objective = formula(
        support.astype(np.float64), labels, query.astype(np.float64), **options
    )
    # TIM's steps are in float32, as its authors' are; all other heads compute in float64.
    tolerance = 2e-4 if kind in (skd.TIM, skd.AlphaTIM) else 1e-10
    np.testing.assert_allclose(head.scores_, scores, rtol=0, atol=tolerance)
    best, second = np.sort(scores, axis=1)[:, -1], np.sort(scores, axis=1)[:, -2]
    clear = best - second > 2 * tolerance
    np.testing.assert_array_equal(predicted[clear], scores.argmax(axis=1)[clear])
    np.testing.assert_array_equal(predicted, head.classes_[head.scores_.argmax(axis=1)])
    if objective is None:
        assert not hasattr(head, "objective_")
    else:
        assert head.objective_ == pytest.approx(objective, rel=1e-4, abs=min(tolerance, 1e-4))


@pytest.mark.parametrize("kind", NAMES.values())
def test_tasks_are_classified_as_one_by_one_by_any_number_of_threads(kind, rng):
    head, several = kind(), [task(rng, 4, 2, 5, 21) for _ in range(7)]
    labels = several[0][1]
    supports, queries = np.stack([t[0] for t in several]), np.stack([t[2] for t in several])
    expected = np.stack(
        [head.fit_predict(s, labels, q) for s, q in zip(supports, queries, strict=True)]
    )
    for count in (1, 2, 5):
        with skd.threads(count):
            predicted = head.fit_predict(supports, labels, queries)
        np.testing.assert_array_equal(predicted, expected)
        assert head.scores_.shape == (7, 20, 4)
        own = kind()
        own.fit_predict(supports[-1], labels, queries[-1])
        np.testing.assert_array_equal(head.scores_[-1], own.scores_)
        if hasattr(own, "objective_"):
            assert head.objective_.shape == (7,)
            assert head.objective_[-1] == own.objective_


@pytest.mark.parametrize("kind", NAMES.values())
def test_any_labels_are_returned(kind, rng):
    support, labels, query, _ = task(rng, 3, 2, 4, 9)
    names = np.array(["zebra", "ant", "mole"])
    predicted = kind().fit_predict(support, names[labels], query)
    head = kind()
    order = np.argsort(np.argsort(names))[labels]
    np.testing.assert_array_equal(
        predicted, np.sort(names)[head.fit_predict(support, order, query)]
    )


@pytest.mark.parametrize("kind", NAMES.values())
def test_features_that_are_equal_or_zero_give_finite_scores(kind):
    for value in (0.0, 1.0, -1.0):
        head = kind()
        rows = np.full((6, 3), value, np.float32)
        assert np.isin(head.fit_predict(rows[:2], [4, 5], rows), [4, 5]).all()
        assert np.isfinite(head.scores_).all()
    head = kind()
    head.fit_predict([[1e30, 0], [0, -1e-30]], [0, 1], [[3e38, 3e38], [-1e-38, 0]])
    assert np.isfinite(head.scores_).all()


@pytest.mark.parametrize("kind", NAMES.values())
def test_a_transductive_head_says_that_it_cannot_classify_a_later_image(kind):
    for method in ("fit", "predict", "predict_proba"):
        assert not hasattr(kind(), method)
        with pytest.raises(AttributeError, match=f"has no '{method}'.*NearestCentroid"):
            getattr(kind(), method)
    with pytest.raises(AttributeError, match="no attribute 'other'"):
        _ = kind().other


@pytest.mark.parametrize("kind", NAMES.values())
def test_heads_are_cloned_and_pickled_with_their_parameters(kind):
    head = kind()
    assert clone(head).get_params() == pickle.loads(pickle.dumps(head)).get_params()
    assert repr(head) == f"{kind.__name__}()"


GOOD = ([[1.0, 0.0], [0.0, 1.0]], [0, 1], [[0.9, 0.2], [0.1, 0.8], [0.3, 0.4]])


@pytest.mark.parametrize("kind", NAMES.values())
@pytest.mark.parametrize(
    ("place", "value", "error", "message"),
    [
        (0, [1.0, 0.0], ValueError, r"'support' .* of shape \(n_rows, n_features\)"),
        (0, [[1.0, np.nan], [0, 1]], ValueError, "'support' .* finite"),
        (0, np.empty((0, 2)), ValueError, "'support' .* non-empty"),
        (0, "support", TypeError, "'support'"),
        (1, [0], ValueError, "'labels' .* of length 2, one label for each row of 'support'"),
        (1, [3, 3], ValueError, "'labels' .* at least two classes; got 1 class"),
        (1, [0.5, 1], ValueError, "'labels'"),
        (2, [[1.0], [2.0]], ValueError, r"'query' .* of shape \(2, 2\) for this 'support'"),
        (2, np.ones((2, 3, 2)), ValueError, "'query' .* 2-dimensional, like 'support'"),
        (2, [[np.inf, 0]], ValueError, "'query' .* finite"),
        (2, None, TypeError, "'query'"),
    ],
)
def test_a_bad_argument_is_refused_by_name_and_earlier_results_are_kept(
    kind, place, value, error, message
):
    head = kind()
    head.fit_predict(*GOOD)
    scores = head.scores_
    arguments = [*GOOD[:place], value, *GOOD[place + 1 :]]
    with pytest.raises(error, match=f"of {kind.__name__}.fit_predict") as caught:
        head.fit_predict(*arguments)
    assert caught.match(message)
    assert head.scores_ is scores


@pytest.mark.parametrize("name", NAMES)
def test_episodes_are_scored_with_the_heads_of_the_table(name, rng):
    features = rng.random((60, 12), np.float32)
    labels = np.repeat(np.arange(6), 10)
    result = skd.evaluate_features(
        features, labels, n_way=3, n_shot=2, n_query=4, n_episodes=5, classifier=name
    )
    assert result.options["classifier"] == name
    assert result.options["head_parameters"] == NAMES[name]().get_params()
    json.loads(result.to_json())
    rows = skd.l2_normalize(features)
    episodes = skd.EpisodeSampler(labels, n_way=3, n_shot=2, n_query=4).sample(0, 5)
    for episode, accuracy in enumerate(result.accuracies):
        predicted = NAMES[name]().fit_predict(
            rows[episodes.support[episode].ravel()], np.repeat(np.arange(3), 2),
            rows[episodes.query[episode].ravel()],
        )  # fmt: skip
        hits = (predicted == np.repeat(np.arange(3), 4)).sum()
        assert accuracy == 100 * hits / 12


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_evaluates_with_a_transductive_head(name):
    recipe = skd.recipes.load("gen0-glyphs", changes=[f'evaluation.classifier="{name}"'])
    assert recipe.evaluation.classifier == name


#: Every parameter of a head, with a value that it must not have.
ILLEGAL = [
    *((skd.BDCSPN, parameter) for parameter in [("scale", 0), ("n_pseudo_labels", -1)]),
    *((skd.LaplacianShot, parameter) for parameter in [
        ("laplacian_weight", -0.1), ("n_neighbors", 0), ("center", "no"), ("rectify", 2),
        ("scale", np.inf), ("max_iter", 0),
    ]),
    *((kind, parameter) for kind in (skd.TIM, skd.AlphaTIM) for parameter in [
        ("temperature", -1), ("cross_entropy_weight", np.nan), ("marginal_entropy_weight", -1),
        ("conditional_entropy_weight", 1e9), ("learning_rate", 2), ("n_steps", 1.5),
    ]),
    (skd.AlphaTIM, ("alpha", 1.0)),
    *((skd.PTMAP, parameter) for parameter in [
        ("power", 0), ("scale", "large"), ("learning_rate", 1.1), ("n_steps", 2_000_000),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "parameter"), ILLEGAL)
def test_a_bad_parameter_of_a_head_is_refused_by_name(kind, parameter):
    name, value = parameter
    with pytest.raises((ValueError, TypeError), match=f"The '{name}' parameter of {kind.__name__}"):
        kind(**{name: value}).fit_predict(*GOOD)


def test_every_parameter_of_every_head_has_an_illegal_value():
    named = {(kind, name) for kind, (name, _) in ILLEGAL}
    assert named == {(kind, name) for kind in NAMES.values() for name in kind().get_params()}


@pytest.mark.parametrize("name", NAMES)
def test_a_few_shot_classifier_refuses_a_transductive_head(name, make_model):
    classifier = skd.FewShotClassifier(make_model(), head=name)
    kind = NAMES[name].__name__
    with pytest.raises(ValueError, match=f"'head' .* single images.*'ridge'.*skd.{kind}"):
        classifier.fit(np.zeros((2, 16, 16, 3), np.uint8), [0, 1])


def test_the_transductive_heads_are_the_classifiers_that_no_few_shot_classifier_takes():
    assert set(NAMES) == set(choices.values(choices.ClassifierName)) - set(
        choices.values(choices.HeadName)
    )


def test_l2_normalize_with_the_mean_of_base_classes_is_cl2n(rng):
    features, mean = rng.random((5, 7)), rng.random(7)
    expected = reference.unit(features - mean)
    np.testing.assert_allclose(skd.l2_normalize(features, mean=mean), expected, atol=1e-6)
    np.testing.assert_array_equal(skd.l2_normalize([[1.0, 2.0]], mean=[1.0, 2.0]), [[0.0, 0.0]])
    with pytest.raises(ValueError, match=r"'mean' .* of shape \(7,\) for this 'features'"):
        skd.l2_normalize(features, mean=mean[1:])
    with pytest.raises(ValueError, match=r"'mean' .* finite"):
        skd.l2_normalize(features, mean=np.full(7, np.nan))
