"""Plots of episodes show what `skd.evaluate` and `FewShotClassifier` predict."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from bad_input import assert_refused
from matplotlib.patches import Rectangle
from PIL import Image
from plotted import assert_nothing_is_cut_off

import skd
from skd import plots
from skd.evaluation import predict_episodes

FEW = {"n_way": 3, "n_shot": 2, "n_query": 4}
OPTIONS = {
    "n_support_copies": 2,
    "support_augmentation": "crop_flip",
    "flip": True,
    "classifier": "logistic",
    "seed": 3,
}


@pytest.fixture
def model(make_model):
    return make_model("convnet4")


@pytest.fixture
def hard(rng):
    """Return a split of which a network without training recognises a part."""
    labels = np.repeat(np.arange(5), 12)
    images = rng.integers(0, 256, (60, 16, 16, 3))
    images[..., 0] = np.clip(images[..., 0] // 2 + 25 * labels[:, None, None], 0, 255)
    names = ("ape", "bear", "cat", "dog", "elk")
    return skd.datasets.from_arrays(images.astype(np.uint8), labels, class_names=names)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"support_augmentation": "none"},
        {"classifier": "nearest_centroid"},
        {"classifier": "nearest_neighbor_cosine"},
        {"classifier": "ridge"},
        {"classifier": "linear_svc"},
    ],
)
def test_predictions_are_those_of_evaluate_episode_by_episode(model, hard, changed):
    options = {**FEW, **OPTIONS, **changed}
    result = skd.evaluate(model, hard, n_episodes=70, **options)
    _, ways = predict_episodes(model, hard, "test", n_episodes=70, **options)
    right = ways == np.arange(ways.shape[1])[:, None]
    np.testing.assert_allclose(100 * right.mean(axis=(1, 2)), result.accuracies)
    assert 40 < result.mean < 100
    _, (late,) = predict_episodes(model, hard, "test", first=66, n_episodes=1, **options)
    np.testing.assert_array_equal(late, ways[66])


def test_the_confusion_counts_every_query_and_has_the_accuracy_of_evaluate(model, hard):
    display = plots.EpisodeConfusionDisplay.from_model(model, hard, n_episodes=20, **FEW, **OPTIONS)
    result = skd.evaluate(model, hard, n_episodes=20, **FEW, **OPTIONS)
    assert display.counts.sum() == 20 * 3 * 4
    assert 100 * np.trace(display.counts) / display.counts.sum() == pytest.approx(result.mean)
    axes = display.ax_
    assert axes.get_title() == (
        f"Confusion in 20 3-way 2-shot episodes\n240 queries, {result.mean:.1f} % right"
    )
    (image,) = axes.images
    shares = 100 * display.counts / display.counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(image.get_array(), shares)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(hard.class_names)
    assert [text.get_text() for text in axes.texts] == [f"{share:.0f}" for share in shares.flat]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")


def test_a_class_without_queries_is_left_white():
    axes = plots.EpisodeConfusionDisplay([[0, 0], [1, 1]], ["cat", "dog"]).plot()
    assert np.ma.getmaskarray(axes.images[0].get_array()).tolist() == [[True] * 2, [False] * 2]
    assert [text.get_text() for text in axes.texts] == ["50", "50"]


def test_many_classes_are_numbered():
    counts, names = np.eye(40, dtype=int), [f"class {number}" for number in range(40)]
    axes = plots.EpisodeConfusionDisplay(counts, names).plot()
    assert axes.get_xlabel() == "predicted class, by number"
    assert not axes.texts
    assert len(axes.get_xticks()) < 40


def test_the_confusion_of_a_classifier_is_that_of_its_predictions(model, hard, tmp_path):
    model.normalization = (hard.mean, hard.std)
    names = np.array(hard.class_names)[hard.labels]
    classifier = skd.FewShotClassifier(model).fit(hard.images[::4], names[::4])
    images, labels = hard.images[1::4], names[1::4]
    display = plots.EpisodeConfusionDisplay.from_classifier(classifier, images, labels)
    predicted = classifier.predict(images)
    for row, true in enumerate(classifier.classes_):
        for column, given in enumerate(classifier.classes_):
            count = ((labels == true) & (predicted == given)).sum()
            assert display.counts[row, column] == count
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (tmp_path / label).mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / label / f"{number}.png")
    from_folder = plots.EpisodeConfusionDisplay.from_classifier(classifier, tmp_path)
    np.testing.assert_array_equal(from_folder.counts, display.counts)
    for wrong in (np.full(len(images), "yak"), np.arange(len(images))):
        with pytest.raises(ValueError, match="'labels' parameter of EpisodeConfusionDisplay"):
            plots.EpisodeConfusionDisplay.from_classifier(classifier, images, wrong)


def test_a_classifier_of_integers_has_a_confusion_too(model, hard):
    model.normalization = (hard.mean, hard.std)
    classifier = skd.FewShotClassifier(model).fit(hard.images[::4], hard.labels[::4] + 7)
    display = plots.EpisodeConfusionDisplay.from_classifier(
        classifier, hard.images, hard.labels + 7
    )
    assert display.class_names == ("7", "8", "9", "10", "11")
    assert display.counts.sum() == len(hard)
    with pytest.raises(skd.NotFittedError):
        plots.EpisodeConfusionDisplay.from_classifier(
            skd.FewShotClassifier(model), hard.images, hard.labels
        )


def test_an_episode_shows_its_images_and_marks_what_is_wrong_by_more_than_colour(model, hard):
    options = {**FEW, **OPTIONS}
    display = plots.EpisodeDisplay.from_model(model, hard, episode=5, **options)
    sampler = skd.EpisodeSampler(hard.labels, seed=3, **FEW)
    (classes,), (support,), (query,) = sampler.sample(5, 1)
    accuracy = skd.evaluate(model, hard, n_episodes=6, **options).accuracies[5]
    right = display.predicted == np.arange(3)[:, None]
    assert 100 * right.mean() == pytest.approx(accuracy)
    assert 0 < right.sum() < right.size
    axes = display.ax_
    assert axes.get_title() == f"Episode 5: 3-way 2-shot, {right.sum()} of 12 queries right"
    shown = [np.asarray(image.get_array()) for image in axes.images]
    expected = [
        hard.images[position] for row in range(3) for position in [*support[row], *query[row]]
    ]
    np.testing.assert_array_equal(shown, expected)
    names = [hard.class_names[label] for label in classes]
    assert [label.get_text() for label in axes.get_yticklabels()] == names
    captions = [text.get_text() for text in axes.texts]
    assert captions == [
        "✓" if given == row else f"✗ {names[given]}"
        for row in range(3)
        for given in display.predicted[row]
    ]
    frames = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    styles = [(frame.get_linestyle(), frame.get_edgecolor()) for frame in frames]
    assert len(set(styles)) == len({line for line, _ in styles}) == 2
    assert [style == styles[int(right.argmax())] for style in styles] == right.ravel().tolist()


@pytest.mark.parametrize(("channels", "shape"), [(1, (8, 8)), (2, (8, 8, 4)), (4, (8, 8, 4))])
def test_images_of_any_channels_are_shown(channels, shape):
    images = np.zeros((2, 1, 8, 8, channels), dtype=np.uint8)
    axes = plots.EpisodeDisplay(images, images, [[0], [1]], ["cat", "dog"]).plot()
    assert {image.get_array().shape for image in axes.images} == {shape}


def test_nothing_of_an_episode_is_cut_off_or_overlaps(model, hard):
    display = plots.EpisodeDisplay.from_model(model, hard, **FEW, **OPTIONS)
    assert_nothing_is_cut_off(display)
    captions = [text.get_window_extent() for text in display.ax_.texts]
    frames = [patch.get_window_extent() for patch in display.ax_.patches]
    for number, caption in enumerate(captions):
        assert not any(caption.overlaps(other) for other in captions[number + 1 :])
        assert not any(caption.overlaps(frame.padded(-2)) for frame in frames)


IMAGES = np.zeros((2, 1, 8, 8, 3), dtype=np.uint8)
NAMES = ["cat", "dog"]
WRONG = {
    "an oblong matrix": ("'counts'", lambda: plots.EpisodeConfusionDisplay([[1, 2]], ["cat"])),
    "negative counts": ("'counts'", lambda: plots.EpisodeConfusionDisplay([[-1]], ["cat"])),
    "no counts": ("'counts'", lambda: plots.EpisodeConfusionDisplay([[0]], ["cat"])),
    "one image": ("'support'", lambda: plots.EpisodeDisplay(IMAGES[0], IMAGES, [[0], [1]], NAMES)),
    "few rows": ("'query'", lambda: plots.EpisodeDisplay(IMAGES, IMAGES[:1], [[0]], NAMES)),
    "few predictions": ("'predicted'", lambda: plots.EpisodeDisplay(IMAGES, IMAGES, [[0]], NAMES)),
    "a third class": (
        "'predicted'",
        lambda: plots.EpisodeDisplay(IMAGES, IMAGES, [[0], [2]], NAMES),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_argument_is_named(case):
    named, call = WRONG[case]
    assert_refused(ValueError, named, call)


WRONG_OPTIONS = {
    "one way": (ValueError, "'n_way'", {"n_way": 1}),
    "many ways": (ValueError, "'n_way'", {"n_way": 6}),
    "no shots": (ValueError, "'n_shot'", {"n_shot": 0}),
    "many queries": (ValueError, "'n_query'", {"n_query": 12}),
    "a classifier": (ValueError, "'classifier'", {"classifier": "forest"}),
    "no copies": (ValueError, "'n_support_copies'", {"n_support_copies": 0}),
    "an augmentation": (ValueError, "'support_augmentation'", {"support_augmentation": "mix"}),
    "perhaps": (TypeError, "'flip'", {"flip": "no"}),
    "a seed": (ValueError, "'seed'", {"seed": -1}),
    "no split": (TypeError, "'split'", {"split": None}),
    "no model": (TypeError, "'model'", {"model": None}),
}


@pytest.mark.parametrize("case", WRONG_OPTIONS)
@pytest.mark.parametrize("display", [plots.EpisodeDisplay, plots.EpisodeConfusionDisplay])
def test_a_wrong_option_is_named_and_nothing_is_drawn(display, case, model, hard):
    error, named, changed = WRONG_OPTIONS[case]
    options = {"model": model, "split": hard, **changed}
    owner = f"{named} parameter of {display.__name__}.from_model"
    assert_refused(error, owner, lambda: display.from_model(**options))
    assert not plt.get_fignums()


def test_episodes_that_are_not_counted_are_refused(model, hard):
    for display, named in (
        (plots.EpisodeDisplay, {"episode": -1}),
        (plots.EpisodeConfusionDisplay, {"n_episodes": 0}),
    ):
        (name,) = named
        assert_refused(
            ValueError,
            f"'{name}'",
            lambda d=display, o=named: d.from_model(model, hard, **FEW, **o),
        )
