"""Episodes, classifiers and evaluation."""

import hashlib

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import skd

OPTIONS = {"n_way": 3, "n_query": 5, "n_episodes": 40}


def test_episodes_depend_on_their_number_alone():
    labels = np.repeat(np.arange(8), 20)
    sampler = skd.EpisodeSampler(labels, seed=5)
    together, later = sampler.sample(0, 10), sampler.sample(7, 3)
    for whole, part in zip(together, later, strict=True):
        np.testing.assert_array_equal(whole[7:], part)
    other = skd.EpisodeSampler(labels, seed=6).sample(0, 10)
    assert not np.array_equal(other.support, together.support)


def test_episodes_are_disjoint_and_of_their_classes():
    labels = np.repeat([30, 10, 20, 50], 9)
    sampler = skd.EpisodeSampler(labels, n_way=3, n_shot=4, n_query=5)
    episodes = sampler.sample(0, 50)
    for classes, support, query in zip(*episodes, strict=True):
        assert len(set(classes)) == 3
        drawn = np.concatenate([support, query], axis=1)
        assert len(np.unique(drawn)) == drawn.size
        np.testing.assert_array_equal(labels[drawn], np.repeat(classes[:, None], 9, axis=1))


def test_logistic_regression_agrees_with_scikit_learn(rng):
    features = rng.standard_normal((40, 12)).astype(np.float32)
    labels = rng.integers(0, 4, 40) * 3 - 1
    ours = skd.LogisticRegression(C=0.5).fit(features, labels)
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000)
    theirs.fit(features.astype(np.float64), labels)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-4)
    np.testing.assert_array_equal(ours.predict(features), theirs.predict(features))


def test_mean_ci95_of_known_values():
    # scipy.stats.t.ppf(0.975, 3) * std(ddof=1) / sqrt(4)
    mean, ci95 = skd.mean_ci95([70.0, 60.0, 80.0, 90.0])
    assert mean == 75
    assert ci95 == pytest.approx(20.542, abs=1e-3)
    mean, ci95 = skd.mean_ci95([7.0])  # one value says nothing of how values vary
    assert mean == 7
    assert np.isnan(ci95)


@pytest.mark.parametrize("value", [100.0, 80.0, 280 / 3, 0.1, 1e308, 5e-324, 0.0])
@pytest.mark.parametrize("count", [2, 3, 49, 600])
def test_equal_accuracies_are_their_mean_to_the_last_bit(value, count):
    assert skd.mean_ci95(np.full(count, value)) == (value, 0.0)


def test_means_do_not_depend_on_the_order_of_episodes(rng):
    accuracies = 100 * rng.integers(0, 76, 600) / 75
    expected = skd.mean_ci95(accuracies)[0]
    assert expected == pytest.approx(accuracies.mean(), abs=1e-12)
    for _ in range(20):
        assert skd.mean_ci95(rng.permutation(accuracies))[0] == expected
    assert skd.mean_ci95(np.tile([60.0, 100.0], 300))[0] == 80


def test_600_perfect_episodes_are_100_percent_with_no_interval():
    features, labels = np.repeat(np.eye(5), 20, axis=0), np.repeat(np.arange(5), 20)
    result = skd.evaluate_features(features, labels)
    assert (result.mean, result.ci95, str(result)) == (100, 0, "100.00 ± 0.00 %")


def test_an_accuracy_is_one_division_of_integers(rng):
    labels = np.repeat(np.arange(5), 30)
    result = skd.evaluate_features(rng.standard_normal((150, 8)), labels, n_query=20)
    assert set(result.accuracies) <= {100 * correct / 100 for correct in range(101)}


def test_one_episode_has_no_interval(tmp_path):
    features, labels = np.repeat(np.eye(5), 20, axis=0), np.repeat(np.arange(5), 20)
    result = skd.evaluate_features(features, labels, n_episodes=1)
    assert np.isnan(result.ci95)
    assert str(result) == "100.00 % (no interval from 1 episode)"
    result.save(tmp_path / "one.json")
    assert '"ci95": null' in (tmp_path / "one.json").read_text()
    loaded = skd.EvaluationResult.load(tmp_path / "one.json")
    assert loaded.mean == 100
    assert np.isnan(loaded.ci95)


@pytest.mark.parametrize("classifier", ["logistic", "nearest_centroid", "nearest_neighbor"])
def test_separable_features_are_classified_rightly(rng, classifier):
    labels = np.repeat(np.arange(4), 10)
    features = np.eye(4)[labels] + 0.01 * rng.standard_normal((40, 4))
    result = skd.evaluate_features(features, labels, classifier=classifier, **OPTIONS)
    assert result.mean == 100
    assert result.ci95 == 0
    assert result.accuracies.shape == (40,)
    assert result.options["classifier"] == classifier


def test_random_features_are_classified_by_chance(rng):
    labels = np.repeat(np.arange(6), 20)
    features = rng.standard_normal((120, 16))
    result = skd.evaluate_features(features, labels, n_way=5, n_episodes=300)
    assert abs(result.mean - 20) < 4 * result.ci95
    assert 0 < result.ci95 < 2


def test_evaluation_matches_the_formula_by_hand(make_model, make_split):
    split, model = make_split(), make_model()
    model.normalization = (split.mean, split.std)
    result = skd.evaluate(
        model, split, **OPTIONS, support_augmentation="none", classifier="nearest_centroid"
    )
    features = skd.l2_normalize(model.embed(split.images))
    episodes = skd.EpisodeSampler(split.labels, n_way=3, n_query=5).sample(0, 40)
    accuracies = []
    for support, query in zip(episodes.support, episodes.query, strict=True):
        prototypes = features[support].mean(axis=1)
        distances = ((features[query][:, :, None] - prototypes) ** 2).sum(axis=-1)
        rightly = distances.argmin(axis=-1) == np.arange(3)[:, None]
        accuracies.append(100 * rightly.mean())
    np.testing.assert_allclose(result.accuracies, accuracies)
    np.testing.assert_allclose((result.mean, result.ci95), skd.mean_ci95(accuracies))


@pytest.fixture
def with_threads():
    """Return a function that calls another under a number of threads."""
    before = skd.get_num_threads()

    def run(count, call):
        skd.set_num_threads(count)
        return call()

    yield run
    skd.set_num_threads(before)


@pytest.mark.parametrize("features", ["embedding", "logits"])
@pytest.mark.parametrize("augmentation", ["none", "crop_flip", "full"])
def test_reports_are_equal_on_every_run_and_for_any_number_of_threads(
    make_model, make_split, with_threads, features, augmentation
):
    split, model = make_split(), make_model()
    options = {**OPTIONS, "features": features, "support_augmentation": augmentation}
    reports = [
        with_threads(threads, lambda: skd.evaluate(model, split, **options)).to_json()
        for threads in (1, 2, 1, 2)
    ]
    assert set(reports) == {reports[0]}


@pytest.mark.parametrize("classifier", ["logistic", "nearest_centroid", "nearest_neighbor"])
def test_scores_of_noise_are_equal_for_any_number_of_threads(rng, with_threads, classifier):
    labels = np.repeat(np.arange(6), 20)
    features = rng.standard_normal((120, 24))

    def accuracies():
        return skd.evaluate_features(features, labels, classifier=classifier).accuracies

    one, two, again = (with_threads(threads, accuracies) for threads in (1, 2, 2))
    assert len(set(one)) > 10
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(two, again)


@pytest.mark.parametrize("augmentation", ["none", "crop_flip"])
def test_an_image_passes_once_and_in_full_batches(
    make_model, make_split, monkeypatch, augmentation
):
    split, model, batches = make_split(), make_model(), []
    embed = model.embed

    def counted(images):
        batches.append(len(images))
        return embed(images)

    monkeypatch.setattr(model, "embed", counted)
    skd.evaluate(model, split, **OPTIONS, support_augmentation=augmentation)
    # 40 episodes draw 720 times of 100 images, and augment 3 images 5 times.
    passed = 2 + (40 * 3 * 5 + 63) // 64 * (augmentation != "none")
    assert batches == [64] * passed


def test_only_images_of_the_episodes_pass(make_model, make_split, monkeypatch):
    split, model, count = make_split(per_class=100), make_model(), 0
    embed = model.embed

    def counted(images):
        nonlocal count
        count += len(images)
        return embed(images)

    monkeypatch.setattr(model, "embed", counted)
    skd.evaluate(
        model,
        split,
        n_way=2,
        n_query=5,
        n_episodes=5,
        n_support_copies=1,
        support_augmentation="none",
    )
    assert count == 64


def test_more_episodes_keep_the_first_ones(make_model, make_split):
    split, model = make_split(), make_model()
    few = skd.evaluate(model, split, n_way=3, n_query=5, n_episodes=5)
    many = skd.evaluate(model, split, n_way=3, n_query=5, n_episodes=45)
    np.testing.assert_array_equal(few.accuracies, many.accuracies[:5])


def test_the_result_states_every_option(make_model, make_split):
    split = make_split()
    result = skd.evaluate(make_model(), split, **OPTIONS, support_augmentation="none", seed=9)
    assert result.options == {
        "n_way": 3,
        "n_shot": 1,
        "n_query": 5,
        "query_distribution": "uniform",
        "query_concentration": None,
        "open_set": None,
        "n_episodes": 40,
        "classifier": "logistic",
        "inverse_regularization": 1.0,
        "seed": 9,
        "legacy_episodes": False,
        "features": "embedding",
        "n_support_copies": 1,
        "support_augmentation": "none",
        "support_padding": 0,
        "flip": True,
        "normalization": {"mean": list(split.mean), "std": list(split.std)},
    }
    assert str(result) == f"{result.mean:.2f} ± {result.ci95:.2f} %"


def sha256(*arrays, before=b""):
    return hashlib.sha256(before + b"".join(array.tobytes() for array in arrays)).hexdigest()


def test_the_result_states_what_it_was_computed_from(make_model, make_split):
    split, model = make_split(), make_model()
    names = {"data_name": "colours", "split_name": "val"}
    provenance = skd.evaluate(model, split, **OPTIONS, **names, seed=9).provenance
    episodes = skd.EpisodeSampler(split.labels, n_way=3, n_query=5, seed=9).sample(0, 40)
    header = b"skd split of shape (100, 16, 16, 3)\n"
    assert provenance["skd_version"] == skd.__version__
    assert provenance["instruction_set"] == skd.instruction_set()
    assert provenance["data"] == {
        "name": "colours",
        "split": "val",
        "sha256": sha256(split.images, split.labels, before=header),
        "n_images": 100,
        "num_classes": 5,
        "image_shape": [16, 16, 3],
    }
    assert provenance["episodes"] == {
        "file": None,
        "seed": 9,
        "legacy": False,
        "labels_sha256": sha256(split.labels),
        "sha256": sha256(*episodes),
    }
    assert provenance["model"].items() >= model.config.items()


def test_features_are_stated_by_their_hash(rng):
    features = rng.standard_normal((40, 3)).astype(np.float32)
    labels = np.repeat(np.arange(2), 20)
    provenance = skd.evaluate_features(features, labels, n_way=2, n_episodes=3).provenance
    assert provenance["model"] is None
    assert provenance["data"]["sha256"] == sha256(features, labels)
    assert provenance["data"]["n_dimensions"] == 3


def test_the_hash_of_a_model_is_that_of_its_values(make_model, make_split, tmp_path):
    def hash_of(model):
        return skd.evaluate(model, make_split(), **OPTIONS).provenance["model"]["sha256"]

    model = make_model(seed=1)
    model.save(tmp_path / "model.safetensors")
    assert hash_of(model) == hash_of(skd.load_model(tmp_path / "model.safetensors"))
    assert hash_of(model) == hash_of(model.clone())
    assert hash_of(model) != hash_of(make_model(seed=2))


@pytest.mark.parametrize("evaluation", ["images", "features"])
def test_a_class_with_too_few_images_is_named(make_model, evaluation):
    labels = np.repeat([7, 4, 9], [20, 12, 20])
    if evaluation == "images":
        split = skd.datasets.from_arrays(
            np.zeros((52, 16, 16, 3), dtype=np.uint8), labels, class_names=["cat", "dog", "elk"]
        )
        arguments, name, call = (make_model(), split), "'cat'", skd.evaluate
    else:
        arguments, name, call = (np.ones((52, 2)), labels), "4", skd.evaluate_features
    with pytest.raises(ValueError, match=f"= 16 images; got 15, and class {name} has 12") as error:
        call(*arguments, n_way=3)
    assert "more have too few" not in str(error.value)
    with pytest.raises(ValueError, match=r"class .* has 12 \(2 more have too few\)"):
        call(*arguments, n_way=3, n_shot=10)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n_way": 9}, "'n_way'"),
        ({"n_way": 1}, "'n_way' parameter of evaluate must be at least 2"),
        ({"n_shot": 0}, "'n_shot'"),
        ({"n_query": 1000}, "'n_query'"),
        ({"n_episodes": 0}, "'n_episodes'"),
        ({"classifier": "svm"}, "'nearest_centroid'"),
        ({"features": "pixels"}, "'logits'"),
        ({"support_augmentation": "blur"}, "'crop_flip'"),
        ({"n_support_copies": 0}, "'n_support_copies'"),
        ({"seed": "zero"}, "'seed'"),
        ({"seed": -1}, "'seed'"),
        ({"n_episodes": 10**7}, "'n_episodes'"),
        ({"legacy_episodes": "yes"}, "'legacy_episodes'"),
        ({"data_name": 3}, "'data_name'"),
        ({"split_name": b"val"}, "'split_name'"),
        ({"episodes_file": 3}, "'episodes_file'"),
        ({"progress": "yes"}, "'progress'"),
    ],
)
def test_evaluate_refuses_wrong_options(make_model, make_split, options, named):
    with pytest.raises((ValueError, TypeError), match=named):
        skd.evaluate(make_model(), make_split(), **{**OPTIONS, **options})


def test_evaluate_refuses_images_of_another_size(make_model, make_split):
    with pytest.raises(ValueError, match=r"'split'.*\(n, 16, 16, 3\); got shape \(100, 8, 8, 3\)"):
        skd.evaluate(make_model(), make_split(side=8), **OPTIONS)
    with pytest.raises(ValueError, match=r"\(n, 16, 16, 1\)"):
        skd.evaluate(make_model(input_channels=1), make_split(), **OPTIONS)
    with pytest.raises(TypeError, match="'split'"):
        skd.evaluate(make_model(), np.zeros((4, 16, 16, 3)), **OPTIONS)
