"""Augmentation, episodes and the classifier agree with the published pipeline."""

import numpy as np
import pytest
from golden import Golden, assert_relative, fill_bytes, nchw
from golden_episode import CLASSIFIER, ClassifierEpisode

import skd
from skd.augmentation import CHOICES

AUGMENT = Golden("augment")
EPISODES = Golden("episodes")
KINDS = sorted({key.split(".")[0] for key in EPISODES if key.endswith(".labels")})


@pytest.mark.parametrize("case", range(int(AUGMENT["count"])))
def test_augmentation_replays_the_reference_exactly(case):
    key = f"case{case}"
    image, padding, top, left, flip, _, *operations = AUGMENT.numbers(f"{key}.cfg")
    side = int(AUGMENT[f"image{image}.side"])
    pixels = fill_bytes(f"image{image}", (side, side, 3), AUGMENT.seed("data"))[None]
    choices = np.zeros(1, dtype=CHOICES)
    choices[0] = (top, left, flip, operations, AUGMENT[f"{key}.factors"])

    augmented = skd.apply_augmentation(pixels, choices, padding=padding)
    index = AUGMENT[f"{key}.idx"]
    planes = np.ascontiguousarray(nchw(augmented))
    np.testing.assert_array_equal(planes.reshape(-1)[index], AUGMENT[f"{key}.u8"])
    np.testing.assert_array_equal(planes[0].sum(axis=(1, 2), dtype=int), AUGMENT[f"{key}.sum"])

    mean, std = AUGMENT[f"image{image}.mean"], AUGMENT[f"image{image}.std"]
    floats = skd.augment(augmented, seed=0, mode="none", mean=mean, std=std)
    assert_relative(nchw(floats).reshape(-1)[index], AUGMENT[f"{key}.val"], 1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shots", [1, 5])
def test_legacy_episodes_match_the_reference_exactly(kind, shots):
    labels, items = EPISODES[f"{kind}.labels"], EPISODES["items"]
    prefix = f"{kind}.{shots}shot"
    n_way = EPISODES[f"{prefix}.class_label"].shape[1]
    n_query = EPISODES[f"{prefix}.query"].shape[2]
    sampler = skd.EpisodeSampler(labels, n_way=n_way, n_shot=shots, n_query=n_query, legacy=True)
    assert (np.diff(items) == 1).all()
    episodes = sampler.sample(int(items[0]), len(items))
    np.testing.assert_array_equal(episodes.classes, EPISODES[f"{prefix}.class_label"])
    np.testing.assert_array_equal(episodes.support, EPISODES[f"{prefix}.support_dataset"])
    np.testing.assert_array_equal(episodes.query, EPISODES[f"{prefix}.query_dataset"])


@pytest.mark.parametrize("number", range(int(CLASSIFIER["count"])))
def test_logistic_regression_finds_the_optimum(number):
    episode = ClassifierEpisode(number)
    classifier = skd.LogisticRegression().fit(episode.support, episode.labels)
    coefficients, intercepts = classifier.coef_, classifier.intercept_

    sampled = coefficients.reshape(-1)[episode["coef.idx"]]
    allowed = 2e-4 * np.abs(episode["coef.val"]).max()
    np.testing.assert_allclose(sampled, episode["coef.val"], rtol=0, atol=allowed)
    np.testing.assert_allclose(np.linalg.norm(coefficients), episode["coef_norm"], rtol=1e-4)
    np.testing.assert_allclose(intercepts, episode["intercept"], rtol=0, atol=2e-4)

    scores = classifier.decision_function(episode.support)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_likelihood = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    objective = 0.5 * (coefficients**2).sum()
    objective -= log_likelihood[np.arange(len(scores)), episode.labels].sum()
    np.testing.assert_allclose(objective, episode["objective"], rtol=1e-5)

    decision = classifier.decision_function(episode.query)
    first = decision[: len(episode["decision"])]
    np.testing.assert_allclose(first, episode["decision"], rtol=0, atol=2e-4)
    predicted = classifier.predict(episode.query)
    for name, gap in (("pred_lr", 1e-3), ("pred_lr_sklearn", 5e-3)):
        clear = episode["gap_lr"] > gap
        np.testing.assert_array_equal(predicted[clear], episode[name][clear])


def test_accuracy_and_interval_match_the_reference():
    accuracies = {}
    for number in range(int(CLASSIFIER["count"])):
        episode = ClassifierEpisode(number)
        classifier = skd.LogisticRegression().fit(episode.support, episode.labels)
        accuracy = (classifier.predict(episode.query) == episode.truth).mean()
        key = f"accuracy.{episode.ways}way{episode.shots}shot.lr"
        accuracies.setdefault(key, []).append(100 * accuracy)
    for key, values in accuracies.items():
        np.testing.assert_allclose(skd.mean_ci95(values), CLASSIFIER[key], atol=0.5)
