"""Episodes with random proportions of queries, ranges of classes and shots, and unknown classes."""

import json

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import skd

LABELS = np.repeat([5, 1, 8, 3, 9, 7, 2, 4], 40)
DIRICHLET = {"query_distribution": "dirichlet", "n_query": 6}
RANGES = {"n_way": (2, 6), "n_shot": (1, 4)}
UNEVEN = {
    "dirichlet": DIRICHLET,
    "ranges": RANGES,
    "open set": {"open_set": 3},
    "all": {**DIRICHLET, **RANGES, "query_concentration": 0.5, "open_set": 2},
}


@pytest.fixture
def features(rng):
    return (
        np.eye(8)[np.unique(LABELS, return_inverse=True)[1]] + rng.normal(0, 0.7, (320, 8))
    ).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "episodes.safetensors"


@pytest.mark.parametrize("case", UNEVEN)
def test_episodes_are_of_their_classes_and_of_the_right_size(case):
    options = {"n_query": 10, **UNEVEN[case]}
    sampler = skd.EpisodeSampler(LABELS, **options)
    n_query, unknown = options["n_query"], options.get("open_set", 0)
    for number in range(60):
        episode = sampler.episode(number)
        n_way, n_shot = episode.support.shape
        assert n_way == 5 if case in ("dirichlet", "open set") else 2 <= n_way <= 6
        assert n_shot == 1 if case in ("dirichlet", "open set") else 1 <= n_shot <= 4
        assert len(set(episode.classes)) == len(episode.classes) == n_way + unknown
        np.testing.assert_array_equal(
            LABELS[episode.support], np.repeat(episode.classes[:n_way, None], n_shot, axis=1)
        )
        np.testing.assert_array_equal(LABELS[episode.query], episode.classes[episode.query_ways])
        counts = np.bincount(episode.query_ways, minlength=n_way + unknown)
        assert counts[:n_way].sum() == n_way * n_query
        assert (counts[n_way:] == n_query).all()
        images = np.concatenate([episode.support.ravel(), episode.query])
        assert len(set(images)) == len(images)


def test_an_episode_keeps_its_classes_and_support_whatever_its_queries():
    balanced = skd.EpisodeSampler(LABELS, n_query=6, seed=4)
    uneven = skd.EpisodeSampler(LABELS, **DIRICHLET, open_set=2, seed=4)
    for number in range(20):
        one, other = balanced.episode(number), uneven.episode(number)
        np.testing.assert_array_equal(one.classes, other.classes[:5])
        np.testing.assert_array_equal(one.support, other.support)
    block = balanced.sample(0, 20)
    np.testing.assert_array_equal(block.query[7].ravel(), balanced.episode(7).query)


def test_proportions_have_the_moments_of_the_dirichlet_distribution():
    labels = np.repeat(np.arange(5), 310)
    for concentration in (0.5, 2.0):
        sampler = skd.EpisodeSampler(
            labels,
            n_query=60,
            query_distribution="dirichlet",
            query_concentration=concentration,
        )
        counts = np.array(
            [np.bincount(sampler.episode(i).query_ways, minlength=5) for i in range(900)]
        )
        assert (counts.sum(axis=1) == 300).all()
        shares = counts / 300
        variance = 0.2 * 0.8 / (5 * concentration + 1)
        assert shares.var() == pytest.approx(variance, rel=0.1)
        # The covariance of two proportions is -1 / K^2 / (K a + 1).
        covariance = np.cov(shares.T)[~np.eye(5, dtype=bool)].mean()
        assert covariance == pytest.approx(-0.04 / (5 * concentration + 1), rel=0.15)


def by_hand(features, episode):
    """Return the accuracy of nearest centroid on the queries of known classes."""
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    centroids = rows[episode.support].mean(axis=1)
    known = episode.query_ways < len(centroids)
    query = rows[episode.query[known]]
    nearest = ((query[:, None] - centroids) ** 2).sum(axis=-1).argmin(axis=1)
    return 100 * (nearest == episode.query_ways[known]).mean()


@pytest.mark.parametrize("case", UNEVEN)
def test_accuracies_match_the_formula_by_hand(features, case):
    options = {"n_query": 10, **UNEVEN[case]}
    result = skd.evaluate_features(
        features, LABELS, classifier="nearest_centroid", n_episodes=40, seed=2, **options
    )
    sampler = skd.EpisodeSampler(LABELS, seed=2, **options)
    expected = [by_hand(features, sampler.episode(number)) for number in range(40)]
    np.testing.assert_allclose(result.accuracies, expected)
    assert result.mean == pytest.approx(np.mean(expected))


@pytest.mark.parametrize("classifier", ["logistic", "simple_shot"])
def test_results_do_not_depend_on_threads_or_on_the_number_of_episodes(features, classifier):
    options = {**UNEVEN["all"], "classifier": classifier}
    before = skd.get_num_threads()
    try:
        reports = []
        for threads in (1, 2, 5):
            skd.set_num_threads(threads)
            reports.append(
                skd.evaluate_features(features, LABELS, n_episodes=60, **options).to_json()
            )
    finally:
        skd.set_num_threads(before)
    assert len(set(reports)) == 1
    many = skd.evaluate_features(features, LABELS, n_episodes=60, **options)
    few = skd.evaluate_features(features, LABELS, n_episodes=25, **options)
    np.testing.assert_array_equal(many.accuracies[:25], few.accuracies)


@pytest.mark.parametrize("augmentation", ["none", "crop_flip"])
def test_images_are_evaluated_like_their_features(make_model, make_split, augmentation):
    split, model = make_split(per_class=24), make_model()
    model.normalization = (split.mean, split.std)
    options = {"n_way": (2, 3), "n_shot": (1, 2), **DIRICHLET, "open_set": 1, "n_episodes": 20}
    result = skd.evaluate(model, split, support_augmentation=augmentation, **options)
    if augmentation == "none":
        features = model.embed(split.images)
        of_features = skd.evaluate_features(features, split.labels, **options)
        np.testing.assert_array_equal(result.accuracies, of_features.accuracies)
    again = skd.evaluate(
        model, split, support_augmentation=augmentation, **{**options, "n_episodes": 7}
    )
    np.testing.assert_array_equal(result.accuracies[:7], again.accuracies)


def test_a_report_breaks_the_accuracy_down_by_way_and_by_shot(features, path):
    result = skd.evaluate_features(features, LABELS, n_episodes=80, **RANGES)
    assert result.options["n_way"] == [2, 6]
    assert result.options["n_shot"] == [1, 4]
    ways, shots = result.by_way(), result.by_shot()
    assert list(ways) == [2, 3, 4, 5, 6]
    assert list(shots) == [1, 2, 3, 4]
    for groups, sizes in ((ways, result.extents["n_way"]), (shots, result.extents["n_shot"])):
        assert sum(group.n_episodes for group in groups.values()) == 80
        for size, group in groups.items():
            assert group[:2] == skd.mean_ci95(result.accuracies[sizes == size])
    assert ways[2].mean > ways[6].mean
    content = result.to_dict()
    assert content["by_way"]["4"] == {
        "mean": ways[4].mean,
        "ci95": ways[4].ci95,
        "n_episodes": ways[4].n_episodes,
    }
    assert "by n_shot" in result.to_markdown()
    assert "by n_way" in result._repr_html_()
    result.save(path)
    assert skd.EvaluationResult.load(path).to_json() == result.to_json()


def test_a_single_extent_has_one_group(features):
    result = skd.evaluate_features(features, LABELS, n_way=3, n_episodes=5)
    assert result.by_way() == {3: (result.mean, result.ci95, 5)}
    assert "extents" not in result.to_dict()
    assert skd.evaluate_features(features, LABELS, n_way=(3, 3), n_episodes=5).options["n_way"] == 3


def test_the_distribution_is_named_in_every_report(features):
    result = skd.evaluate_features(features, LABELS, n_episodes=5, **DIRICHLET)
    assert result.options["query_distribution"] == "dirichlet"
    assert result.options["query_concentration"] == 2.0
    for text in (result.to_json(), result.to_markdown(), result._repr_html_()):
        assert "dirichlet" in text


@pytest.mark.parametrize(
    ("changes", "legal"),
    [
        ({"extents": {"n_way": [2] * 9}}, "not in its range"),
        ({"extents": {"n_way": [2] * 9 + [7]}}, "not in its range"),
        ({"extents": {"n_way": [2.0] * 10}}, "not a list of integers"),
        ({"extents": {"n_way": None}}, "not a list of integers"),
        ({"extents": [1]}, "not both objects"),
        ({"open_set": {"centroid_cosine": {}}}, "KeyError"),
        ({"open_set": 3}, "not both objects"),
    ],
)
def test_a_report_with_changed_parts_is_refused(features, path, changes, legal):
    result = skd.evaluate_features(features, LABELS, n_episodes=10, **RANGES)
    path.write_text(json.dumps({**result.to_dict(), **changes}))
    with pytest.raises(ValueError, match=rf"'path'.*{legal}"):
        skd.EvaluationResult.load(path)


@pytest.mark.parametrize("case", UNEVEN)
def test_episodes_are_kept_in_a_file_and_replayed(features, path, case):
    options = {"n_episodes": 30, "n_query": 10, **UNEVEN[case], "episodes_file": path}
    first = skd.evaluate_features(features, LABELS, seed=3, **options)
    content = path.read_bytes()
    again = skd.evaluate_features(features, LABELS, seed=4, **options)
    np.testing.assert_array_equal(again.accuracies, first.accuracies)
    assert again.provenance == first.provenance
    few = skd.evaluate_features(features, LABELS, **{**options, "n_episodes": 8})
    np.testing.assert_array_equal(few.accuracies, first.accuracies[:8])
    assert path.read_bytes() == content
    for change in ({"n_way": 3}, {"query_concentration": 7.0, "query_distribution": "dirichlet"}):
        other = {**options, "n_query": 6, **change}
        with pytest.raises(ValueError, match=r"'episodes_file'.* is .*, not "):
            skd.evaluate_features(features, LABELS, **other)


def swapped(name, start, stop, value):
    def changed(arrays):
        array = arrays[name].copy()
        array[start:stop] = value
        return {name: array}

    return changed


@pytest.mark.parametrize(
    ("arrays", "drawn", "reason"),
    [
        (swapped("query", 0, 1, 320), {}, "positions are in"),
        (swapped("query", 0, 1, -1), {}, "positions are in -1"),
        (swapped("classes", 0, 1, 77), {}, "another class than stated"),
        (swapped("n_way", 0, 1, 2**50), {}, "out of range"),
        (swapped("n_shot", 0, 1, 0), {}, "out of range"),
        (swapped("query_counts", 0, 1, -1), {}, "out of range"),
        (swapped("query_counts", 0, 1, 99), {}, "query, not"),
        (lambda a: {"support": a["support"][:-1]}, {}, "support, not"),
        (lambda a: {"n_shot": a["n_shot"][:-1]}, {}, "n_shot, not"),
        (lambda a: {"n_way": a["n_way"].astype(np.int32)}, {}, "are int32"),
        (lambda a: {"query": a["query"][None]}, {}, "of shape"),
        (lambda a: {"query": np.repeat(a["query"][::2], 2)}, {}, "another class|image twice"),
        (lambda a: {}, {"open_set": 10**9}, "classes, not"),
        (lambda a: {}, {"open_set": "two"}, "open_set is"),
        (lambda a: {}, {"open_set": True}, "open_set is"),
        (lambda a: {}, {"n_query": 7}, "n_query is 7, not 6"),
        (lambda a: {}, {"n_way": None}, "n_way is None"),
    ],
)
def test_a_changed_file_of_uneven_episodes_is_refused(features, path, arrays, drawn, reason):
    options = {"n_episodes": 12, **UNEVEN["all"], "episodes_file": path}
    skd.evaluate_features(features, LABELS, **options)
    with safe_open(path, framework="numpy") as file:
        content = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        description = json.loads(file.metadata()["skd_episodes"])
    content.update(arrays(content))
    description["drawn"].update(drawn)
    save_file(content, path, {"skd_episodes": json.dumps(description)})
    with pytest.raises(ValueError, match=f"'episodes_file'.*({reason})"):
        skd.evaluate_features(features, LABELS, **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"n_way": (5, 3)}, "'n_way'.*from the smaller to the larger"),
        ({"n_way": (1, 5)}, "'n_way'.*at least 2"),
        ({"n_way": (2, 3, 4)}, "'n_way'.*a pair"),
        ({"n_way": "2-5"}, "'n_way'.*a pair"),
        ({"n_way": (2, 9)}, "'n_way'.*number of classes, 8"),
        ({"n_shot": (0, 2)}, "'n_shot'"),
        ({"n_shot": (1, 26)}, r"'n_query'.*n_shot \+ n_query = 41 images"),
        ({"query_distribution": "normal"}, "'query_distribution'.*'dirichlet'"),
        ({"query_concentration": 0}, "'query_concentration'"),
        ({"query_concentration": "two"}, "'query_concentration'"),
        (
            {"query_distribution": "dirichlet"},
            r"'n_query'.*n_shot \+ n_way \* n_query = 76 images, because a Dirichlet",
        ),
        ({"open_set": 0}, "'open_set'.*1"),
        ({"open_set": 4}, "'open_set'.*at most 3"),
        ({"open_set": True, "n_way": 8}, "'open_set'.*at most 0"),
        ({"legacy_episodes": True, "open_set": 1}, "'legacy_episodes'.*False"),
        ({"legacy_episodes": True, "n_shot": (1, 2)}, "'legacy_episodes'.*False"),
    ],
)
def test_wrong_options_are_refused_by_name(features, options, named):
    with pytest.raises((ValueError, TypeError), match=named):
        skd.evaluate_features(features, LABELS, n_episodes=3, **options)


def test_blocks_of_uneven_episodes_are_refused():
    sampler = skd.EpisodeSampler(LABELS, **RANGES)
    with pytest.raises(ValueError, match=r"EpisodeSampler\.sample .*`episode`"):
        sampler.sample(0, 3)
    with pytest.raises(ValueError, match="'legacy'"):
        skd.EpisodeSampler(LABELS, open_set=1, legacy=True)
    with pytest.raises((ValueError, TypeError), match="'number'"):
        sampler.episode(-1)


def test_plots_refuse_ranges(make_model, make_split):
    from skd.plots import EpisodeDisplay

    with pytest.raises(ValueError, match=r"'n_way'.*a single number"):
        EpisodeDisplay.from_model(make_model(), make_split(), n_way=(2, 3), n_query=3)
